//! The file that the pcap writer makes, read back with another implementation of the format.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration as StdDuration;

use cygnet_driver::{Capabilities, Driver, Duration, Instant, Medium};
use cygnet_middleware::{PcapMode, PcapWriter};
use pcap_file::DataLink;
use pcap_file::pcap::PcapReader;

use crate::support::{FakeDevice, TestClock, assert_passes_through, receive, send};

/// What another implementation reads in a file.
fn read(file: &[u8]) -> (DataLink, Vec<(StdDuration, Vec<u8>)>) {
    let mut reader = PcapReader::new(file).expect("a file header");
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let packet = packet.expect("a record");
        packets.push((packet.timestamp, packet.data.into_owned()));
    }
    (reader.header().datalink, packets)
}

#[test]
fn writes_frames_of_both_directions_with_their_times() {
    let clock = TestClock::default();
    let mut file = Vec::new();
    let device = FakeDevice::receiving(&[&[1; 60]]);
    let mut driver = PcapWriter::new(device, &mut file, &clock)
        .unwrap()
        .epoch(Duration::from_secs(1_000_000));
    clock.now.set(Instant::from_micros(1_500_000));
    receive(&mut driver);
    clock.now.set(Instant::from_micros(2_000_007));
    send(&mut driver, &[2; 1514]);
    drop(driver);
    assert_eq!(
        read(&file),
        (
            DataLink::ETHERNET,
            vec![
                (StdDuration::from_micros(1_000_001_500_000), vec![1; 60]),
                (StdDuration::from_micros(1_000_002_000_007), vec![2; 1514]),
            ]
        )
    );
}

#[test]
fn the_link_type_follows_the_medium() {
    for (medium, link_type) in [
        (Medium::Ethernet, DataLink::ETHERNET),
        (Medium::Ip, DataLink::RAW),
    ] {
        let mut device = FakeDevice::new();
        device.capabilities = Capabilities::new(medium, 1500);
        let mut file = Vec::new();
        PcapWriter::new(device, &mut file, TestClock::default()).unwrap();
        assert_eq!(file.len(), 24);
        assert_eq!(read(&file), (link_type, vec![]));
    }
}

#[test]
fn writes_only_the_direction_asked_for() {
    for (mode, expected) in [(PcapMode::RxOnly, 1), (PcapMode::TxOnly, 2)] {
        let mut file = Vec::new();
        let device = FakeDevice::receiving(&[&[1; 10]]);
        let mut driver = PcapWriter::new(device, &mut file, TestClock::default())
            .unwrap()
            .mode(mode);
        receive(&mut driver);
        send(&mut driver, &[2; 10]);
        drop(driver);
        let frames: Vec<_> = read(&file).1.into_iter().map(|(_, frame)| frame).collect();
        assert_eq!(frames, [vec![expected; 10]]);
    }
}

/// Takes so many writes, then fails; remembers how much was flushed.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
struct DiskState {
    writes_left: usize,
    written: Vec<u8>,
    flushed: usize,
}

impl Disk {
    fn with_room_for(writes: usize) -> Self {
        let disk = Self::default();
        disk.0.lock().unwrap().writes_left = writes;
        disk
    }
}

impl io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.0.lock().unwrap();
        if disk.writes_left == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.writes_left -= 1;
        disk.written.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        disk.flushed = disk.written.len();
        Ok(())
    }
}

#[test]
fn every_frame_is_written_in_one_piece_and_flushed() {
    let disk = Disk::with_room_for(3);
    let mut driver =
        PcapWriter::new(FakeDevice::new(), disk.clone(), TestClock::default()).unwrap();
    for frames in 1..=2 {
        send(&mut driver, &[0; 84]);
        let state = disk.0.lock().unwrap();
        assert_eq!(
            (state.flushed, state.writes_left),
            (24 + frames * 100, 2 - frames)
        );
    }
}

#[test]
fn a_write_error_is_reported_once_and_does_not_stop_traffic() {
    let disk = Disk::with_room_for(2);
    let errors = Arc::new(Mutex::new(Vec::new()));
    let told = errors.clone();
    let mut driver = PcapWriter::new(FakeDevice::new(), disk.clone(), TestClock::default())
        .unwrap()
        .on_error(move |error| told.lock().unwrap().push(error.kind()));
    for n in 0..5 {
        send(&mut driver, &[n; 10]);
    }
    assert_eq!(*errors.lock().unwrap(), [io::ErrorKind::StorageFull]);
    assert_eq!(read(&disk.0.lock().unwrap().written).1.len(), 1);
    let (device, pcap) = driver.into_parts();
    assert_eq!(device.sent.len(), 5);
    assert!(pcap.into_writer().is_none());
}

#[test]
fn a_file_that_cannot_be_written_at_all_is_an_error() {
    let result = PcapWriter::new(FakeDevice::new(), Disk::default(), TestClock::default());
    assert_eq!(
        result.err().map(|error| error.kind()),
        Some(io::ErrorKind::StorageFull)
    );
}

#[test]
fn a_frame_too_long_for_the_format_is_cut() {
    let mut file = Vec::new();
    let mut driver = PcapWriter::new(FakeDevice::new(), &mut file, TestClock::default()).unwrap();
    send(&mut driver, &vec![1; 300_000]);
    drop(driver);
    assert_eq!(file.len(), 24 + 16 + 262_144);
    assert_eq!(file[32..36], 262_144_u32.to_le_bytes());
    assert_eq!(file[36..40], 300_000_u32.to_le_bytes());
}

#[test]
fn everything_else_passes_through() {
    let device = FakeDevice::new();
    let capabilities = device.capabilities;
    let mut driver = PcapWriter::new(device, Vec::new(), TestClock::default()).unwrap();
    assert_eq!(driver.capabilities(), capabilities);
    assert_passes_through(&mut driver, |driver| driver.inner_mut());
}
