//! Ratios as bars on both sides of the base: to the left what is cheaper, to the right what is dearer.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, VPos},
};

use super::{
    data::{Bars, Data},
    style::{Cast, GRID, QUIET, WIDTH, anchored, caption, legend, number, text, title, width_of},
};
use crate::Result;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Height of a bar, and what is between two rows.
const BAR: i32 = 16;
const GAP: i32 = 14;
const LABEL: u32 = 14;
/// What is above the bars and below them.
const TOP: i32 = 90;
const BOTTOM: i32 = 84;
/// Room for the number beside a bar.
const VALUE: i32 = 56;

/// Draws every row with its ratios.
///
/// # Errors
///
/// When it cannot be drawn.
pub(crate) fn svg(data: &Data) -> Result<String> {
    let rows: i32 = data.bars.iter().map(height).sum();
    let mut out = String::new();
    {
        let size = (WIDTH, (TOP + rows + BOTTOM) as u32);
        let area = SVGBackend::with_string(&mut out, size).into_drawing_area();
        area.fill(&WHITE)?;
        let scale = Scale::of(&data.bars);
        let cast = Cast::of(data.bars.iter().flat_map(|row| row.ratios.iter().map(|(who, _)| who.as_str())));
        head(&area, &cast)?;
        axis(&area, &scale, TOP + rows)?;
        let mut y = TOP;
        for row in &data.bars {
            draw(&area, row, &cast, &scale, y)?;
            y += height(row);
        }
        // The base stands over the bars that start at it.
        area.draw(&PathElement::new([(scale.x(1.0), TOP - 6), (scale.x(1.0), TOP + rows)], BLACK))?;
        caption(&area, &data.caption, TOP + rows + BOTTOM - 10)?;
        area.present()?;
    }
    Ok(out)
}

fn height(row: &Bars) -> i32 {
    row.ratios.len() as i32 * BAR + GAP
}

/// From ratios to pixels, by their logarithm: twice as dear is as far from 1 as half as dear.
struct Scale {
    left: i32,
    right: i32,
    least: f64,
    most: f64,
}

impl Scale {
    fn of(rows: &[Bars]) -> Self {
        let ratios = || rows.iter().flat_map(|row| row.ratios.iter().map(|(_, ratio)| *ratio));
        let labels = rows.iter().map(|row| width_of(&name(row), LABEL)).max().unwrap_or_default();
        Self {
            left: 20 + labels + VALUE,
            right: WIDTH as i32 - VALUE,
            least: ratios().fold(0.5, f64::min),
            most: ratios().fold(2.0, f64::max),
        }
    }

    fn x(&self, ratio: f64) -> i32 {
        let share = (ratio / self.least).ln() / (self.most / self.least).ln();
        self.left + (share * f64::from(self.right - self.left)).round() as i32
    }

    /// 1, 2 and 5 of every power of ten that fits.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let all = (-4..5).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
        all.filter(|tick| *tick >= self.least * 0.999 && *tick <= self.most * 1.001)
    }
}

/// The row's name, with its base where that is not T.
fn name(row: &Bars) -> String {
    match row.base.as_str() {
        "yardstick" => row.case.clone(),
        other => format!("{} (1 = {})", row.case, title(other)),
    }
}

fn head(area: &Area<'_>, cast: &Cast) -> Result {
    let what = "Cost as a ratio to T = 1 (plain tokio-tungstenite) unless said: to the left is cheaper";
    area.draw(&Text::new(what, (20, 16), text(18, BLACK)))?;
    let entries: Vec<_> = cast.iter().map(|(who, colour)| (title(who).to_owned(), colour)).collect();
    legend(area, &entries, (20, 46))?;
    Ok(())
}

fn axis(area: &Area<'_>, scale: &Scale, bottom: i32) -> Result {
    for tick in scale.ticks() {
        let x = scale.x(tick);
        area.draw(&PathElement::new([(x, TOP - 6), (x, bottom)], GRID))?;
        area.draw(&Text::new(number(tick), (x, bottom + 6), anchored(12, QUIET, HPos::Center, VPos::Top)))?;
    }
    Ok(())
}

fn draw(area: &Area<'_>, row: &Bars, cast: &Cast, scale: &Scale, top: i32) -> Result {
    let middle = top + (height(row) - GAP) / 2;
    let label = anchored(LABEL, BLACK, HPos::Left, VPos::Center);
    area.draw(&Text::new(name(row), (20, middle), label))?;
    for (at, (who, ratio)) in row.ratios.iter().enumerate() {
        let y = top + at as i32 * BAR;
        let (from, to) = (scale.x(1.0), scale.x(*ratio));
        let bar = [(from.min(to), y + 2), (from.max(to), y + BAR - 2)];
        area.draw(&Rectangle::new(bar, cast.colour(who).filled()))?;
        let (x, side) = if to < from { (to - 5, HPos::Right) } else { (to + 5, HPos::Left) };
        let value = anchored(12, BLACK, side, VPos::Center);
        area.draw(&Text::new(number(*ratio), (x, y + BAR / 2), value))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ratio: f64) -> Bars {
        Bars {
            case: "echo".to_owned(),
            base: "yardstick".to_owned(),
            ratios: vec![("narthex".to_owned(), ratio)],
        }
    }

    #[test]
    fn half_and_double_are_as_far_from_the_base() {
        let scale = Scale::of(&[row(0.25), row(4.0)]);
        let (left, right) = (scale.x(1.0) - scale.x(0.5), scale.x(2.0) - scale.x(1.0));
        assert!(left > 50 && left.abs_diff(right) <= 1, "{left}, {right}");
        assert!(scale.ticks().any(|tick| tick == 1.0));
    }

    #[test]
    fn every_ratio_is_written_at_its_bar() {
        let data = Data { bars: vec![row(0.23), row(8.37)], ..Data::default() };
        let svg = svg(&data).unwrap();
        for text in ["0.23", "8.37", "Narthex"] {
            assert!(svg.contains(text), "{text}");
        }
    }
}
