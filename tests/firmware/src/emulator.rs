//! A firmware in QEMU: its console, and the wire of its Ethernet controller.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::rc::Rc;
use std::time::Duration;
use std::{env, fs, io, process};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixDatagram;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::Error;
use crate::wire::Wire;

/// A board that runs. Dropped, it is switched off.
pub(crate) struct Emulator {
    child: Child,
    console: Rc<RefCell<String>>,
    /// Holds the sockets.
    folder: PathBuf,
}

/// What time is to the board.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    /// That of the host.
    Real,
    /// 32 ns for each instruction, and that of the host while it sleeps.
    Instructions,
}

impl Emulator {
    /// Boots a firmware; the wire is the peer's end.
    pub(crate) async fn boot(firmware: &Path, time: Time) -> Result<(Self, Wire), Error> {
        let folder = env::temp_dir().join(format!("cygnet-firmware-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let (near, far) = (folder.join("peer"), folder.join("board"));
        for path in [&near, &far] {
            let _ = fs::remove_file(path);
        }
        let socket = UnixDatagram::bind(&near)?;
        let mut command = machine(firmware, time);
        command.arg("-netdev").arg(format!(
            "dgram,id=n0,local.type=unix,local.path={},remote.type=unix,remote.path={}",
            far.display(),
            near.display()
        ));
        command.args([
            "-net",
            "nic,netdev=n0,model=lan9118,macaddr=02:00:00:00:69:02",
        ]);
        let emulator = Self::start(command, folder)?;
        connect(&socket, &far).await?;
        let wire = Wire::new(socket);
        Ok((emulator, wire))
    }

    /// Runs a firmware that needs no network.
    pub(crate) fn boot_alone(firmware: &Path, time: Time) -> Result<Self, Error> {
        let folder = env::temp_dir().join(format!("cygnet-firmware-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let mut command = machine(firmware, time);
        command.args(["-nic", "user,model=lan9118,restrict=on"]);
        Self::start(command, folder)
    }

    fn start(mut command: Command, folder: PathBuf) -> Result<Self, Error> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot start qemu-system-arm: {error}"))?;
        let console = Rc::default();
        if let Some(output) = child.stdout.take() {
            tokio::task::spawn_local(read(output, Rc::clone(&console)));
        }
        Ok(Self {
            child,
            console,
            folder,
        })
    }

    /// Waits until the console shows a line that starts so; the line.
    pub(crate) async fn line(&mut self, start: &str) -> Result<String, Error> {
        self.line_number(start, 0).await
    }

    /// As [`Self::line`], of those that start so the one with that number, from 0.
    pub(crate) async fn line_number(&mut self, start: &str, n: usize) -> Result<String, Error> {
        let found = timeout(PATIENCE, async {
            let mut stopped = None;
            loop {
                let line = self.find(start, n);
                if let Some(line) = line {
                    return Ok(line);
                }
                if let Some(status) = stopped {
                    return Err(format!("the board stopped: {status}").into());
                }
                // Its last words may still be on their way: they are looked for once more.
                stopped = self.ended()?;
                sleep(Duration::from_millis(5)).await;
            }
        });
        found
            .await
            .unwrap_or_else(|_| Err(format!("the board never said {start:?}").into()))
    }

    fn find(&self, start: &str, n: usize) -> Option<String> {
        let console = self.console.borrow();
        let mut lines = console.lines().filter(|line| line.starts_with(start));
        lines.nth(n).map(str::to_string)
    }

    /// How it ended, if it has: firmware that panics or faults ends itself.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits for the end.
    pub(crate) async fn end(&mut self) -> Result<ExitStatus, Error> {
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => Err("the board does not stop".into()),
        }
    }

    /// Everything that it printed.
    pub(crate) fn console(&self) -> String {
        self.console.borrow().clone()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn machine(firmware: &Path, time: Time) -> Command {
    let mut command = Command::new("qemu-system-arm");
    command.args(["-M", "mps2-an385", "-display", "none", "-monitor", "none"]);
    command.args(["-serial", "stdio", "-semihosting"]);
    if time == Time::Instructions {
        command.args(["-icount", "shift=5,sleep=on"]);
    }
    command.arg("-kernel").arg(firmware);
    command
}

async fn read(output: ChildStdout, console: Rc<RefCell<String>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut console = console.borrow_mut();
        console.push_str(&line);
        console.push('\n');
    }
}

/// Waits for the emulator's end of the wire to be there.
async fn connect(socket: &UnixDatagram, far: &Path) -> Result<(), Error> {
    let connected = timeout(PATIENCE, async {
        while socket.connect(far).is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    connected
        .await
        .map_err(|_| "QEMU does not open its end of the wire".into())
}

/// How long anything may take that takes no time.
const PATIENCE: Duration = Duration::from_secs(30);
