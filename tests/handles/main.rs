//! What the handles promise, on two stacks, a virtual link and virtual time.
//!
//! Each test is a story: it arranges hosts, lets them act, and asserts what their applications see. The
//! suites that draw their circumstances from seeds take more of them with `CYGNET_SEEDS=N`, and a single
//! one again with `CYGNET_SEED=n`.

mod busy;
mod cancellation;
mod closing;
mod congestion;
mod connect;
mod dropped;
mod ecn;
mod groups;
mod icmp;
mod idle;
mod impaired;
mod link;
mod listener;
mod nal;
mod opening;
mod path_mtu;
mod pool;
mod raw;
mod reentrance;
mod reuse;
mod slots;
mod stream;
mod supervision;
mod turns;
mod udp;
mod udp_errors;

/// A future that is over when `span` has passed, with what `future` had to say until then.
async fn within<T>(
    executor: &cygnet_tests::Executor<'_>,
    span: cygnet::Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    use embassy_futures::select::{Either, select};
    match select(future, executor.sleep(span)).await {
        Either::First(result) => Some(result),
        Either::Second(()) => None,
    }
}

/// The result of a future that does not wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    use std::task::{Context, Poll, Waker};
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}
