//! Small plots as SVG: lines over logarithmic axes, side by side.

use std::fmt::Write;

/// One plot.
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    /// What stands before or after a value.
    pub(crate) unit: &'static str,
    /// What is told along the bottom.
    pub(crate) x: &'static str,
    pub(crate) series: Vec<Series>,
}

/// One line.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// The place for lines of a panel, in pixels, and around it.
const WIDTH: f64 = 340.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 62.0;
const ABOVE: f64 = 34.0;
const BELOW: f64 = 52.0;
/// What a name is long at most.
const NAME: f64 = 90.0;
/// Told apart also by those who see few colours.
const COLOURS: [&str; 2] = ["#0072b2", "#d55e00"];

/// The panels, two in a row.
pub(crate) fn page(panels: &[Panel]) -> String {
    let (wide, high) = (LEFT + WIDTH + 24.0, ABOVE + HEIGHT + BELOW);
    let rows = panels.len().div_ceil(2) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        2.0 * wide,
        rows * high
    );
    for (at, panel) in panels.iter().enumerate() {
        let (x, y) = ((at % 2) as f64 * wide + LEFT, (at / 2) as f64 * high + ABOVE);
        _ = writeln!(svg, "<g transform=\"translate({x} {y})\">\n{}</g>", panel.drawn());
    }
    svg + "</svg>\n"
}

impl Panel {
    fn drawn(&self) -> String {
        let mut svg = format!("<text y=\"-12\" font-weight=\"bold\">{}</text>\n", self.title);
        let all = || self.series.iter().flat_map(|series| &series.points);
        let (left, right) = bounds(all().map(|point| point.0));
        let (low, high) = bounds(all().map(|point| point.1));
        // The axis of values goes from a power of ten to another.
        let (bottom, top) = (low.log10().floor(), high.log10().ceil());
        let x = |value: f64| (value / left).log2() / (right / left).log2() * WIDTH;
        let y = |value: f64| HEIGHT - (value.log10() - bottom) / (top - bottom) * HEIGHT;
        for step in 0..=(top - bottom) as i32 {
            let value = 10_f64.powi(bottom as i32 + step);
            let told = if self.unit == "$" { format!("${value}") } else { format!("{value} {}", self.unit) };
            let y = y(value);
            _ = writeln!(svg, "<path d=\"M0 {y:.1}H{WIDTH}\" stroke=\"#ddd\"/>");
            _ = writeln!(svg, "<text x=\"-8\" y=\"{:.1}\" text-anchor=\"end\">{told}</text>", y + 4.0);
        }
        for (value, _) in &self.series[0].points {
            let x = x(*value);
            _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{value}</text>", HEIGHT + 18.0);
        }
        _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            WIDTH / 2.0,
            HEIGHT + 38.0,
            self.x
        );
        for (series, colour) in self.series.iter().zip(COLOURS) {
            let line: Vec<_> =
                series.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
            _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                line.join(" ")
            );
            for point in &series.points {
                _ = writeln!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                    x(point.0),
                    y(point.1)
                );
            }
            // The name stands above the end of its line.
            let end = series.points.iter().filter(|point| x(point.0) > WIDTH - NAME).map(|point| y(point.1));
            let above = end.fold(HEIGHT, f64::min) - 8.0;
            let name = series.name;
            _ = writeln!(
                svg,
                "<text x=\"{WIDTH}\" y=\"{above:.1}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>"
            );
        }
        svg
    }
}

fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(least, most), value| (least.min(value), most.max(value)))
}
