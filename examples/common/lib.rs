//! What the examples share.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `transfer`, `pattern` | a transfer whose every byte is compared; needs no `std` and no heap |
//! | `simulation` | `loopback` and `link`: stacks in virtual time |
//! | `device`, `host`, `session`, `startup`, `group`, `congestion` | the others: a stack on a tap or tun device, in a tokio runtime |
//! | `kernel` | `netsim` and `wire`: the kernel's TCP beside cygnet's |
//! | `middleware`, `units` | all: the options for captures, traces and faults |
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

pub mod pattern;
pub mod transfer;

#[cfg(feature = "std")]
pub mod congestion;
#[cfg(feature = "std")]
pub mod device;
#[cfg(feature = "std")]
pub mod group;
#[cfg(feature = "std")]
pub mod host;
#[cfg(feature = "std")]
pub mod kernel;
#[cfg(feature = "std")]
pub mod middleware;
#[cfg(feature = "std")]
pub mod session;
#[cfg(feature = "std")]
pub mod simulation;
#[cfg(feature = "std")]
pub mod startup;
#[cfg(feature = "std")]
pub mod units;

/// Whatever ends an example early: one line that says what to do about it.
#[cfg(feature = "std")]
pub type Error = Box<dyn std::error::Error>;

/// The options on the command line. Those that are missing are named in one line, with exit code 1, like
/// everything else that is missing; other mistakes are explained by clap.
#[cfg(feature = "std")]
pub fn arguments<A: clap::Parser>() -> A {
    end_with_the_reader();
    A::try_parse().unwrap_or_else(|error| {
        let missing = error.get(clap::error::ContextKind::InvalidArg);
        match (error.kind(), missing) {
            (clap::error::ErrorKind::MissingRequiredArgument, Some(names)) => {
                eprintln!("error: missing {names}; --help says what that is");
                std::process::exit(1)
            }
            _ => error.exit(),
        }
    })
}

/// Whoever reads what an example prints may have seen enough, as `| head` has. The example ends then, by the panic of
/// `println!`, and says nothing about it.
#[cfg(feature = "std")]
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload().downcast_ref::<String>();
        if !text.is_some_and(|text| text.starts_with("failed printing to stdout: Broken pipe")) {
            usual(info);
        }
    }));
}

/// The end of `main`: an error becomes one line on standard error and exit code 1.
#[cfg(feature = "std")]
pub fn exit(result: Result<std::process::ExitCode, Error>) -> std::process::ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        std::process::ExitCode::FAILURE
    })
}

/// Reverses a chunk of text or bytes. A line break at its end stays there.
pub fn reverse_chunk(chunk: &mut [u8]) {
    let line = match chunk {
        [line @ .., b'\n'] => line,
        bytes => bytes,
    };
    line.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_reversed_up_to_their_line_break() {
        for (chunk, reversed) in [("abc\n", "cba\n"), ("abc", "cba"), ("\n", "\n"), ("", "")] {
            let mut bytes = chunk.as_bytes().to_vec();
            reverse_chunk(&mut bytes);
            assert_eq!(bytes, reversed.as_bytes());
        }
    }
}
