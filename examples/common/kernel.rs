//! The kernel's TCP, where an example measures it.

use std::fs;

use crate::Error;

/// Gives every connection of the calling thread's network namespace room for that many bytes, each way. The
/// kernel keeps nothing from one connection to the next any more.
///
/// # Errors
///
/// A setting is not there, or not to be changed.
pub fn set_buffers(bytes: usize) -> Result<(), Error> {
    // What a packet takes in memory is counted against a buffer, about twice what is in it.
    // The most that the kernel takes is an `int`.
    let buffer = (2 * bytes).min(i32::MAX as usize);
    let settings = [
        ("tcp_rmem", format!("4096 {buffer} {buffer}")),
        ("tcp_wmem", format!("4096 {buffer} {buffer}")),
        ("tcp_no_metrics_save", "1".to_owned()),
    ];
    for (name, value) in settings {
        fs::write(format!("/proc/sys/net/ipv4/{name}"), &value)
            .map_err(|error| format!("cannot set {name} to {value}: {error}"))?;
    }
    Ok(())
}
