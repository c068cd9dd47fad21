//! What is simulated: one cell of the tables.

use cygnet::{CongestionControl, Duration};
use cygnet_examples::Error;
use cygnet_link::{Probability, percent, ppm};

use crate::flow::FlowResult;
use crate::{bottleneck, kernel, path};

/// One simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) controller: CongestionControl,
    pub(crate) scenario: Scenario,
    /// Of the lossy path.
    pub(crate) rtt: Duration,
    pub(crate) seed: u64,
}

/// Where it takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// One transfer over a path that loses packets.
    Path { buffer: usize, loss: Probability },
    /// Several through a narrow link.
    Bottleneck { flows: usize },
    /// The same with the kernel's TCP at its ends, in real time.
    Kernel { flows: usize },
}

/// How it went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) cell: Cell,
    /// Of all flows together, until the slowest was done.
    pub(crate) bytes_per_second: f64,
    /// Jain's index over the flows' own rates: 1 when all are alike, 1/n when one has everything.
    pub(crate) fairness: f64,
    /// Packets with data that were lost or dropped, of those sent.
    pub(crate) drop_rate: f64,
    /// Every byte arrived; otherwise the connection was given up.
    pub(crate) complete: bool,
}

impl Cell {
    /// # Errors
    ///
    /// What the kernel has to do with it was not to be had.
    pub(crate) fn measure(self) -> Result<Measured, Error> {
        match self.scenario {
            Scenario::Path { buffer, loss } => Ok(path::measure(self, buffer, loss)),
            Scenario::Bottleneck { flows } => Ok(bottleneck::measure(self, flows)),
            Scenario::Kernel { flows } => kernel::measure(self, flows),
        }
    }

    pub(crate) fn controller_name(&self) -> &'static str {
        let named = CONTROLLERS
            .iter()
            .find(|(_, kind)| *kind == self.controller);
        named.map_or("?", |(name, _)| *name)
    }
}

impl Measured {
    pub(crate) fn new(cell: Cell, flows: &[FlowResult], drop_rate: f64) -> Self {
        let received: u64 = flows.iter().map(|flow| flow.received).sum();
        let slowest = flows.iter().map(|flow| flow.seconds).fold(0.0, f64::max);
        let rates = || flows.iter().map(|flow| flow.received as f64 / flow.seconds);
        let squares: f64 = rates().map(|rate| rate * rate).sum();
        let sum: f64 = rates().sum();
        Self {
            cell,
            bytes_per_second: received as f64 / slowest,
            // Where nothing arrived, all are alike.
            fairness: match squares {
                0.0 => 1.0,
                _ => sum * sum / (flows.len() as f64 * squares),
            },
            drop_rate,
            complete: flows.iter().all(|flow| flow.complete),
        }
    }
}

/// The congestion controllers by the names of the command line.
pub(crate) const CONTROLLERS: [(&str, CongestionControl); 4] = [
    ("none", CongestionControl::None),
    ("newreno", CongestionControl::NewReno),
    ("cubic", CongestionControl::Cubic),
    ("bbr", CongestionControl::Bbr),
];

/// The columns of the lossy path.
pub(crate) const LOSSES: [Probability; 8] = [
    Probability::NEVER,
    ppm(1_000),
    percent(1),
    percent(2),
    percent(5),
    percent(10),
    percent(20),
    percent(30),
];

/// Its rows.
pub(crate) const BUFFERS: [usize; 9] = [128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

/// The rows of the bottleneck.
pub(crate) const FLOWS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
