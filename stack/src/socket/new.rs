//! Putting a stack together: its engine in the memory lent to it, the lock around that, the task that runs it.

use cygnet_driver::{Clock, Driver};
use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::RawMutex;

use super::clock::EmbassyClock;
use super::resources::Resources;
use super::runner::Runner;
use super::shared::{Locked, Shared};
use super::stack::Stack;
use crate::engine::{Config, Engine, Sockets};
use crate::rand::Seed;
use crate::storage::{Buckets, Deadlines};

/// Makes a stack on a driver, with embassy-time as its clock.
///
/// The [`Runner`] has to be run by a task; until then nothing moves. `seed` is what an attacker must not
/// guess: 32 bytes from the best source there is, different at every start. A `u64` works too and is
/// weaker, see [`Seed`].
pub fn new<'d, D: Driver, const N: usize, M: RawMutex>(
    driver: D,
    config: Config,
    resources: &'d mut Resources<'d, N, M>,
    seed: impl Into<Seed>,
) -> (Stack<'d, M>, Runner<'d, D, M>) {
    new_with_clock(driver, config, resources, seed, EmbassyClock)
}

/// Makes a stack on a driver and a clock.
pub fn new_with_clock<'d, D: Driver, const N: usize, M: RawMutex, C: Clock>(
    driver: D,
    config: Config,
    resources: &'d mut Resources<'d, N, M>,
    seed: impl Into<Seed>,
    clock: C,
) -> (Stack<'d, M>, Runner<'d, D, M, C>) {
    let Resources {
        slots,
        links,
        buckets,
        deadlines,
        wakers,
        put_off,
        #[cfg(feature = "socket-tcp")]
        tcp,
        #[cfg(feature = "ip-fragments")]
        fragments,
        engine,
        shared,
        locked,
    } = resources;
    let [first, second, third, fourth] = links;
    let sockets = Sockets::new(
        slots,
        [first, second, third, fourth],
        Buckets::new(buckets),
        Deadlines::new(deadlines),
    );
    let engine = engine.insert(Engine::new(
        driver.capabilities(),
        driver.hardware_address(),
        &config,
        sockets,
        #[cfg(feature = "socket-tcp")]
        tcp,
        seed.into(),
    ));
    engine.start_interface(config);
    #[cfg(feature = "ip-fragments")]
    engine.lend_fragments(fragments);
    // The resources are lent for good, so there is none yet: nothing has to be dropped for it.
    let shared = shared.get_or_insert_with(|| Shared::new(engine, wakers));
    let locked = locked.insert(Mutex::new(Locked::new(shared, put_off)));
    let stack = Stack::new(locked);
    (stack, Runner::new(driver, clock, stack))
}
