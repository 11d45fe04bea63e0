//! Colours, names and texts that all drawings share. Dark on white, so that they can be read on any page.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::data::NARTHEX;

/// Width of every drawing, in pixels.
pub(crate) const WIDTH: u32 = 960;
/// Lines of a grid.
pub(crate) const GRID: RGBColor = RGBColor(221, 221, 221);
/// Text of less weight, and the base of ratios.
pub(crate) const QUIET: RGBColor = RGBColor(90, 90, 90);

/// The first six are told apart by the colour-blind, too (Okabe and Ito).
const PEERS: [RGBColor; 8] = [
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(150, 130, 0),
    RGBColor(120, 60, 160),
    RGBColor(150, 90, 60),
];

/// Who is drawn, and each one's colour: the same in all parts of a drawing.
#[derive(Debug)]
pub(crate) struct Cast(Vec<(String, RGBColor)>);

impl Cast {
    /// Gives everybody a colour, in the order of their first appearance but Narthex first.
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut all = vec![(NARTHEX.to_owned(), RGBColor(0, 91, 187))];
        let mut peers = 0;
        for name in names {
            if all.iter().any(|(known, _)| known == name) {
                continue;
            }
            let colour = if name == "yardstick" { QUIET } else { PEERS[peers % PEERS.len()] };
            peers += usize::from(name != "yardstick");
            all.push((name.to_owned(), colour));
        }
        Self(all)
    }

    /// Everybody.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, RGBColor)> {
        self.0.iter().map(|(name, colour)| (name.as_str(), *colour))
    }

    /// The colour of one.
    pub(crate) fn colour(&self, name: &str) -> RGBColor {
        self.iter().find(|(known, _)| *known == name).map_or(QUIET, |(_, colour)| colour)
    }
}

/// What a name in the results is called by people.
pub(crate) fn title(name: &str) -> &str {
    match name {
        NARTHEX => "Narthex",
        "yardstick" => "T (plain tokio-tungstenite)",
        "socketioxide" => "plain socketioxide",
        other => other,
    }
}

/// Text of this size and colour.
pub(crate) fn text(size: u32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// The same, with its anchor at another place than the upper left corner.
pub(crate) fn anchored(size: u32, colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    text(size, colour).pos(Pos::new(h, v))
}

/// How wide a text will be, roughly: the drawing does not know the reader's font.
pub(crate) fn width_of(text: &str, size: u32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.48).ceil() as i32
}

/// `0`, `0.23`, `12.5`, `1,000`, `64k`: as many digits as say something.
pub(crate) fn number(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        v if v >= 1_000_000.0 => format!("{}M", number(v / 1_000_000.0)),
        v if v >= 10_000.0 => format!("{}k", number(v / 1_000.0)),
        v if v >= 1_000.0 => format!("{},{:03.0}", (v / 1_000.0).floor(), v % 1_000.0),
        v if v >= 100.0 || (v >= 1.0 && v.fract() == 0.0) => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// Two lines of small text that end at the height `bottom`.
///
/// # Errors
///
/// Those of the backend.
pub(crate) fn caption<DB: DrawingBackend>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    lines: &[String; 2],
    bottom: i32,
) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
    for (line, y) in lines.iter().zip([bottom - 16, bottom]) {
        area.draw(&Text::new(line.clone(), (20, y), anchored(12, QUIET, HPos::Left, VPos::Bottom)))?;
    }
    Ok(())
}

/// The legend from `(x, y)` on, in one line or more.
///
/// # Errors
///
/// Those of the backend.
pub(crate) fn legend<DB: DrawingBackend>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    entries: &[(String, RGBColor)],
    (left, mut y): (i32, i32),
) -> Result<i32, DrawingAreaErrorKind<DB::ErrorType>> {
    let mut x = left;
    for (name, colour) in entries {
        let width = 16 + width_of(name, 14) + 22;
        if x + width > WIDTH as i32 - 20 {
            (x, y) = (left, y + 20);
        }
        area.draw(&Rectangle::new([(x, y), (x + 12, y + 12)], colour.filled()))?;
        area.draw(&Text::new(name.clone(), (x + 18, y + 6), anchored(14, BLACK, HPos::Left, VPos::Center)))?;
        x += width;
    }
    Ok(y + 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        let numbers = [0.0, 0.234, 2.0, 2.51, 12.34, 128.4, 1_000.0, 65_536.0, 2_000_000.0];
        let texts = ["0", "0.23", "2", "2.51", "12.3", "128", "1,000", "65.5k", "2M"];
        assert_eq!(numbers.map(number), texts.map(str::to_owned));
    }

    #[test]
    fn narthex_and_t_keep_their_colours_whoever_else_is_there() {
        let few = Cast::of(["yardstick"].into_iter());
        let many = Cast::of(["axum", "yardstick", "ws", NARTHEX].into_iter());
        for name in [NARTHEX, "yardstick"] {
            assert_eq!(few.colour(name), many.colour(name));
        }
        assert_eq!(many.iter().count(), 4);
    }
}
