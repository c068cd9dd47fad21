//! The driver against the kernel, each test in a network namespace of its own.
#![cfg(target_os = "linux")]

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::Duration;

use cygnet_driver::{Driver, HardwareAddress, LinkState, Medium, RxToken, TxToken};
use cygnet_host::{Interface, linux_test, process};
use cygnet_tuntap::{Device, Mode, OpenError, TunTap};

mod frames;
mod packet;

const US: [u8; 4] = [192, 168, 69, 1];
const KERNEL: [u8; 4] = [192, 168, 69, 100];

/// Runs `test` to its end, or fails when it hangs.
fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let hang = Duration::from_secs(30);
        tokio::time::timeout(hang, test)
            .await
            .expect("the test hangs")
    })
}

/// A driver on a new device whose interface is up and has an address.
fn up(mode: Mode) -> TunTap {
    let device = Device::open("", mode).unwrap();
    let interface = Interface::named(device.name());
    interface.add_address(KERNEL, 24).unwrap().up().unwrap();
    TunTap::new(device).unwrap()
}

/// The next frame that `select` makes something of. The kernel's own IPv6 traffic goes past.
async fn receive<T>(driver: &mut impl Driver, mut select: impl FnMut(&[u8]) -> Option<T>) -> T {
    poll_fn(|cx| {
        while let Some((rx, _)) = driver.receive(cx) {
            if let Some(found) = rx.consume(|frame| select(frame)) {
                return Poll::Ready(found);
            }
        }
        Poll::Pending
    })
    .await
}

fn send(driver: &mut impl Driver, frame: &[u8]) {
    let mut cx = Context::from_waker(Waker::noop());
    let tx = driver.transmit(&mut cx).expect("room for a frame");
    tx.consume(frame.len(), |buffer| buffer.copy_from_slice(frame));
}

async fn link_becomes(driver: &mut impl Driver, state: LinkState) {
    poll_fn(|cx| match driver.link_state(cx) {
        now if now == state => Poll::Ready(()),
        _ => Poll::Pending,
    })
    .await;
}

/// A `ping` of our address, once.
fn ping() -> process::Running {
    let mut ping = Command::new("ping");
    ping.args(["-c1", "-W20", "192.168.69.1"]);
    process::spawn(ping.stdout(Stdio::null())).unwrap()
}

#[test]
fn a_ping_through_a_tap_is_answered() {
    linux_test(|_| {
        block_on(async {
            let mut driver = up(Mode::Tap);
            let HardwareAddress::Ethernet(own) = driver.hardware_address() else {
                panic!("a tap has an Ethernet address");
            };
            let mut ping = ping();

            let request = receive(&mut driver, |frame| {
                frames::is_arp_request_for(frame, US).then(|| frame.to_vec())
            })
            .await;
            send(&mut driver, &frames::arp_reply(&request, own));
            let echo = receive(&mut driver, |frame| {
                frames::is_echo_request(frame.get(14..)?).then(|| frame.to_vec())
            })
            .await;
            assert_eq!(echo[..6], own);
            send(&mut driver, &frames::echo_reply(&echo, Mode::Tap));

            assert!(ping.child().wait().unwrap().success());
            assert_eq!(driver.stats().sent, 2);
            assert!(driver.stats().received >= 2);
        });
    });
}

#[test]
fn a_ping_through_a_tun_is_answered() {
    linux_test(|_| {
        block_on(async {
            let mut driver = up(Mode::Tun);
            assert_eq!(driver.hardware_address(), HardwareAddress::Ip);
            let mut ping = ping();

            let echo = receive(&mut driver, |packet| {
                frames::is_echo_request(packet).then(|| packet.to_vec())
            })
            .await;
            send(&mut driver, &frames::echo_reply(&echo, Mode::Tun));

            assert!(ping.child().wait().unwrap().success());
        });
    });
}

#[test]
fn the_capabilities_follow_the_mtu() {
    linux_test(|_| {
        block_on(async {
            for (mode, medium, header) in [
                (Mode::Tap, Medium::Ethernet, 14),
                (Mode::Tun, Medium::Ip, 0),
            ] {
                let device = Device::open("", mode).unwrap();
                assert_eq!(device.mode(), mode);
                let interface = Interface::named(device.name());
                interface.set_mtu(9000).unwrap();
                let capabilities = TunTap::new(device).unwrap().capabilities();
                assert_eq!(capabilities.medium, medium);
                assert_eq!(capabilities.max_frame_len, 9000 + header);
                assert_eq!(capabilities.ip_mtu(), 9000);
            }
        });
    });
}

#[test]
fn the_hardware_address_can_be_chosen() {
    linux_test(|_| {
        block_on(async {
            let tap = TunTap::open("tap0", Mode::Tap).unwrap();
            assert_eq!(tap.name(), "tap0");
            let default = TunTap::DEFAULT_HARDWARE_ADDRESS;
            assert_eq!(tap.hardware_address(), HardwareAddress::Ethernet(default));
            let other = [2, 0, 0, 0, 0, 9];
            let tap = tap.with_hardware_address(other);
            assert_eq!(tap.hardware_address(), HardwareAddress::Ethernet(other));

            let tun = TunTap::open("tun0", Mode::Tun).unwrap();
            let tun = tun.with_hardware_address(other);
            assert_eq!(tun.hardware_address(), HardwareAddress::Ip);
        });
    });
}

#[test]
fn the_link_follows_the_interface() {
    linux_test(|_| {
        block_on(async {
            let mut driver = TunTap::open("tap0", Mode::Tap).unwrap();
            let interface = Interface::named("tap0");
            link_becomes(&mut driver, LinkState::Down).await;

            let waiting = link_becomes(&mut driver, LinkState::Up);
            let setting_up = async { interface.up().unwrap() };
            tokio::join!(waiting, setting_up);

            interface.down().unwrap();
            link_becomes(&mut driver, LinkState::Down).await;
            interface.up().unwrap();
            link_becomes(&mut driver, LinkState::Up).await;
            interface.delete().unwrap();
            link_becomes(&mut driver, LinkState::Down).await;
        });
    });
}

#[test]
fn frames_for_a_downed_interface_are_dropped_and_room_comes_back_with_it() {
    linux_test(|_| {
        block_on(async {
            let mut driver = up(Mode::Tap);
            let interface = Interface::named(driver.name());
            interface.down().unwrap();
            let frame = [0xff; 60];
            send(&mut driver, &frame);
            assert_eq!(driver.stats().send_dropped, 1);
            assert_eq!(driver.stats().send_errors, 0);
            let mut cx = Context::from_waker(Waker::noop());
            assert!(driver.transmit(&mut cx).is_none());

            let room = poll_fn(|cx| match driver.transmit(cx) {
                Some(_) => Poll::Ready(()),
                None => Poll::Pending,
            });
            let setting_up = async { interface.up().unwrap() };
            tokio::join!(room, setting_up);
            send(&mut driver, &frame);
            assert_eq!(driver.stats().sent, 1);
        });
    });
}

#[test]
fn a_frame_waits_until_its_token_is_consumed() {
    linux_test(|_| {
        block_on(async {
            let mut driver = up(Mode::Tap);
            let _ping = ping();
            poll_fn(|cx| match driver.receive(cx) {
                Some(_unused) => Poll::Ready(()),
                None => Poll::Pending,
            })
            .await;
            let received = driver.stats().received;
            let mut cx = Context::from_waker(Waker::noop());
            let (rx, tx) = driver.receive(&mut cx).expect("the frame is still there");
            assert!(tx.is_some());
            assert!(rx.consume(|frame| frame.len()) >= 14);
            assert_eq!(driver.stats().received, received);
        });
    });
}

#[test]
fn a_frame_longer_than_the_mtu_was_is_discarded_and_counted() {
    linux_test(|_| {
        block_on(async {
            let mut driver = up(Mode::Tun);
            let interface = Interface::named(driver.name());
            interface.set_mtu(3000).unwrap();
            let mut big = Command::new("ping");
            big.args(["-c1", "-W1", "-s2500", "192.168.69.1"]);
            let _big = process::spawn(big.stdout(Stdio::null())).unwrap();
            poll_fn(|cx| {
                while let Some((rx, _)) = driver.receive(cx) {
                    rx.consume(|packet| assert!(packet.len() <= 1500));
                }
                match driver.stats().receive_oversized {
                    0 => Poll::Pending,
                    _ => Poll::Ready(()),
                }
            })
            .await;
            // And the driver goes on.
            let _ping = ping();
            receive(&mut driver, |packet| {
                frames::is_echo_request(packet).then_some(())
            })
            .await;
        });
    });
}

#[test]
fn frames_that_the_kernel_refuses_are_errors() {
    linux_test(|_| {
        block_on(async {
            let mut driver = up(Mode::Tap);
            assert!(driver.last_error().is_none());
            send(&mut driver, &[0; 13]);
            assert_eq!(driver.stats().send_errors, 1);
            let error = driver.last_error().unwrap();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);

            send(&mut driver, &[0; 1515]);
            assert_eq!(driver.stats().send_errors, 2);
            assert_eq!(driver.stats().sent, 0);
        });
    });
}

#[test]
fn a_deleted_interface_counts_errors_without_waking_for_ever() {
    linux_test(|_| {
        block_on(async {
            let mut driver = up(Mode::Tap);
            Interface::named(driver.name()).delete().unwrap();
            link_becomes(&mut driver, LinkState::Down).await;
            let mut polls = 0;
            let quiet = poll_fn(|cx| {
                polls += 1;
                while let Some((rx, _)) = driver.receive(cx) {
                    rx.consume(|_| ());
                }
                Poll::<()>::Pending
            });
            let elapsed = tokio::time::timeout(Duration::from_millis(200), quiet).await;
            assert!(elapsed.is_err());
            assert!(polls < 10, "polled {polls} times");
            assert!(driver.stats().receive_errors > 0);
            assert!(driver.last_error().is_some());
        });
    });
}

#[test]
fn an_interface_that_is_deleted_while_it_is_down_wakes_nobody_for_room() {
    linux_test(|_| {
        block_on(async {
            let mut driver = up(Mode::Tap);
            let interface = Interface::named(driver.name());
            interface.down().unwrap();
            send(&mut driver, &[0xff; 60]);
            assert_eq!(driver.stats().send_dropped, 1);
            interface.delete().unwrap();
            link_becomes(&mut driver, LinkState::Down).await;
            let mut polls = 0;
            let quiet = poll_fn(|cx| {
                polls += 1;
                assert!(driver.transmit(cx).is_none());
                Poll::<()>::Pending
            });
            let elapsed = tokio::time::timeout(Duration::from_millis(200), quiet).await;
            assert!(elapsed.is_err());
            assert!(polls < 10, "polled {polls} times");
        });
    });
}

#[test]
fn a_descriptor_can_be_handed_over() {
    linux_test(|_| {
        block_on(async {
            let opened = Device::open("tun7", Mode::Tun).unwrap();
            let handed_over = TunTap::from_fd(opened.into()).unwrap();
            assert_eq!(handed_over.name(), "tun7");
            assert_eq!(handed_over.capabilities().medium, Medium::Ip);
        });
    });
}

#[test]
fn other_descriptors_are_refused() {
    linux_test(|_| {
        let (_reader, writer) = std::io::pipe().unwrap();
        let refused = Device::from_fd(writer.into()).unwrap_err();
        assert!(
            matches!(refused, OpenError::NotAttached { .. }),
            "{refused}"
        );

        let unattached = File::open("/dev/net/tun").unwrap();
        let refused = Device::from_fd(unattached.into()).unwrap_err();
        assert!(
            matches!(refused, OpenError::NotAttached { .. }),
            "{refused}"
        );
    });
}

#[test]
fn a_descriptor_whose_frames_have_headers_is_refused() {
    linux_test(|_| {
        let fd = OwnedFd::from(
            File::options()
                .read(true)
                .write(true)
                .open("/dev/net/tun")
                .unwrap(),
        );
        // SAFETY: a `struct ifreq` of zeros is a valid one, and it outlives the call.
        let attached = unsafe {
            let mut request: libc::ifreq = core::mem::zeroed();
            let flags = libc::IFF_TAP | libc::IFF_NO_PI | libc::IFF_VNET_HDR;
            request.ifr_ifru.ifru_flags = flags.try_into().unwrap();
            libc::ioctl(fd.as_raw_fd(), libc::TUNSETIFF, &mut request)
        };
        assert_eq!(attached, 0);
        let refused = Device::from_fd(fd).unwrap_err();
        assert!(
            matches!(refused, OpenError::HeaderedFrames { .. }),
            "{refused}"
        );
    });
}

#[test]
fn an_interface_in_use_or_of_another_kind_is_refused() {
    linux_test(|_| {
        let _first = Device::open("tap0", Mode::Tap).unwrap();
        let again = Device::open("tap0", Mode::Tap).unwrap_err();
        assert!(matches!(again, OpenError::Busy { .. }), "{again:?}");
        let as_tun = Device::open("tap0", Mode::Tun).unwrap_err();
        assert!(matches!(as_tun, OpenError::OtherKind { .. }), "{as_tun:?}");
        let loopback = Device::open("lo", Mode::Tap).unwrap_err();
        assert!(
            matches!(loopback, OpenError::OtherKind { .. }),
            "{loopback:?}"
        );
    });
}

#[test]
fn impossible_names_are_refused() {
    let odd = [
        "a/b", "a b", "a\tb", "a\0b", "a:b", ".", "..", "a%s", "%d%d",
    ];
    for name in [&odd[..], &["a-name-of-16-byte"]].concat() {
        let refused = Device::open(name, Mode::Tap).unwrap_err();
        assert!(
            matches!(refused, OpenError::InvalidName { .. }),
            "{refused}"
        );
        assert!(!refused.to_string().contains('\n'));
    }
}
