//! All checks, in turn, with a line for each.

use std::cell::Cell;
use std::env;
use std::path::Path;
use std::time::Duration;

use cygnet_host::{SKIP_VARIABLE, Sandbox, SandboxConfig};
use cygnet_tuntap::TunTap;
use tokio::time::timeout;

use crate::emulator::{Emulator, Time};
use crate::relay::{Loss, relay};
use crate::services::{PAGE, Services};
use crate::{Error, block_on, kernel, peer};

/// Checks the firmware in a folder. Whatever fails, the rest goes on; the error says how many failed.
pub(crate) fn run(folder: &Path) -> Result<(), Error> {
    // While this process has no threads.
    let sandbox = match Sandbox::enter(&SandboxConfig::default()) {
        Ok(sandbox) => Some(sandbox),
        Err(reason) if env::var_os(SKIP_VARIABLE).is_some() => {
            eprintln!("SKIPPED what needs the kernel, {SKIP_VARIABLE} is set: {reason}");
            None
        }
        Err(reason) => return Err(reason.into()),
    };
    let report = Report::default();
    block_on(async {
        with_peer(folder, &report).await?;
        alone(folder, &report).await?;
        if let Some(sandbox) = sandbox {
            with_kernel(folder, sandbox, &report).await?;
        }
        Ok::<_, Error>(())
    })??;
    report.finish()
}

/// cygnet at both ends of the wire.
async fn with_peer(folder: &Path, report: &Report) -> Result<(), Error> {
    let (mut board, wire) = Emulator::boot(&folder.join("echo"), Time::Real).await?;
    let peer = peer::start(wire);
    let name = "peer: the board is up";
    report
        .check(name, &mut board, None, async |board| {
            board.line("ready").await
        })
        .await;
    report
        .check("peer: ping", &mut board, None, async |_| {
            peer::ping(peer).await
        })
        .await;
    let name = "peer: datagrams";
    report
        .check(name, &mut board, None, async |_| {
            peer::datagrams(peer).await
        })
        .await;
    let name = "peer: echo";
    report
        .check(name, &mut board, None, async |_| {
            peer::echo(peer, 256 << 10).await
        })
        .await;
    let name = "peer: discard";
    report
        .check(name, &mut board, None, async |_| {
            peer::discard(peer, 256 << 10).await
        })
        .await;
    let name = "peer: chargen";
    report
        .check(name, &mut board, None, async |_| {
            peer::chargen(peer, 256 << 10).await
        })
        .await;
    Ok(())
}

/// Two stacks on one board.
async fn alone(folder: &Path, report: &Report) -> Result<(), Error> {
    let mut board = Emulator::boot_alone(&folder.join("loopback"), Time::Real)?;
    report
        .check(
            "loopback: both stacks on one board",
            &mut board,
            Some(true),
            async |board| {
                let line = board.line("loopback ").await?;
                let status = board.end().await?;
                if !status.success() {
                    return Err(format!("it ended with {status}").into());
                }
                Ok(line)
            },
        )
        .await;
    Ok(())
}

/// Linux at the other end.
async fn with_kernel(folder: &Path, sandbox: Sandbox, report: &Report) -> Result<(), Error> {
    let interface = sandbox.interface();
    let tap = TunTap::new(sandbox.into_device())?;
    let loss = Loss::new(7);
    let (mut board, wire) = Emulator::boot(&folder.join("echo"), Time::Real).await?;
    let mut tap = tap;
    let conversations = async {
        let board = &mut board;
        let name = "kernel: the board is up";
        report
            .check(name, board, None, async |board| board.line("ready").await)
            .await;
        report
            .check("kernel: ping", board, None, async |_| kernel::ping().await)
            .await;
        report
            .check("kernel: datagrams", board, None, async |_| {
                kernel::datagrams().await
            })
            .await;
        let name = "kernel: echo";
        report
            .check(name, board, None, async |_| kernel::echo(1 << 20).await)
            .await;
        report
            .check("kernel: discard", board, None, async |_| {
                kernel::discard().await
            })
            .await;
        report
            .check("kernel: chargen", board, None, async |_| {
                kernel::chargen().await
            })
            .await;
        let name = "kernel: four connections at a time";
        report
            .check(name, board, None, async |_| kernel::simultaneous().await)
            .await;
        let name = "kernel: one connection after the other";
        report
            .check(name, board, None, async |_| kernel::cycles().await)
            .await;
        loss.set_permille(50);
        let name = "kernel: one frame of twenty is lost";
        let lossy = async |_: &mut Emulator| {
            let said = kernel::echo(64 << 10).await?;
            Ok(format!("{said}, {} frames lost", loss.lost()))
        };
        report.check(name, board, None, lossy).await;
        loss.set_permille(0);
        let name = "kernel: and none any more";
        report
            .check(name, board, None, async |_| kernel::echo(64 << 10).await)
            .await;
    };
    tokio::select! {
        () = relay(&mut tap, wire, &loss) => {}
        () = conversations => {}
    }
    drop(board);

    let (mut board, wire) = Emulator::boot(&folder.join("http"), Time::Real).await?;
    let conversations = async {
        let board = &mut board;
        let name = "kernel: the web server is up";
        report
            .check(name, board, None, async |board| board.line("ready").await)
            .await;
        report
            .check("kernel: a page by curl", board, None, async |_| {
                kernel::page().await
            })
            .await;
    };
    tokio::select! {
        () = relay(&mut tap, wire, &loss) => {}
        () = conversations => {}
    }
    drop(board);

    let (mut board, wire) = Emulator::boot(&folder.join("groups"), Time::Real).await?;
    tokio::select! {
        () = relay(&mut tap, wire, &loss) => {}
        () = in_groups(&mut board, interface.name(), report) => {}
    }
    drop(board);

    let mut services = Services::start(interface.name()).await?;
    let (mut board, wire) = Emulator::boot(&folder.join("client"), Time::Real).await?;
    tokio::select! {
        () = relay(&mut tap, wire, &loss) => {}
        () = as_client(&mut board, &mut services, report) => {}
    }
    Ok(())
}

/// IPv6, and multicast of both versions, through the filter of the board's controller.
async fn in_groups(board: &mut Emulator, interface: &str, report: &Report) {
    let name = "kernel: a board with IPv6 is up";
    report
        .check(name, board, None, async |board| board.line("ready").await)
        .await;
    report
        .check("kernel: ping by IPv6", board, None, async |_| {
            kernel::ping_v6().await
        })
        .await;
    let name = "kernel: a group of IPv4";
    report
        .check(name, board, None, async |_| kernel::group_v4().await)
        .await;
    let name = "kernel: a group of IPv6";
    report
        .check(name, board, None, async |_| {
            kernel::group_v6(interface).await
        })
        .await;
}

/// The board asks, and the services of the network answer.
async fn as_client(board: &mut Emulator, services: &mut Services, report: &Report) {
    let name = "services: an address by DHCP";
    let address = async |board: &mut Emulator| {
        let line = board.line("INFO  192.168.69.20").await;
        services.check()?;
        line
    };
    report.check(name, board, None, address).await;
    let name = "services: a page by its name";
    let page = async |board: &mut Emulator| {
        let request = services.serve_page().await?;
        let expected = ["GET /hello.txt HTTP/1.1\r\n", "Host: www.cygnet.test\r\n"];
        if let Some(missing) = expected.iter().find(|part| !request.contains(**part)) {
            return Err(format!("{missing:?} is not in the request: {request:?}").into());
        }
        board.line(PAGE.trim_end()).await?;
        board
            .line("INFO  http://www.cygnet.test/hello.txt: status 200")
            .await
    };
    report.check(name, board, None, page).await;
    let name = "services: the time";
    let time = async |board: &mut Emulator| {
        let told = services.tell_time().await?;
        let line = board.line(&format!("INFO  {told} s since 1970")).await?;
        let status = board.end().await?;
        if !status.success() {
            return Err(format!("it ended with {status}").into());
        }
        Ok(line)
    };
    report.check(name, board, Some(true), time).await;
}

/// What was found.
#[derive(Default)]
struct Report {
    passed: Cell<usize>,
    failed: Cell<usize>,
}

impl Report {
    /// Runs one check and prints a line, and the board's console if it fails. A board that stops fails it,
    /// unless it `ends` as it should.
    async fn check(
        &self,
        name: &str,
        board: &mut Emulator,
        ends: Option<bool>,
        check: impl AsyncFnOnce(&mut Emulator) -> Result<String, Error>,
    ) {
        let result = timeout(PATIENCE, check(board)).await;
        let result = result.unwrap_or_else(|_| Err("it hangs".into()));
        let result = result.and_then(|said| match board.ended()? {
            Some(status) if ends.is_none() => Err(format!("the board stopped: {status}").into()),
            _ => Ok(said),
        });
        match result {
            Ok(said) => {
                self.passed.set(self.passed.get() + 1);
                println!("ok   {name}: {said}");
            }
            Err(error) => {
                self.failed.set(self.failed.get() + 1);
                println!("FAIL {name}: {error}");
                println!("--- the board's console\n{}---", board.console());
            }
        }
    }

    fn finish(&self) -> Result<(), Error> {
        println!("{} passed, {} failed", self.passed.get(), self.failed.get());
        match self.failed.get() {
            0 => Ok(()),
            failed => Err(format!("{failed} checks of the firmware failed").into()),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(90);
