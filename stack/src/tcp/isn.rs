//! Initial sequence numbers (RFC 6528) and timestamp offsets (RFC 7323, section 7.1).

use core::hash::Hasher;

use super::FourTuple;
use crate::rand::HashKey;
use crate::time::Instant;
use crate::wire::{IpAddress, IpEndpoint, SeqNum};

/// `ISN = M + F(localip, localport, remoteip, remoteport, secretkey)`.
#[derive(Clone, Copy)]
pub(crate) struct IsnGenerator {
    key: HashKey,
}

impl IsnGenerator {
    pub(crate) fn new(key: HashKey) -> Self {
        Self { key }
    }

    /// RFC 6528, section 3: M "is the 4 microsecond timer".
    pub(crate) fn generate(&self, now: Instant, tuple: &FourTuple) -> SeqNum {
        let m = (now.as_micros() / 4) as u32;
        let f = self.key.hash(ISN_DOMAIN, |h| hash_tuple(h, tuple));
        SeqNum::new(m.wrapping_add(f as u32))
    }

    /// What a connection adds to the time in its timestamps, so that they do not tell for how long this
    /// host has been up, yet grow from one connection between two hosts to the next.
    pub(crate) fn timestamp_offset(&self, tuple: &FourTuple) -> u32 {
        let hash = self.key.hash(TIMESTAMP_DOMAIN, |h| {
            hash_address(h, tuple.local.addr);
            hash_address(h, tuple.remote.addr);
        });
        hash as u32
    }
}

/// Feeds a four-tuple into a hash.
pub(crate) fn hash_tuple(hasher: &mut impl Hasher, tuple: &FourTuple) {
    hash_endpoint(hasher, tuple.local);
    hash_endpoint(hasher, tuple.remote);
}

fn hash_endpoint(hasher: &mut impl Hasher, endpoint: IpEndpoint) {
    hash_address(hasher, endpoint.addr);
    hasher.write_u16(endpoint.port);
}

pub(super) fn hash_address(hasher: &mut impl Hasher, address: IpAddress) {
    match address {
        IpAddress::Ipv4(a) => hasher.write_u32(a.to_bits()),
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(a) => hasher.write_u128(a.to_bits()),
    }
}

const ISN_DOMAIN: u8 = b'i';
const TIMESTAMP_DOMAIN: u8 = b't';
