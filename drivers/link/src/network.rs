//! The storage of a network, and how it becomes ports.

use cygnet_driver::Clock;
use embassy_sync::blocking_mutex::raw::RawMutex;

use crate::PortConfig;
use crate::bottleneck::Departure;
use crate::pool::{Frame, Pool};
use crate::port::{Port, PortParts};
use crate::shared::Shared;
use crate::state::{PortState, State};
use crate::timeline::Arrival;

/// Two ports: what one sends, the other receives.
pub type Link<'d, M, const FRAMES: usize, const FRAME_LEN: usize> =
    Network<'d, M, 2, FRAMES, FRAME_LEN>;

/// One port that receives what it sends, so that a stack talks to itself.
pub type Loopback<'d, M, const FRAMES: usize, const FRAME_LEN: usize> =
    Network<'d, M, 1, FRAMES, FRAME_LEN>;

/// The storage of a network of `PORTS` ports, which share `FRAMES` buffers of `FRAME_LEN` bytes.
///
/// The application places it: in a `ConstStaticCell`, a `StaticCell`, a local or a `Box`. A new one is
/// all zeros, so that in a `static` it takes no space in the program's image, however large it is.
/// Besides the shared buffers there is one more for each port, for its own copy of a frame that other
/// ports still want. The bookkeeping takes some 80 bytes for each frame, and 40 for each frame and
/// port.
///
/// A frame in flight holds a buffer, so a link with a delay needs its bandwidth-delay product in
/// frames; when the buffers run out, no port has room to transmit. A port that never receives thus
/// stalls a hub in the end, until it is dropped or its link is down.
pub struct Network<'d, M: RawMutex, const PORTS: usize, const FRAMES: usize, const FRAME_LEN: usize>
{
    buffers: [Buffer<FRAME_LEN>; FRAMES],
    frames: [Frame<'d>; FRAMES],
    copies: [Buffer<FRAME_LEN>; PORTS],
    arrivals: [[Arrival; FRAMES]; PORTS],
    departures: [[Departure; FRAMES]; PORTS],
    ports: [PortState<'d>; PORTS],
    shared: Option<Shared<'d, M>>,
}

impl<'d, M: RawMutex, const PORTS: usize, const FRAMES: usize, const FRAME_LEN: usize>
    Network<'d, M, PORTS, FRAMES, FRAME_LEN>
{
    /// Storage, not yet in use.
    pub const fn new() -> Self {
        Self {
            buffers: [const { Buffer::ZERO }; FRAMES],
            frames: [const { Frame::EMPTY }; FRAMES],
            copies: [const { Buffer::ZERO }; PORTS],
            arrivals: [[Arrival::EMPTY; FRAMES]; PORTS],
            departures: [[Departure::EMPTY; FRAMES]; PORTS],
            ports: [const { PortState::new() }; PORTS],
            shared: None,
        }
    }

    /// Connects the ports, all links up. `clock` times the frames; while no port delays any, nobody
    /// reads it. It may be read under the network's lock, so its `now` must not use the network.
    pub fn split<C: Clock + Clone>(
        &'d mut self,
        clock: C,
        configs: [PortConfig; PORTS],
    ) -> [Port<'d, M, C>; PORTS] {
        let memory = self.arrivals.iter_mut().zip(&mut self.departures);
        for (port, (arrivals, departures)) in self.ports.iter_mut().zip(memory) {
            port.place(arrivals, departures);
        }
        let pool = Pool::new(&mut self.frames, self.buffers.iter_mut().map(Buffer::frame));
        let mut state = State::new(pool, &mut self.ports);
        for (port, config) in configs.iter().enumerate() {
            state.set_impairments(port, config.impairments);
        }
        let shared = &*self.shared.insert(Shared::new(state));
        let mut index = 0;
        self.copies.each_mut().map(|copy| {
            let parts = PortParts {
                index,
                config: configs[index],
                copy: copy.frame(),
            };
            index += 1;
            Port::new(shared, clock.clone(), parts)
        })
    }
}

/// Memory for one frame. It starts two bytes behind a word boundary, as network drivers place frames, so that
/// what follows the 14 bytes of an Ethernet header lies on one: processors that cannot read across it copy
/// payload twice as fast.
#[repr(C, align(4))]
struct Buffer<const LEN: usize> {
    padding: [u8; 2],
    frame: [u8; LEN],
}

impl<const LEN: usize> Buffer<LEN> {
    const ZERO: Self = Self {
        padding: [0; 2],
        frame: [0; LEN],
    };

    fn frame(&mut self) -> &mut [u8] {
        &mut self.frame
    }
}

impl<M: RawMutex, const PORTS: usize, const FRAMES: usize, const FRAME_LEN: usize> Default
    for Network<'_, M, PORTS, FRAMES, FRAME_LEN>
{
    fn default() -> Self {
        Self::new()
    }
}
