//! Packet sockets on the ends of a veth pair.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake};
use std::time::Duration;

use cygnet_driver::{Driver, HardwareAddress, LinkState, Medium, RxToken};
use cygnet_host::{Interface, linux_test};
use cygnet_tuntap::{PacketOptions, PacketSocket, PacketSocketError};
use tokio::time::timeout;

use crate::{block_on, link_becomes, receive, send};

const NEAR: [u8; 6] = [2, 0, 0, 0, 0, 0xa];
const FAR: [u8; 6] = [2, 0, 0, 0, 0, 0xb];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 0xc];
const HELLO: u8 = 0;

/// Two interfaces that are up and have no addresses.
fn pair() -> (Interface, Interface) {
    let (near, far) = Interface::create_veth("near", "far").unwrap();
    near.set_hardware_address(NEAR).unwrap().up().unwrap();
    far.set_hardware_address(FAR).unwrap().up().unwrap();
    (near, far)
}

/// A driver of an interface that carries frames, which it does a moment after it was set up.
async fn open(interface: &Interface, options: PacketOptions) -> PacketSocket {
    let mut driver = PacketSocket::open(interface.name(), options).unwrap();
    link_becomes(&mut driver, LinkState::Up).await;
    driver
}

/// Waits until frames go both ways. An interface that was set up says that it runs a moment before it does.
async fn meet(near: &mut PacketSocket, far: &mut PacketSocket) {
    hello(near, far, &frame(FAR, NEAR, HELLO)).await;
    hello(far, near, &frame(NEAR, FAR, HELLO)).await;
}

/// Says it again until it is heard.
async fn hello(from: &mut PacketSocket, to: &mut PacketSocket, hello: &[u8]) {
    let mut heard = pin!(receive(to, |frame| (frame == hello).then_some(())));
    while timeout(Duration::from_millis(20), &mut heard)
        .await
        .is_err()
    {
        send(from, hello);
    }
}

/// A frame of a protocol that nobody speaks.
fn frame(to: [u8; 6], from: [u8; 6], text: u8) -> Vec<u8> {
    [&to[..], &from, &[0x88, 0xb5], &[text; 50]].concat()
}

/// The text of the next such frame that is more than a greeting.
async fn next(driver: &mut PacketSocket) -> u8 {
    receive(driver, |frame| {
        (frame.get(12..14)? == [0x88, 0xb5] && frame[14] != HELLO).then(|| frame[14])
    })
    .await
}

#[test]
fn frames_go_from_one_end_to_the_other() {
    linux_test(|_| {
        block_on(async {
            let (near, far) = pair();
            near.set_mtu(1_300).unwrap();
            let mut near = open(&near, PacketOptions::default()).await;
            let mut far = open(&far, PacketOptions::default()).await;
            assert_eq!(near.capabilities().medium, Medium::Ethernet);
            assert_eq!(near.capabilities().max_frame_len, 1_314);
            assert_eq!(near.hardware_address(), HardwareAddress::Ethernet(NEAR));
            meet(&mut near, &mut far).await;
            let sent = near.stats().sent;
            send(&mut near, &frame(FAR, NEAR, 1));
            assert_eq!(next(&mut far).await, 1);
            send(&mut far, &frame(NEAR, FAR, 2));
            // Not what it has sent itself.
            assert_eq!(next(&mut near).await, 2);
            assert_eq!(near.stats().sent, sent + 1);
        });
    });
}

#[test]
fn what_others_send_is_heard_if_it_is_asked_for() {
    linux_test(|_| {
        block_on(async {
            let (near, far) = pair();
            let all = PacketOptions {
                outgoing: true,
                ..PacketOptions::default()
            };
            let mut all = open(&near, all).await;
            let mut incoming = open(&near, PacketOptions::default()).await;
            let mut another = open(&near, PacketOptions::default()).await;
            let mut far = open(&far, PacketOptions::default()).await;
            meet(&mut another, &mut far).await;
            send(&mut another, &frame(FAR, NEAR, 1));
            send(&mut far, &frame(NEAR, FAR, 2));
            assert_eq!(next(&mut all).await, 1);
            assert_eq!(next(&mut all).await, 2);
            assert_eq!(next(&mut incoming).await, 2);
        });
    });
}

#[test]
fn another_hardware_address_is_the_drivers_alone() {
    linux_test(|_| {
        block_on(async {
            let (near, far) = pair();
            let promiscuous = PacketOptions {
                promiscuous: true,
                ..PacketOptions::default()
            };
            let near = open(&near, promiscuous).await;
            let mut near = near.with_hardware_address(OTHER);
            assert_eq!(near.hardware_address(), HardwareAddress::Ethernet(OTHER));
            let mut far = open(&far, PacketOptions::default()).await;
            meet(&mut near, &mut far).await;
            send(&mut far, &frame(OTHER, FAR, 3));
            assert_eq!(next(&mut near).await, 3);
        });
    });
}

#[test]
fn the_link_goes_down_and_comes_back() {
    linux_test(|_| {
        block_on(async {
            let (near, far) = pair();
            let mut here = open(&near, PacketOptions::default()).await;
            let mut there = open(&far, PacketOptions::default()).await;
            meet(&mut here, &mut there).await;
            near.down().unwrap();
            link_becomes(&mut here, LinkState::Down).await;
            let dropped = here.stats().send_dropped;
            send(&mut here, &frame(FAR, NEAR, 4));
            assert_eq!(here.stats().send_dropped, dropped + 1);
            near.up().unwrap();
            link_becomes(&mut here, LinkState::Up).await;
            meet(&mut here, &mut there).await;
            near.delete().unwrap();
            link_becomes(&mut here, LinkState::Down).await;
        });
    });
}

#[test]
fn a_frame_behind_the_error_of_a_second_flap_is_read() {
    linux_test(|_| {
        block_on(async {
            // The kernel's own traffic would be frames, too.
            let no_ipv6 = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
            std::fs::write(no_ipv6, "1").unwrap();
            let (near, far) = pair();
            let mut here = open(&near, PacketOptions::default()).await;
            let mut there = open(&far, PacketOptions::default()).await;
            meet(&mut here, &mut there).await;
            read_all(&mut here);
            let errors = here.stats().receive_errors;

            near.down().unwrap();
            near.up().unwrap();
            assert_eq!(read_all(&mut here), 0);
            assert_eq!(here.stats().receive_errors, errors + 1);

            near.down().unwrap();
            near.up().unwrap();
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                send(&mut there, &frame(NEAR, FAR, 5));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(read_all(&mut here) > 0);
            assert_eq!(here.stats().receive_errors, errors + 2);
        });
    });
}

/// Reads until there is nothing, and nobody is woken at once to look again. How many frames there were.
fn read_all(driver: &mut PacketSocket) -> usize {
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = woken.clone().into();
    let mut frames = 0;
    while woken.0.swap(false, Ordering::Relaxed) {
        while let Some((rx, _)) = driver.receive(&mut Context::from_waker(&waker)) {
            rx.consume(|_| frames += 1);
        }
    }
    frames
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    linux_test(|_| {
        block_on(async {
            let error = PacketSocket::open("nosuch0", PacketOptions::default()).unwrap_err();
            assert!(matches!(error, PacketSocketError::NoSuchInterface { .. }));
            assert!(
                error.to_string().contains("no interface nosuch0"),
                "{error}"
            );
        });
    });
}
