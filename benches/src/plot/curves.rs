//! Curves: one panel each, how cost grows.

use plotters::{
    coord::{
        Shift,
        combinators::LogCoord,
        ranged1d::{Ranged, ValueFormatter},
    },
    prelude::*,
};

use super::{
    data::{Curve, Data},
    style::{Cast, GRID, QUIET, WIDTH, caption, legend, number, text, title},
};
use crate::Result;

/// Panels side by side, and the height of one.
const COLUMNS: usize = 2;
const PANEL: u32 = 300;
const HEAD: u32 = 60;
const FOOT: u32 = 48;
/// Values further apart than this are drawn by their logarithm.
const FAR: f64 = 30.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws every curve.
///
/// # Errors
///
/// When it cannot be drawn.
pub(crate) fn svg(data: &Data) -> Result<String> {
    let rows = data.curves.len().div_ceil(COLUMNS);
    let mut out = String::new();
    {
        let height = HEAD + rows as u32 * PANEL + FOOT;
        let root = SVGBackend::with_string(&mut out, (WIDTH, height)).into_drawing_area();
        root.fill(&WHITE)?;
        let cast = Cast::of(data.curves.iter().flat_map(|curve| curve.lines.keys().map(String::as_str)));
        root.draw(&Text::new("How cost grows", (20, 10), text(18, BLACK)))?;
        let entries: Vec<_> = cast.iter().map(|(who, colour)| (title(who).to_owned(), colour)).collect();
        legend(&root, &entries, (20, 38))?;
        let panels = root.margin(HEAD, FOOT, 10, 10).split_evenly((rows, COLUMNS));
        for (curve, panel) in data.curves.iter().zip(&panels) {
            draw(panel, curve, &cast)?;
        }
        caption(&root, &data.caption, height as i32 - 10)?;
        root.present()?;
    }
    Ok(out)
}

/// The least and the most of some numbers.
fn range(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), n| (least.min(n), most.max(n)))
}

fn draw(panel: &Area<'_>, curve: &Curve, cast: &Cast) -> Result {
    let points = || curve.lines.values().flatten();
    let (first, last) = range(points().map(|(x, _)| *x));
    let (least, most) = range(points().map(|(_, y)| *y));
    let xs = (first..last.max(first * 1.01)).log_scale();
    let mut chart = ChartBuilder::on(panel);
    chart.margin(10).margin_right(24).x_label_area_size(40).y_label_area_size(56);
    let name = format!("{} ({})", curve.name, curve.unit);
    chart.caption(name, ("sans-serif", 15));
    if least > 0.0 && most / least > FAR {
        let mut chart = chart.build_cartesian_2d(xs, (least * 0.8..most * 1.25).log_scale())?;
        fill(&mut chart, curve, cast)
    } else {
        let mut chart = chart.build_cartesian_2d(xs, 0.0..(most * 1.1).max(f64::MIN_POSITIVE))?;
        fill(&mut chart, curve, cast)
    }
}

type Chart<'a, 'b, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<LogCoord<f64>, Y>>;

fn fill<Y>(chart: &mut Chart<'_, '_, Y>, curve: &Curve, cast: &Cast) -> Result
where
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let label = |value: &f64| number(*value);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(QUIET)
        .label_style(text(12, QUIET))
        .x_desc(&curve.axis)
        .axis_desc_style(text(13, BLACK))
        .x_label_formatter(&label)
        .y_label_formatter(&label)
        .y_labels(6)
        .draw()?;
    for (who, points) in &curve.lines {
        let colour = cast.colour(who);
        chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_curve_of_one_point_or_of_zeros_can_be_drawn() {
        for points in [vec![(1.0, 2.0)], vec![(1.0, 0.0), (10.0, 0.0)], vec![(64.0, 1.0), (65_536.0, 900.0)]]
        {
            let lines = BTreeMap::from([("narthex".to_owned(), points)]);
            let curve =
                Curve { name: "echo".to_owned(), axis: "size".to_owned(), unit: "µs".to_owned(), lines };
            let svg = svg(&Data { curves: vec![curve], ..Data::default() }).unwrap();
            assert!(svg.contains("echo (µs)"), "{svg}");
        }
    }
}
