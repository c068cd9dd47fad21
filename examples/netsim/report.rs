//! Figures as text.

use std::fmt::Write as _;

use cygnet_link::Probability;

use crate::cell::{Measured, Scenario};
use crate::{bottleneck, ideal, incumbent, path};

/// Rows with a heading.
pub(crate) fn csv(all: &[Measured]) -> String {
    let mut out =
        String::from("scenario,controller,buffer,loss,flows,bytes_per_second,fairness,drop_rate\n");
    for measured in all {
        let (scenario, buffer, loss, flows) = match measured.cell.scenario {
            Scenario::Path { buffer, loss } => ("path", buffer, percentage(loss), 1),
            Scenario::Bottleneck { flows } => ("bottleneck", bottleneck::BUFFER, 0.0, flows),
            Scenario::Kernel { flows } => ("kernel", bottleneck::BUFFER, 0.0, flows),
        };
        let _ = writeln!(
            out,
            "{scenario},{},{buffer},{loss},{flows},{:.0},{:.4},{:.4}",
            measured.cell.controller_name(),
            measured.bytes_per_second,
            measured.fairness,
            measured.drop_rate,
        );
    }
    out
}

/// Tables for people: a block for each buffer, and one for the bottleneck.
pub(crate) fn tables(all: &[Measured]) -> String {
    let mut out = String::new();
    let on_path: Vec<_> = all.iter().filter_map(PathFigure::new).collect();
    let mut buffers: Vec<_> = on_path.iter().map(|figure| figure.buffer).collect();
    buffers.sort_unstable();
    buffers.dedup();
    if !buffers.is_empty() {
        out.push_str("Lossy path: bytes per second, and the share of what is possible\n");
    }
    for buffer in buffers {
        let row: Vec<_> = on_path.iter().filter(|f| f.buffer == buffer).collect();
        path_block(&mut out, buffer, &row);
    }
    let is_known = |f: &PathFigure<'_>| f.buffer == 32_768 && f.measured.cell.rtt == incumbent::RTT;
    if on_path.iter().any(is_known) {
        let _ = write!(out, "\n{}", incumbent::CONTROLLED);
    }
    bottleneck_block(&mut out, all);
    out
}

/// A cell of the lossy path.
struct PathFigure<'a> {
    buffer: usize,
    loss: Probability,
    measured: &'a Measured,
}

impl<'a> PathFigure<'a> {
    fn new(measured: &'a Measured) -> Option<Self> {
        match measured.cell.scenario {
            Scenario::Path { buffer, loss } => Some(Self {
                buffer,
                loss,
                measured,
            }),
            Scenario::Bottleneck { .. } | Scenario::Kernel { .. } => None,
        }
    }

    fn possible(&self) -> f64 {
        ideal::bytes_per_second(self.buffer, self.loss, self.measured.cell.rtt, path::LEN)
    }
}

fn path_block(out: &mut String, buffer: usize, row: &[&PathFigure<'_>]) {
    let mut losses: Vec<_> = row.iter().map(|figure| figure.loss).collect();
    losses.sort_unstable();
    losses.dedup();
    let _ = write!(out, "\n{:<16}", format!("buffer {buffer}"));
    for loss in &losses {
        let _ = write!(out, "{:>14}", format!("{} %", percentage(*loss)));
    }
    let _ = write!(out, "\n  {:<14}", "possible");
    let first_with = |loss| row.iter().find(|figure| figure.loss == loss);
    for figure in losses.iter().filter_map(|&loss| first_with(loss)) {
        let _ = write!(out, "{:>9.0}     ", figure.possible());
    }
    let _ = write!(out, "\n  {:<14}", "smoltcp none");
    for figure in losses.iter().filter_map(|&loss| first_with(loss)) {
        match incumbent::on_path(buffer, figure.loss, figure.measured.cell.rtt) {
            Some(rate) => drop(write!(out, "{rate:>9}     ")),
            None => drop(write!(out, "{:>9}     ", "-")),
        }
    }
    let mut controller = "";
    for figure in row {
        let name = figure.measured.cell.controller_name();
        if name != controller {
            controller = name;
            let _ = write!(out, "\n  {name:<14}");
        }
        let rate = figure.measured.bytes_per_second;
        // Of nothing, nothing: where everything is lost.
        let share = 100.0 * rate / figure.possible().max(1.0);
        let given_up = if figure.measured.complete { ' ' } else { '!' };
        let _ = write!(out, "{rate:>9.0}{share:>4.0}%{given_up}");
    }
    out.push('\n');
    if row.iter().any(|figure| !figure.measured.complete) {
        out.push_str("  ! the connection was given up before everything had arrived\n");
    }
}

fn bottleneck_block(out: &mut String, all: &[Measured]) {
    let mut heading =
        "\nBottleneck of 200 Mbit/s\n  controller    flows  bytes per second  fairness   dropped\n";
    for measured in all {
        let (whose, flows) = match measured.cell.scenario {
            Scenario::Path { .. } => continue,
            Scenario::Bottleneck { flows } => ("", flows),
            Scenario::Kernel { flows } => ("Linux ", flows),
        };
        out.push_str(std::mem::take(&mut heading));
        let _ = writeln!(
            out,
            "  {:<14}{flows:>5}{:>18.0}{:>10.3}{:>9.2}%{}",
            format!("{whose}{}", measured.cell.controller_name()),
            measured.bytes_per_second,
            measured.fairness,
            100.0 * measured.drop_rate,
            if measured.complete { "" } else { "  given up" },
        );
    }
    if heading.is_empty() {
        let _ = write!(out, "\n{}", incumbent::BOTTLENECK);
    }
}

pub(crate) fn percentage(loss: Probability) -> f64 {
    f64::from(loss.as_ppm()) / 1e4
}
