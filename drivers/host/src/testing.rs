//! The frame around tests that need the Linux kernel: a namespace and a tap device, or a loud skip.

use std::env;
use std::io::Write;

use cygnet_tuntap::{Device, Mode};

use crate::{HostError, NetNs, in_namespace};

/// The environment variable that turns the failure of a test whose host lacks namespaces or taps
/// into a skip.
pub const SKIP_VARIABLE: &str = "CYGNET_SKIP_LINUX_TESTS";

/// Runs a test inside a fresh network namespace, on a thread of its own.
///
/// # Panics
///
/// The test does, or the host allows no namespace or no tap device. In the second case, if
/// [`SKIP_VARIABLE`] is set, the test is skipped and standard error says so.
pub fn linux_test(test: impl FnOnce(&NetNs) + Send) {
    let outcome = in_namespace(|namespace| {
        drop(Device::open("probe%d", Mode::Tap)?);
        test(namespace);
        Ok(())
    });
    match outcome.and_then(|tested| tested) {
        Ok(()) => {}
        Err(reason) => skip_or_fail(&reason),
    }
}

fn skip_or_fail(reason: &HostError) {
    assert!(
        env::var_os(SKIP_VARIABLE).is_some(),
        "this test needs the Linux kernel: {reason}; or set {SKIP_VARIABLE}=1 to skip it"
    );
    // Past the test harness, which swallows what a test prints that does not fail.
    let line = format!("SKIPPED, {SKIP_VARIABLE} is set: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
