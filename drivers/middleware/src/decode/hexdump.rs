//! Bytes in hexadecimal and in ASCII, sixteen to a line.

use core::fmt;

/// Prints each sixteen bytes on a line of their own, the first one too.
pub(super) struct HexDump<'a>(pub(super) &'a [u8]);

impl fmt::Display for HexDump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (row, bytes) in self.0.chunks(ROW).enumerate() {
            write!(f, "\n    {:04x} ", row * ROW)?;
            for at in 0..ROW {
                match bytes.get(at) {
                    Some(byte) => write!(f, " {byte:02x}")?,
                    None => f.write_str("   ")?,
                }
            }
            f.write_str("  ")?;
            for &byte in bytes {
                let shown = if byte.is_ascii_graphic() || byte == b' ' {
                    byte
                } else {
                    b'.'
                };
                write!(f, "{}", char::from(shown))?;
            }
        }
        Ok(())
    }
}

const ROW: usize = 16;
