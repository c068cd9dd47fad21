//! What the stacks have to do, with every number that must be the same for all of them.

use std::time::Duration;

/// A task for two hosts, the client and the server. Data flows from the client to the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Workload {
    /// One connection sends as fast as it can, beside others that are established, have their
    /// keep-alive timer armed and say nothing. It is the last one opened. Counts bytes.
    TcpBulk { frame_len: usize, idle: usize },
    /// All connections take turns with one message each. Counts bytes.
    TcpSpread { connections: usize },
    /// One socket sends small datagrams as fast as it can. Counts datagrams that arrive.
    Udp,
    /// Each of so many clients connects, sends a request, reads the response and closes first, over and
    /// over, beside connections that are established, have their keep-alive timer armed and say nothing.
    /// Counts connections that both ends have closed as far as their client can tell. None is refused.
    Connections { clients: usize, idle: usize },
}

/// Every workload, with that many sockets beside where it takes some.
pub(crate) fn all(counts: &[usize]) -> Vec<Workload> {
    let mut all = Vec::new();
    for frame_len in [ETHERNET_FRAME_LEN, JUMBO_FRAME_LEN] {
        all.extend(
            counts
                .iter()
                .map(|&idle| Workload::TcpBulk { frame_len, idle }),
        );
    }
    let some = counts.iter().filter(|&&count| count > 0);
    all.extend(some.map(|&connections| Workload::TcpSpread { connections }));
    all.push(Workload::Udp);
    let one_after_the_other = |&idle| Workload::Connections { clients: 1, idle };
    all.extend(counts.iter().map(one_after_the_other));
    all.push(Workload::Connections {
        clients: MANY_CLIENTS,
        idle: 0,
    });
    all
}

impl Workload {
    /// The name in the report and on the command line.
    pub(crate) fn scenario(&self) -> &'static str {
        match self {
            Self::TcpBulk {
                frame_len: JUMBO_FRAME_LEN,
                ..
            } => "tcp-bulk-65535",
            Self::TcpBulk { .. } => "tcp-bulk-1514",
            Self::TcpSpread { .. } => "tcp-spread",
            Self::Udp => "udp-64",
            Self::Connections {
                clients: MANY_CLIENTS,
                ..
            } => "connections-64",
            Self::Connections { .. } => "connections",
        }
    }

    /// How many sockets each host has beside the one at work.
    pub(crate) fn idle_sockets(&self) -> usize {
        match *self {
            Self::TcpBulk { idle, .. } | Self::Connections { idle, .. } => idle,
            Self::TcpSpread { connections } => connections,
            Self::Udp => 0,
        }
    }

    /// The longest frame of the link, with its Ethernet header.
    pub(crate) fn frame_len(&self) -> usize {
        match *self {
            Self::TcpBulk { frame_len, .. } => frame_len,
            Self::TcpSpread { .. } | Self::Udp | Self::Connections { .. } => ETHERNET_FRAME_LEN,
        }
    }

    /// The value to report for so many of what it counts per second.
    pub(crate) fn value(&self, rate: f64) -> f64 {
        match self {
            Self::TcpBulk { .. } | Self::TcpSpread { .. } => rate * 8.0 / 1e9,
            Self::Udp | Self::Connections { .. } => rate,
        }
    }

    /// The unit of [`Self::value`].
    pub(crate) fn unit(&self) -> &'static str {
        match self {
            Self::TcpBulk { .. } | Self::TcpSpread { .. } => "Gbit/s",
            Self::Udp | Self::Connections { .. } => "1/s",
        }
    }
}

/// A plain Ethernet frame without its check sequence.
pub(crate) const ETHERNET_FRAME_LEN: usize = 1514;
/// The longest frame measured.
pub(crate) const JUMBO_FRAME_LEN: usize = 65535;

/// The addresses of the client and the server.
pub(crate) const ADDRESSES: [[u8; 4]; 2] = [[10, 0, 0, 1], [10, 0, 0, 2]];
pub(crate) const PREFIX_LEN: u8 = 24;
/// Where the server listens.
pub(crate) const SERVER_PORT: u16 = 7;
/// Where it takes the connections that say nothing while others come and go: some stacks do not ask
/// whether a port of the client is in use, and so would take one again for the same port of the server.
pub(crate) const IDLE_PORT: u16 = 8;

/// The receive and the transmit buffer of the connection that sends in bulk, in bytes.
pub(crate) const BULK_BUFFER: usize = 65536;
/// The same of an idle connection and of a short one.
pub(crate) const SMALL_BUFFER: usize = 128;
/// The same of each connection that takes turns.
pub(crate) const SPREAD_BUFFER: usize = 2048;

/// The interval of keep-alive probes, as RFC 9293 section 3.8.4 has it by default: armed, but never
/// due while we measure.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(7200);

/// What a connection sends when it is its turn, in bytes.
pub(crate) const SPREAD_MESSAGE: usize = 1024;
/// How many messages are on their way at most; no connection has two.
pub(crate) const SPREAD_IN_FLIGHT: usize = 32;

/// The payload of a datagram, in bytes.
pub(crate) const DATAGRAM_LEN: usize = 64;
/// How many datagrams a UDP socket queues each way.
pub(crate) const DATAGRAM_QUEUE: usize = 64;

/// A request, and a response, in bytes.
pub(crate) const REQUEST_LEN: usize = 64;
/// How many clients there are where there are many.
pub(crate) const MANY_CLIENTS: usize = 64;
/// How many sockets of the server take connections in turns: one for each client, and some more, so that
/// there is always one to listen while others close.
pub(crate) const fn servers(clients: usize) -> usize {
    clients + 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_workload_is_told_apart_in_the_report() {
        let all = all(&[0, 100]);
        let mut points: Vec<_> = all
            .iter()
            .map(|w| (w.scenario(), w.idle_sockets()))
            .collect();
        points.sort();
        points.dedup();
        assert_eq!(points.len(), all.len());
        assert!(points.contains(&("tcp-bulk-65535", 0)));
        assert!(points.contains(&("connections", 100)));
        assert!(points.contains(&("connections-64", 0)));
        assert!(
            !points.contains(&("tcp-spread", 0)),
            "nothing to spread over"
        );
    }

    #[test]
    fn the_name_says_how_many_clients_there_are() {
        let clients = MANY_CLIENTS;
        let workload = Workload::Connections { clients, idle: 0 };
        assert_eq!(workload.scenario(), format!("connections-{clients}"));
    }

    #[test]
    fn bytes_are_reported_in_bits() {
        let workload = Workload::TcpSpread { connections: 1 };
        assert_eq!(workload.value(1e9), 8.0);
        assert_eq!(Workload::Udp.value(5.0), 5.0);
    }
}
