extern crate std;

use core::net::Ipv4Addr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// The definition, word by word.
fn naive(data: &[u8]) -> u16 {
    let mut sum = 0u32;
    for word in data.chunks(2) {
        sum += u32::from(word[0]) << 8 | word.get(1).map_or(0, |&byte| u32::from(byte));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[test]
fn sums_the_example_of_rfc_1071() {
    let sum = Sum::of(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
    assert_eq!(sum.fold(), 0xddf2);
    assert_eq!(sum.finish(), 0x220d);
}

#[test]
fn sums_right_at_every_length_and_alignment() {
    let data: Vec<u8> = (0..3000u32).map(|i| (i * i / 7 + i) as u8).collect();
    for start in 0..16 {
        for end in start..start + 300 {
            assert_eq!(Sum::of(&data[start..end]).fold(), naive(&data[start..end]));
        }
        for end in [1459, 1460, 2047, 2048, 2049, 2999] {
            assert_eq!(Sum::of(&data[start..end]).fold(), naive(&data[start..end]));
        }
    }
}

#[test]
fn all_ones_do_not_overflow() {
    for len in [1, 2, 63, 64, 65, 65_535, 1 << 20, (3 << 20) + 1, 7 << 20] {
        let data = vec![0xff; len];
        assert_eq!(Sum::of(&data).fold(), naive(&data));
    }
    let most = Sum(Word::MAX);
    assert_eq!(most.add(most).fold(), 0xffff);
    assert_eq!(most.add_u16(1).fold(), 1);
}

#[test]
fn only_zeros_sum_to_zero() {
    assert_eq!(Sum::of(&[0; 99]).fold(), 0);
    assert_eq!(Sum::of(&[0xff, 0xfe, 0, 1]).fold(), 0xffff);
    assert!(!Sum::ZERO.is_valid());
}

#[test]
fn copy_of_unequal_slices_takes_the_shorter() {
    let src = [1, 2, 3, 4, 5];
    let mut short = [0; 3];
    assert_eq!(Sum::copy(&mut short, &src).fold(), naive(&src[..3]));
    assert_eq!(short, [1, 2, 3]);
    let mut long = [9; 7];
    assert_eq!(Sum::copy(&mut long, &src).fold(), naive(&src));
    assert_eq!(long, [1, 2, 3, 4, 5, 9, 9]);
}

#[test]
fn every_short_length_is_copied_and_summed() {
    let data: [u8; 300] = core::array::from_fn(|i| (i * 151 + 7) as u8);
    for len in 0..=data.len() {
        let mut copy = [0; 300];
        assert_eq!(
            Sum::copy(&mut copy[..len], &data[..len]).fold(),
            naive(&data[..len])
        );
        assert_eq!(copy[..len], data[..len]);
        assert!(copy[len..].iter().all(|&byte| byte == 0));
    }
}

#[test]
fn pseudo_header_covers_addresses_protocol_and_length() {
    let src = Ipv4Addr::new(192, 0, 2, 255);
    let dst = Ipv4Addr::new(203, 0, 113, 7);
    let sum = pseudo_header(src.into(), dst.into(), IpProtocol::UDP, 0x1234);
    let bytes = [192, 0, 2, 255, 203, 0, 113, 7, 0, 17, 0x12, 0x34];
    assert_eq!(sum.fold(), naive(&bytes));
}

#[cfg(feature = "proto-ipv6")]
#[test]
fn pseudo_header_of_ipv6_covers_the_same() {
    let src: core::net::Ipv6Addr = "2001:db8::ff02:1".parse().unwrap();
    let dst: core::net::Ipv6Addr = "fe80::abcd".parse().unwrap();
    let sum = pseudo_header(src.into(), dst.into(), IpProtocol::TCP, 70_000);
    let mut bytes = [src.octets(), dst.octets()].concat();
    bytes.extend(70_000u32.to_be_bytes());
    bytes.extend([0, 0, 0, 6]);
    assert_eq!(sum.fold(), naive(&bytes));
}

proptest! {
    #[test]
    fn sum_agrees_with_the_definition(data: Vec<u8>, skip in 0..8usize) {
        let data = data.get(skip..).unwrap_or_default();
        prop_assert_eq!(Sum::of(data).fold(), naive(data));
    }

    #[test]
    fn copy_copies_and_sums(data in prop::collection::vec(any::<u8>(), 0..5000)) {
        let mut copy = vec![0; data.len()];
        prop_assert_eq!(Sum::copy(&mut copy, &data).fold(), naive(&data));
        prop_assert_eq!(copy, data);
    }

    #[test]
    fn pieces_add_up_to_the_whole(data in prop::collection::vec(any::<u8>(), 0..400), cut: usize) {
        let cut = cut % (data.len() + 1);
        let (head, tail) = data.split_at(cut);
        prop_assert_eq!(Sum::of(head).add_at(Sum::of(tail), cut).fold(), naive(&data));
    }

    #[test]
    fn fields_add_like_their_bytes(data: Vec<u8>, short: u16, long: u32) {
        let sum = Sum::of(&data).add_u16(short).add_u32(long);
        let mut bytes = short.to_be_bytes().to_vec();
        bytes.extend(long.to_be_bytes());
        bytes.extend(&data);
        prop_assert_eq!(sum.fold(), naive(&bytes));
    }

    #[test]
    fn data_with_its_checksum_is_valid_until_a_bit_flips(
        mut data in prop::collection::vec(any::<u8>(), 1..200),
        flip: usize,
    ) {
        data.insert(0, 0);
        data.insert(0, 0);
        let checksum = Sum::of(&data).finish();
        data[..2].copy_from_slice(&checksum.to_be_bytes());
        prop_assert!(Sum::of(&data).is_valid());
        let flip = flip % (data.len() * 8);
        data[flip / 8] ^= 1 << (flip % 8);
        prop_assert!(!Sum::of(&data).is_valid());
    }

    #[test]
    fn partial_mode_leaves_the_pseudo_header_sum(a: Vec<u8>, b: Vec<u8>, addresses: (u32, u32)) {
        let (src, dst) = (Ipv4Addr::from(addresses.0), Ipv4Addr::from(addresses.1));
        let header = [1, 2, 3, 4, 5, 6, 7, 8];
        let len = header.len() + a.len() + b.len();
        let pseudo = PseudoHeader::new(src.into(), dst.into(), IpProtocol::TCP, len);
        let mut fields = Fields::default();
        for field in header.chunks(2) {
            fields.add(naive(field).into());
        }
        let mut body = vec![0; a.len() + b.len()];
        let partial = ChecksumMode::Partial.copy_payload(pseudo, fields, &mut body, (&a, &b));
        prop_assert_eq!(&body, &[a.clone(), b.clone()].concat());
        prop_assert_eq!(partial, pseudo.and(Fields::default()).fold());
        // A device sums the header with that field in it, and the payload, and complements.
        let device = Sum::of(&header).add(Sum::of(&body)).add_u16(partial).finish();
        let full = ChecksumMode::Full.copy_payload(pseudo, fields, &mut body, (&a, &b));
        prop_assert_eq!(device, full);
    }
}

#[test]
fn machines_of_32_bits_sum_and_copy_alike_at_every_length_and_alignment() {
    let words: Vec<u32> = (0..800u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
    let data = zerocopy::IntoBytes::as_bytes(&words[..]);
    for start in 0..9 {
        for end in (start..start + 200).chain([1460, 1461, 3000]) {
            let data = &data[start..end];
            assert_eq!(narrow::sum(data).fold(), naive(data));
            for place in [start % 4, 1] {
                let mut words = vec![0u32; 800];
                let room = zerocopy::IntoBytes::as_mut_bytes(&mut words[..]);
                let copy = &mut room[place..place + data.len()];
                assert_eq!(narrow::copy(copy, data).fold(), naive(data));
                assert_eq!(copy, data);
            }
        }
    }
    let ones = vec![u32::MAX; 1 << 18];
    let ones = zerocopy::IntoBytes::as_bytes(&ones[..]);
    assert_eq!(narrow::sum(ones).fold(), 0xffff);
    let (header, _) = data.as_chunks().0.split_first_chunk::<5>().unwrap();
    assert_eq!(narrow::sum_header(header).fold(), naive(&data[..20]));
    let mut fields = narrow::Fields::default();
    for word in header {
        fields.add(u32::from_be_bytes(*word));
    }
    assert_eq!(fields.sum().fold(), naive(&data[..20]));
}
