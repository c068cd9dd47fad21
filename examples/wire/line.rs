//! The wire: a virtual link whose ends are tap devices, or a stack.

use std::future::poll_fn;
use std::task::{Context, Poll};

use cygnet::{Driver, Duration, Stack};
use cygnet_driver::{RxToken, TxToken};
use cygnet_examples::Error;
use cygnet_host::TokioClock;
use cygnet_link::{Impairments, Link, PortConfig, QueueLimit};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use tokio::task::{LocalSet, spawn_local};

use crate::Args;
use crate::ends::{self, Side};

/// As many frames as a long, fat network holds.
const FRAMES: usize = 8_192;

/// Lays a wire between `sides`, and runs `story` while it works, with the stack if one of them is cygnet.
pub(crate) fn between<T>(
    args: &Args,
    seed: u64,
    sides: [Side<'_>; 2],
    story: impl AsyncFnOnce(Option<Stack<'static>>) -> Result<T, Error>,
) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = LocalSet::new().block_on(&runtime, async {
        let clock: &'static TokioClock = Box::leak(Box::new(TokioClock::new()));
        // A wire lives as long as the process: there are a dozen of them.
        let link = Box::leak(Box::new(Link::<NoopRawMutex, FRAMES, 1514>::new()));
        let config = PortConfig::ethernet([2, 0, 0, 0, 0, 0]).impairments(impairments(args, seed));
        let ports = link.split(clock, [config, config]);
        let mut stack = None;
        for (n, (side, mut port)) in sides.into_iter().zip(ports).enumerate() {
            match side {
                Side::Kernel(namespace) => {
                    let mut tap = ends::tap(namespace, n, args)?;
                    spawn_local(poll_fn(move |cx| bridge(cx, &mut tap, &mut port)));
                }
                Side::Cygnet => stack = Some(ends::stack(n, port, clock)),
            }
        }
        story(stack).await
    });
    // A thread that waits for its peer must not hold up the next.
    runtime.shutdown_background();
    result
}

fn impairments(args: &Args, seed: u64) -> Impairments {
    let least = args.delay.saturating_sub(args.jitter);
    let spread = Duration::from_micros(2 * args.delay.as_micros().min(args.jitter.as_micros()));
    Impairments::new()
        .seed(seed)
        .loss(args.loss)
        .delay(least)
        .jitter(spread)
        .reordering(args.reorder, args.hold)
        .duplication(args.duplicate)
        .bandwidth(args.rate)
        .queue_limit(QueueLimit::Frames(args.queue))
}

/// Moves frames both ways as long as there are any, and room for them.
fn bridge(cx: &mut Context<'_>, a: &mut impl Driver, b: &mut impl Driver) -> Poll<()> {
    forward(cx, a, b);
    forward(cx, b, a);
    Poll::Pending
}

fn forward(cx: &mut Context<'_>, from: &mut impl Driver, to: &mut impl Driver) {
    for _ in 0..BURST {
        let Some(tx) = to.transmit(cx) else { return };
        let Some((rx, _)) = from.receive(cx) else {
            return;
        };
        rx.consume(|frame| tx.consume(frame.len(), |room| room.copy_from_slice(frame)));
    }
    cx.waker().wake_by_ref();
}

/// Frames that move before others get a turn.
const BURST: usize = 64;
