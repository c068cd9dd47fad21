//! The option of TCP Fast Open (RFC 7413, section 4.1.1).

/// What the Fast Open option of a segment with SYN says: a cookie, or, from a client that has none, the
/// wish for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FastOpenCookie {
    len: u8,
    bytes: [u8; Self::MAX_LEN],
}

impl FastOpenCookie {
    /// The longest cookie in bytes.
    pub const MAX_LEN: usize = 16;
    /// No cookie: the wish for one.
    pub const REQUEST: Self = Self {
        len: 0,
        bytes: [0; Self::MAX_LEN],
    };

    /// A cookie, or with no bytes the wish for one. `None` if there is no cookie of that length: "4 to 16
    /// bytes, constrained by remaining space in the options field. The number MUST be even."
    pub fn new(cookie: &[u8]) -> Option<Self> {
        if !matches!(cookie.len(), 0 | 4..=Self::MAX_LEN) || !cookie.len().is_multiple_of(2) {
            return None;
        }
        let mut bytes = [0; Self::MAX_LEN];
        bytes.get_mut(..cookie.len())?.copy_from_slice(cookie);
        Some(Self {
            len: cookie.len() as u8,
            bytes,
        })
    }

    /// The cookie; empty for the wish for one.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// Whether it is the wish for a cookie.
    pub const fn is_request(&self) -> bool {
        self.len == 0
    }

    /// The length in bytes of the option with its padding.
    pub(super) const fn option_len(&self) -> usize {
        (2 + self.len as usize).next_multiple_of(4)
    }

    /// The option in words, padding included.
    pub(super) fn words(&self) -> impl Iterator<Item = u32> {
        // Padding, of one byte each.
        let mut words = [[1; 4]; 5];
        let option = [KIND_FAST_OPEN, 2 + self.len].into_iter();
        let option = option.chain(self.as_bytes().iter().copied());
        for (byte, written) in words.as_flattened_mut().iter_mut().zip(option) {
            *byte = written;
        }
        let count = self.option_len() / 4;
        words.into_iter().map(u32::from_be_bytes).take(count)
    }
}

pub(super) const KIND_FAST_OPEN: u8 = 34;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::writer::Writer;
    use crate::wire::{SackBlocks, TcpOptions};

    #[test]
    fn a_cookie_is_even_and_of_four_to_sixteen_bytes() {
        let lengths: std::vec::Vec<_> = (0..=20)
            .filter(|&len| FastOpenCookie::new(&[7; 20][..len]).is_some())
            .collect();
        assert_eq!(lengths, [0, 4, 6, 8, 10, 12, 14, 16]);
    }

    #[test]
    fn options_round_trip_behind_all_others() {
        for len in [0, 4, 6, 8, 16] {
            let cookie = FastOpenCookie::new(&[7; 16][..len]);
            let options = TcpOptions {
                mss: Some(1_460),
                window_scale: Some(7),
                sack_permitted: true,
                timestamps: Some(Default::default()),
                fast_open: cookie,
            };
            let mut bytes = std::vec![0; options.len()];
            options.emit(&mut Writer::new(&mut bytes), &SackBlocks::EMPTY);
            assert_eq!(bytes[20..22], [KIND_FAST_OPEN, 2 + len as u8]);
            assert_eq!(TcpOptions::parse(&bytes), Ok(options));
        }
    }

    /// RFC 7413, section 4.1.1: "Options with invalid Cookie length values [...] MUST be ignored."
    #[test]
    fn an_option_of_impossible_length_is_ignored() {
        for len in [1, 2, 3, 5] {
            let mut bytes = [1; 8];
            bytes[0] = KIND_FAST_OPEN;
            bytes[1] = 2 + len;
            let options = TcpOptions::parse(&bytes).unwrap();
            assert_eq!(options.fast_open, None);
        }
    }
}
