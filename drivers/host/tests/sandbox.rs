//! Sandboxes, against the kernel. A sandbox takes in the whole process, which must have one thread,
//! so this is a `main` of its own that runs each scenario as another process of itself.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(target_os = "linux")]
mod linux {
    use core::future::poll_fn;
    use core::task::Poll;
    use std::env;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitStatus, Stdio};
    use std::time::Duration;

    use cygnet_driver::{Driver, RxToken};
    use cygnet_host::{HostError, SKIP_VARIABLE, Sandbox, SandboxConfig, process};
    use cygnet_tuntap::TunTap;

    /// Says which scenario a process is to play.
    const SCENARIO: &str = "CYGNET_SANDBOX_SCENARIO";
    /// The exit code of a scenario that the host does not allow.
    const NOT_ALLOWED: i32 = 77;

    pub(crate) fn main() {
        match env::var(SCENARIO).as_deref() {
            Err(_) => run_all(),
            Ok("tap") => inside(&SandboxConfig::default(), is_arp_request),
            Ok("tun") => inside(&SandboxConfig::tun(), is_ipv4),
            Ok("small") => small(),
            Ok("threads") => threads(),
            Ok("denied") => denied(),
            Ok(other) => panic!("no scenario {other}"),
        }
    }

    fn run_all() {
        for scenario in ["tap", "tun", "small", "threads"] {
            let mut command = Command::new(env::current_exe().unwrap());
            judge(scenario, command.env(SCENARIO, scenario).status().unwrap());
        }
        if nix::unistd::geteuid().is_root() {
            let exe = Copy::of_this_program();
            judge("tap", exe.run_as_nobody("tap", "666"));
            judge("denied", exe.run_as_nobody("denied", "600"));
        }
    }

    fn judge(scenario: &str, status: ExitStatus) {
        if status.code() == Some(NOT_ALLOWED) {
            assert!(
                env::var_os(SKIP_VARIABLE).is_some(),
                "the host allows no sandbox; set {SKIP_VARIABLE}=1 to skip this test"
            );
            eprintln!("SKIPPED sandbox scenario {scenario}, {SKIP_VARIABLE} is set");
            return;
        }
        assert!(status.success(), "sandbox scenario {scenario}: {status}");
        println!("sandbox scenario {scenario} ... ok");
    }

    /// A copy of this program where every user may read it.
    struct Copy(PathBuf);

    impl Copy {
        fn of_this_program() -> Self {
            let name = format!("cygnet-sandbox-test-{}", std::process::id());
            let copy = Self(env::temp_dir().join(name));
            fs::copy(env::current_exe().unwrap(), copy.path()).unwrap();
            copy
        }

        fn path(&self) -> &Path {
            &self.0
        }

        /// Plays a scenario without privileges, and with a `/dev/net/tun` of that file mode.
        fn run_as_nobody(&self, scenario: &str, mode: &str) -> ExitStatus {
            // In a mount namespace of its own, so that the host's node stays as it is.
            let script = format!(
                "mount -t tmpfs none /dev/net && mknod /dev/net/tun c 10 200 \
                 && chmod {mode} /dev/net/tun || exit {NOT_ALLOWED}; \
                 exec setpriv --reuid 65534 --regid 65534 --clear-groups {}",
                self.path().display()
            );
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh", "-c", &script]);
            process::run(command.env(SCENARIO, scenario)).unwrap()
        }
    }

    impl Drop for Copy {
        fn drop(&mut self) {
            let _ = fs::remove_file(self.path());
        }
    }

    fn enter(config: &SandboxConfig) -> Sandbox {
        match Sandbox::enter(config) {
            Ok(sandbox) => sandbox,
            Err(reason @ (HostError::Namespace { .. } | HostError::UserNamespace { .. })) => {
                eprintln!("{reason}");
                std::process::exit(NOT_ALLOWED);
            }
            Err(reason) => panic!("{reason}"),
        }
    }

    /// The sandbox holds the loopback interface and the device, and the kernel's frames come out of
    /// the device.
    fn inside(config: &SandboxConfig, is_expected: fn(&[u8]) -> bool) {
        let sandbox = enter(config);
        let links = shell("ip -oneline link show");
        assert_eq!(links.lines().count(), 2, "{links}");
        let addresses = shell(&format!("ip address show {}", sandbox.interface().name()));
        for address in ["192.168.69.100/24", "fdaa::100/64", "fe80::100/64"] {
            let line = addresses.lines().find(|line| line.contains(address));
            let line = line.unwrap_or_else(|| panic!("{address} in {addresses}"));
            assert!(!line.contains("tentative"), "{line}");
        }

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut driver = TunTap::new(sandbox.into_device()).unwrap();
            let mut ping = Command::new("ping");
            ping.args(["-c1", "-W20", "192.168.69.1"]);
            let _ping = process::spawn(ping.stdout(Stdio::null())).unwrap();
            let expected = poll_fn(|cx| {
                while let Some((rx, _)) = driver.receive(cx) {
                    if rx.consume(|frame| is_expected(frame)) {
                        return Poll::Ready(());
                    }
                }
                Poll::Pending
            });
            let hang = Duration::from_secs(30);
            tokio::time::timeout(hang, expected).await.unwrap();
        });
    }

    fn is_arp_request(frame: &[u8]) -> bool {
        frame.get(12..14) == Some(&[0x08, 0x06]) && frame.get(38..42) == Some(&[192, 168, 69, 1])
    }

    fn is_ipv4(packet: &[u8]) -> bool {
        packet.get(16..20) == Some(&[192, 168, 69, 1])
    }

    fn shell(script: &str) -> String {
        let output = process::output(process::shell().args(["-c", script])).unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn small() {
        let sandbox = enter(&SandboxConfig {
            name: "swan0".into(),
            mtu: Some(1280),
            ..SandboxConfig::default()
        });
        assert_eq!(sandbox.interface().name(), "swan0");
        assert!(shell("ip link show swan0").contains("mtu 1280"));
    }

    /// A process with threads is refused, and stays in its namespace.
    fn threads() {
        let namespace = || fs::read_link("/proc/self/ns/net").unwrap();
        let before = namespace();
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || stopped.recv());
        let refused = Sandbox::enter(&SandboxConfig::default()).unwrap_err();
        assert!(
            matches!(refused, HostError::Threads { count: 2 }),
            "{refused}"
        );
        drop(stop);
        assert!(thread.join().unwrap().is_err());
        assert_eq!(namespace(), before);
    }

    /// Without access to `/dev/net/tun`, the error says how to get it.
    fn denied() {
        match Sandbox::enter(&SandboxConfig::default()) {
            Err(HostError::Open(reason)) => {
                let line = reason.to_string();
                let cause = "cannot open /dev/net/tun: permission denied; run as root, or ";
                assert!(line.starts_with(cause), "{line}");
            }
            Err(HostError::UserNamespace { .. }) => std::process::exit(NOT_ALLOWED),
            other => panic!("{other:?}"),
        }
    }
}
