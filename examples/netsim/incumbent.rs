//! What smoltcp reaches in the same simulations, without congestion control on the lossy path: its own
//! published figures, in bytes per second.

use crate::cell::{BUFFERS, LOSSES};
use cygnet::Duration;
use cygnet_link::Probability;

/// On the lossy path, of which there are figures with one round-trip time.
pub(crate) fn on_path(buffer: usize, loss: Probability, rtt: Duration) -> Option<u32> {
    if rtt != RTT {
        return None;
    }
    let row = BUFFERS.iter().position(|&known| known == buffer)?;
    let column = LOSSES.iter().position(|&known| known == loss)?;
    Some(PATH[row][column])
}

/// That of all figures here.
pub(crate) const RTT: Duration = Duration::from_millis(100);

/// A row for each of [`BUFFERS`], a column for each of [`LOSSES`].
const PATH: [[u32; LOSSES.len()]; BUFFERS.len()] = [
    [1_280, 1_256, 1_054, 886, 539, 228, 34, 7],
    [2_560, 2_507, 2_100, 1_770, 1_071, 468, 67, 14],
    [5_120, 5_012, 4_172, 3_532, 2_099, 942, 145, 29],
    [10_238, 10_023, 8_341, 7_084, 4_003, 1_870, 291, 61],
    [17_535, 17_172, 14_094, 11_964, 7_399, 3_416, 690, 127],
    [35_062, 33_860, 26_937, 21_887, 14_074, 7_871, 1_604, 402],
    [77_374, 72_992, 58_491, 46_528, 29_421, 15_515, 3_737, 711],
    [
        161_842, 159_311, 127_091, 104_233, 55_319, 27_269, 7_655, 1_277,
    ],
    [
        322_945, 314_780, 219_671, 166_588, 76_626, 37_775, 6_079, 1_156,
    ],
];

/// Its controllers on the lossy path with buffers of 32 KiB: at no loss, 0.1, 1 and 5 %.
pub(crate) const CONTROLLED: &str = "\
smoltcp with controllers, 32 KiB, at 0, 0.1, 1 and 5 % loss:
  Reno   312 kB/s, 141 kB/s, 49 kB/s, 12 kB/s
  CUBIC  312 kB/s, 220 kB/s, 60 kB/s, 13 kB/s
";

/// Through the bottleneck.
pub(crate) const BOTTLENECK: &str = "\
smoltcp: without control 3.4 kB/s for one flow with 45 % drops; Reno and CUBIC 1.28 MB/s for one flow,
17.0 and 14.8 MB/s for 64 flows with a fairness of 0.88 and 0.91
";
