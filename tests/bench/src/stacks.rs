//! The stacks under measurement, each in a file of its own.

mod cygnet;
mod embassy_net;
mod smoltcp;

use crate::workload::Workload;

/// A stack under measurement.
pub(crate) trait Contender {
    /// What the report calls it.
    fn name(&self) -> &'static str;

    /// Two hosts with everything that the workload needs established, ready to go.
    fn prepare(&self, workload: Workload) -> Box<dyn Run>;

    /// The bytes that one more TCP socket takes, in the tables of the stack and in the hands of the
    /// application together, without its buffers.
    fn socket_bytes(&self) -> usize;
}

/// A workload under way on two hosts.
pub(crate) trait Run {
    /// Lets both hosts and their applications work for a moment. Returns how much of what the
    /// workload counts is done since the beginning.
    fn turn(&mut self) -> u64;
}

/// All of them, in the order of the report.
pub(crate) fn all() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(cygnet::Cygnet),
        Box::new(smoltcp::Smoltcp),
        Box::new(embassy_net::EmbassyNet),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload;
    use std::time::{Duration, Instant};

    /// How much of each workload is enough to see that it goes round: more than the buffers hold.
    fn enough(workload: Workload) -> u64 {
        match workload {
            Workload::TcpBulk { .. } => 5 * workload::BULK_BUFFER as u64,
            Workload::TcpSpread { connections } => {
                3 * (connections * workload::SPREAD_BUFFER) as u64
            }
            Workload::Udp => 5 * workload::DATAGRAM_QUEUE as u64,
            Workload::Connections { clients, .. } => 5 * workload::servers(clients) as u64,
        }
    }

    #[test]
    fn every_stack_makes_progress_on_every_workload() {
        for contender in all() {
            for workload in workload::all(&[0, 3, 40]) {
                let mut run = contender.prepare(workload);
                let begin = Instant::now();
                while run.turn() < enough(workload) {
                    // Far more than any machine needs: it only keeps a standstill from hanging.
                    let patience = Duration::from_secs(60);
                    assert!(
                        begin.elapsed() < patience,
                        "{} {workload:?}",
                        contender.name()
                    );
                }
            }
        }
    }

    #[test]
    fn a_socket_takes_some_room() {
        for contender in all() {
            assert!(contender.socket_bytes() > 0, "{}", contender.name());
        }
    }
}
