//! Against a fake embassy-net driver with room for one frame each way.

use core::task::Waker;

use super::*;

const ADDRESS: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// Holds one received frame, and one to send.
struct Fake {
    received: Option<[u8; 4]>,
    sent: Option<([u8; 64], usize)>,
    address: embassy::HardwareAddress,
    capabilities: embassy::Capabilities,
}

impl Fake {
    fn new() -> Self {
        let mut capabilities = embassy::Capabilities::default();
        capabilities.max_transmission_unit = 1514;
        capabilities.max_burst_size = Some(3);
        Self {
            received: None,
            sent: None,
            address: embassy::HardwareAddress::Ethernet(ADDRESS),
            capabilities,
        }
    }

    fn with_checksums(transport: Checksum, others: Checksum) -> Self {
        let mut fake = Self::new();
        let checksum = &mut fake.capabilities.checksum;
        (checksum.tcp, checksum.udp) = (transport, transport);
        (checksum.ipv4, checksum.icmpv4, checksum.icmpv6) = (others, others, others);
        fake
    }
}

struct FakeRx<'a>(&'a mut Option<[u8; 4]>);
struct FakeTx<'a>(&'a mut Option<([u8; 64], usize)>);

impl embassy::RxToken for FakeRx<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        f(&mut self.0.take().unwrap())
    }
}

impl embassy::TxToken for FakeTx<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = [0xee; 64];
        let result = f(&mut frame[..len]);
        *self.0 = Some((frame, len));
        result
    }
}

impl embassy::Driver for Fake {
    type RxToken<'a> = FakeRx<'a>;
    type TxToken<'a> = FakeTx<'a>;

    fn receive(&mut self, _: &mut Context<'_>) -> Option<(FakeRx<'_>, FakeTx<'_>)> {
        let ready = self.received.is_some() && self.sent.is_none();
        ready.then_some((FakeRx(&mut self.received), FakeTx(&mut self.sent)))
    }

    fn transmit(&mut self, _: &mut Context<'_>) -> Option<FakeTx<'_>> {
        self.sent.is_none().then_some(FakeTx(&mut self.sent))
    }

    fn link_state(&mut self, _: &mut Context<'_>) -> embassy::LinkState {
        if self.capabilities.max_transmission_unit > 0 {
            embassy::LinkState::Up
        } else {
            embassy::LinkState::Down
        }
    }

    fn capabilities(&self) -> embassy::Capabilities {
        self.capabilities.clone()
    }

    fn hardware_address(&self) -> embassy::HardwareAddress {
        self.address
    }
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// Sends eight bytes of `0x55`, with the checksum's field at `start + offset`.
fn send_with_checksum_at(start: u16, offset: u16) -> [u8; 8] {
    let mut driver = EmbassyDriver(Fake::with_checksums(Checksum::None, Checksum::None));
    let mut token = driver.transmit(&mut context()).unwrap();
    let mut meta = TxMeta::new();
    meta.checksum = Some(PartialChecksum { start, offset });
    token.set_meta(meta);
    token.consume(8, |frame| frame.fill(0x55));
    let (frame, len) = driver.0.sent.unwrap();
    frame[..len].try_into().unwrap()
}

#[test]
fn a_frame_comes_with_room_for_the_answer() {
    let mut driver = EmbassyDriver(Fake::new());
    assert!(driver.receive(&mut context()).is_none());

    driver.0.received = Some([1, 2, 3, 4]);
    let (rx, tx) = driver.receive(&mut context()).unwrap();
    assert_eq!(rx.meta(), RxMeta::new());
    let last = rx.consume(|frame| {
        assert_eq!(frame, [1, 2, 3, 4]);
        frame[3]
    });
    tx.unwrap()
        .consume(2, |frame| frame.copy_from_slice(&[last, 9]));

    assert!(driver.0.received.is_none());
    let (frame, len) = driver.0.sent.unwrap();
    assert_eq!(frame[..len], [4, 9]);
}

#[test]
fn a_full_transmit_side_stalls_reception() {
    let mut driver = EmbassyDriver(Fake::new());
    driver.0.received = Some([1, 2, 3, 4]);
    driver
        .transmit(&mut context())
        .unwrap()
        .consume(1, |frame| frame.fill(0));

    assert!(driver.transmit(&mut context()).is_none());
    assert!(driver.receive(&mut context()).is_none());

    driver.0.sent = None;
    assert!(driver.receive(&mut context()).is_some());
}

#[test]
fn the_link_state_and_the_address_pass_through() {
    let mut driver = EmbassyDriver(Fake::new());
    assert_eq!(driver.link_state(&mut context()), LinkState::Up);
    driver.0.capabilities.max_transmission_unit = 0;
    assert_eq!(driver.link_state(&mut context()), LinkState::Down);

    for (theirs, ours, medium) in [
        (
            embassy::HardwareAddress::Ethernet(ADDRESS),
            HardwareAddress::Ethernet(ADDRESS),
            Medium::Ethernet,
        ),
        (
            embassy::HardwareAddress::Ieee802154([7; 8]),
            HardwareAddress::Ieee802154([7; 8]),
            Medium::Ieee802154,
        ),
        (
            embassy::HardwareAddress::Ip,
            HardwareAddress::Ip,
            Medium::Ip,
        ),
    ] {
        driver.0.address = theirs;
        assert_eq!(driver.hardware_address(), ours);
        assert_eq!(driver.capabilities().medium, medium);
    }
}

#[test]
fn the_capabilities_are_translated() {
    let capabilities = EmbassyDriver(Fake::new()).capabilities();
    assert_eq!(capabilities.max_frame_len, 1514);
    assert_eq!(capabilities.max_burst, Some(3));
    assert_eq!(capabilities.max_segmented_len, 0);
    assert_eq!(capabilities.checksums, Checksums::NONE);
}

#[test]
fn offload_is_claimed_only_as_far_as_the_device_goes() {
    use Checksum::{Both, None, Rx, Tx};
    // What is left to the stack, for TCP and UDP and for the others; then what is offloaded.
    for (transport, others, transmit, receive) in [
        (Both, Both, false, false),
        (None, None, true, true),
        (Rx, Rx, true, false),
        (Tx, Tx, false, true),
        (None, Both, true, false),
        (Both, None, false, false),
    ] {
        let driver = EmbassyDriver(Fake::with_checksums(transport, others));
        let claimed = driver.capabilities().checksums;
        assert_eq!(
            claimed,
            Checksums { transmit, receive },
            "{transport:?} {others:?}"
        );
    }
}

#[test]
fn frames_are_valid_when_the_device_verifies_everything() {
    let mut driver = EmbassyDriver(Fake::with_checksums(Checksum::Tx, Checksum::None));
    driver.0.received = Some([0; 4]);
    let (rx, _) = driver.receive(&mut context()).unwrap();
    assert_eq!(rx.meta().checksum, RxChecksum::Valid);
}

#[test]
fn the_field_of_an_offloaded_checksum_is_zeroed() {
    let frame = send_with_checksum_at(2, 3);
    assert_eq!(frame, [0x55, 0x55, 0x55, 0x55, 0x55, 0, 0, 0x55]);
}

#[test]
fn a_checksum_outside_the_frame_changes_nothing() {
    for (start, offset) in [(7, 0), (0, 7), (8, 8), (u16::MAX, u16::MAX)] {
        assert_eq!(send_with_checksum_at(start, offset), [0x55; 8]);
    }
}
