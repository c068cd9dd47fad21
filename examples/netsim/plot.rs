//! The lossy path as curves: how much of the rate without loss is left, for the largest buffers.

use std::path::Path;

use cygnet_examples::Error;
use plotters::prelude::*;

use crate::cell::{BUFFERS, CONTROLLERS, LOSSES, Measured, Scenario};
use crate::report::percentage;
use crate::{ideal, incumbent, path};

/// Writes one chart for each of the largest buffers, side by side, into an SVG file.
pub(crate) fn write(file: &Path, all: &[Measured]) -> Result<(), Error> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let buffers = &BUFFERS[BUFFERS.len() - CHARTS..];
    let root = SVGBackend::new(file, (1_500, 500)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, &buffer) in root.split_evenly((1, CHARTS)).iter().zip(buffers) {
        chart(area, buffer, all)?;
    }
    root.present()?;
    Ok(())
}

/// Rates over loss, both in equal steps: of the loss as in the tables, of the rate by factors.
fn chart<D: DrawingBackend>(
    area: &DrawingArea<D, plotters::coord::Shift>,
    buffer: usize,
    all: &[Measured],
) -> Result<(), Error>
where
    D::ErrorType: 'static,
{
    let top = buffer as f64 * 12.0;
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{} KiB buffers", buffer >> 10), ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(0..LOSSES.len() - 1, (top / 3_000.0..top).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("loss in each direction, %")
        .y_desc("bytes per second")
        .x_label_formatter(&|&nth| percentage(LOSSES[nth]).to_string())
        .draw()?;
    for (nth, curve) in curves(buffer, all).into_iter().enumerate() {
        let color = Palette99::pick(nth).to_rgba();
        let points = curve.points.into_iter();
        let drawn =
            chart.draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?;
        drawn
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(())
}

struct Curve {
    name: &'static str,
    points: Vec<(usize, f64)>,
}

fn curves(buffer: usize, all: &[Measured]) -> Vec<Curve> {
    let rtt = all.first().map_or(cygnet::Duration::ZERO, |m| m.cell.rtt);
    let of_losses = |name, rate: &dyn Fn(usize) -> Option<f64>| Curve {
        name,
        points: (0..LOSSES.len())
            .filter_map(|nth| Some((nth, rate(nth)?)))
            .collect(),
    };
    let mut curves = vec![
        of_losses("possible", &|nth| {
            Some(ideal::bytes_per_second(buffer, LOSSES[nth], rtt, path::LEN))
        }),
        of_losses("smoltcp, no control", &|nth| {
            incumbent::on_path(buffer, LOSSES[nth], rtt).map(f64::from)
        }),
    ];
    for (name, controller) in CONTROLLERS {
        curves.push(of_losses(name, &|nth| {
            let scenario = Scenario::Path {
                buffer,
                loss: LOSSES[nth],
            };
            let found = all
                .iter()
                .find(|m| m.cell.scenario == scenario && m.cell.controller == controller);
            found.map(|m| m.bytes_per_second)
        }));
    }
    curves
}

const CHARTS: usize = 3;
