//! The options of a TCP header (RFC 9293 §3.2): maximum segment size, and the extensions of RFC 7323
//! (window scale, timestamps) and RFC 2018 (selective acknowledgments).
//!
//! They are read from any segment alike. Which of them count when is the connection's business.

use super::super::Malformed;
use super::super::writer::Writer;
use super::SackBlocks;
#[cfg(feature = "tcp-fast-open")]
use super::fast_open::{FastOpenCookie, KIND_FAST_OPEN};

/// The length in bytes of the longest options.
pub(super) const MAX_LEN: usize = 40;

/// The options that the stack knows; it skips all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TcpOptions {
    /// The longest segment the sender of this wants, in bytes of payload.
    pub mss: Option<u16>,
    /// The shift for the windows that the sender of this will announce, as it stands there: maybe more
    /// than the 14 that RFC 7323 §2.3 permits.
    pub window_scale: Option<u8>,
    /// The sender of this understands selective acknowledgments.
    #[cfg(feature = "tcp-sack")]
    pub sack_permitted: bool,
    /// The sender's clock, and what it last read of ours.
    #[cfg(feature = "tcp-timestamps")]
    pub timestamps: Option<Timestamps>,
    /// A cookie of Fast Open, or the wish for one.
    #[cfg(feature = "tcp-fast-open")]
    pub fast_open: Option<FastOpenCookie>,
}

/// Two timestamps (RFC 7323 §3.2).
#[cfg(feature = "tcp-timestamps")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Timestamps {
    /// The sender's clock (TSval).
    pub value: u32,
    /// With ACK, the timestamp that this echoes (TSecr).
    pub echo: u32,
}

impl TcpOptions {
    /// Reads options. Of one that occurs twice the last counts. Selective acknowledgments, which are no
    /// part of them, come with a [`TcpSegment`](super::TcpSegment).
    ///
    /// # Errors
    ///
    /// [`Malformed::BadOption`] if an option ends beyond the header or has a length that is not its
    /// kind's. RFC 9293 §3.1: "TCP implementations MUST be prepared to handle an illegal option length
    /// (e.g., zero); a suggested procedure is to reset the connection and log the error cause (MUST-7)."
    /// A segment that resets connections for any stranger is no good idea; it is dropped instead.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        // Nearly every segment of a connection with timestamps has these options and no others.
        let mut options = Self::default();
        options.read(bytes, &mut SackBlocks::default())?;
        Ok(options)
    }

    /// As [`Self::parse`], in place: of default options and no blocks.
    #[inline]
    pub(super) fn read(&mut self, bytes: &[u8], sack: &mut SackBlocks) -> Result<(), Malformed> {
        #[cfg(feature = "tcp-timestamps")]
        if let Ok([KIND_NOP, KIND_NOP, KIND_TIMESTAMPS, 10, stamps @ ..]) =
            <&[u8; 12]>::try_from(bytes)
        {
            self.timestamps = Some(Timestamps::from_bytes(stamps));
            return Ok(());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        self.read_each(bytes, sack)
    }

    /// The way for all other layouts, kept out of line.
    #[inline(never)]
    fn read_each(&mut self, bytes: &[u8], sack: &mut SackBlocks) -> Result<(), Malformed> {
        for option in Options(bytes) {
            self.apply(option?, sack)?;
        }
        Ok(())
    }

    #[cfg_attr(
        not(feature = "tcp-sack"),
        expect(unused_variables, reason = "nothing is read to there")
    )]
    fn apply(&mut self, (kind, body): (u8, &[u8]), sack: &mut SackBlocks) -> Result<(), Malformed> {
        match kind {
            KIND_MSS => self.mss = Some(u16::from_be_bytes(sized(body)?)),
            KIND_WINDOW_SCALE => {
                let [shift] = sized(body)?;
                self.window_scale = Some(shift);
            }
            #[cfg(feature = "tcp-sack")]
            KIND_SACK_PERMITTED => {
                let [] = sized(body)?;
                self.sack_permitted = true;
            }
            #[cfg(feature = "tcp-sack")]
            KIND_SACK => sack.read(body)?,
            #[cfg(feature = "tcp-timestamps")]
            KIND_TIMESTAMPS => self.timestamps = Some(Timestamps::from_bytes(&sized(body)?)),
            #[cfg(feature = "tcp-fast-open")]
            KIND_FAST_OPEN => self.fast_open = FastOpenCookie::new(body),
            _ => {}
        }
        Ok(())
    }

    /// The length of the options in bytes when emitted, a multiple of four up to 40.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn len(&self) -> usize {
        let mut len = 0;
        if self.mss.is_some() {
            len += 4;
        }
        if self.has_timestamps() {
            len += TIMESTAMPS_LEN;
        } else if self.permits_sack() {
            len += 4;
        }
        if self.window_scale.is_some() {
            len += 4;
        }
        #[cfg(feature = "tcp-fast-open")]
        if let Some(cookie) = &self.fast_open {
            len += cookie.option_len();
        }
        len
    }

    /// The same with those of the blocks that fit: beside timestamps there is room for three.
    pub(super) const fn len_with_sack(&self, sack: &SackBlocks) -> usize {
        let len = self.len();
        len + sack.option_len(len)
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the options where there is room for just as many as [`len_with_sack`](Self::len_with_sack) says.
    ///
    /// ```text
    /// SYN    MSS(4) SACK-permitted(2) timestamps(10) NOP window-scale(3) Fast Open(2 + its cookie)
    /// others NOP NOP timestamps(10) NOP NOP SACK(2 + 8 a block)
    /// ```
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn emit(&self, writer: &mut Writer<'_>, sack: &SackBlocks) {
        #[cfg(feature = "tcp-timestamps")]
        if let Some(timestamps) = self.timestamps
            && 4 * writer.room() == TIMESTAMPS_LEN
            && !self.permits_sack()
        {
            // Nearly every segment of a connection with timestamps has these options and no others.
            writer.put(PADDING << 16 | pair(KIND_TIMESTAMPS, 10));
            writer.put(timestamps.value);
            writer.put(timestamps.echo);
            return;
        }
        if let Some(mss) = self.mss {
            writer.put(pair(KIND_MSS, 4) << 16 | u32::from(mss));
        }
        let sack_permitted = pair(KIND_SACK_PERMITTED, 2);
        // It fills the two bytes by which timestamps miss a multiple of four.
        #[cfg(feature = "tcp-timestamps")]
        if let Some(Timestamps { value, echo }) = self.timestamps {
            let front = if self.permits_sack() {
                sack_permitted
            } else {
                PADDING
            };
            writer.put(front << 16 | pair(KIND_TIMESTAMPS, 10));
            writer.put(value);
            writer.put(echo);
        }
        if self.permits_sack() && !self.has_timestamps() {
            writer.put(PADDING << 16 | sack_permitted);
        }
        if let Some(shift) = self.window_scale {
            writer.put(pair(KIND_NOP, KIND_WINDOW_SCALE) << 16 | pair(3, shift));
        }
        #[cfg(feature = "tcp-fast-open")]
        if let Some(cookie) = &self.fast_open {
            for word in cookie.words() {
                writer.put(word);
            }
        }
        // What is left is for the blocks that fit.
        if let Some(words) = writer.room().checked_sub(1)
            && cfg!(feature = "tcp-sack")
        {
            writer.put(PADDING << 16 | pair(KIND_SACK, 2 + 4 * words as u8));
            for (left, right) in sack.iter().take(words / 2) {
                writer.put(left.get());
                writer.put(right.get());
                // Side by side they would take more code, and not less time.
                core::hint::black_box(());
            }
        }
        debug_assert!(writer.room() == 0, "options do not fill their room");
    }

    const fn has_timestamps(&self) -> bool {
        #[cfg(feature = "tcp-timestamps")]
        return self.timestamps.is_some();
        #[cfg(not(feature = "tcp-timestamps"))]
        false
    }

    const fn permits_sack(&self) -> bool {
        #[cfg(feature = "tcp-sack")]
        return self.sack_permitted;
        #[cfg(not(feature = "tcp-sack"))]
        false
    }
}

#[cfg(feature = "tcp-timestamps")]
impl Timestamps {
    const fn from_bytes(bytes: &[u8; 8]) -> Self {
        let [value, echo] = words(*bytes);
        Self { value, echo }
    }
}

/// Two numbers, as both timestamps and blocks have them.
pub(super) const fn words([a, b, c, d, e, f, g, h]: [u8; 8]) -> [u32; 2] {
    [
        u32::from_be_bytes([a, b, c, d]),
        u32::from_be_bytes([e, f, g, h]),
    ]
}

/// The options in some bytes, as kind and body. After an error it ends.
struct Options<'a>(&'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = Result<(u8, &'a [u8]), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if let [] | [KIND_END, ..] = *self.0 {
            return None;
        }
        let option = self.split_option();
        if option.is_none() {
            self.0 = &[];
        }
        Some(option.ok_or(Malformed::BadOption))
    }
}

impl<'a> Options<'a> {
    /// Takes an option off the front: padding, or one that has a length, which counts kind and itself.
    fn split_option(&mut self) -> Option<(u8, &'a [u8])> {
        let (kind, body, rest) = match *self.0 {
            [KIND_NOP, ref rest @ ..] => (KIND_NOP, &[][..], rest),
            [kind, len, ..] => {
                let (option, rest) = self.0.split_at_checked(usize::from(len))?;
                (kind, option.get(2..)?, rest)
            }
            _ => return None,
        };
        self.0 = rest;
        Some((kind, body))
    }
}

/// The body of an option whose length its kind prescribes.
fn sized<const N: usize>(body: &[u8]) -> Result<[u8; N], Malformed> {
    body.try_into().map_err(|_| Malformed::BadOption)
}

/// Half a word: mostly the kind of an option, and its length.
const fn pair(first: u8, second: u8) -> u32 {
    (first as u32) << 8 | second as u32
}

const KIND_END: u8 = 0;
const KIND_NOP: u8 = 1;
const KIND_MSS: u8 = 2;
const KIND_WINDOW_SCALE: u8 = 3;
const KIND_SACK_PERMITTED: u8 = 4;
const KIND_SACK: u8 = 5;
#[cfg(feature = "tcp-timestamps")]
const KIND_TIMESTAMPS: u8 = 8;

/// The length of timestamps with their padding.
const TIMESTAMPS_LEN: usize = 12;

/// Two bytes of nothing, so that what follows fills a word.
const PADDING: u32 = pair(KIND_NOP, KIND_NOP);
