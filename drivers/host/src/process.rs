//! Programs to talk to. A program runs in the network namespace of the thread that starts it.

use std::env;
use std::process::{Child, Command, ExitStatus, Output};

use crate::HostError;

/// The user's interactive shell, `/bin/sh` if `$SHELL` does not say.
///
/// Its network is that of the thread that starts it: inside a [`Sandbox`](crate::Sandbox), the
/// sandbox's.
pub fn shell() -> Command {
    let program = env::var_os("SHELL").filter(|path| !path.is_empty());
    Command::new(program.unwrap_or_else(|| "/bin/sh".into()))
}

/// Runs a program to its end, with the caller's standard input and output.
///
/// # Errors
///
/// It could not be started: [`HostError::Program`].
pub fn run(command: &mut Command) -> Result<ExitStatus, HostError> {
    let result = command.status();
    result.map_err(|source| failed(command, source))
}

/// Runs a program to its end and returns what it wrote.
///
/// # Errors
///
/// It could not be started: [`HostError::Program`].
pub fn output(command: &mut Command) -> Result<Output, HostError> {
    let result = command.output();
    result.map_err(|source| failed(command, source))
}

/// Starts a program that ends at the latest when the returned guard is dropped.
///
/// # Errors
///
/// It could not be started: [`HostError::Program`].
pub fn spawn(command: &mut Command) -> Result<Running, HostError> {
    let result = command.spawn();
    let child = result.map_err(|source| failed(command, source))?;
    Ok(Running { child })
}

/// A running program, killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl Running {
    /// The process, to look at its end or its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has ended and was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn failed(command: &Command, source: std::io::Error) -> HostError {
    HostError::Program {
        name: command.get_program().to_string_lossy().into_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_runs_and_reports_its_end() {
        let status = run(Command::new("sh").args(["-c", "exit 3"])).unwrap();
        assert_eq!(status.code(), Some(3));
        let output = output(Command::new("echo").arg("swan")).unwrap();
        assert_eq!(output.stdout, b"swan\n");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        let line = error.to_string();
        assert!(
            line.starts_with("cannot run no-such-program: not found"),
            "{line}"
        );
    }

    #[test]
    fn a_guard_ends_its_program() {
        let sleeper = spawn(Command::new("sleep").arg("600")).unwrap();
        let entry = format!("/proc/{}", sleeper.child.id());
        assert!(std::path::Path::new(&entry).exists());
        drop(sleeper);
        assert!(!std::path::Path::new(&entry).exists());
    }
}
