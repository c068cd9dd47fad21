//! Times the runs: in turns, so that what else the machine does falls on all alike, and the median
//! of several rounds, so that one disturbance falls on none.

use std::time::{Duration, Instant};

use cygnet_bench::median;

use crate::stacks::Run;

/// How long to measure.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// How often each stack gets its turn.
    rounds: usize,
    /// The shortest time that a turn is measured.
    pub(crate) budget: Duration,
}

impl Effort {
    pub(crate) const FULL: Self = Self {
        rounds: 3,
        budget: Duration::from_millis(400),
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        budget: Duration::from_millis(50),
    };
}

/// The median rate of each run, in what it counts per second.
pub(crate) fn in_turns(runs: &mut [Box<dyn Run>], effort: Effort) -> Vec<f64> {
    let mut rates = vec![Vec::new(); runs.len()];
    for _ in 0..effort.rounds {
        for (run, rates) in runs.iter_mut().zip(&mut rates) {
            // The run stood still while the others had their turns: its caches are cold, and some of
            // its timers are due.
            work(run.as_mut(), effort.budget / 4);
            rates.push(work(run.as_mut(), effort.budget));
        }
    }
    rates.into_iter().map(median).collect()
}

/// The rate of one run over at least that time.
fn work(run: &mut dyn Run, budget: Duration) -> f64 {
    let begin = Instant::now();
    let before = run.turn();
    loop {
        let done = run.turn() - before;
        let elapsed = begin.elapsed();
        if elapsed >= budget {
            return done as f64 / elapsed.as_secs_f64();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    #[test]
    fn runs_take_turns() {
        struct Fake(char, Rc<Cell<Vec<char>>>);
        impl Run for Fake {
            fn turn(&mut self) -> u64 {
                let mut log = self.1.take();
                if log.last() != Some(&self.0) {
                    log.push(self.0);
                }
                self.1.set(log);
                0
            }
        }
        let log = Rc::new(Cell::default());
        let mut runs: Vec<Box<dyn Run>> = vec![
            Box::new(Fake('a', log.clone())),
            Box::new(Fake('b', log.clone())),
        ];
        let rates = in_turns(
            &mut runs,
            Effort {
                rounds: 2,
                budget: Duration::ZERO,
            },
        );
        assert_eq!(log.take(), ['a', 'b', 'a', 'b']);
        assert_eq!(rates, [0.0, 0.0]);
    }
}
