//! The socket as a pipe of messages: each in its frame of two bytes with its length (RFC 1035 section
//! 4.2.2), so that where a message ends is never a matter of luck.

use embassy_sync::blocking_mutex::raw::RawMutex;
use embedded_io_async::{ErrorType, Read, Write};

use super::{DnsError, DnsSocket, Question};
use crate::wire::dns::{HEADER_LEN, put};

/// How far the pipe is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pipe {
    /// Of a query, that many bytes of the frame and of the message were written.
    Writing { len: [u8; 2], written: usize },
    /// A query was written, of that length and with that number.
    Written { len: usize, id: [u8; 2] },
    /// There is an answer, of whose frame that many bytes were read.
    Answered { read: usize },
    /// Another question took the buffer while a query was being written: what comes next is the rest of that.
    Interrupted,
}

impl Pipe {
    pub(super) const fn new() -> Self {
        Self::Writing {
            len: [0; 2],
            written: 0,
        }
    }

    /// The buffer is another question's from now on.
    pub(super) fn give_way(&mut self) {
        *self = match *self {
            Self::Writing { written: 1.., .. } | Self::Interrupted => Self::Interrupted,
            _ => Self::new(),
        };
    }
}

impl<M: RawMutex> ErrorType for DnsSocket<'_, M> {
    type Error = DnsError;
}

impl<M: RawMutex> Write for DnsSocket<'_, M> {
    /// Writes of a query as much as is there, up to its end. What is written after a whole query begins
    /// another, in place of one whose answer was not read.
    async fn write(&mut self, data: &[u8]) -> Result<usize, DnsError> {
        if data.is_empty() {
            return Ok(0);
        }
        let (stack, key) = (self.stack, self.key);
        let pipe = &mut self.turn.get_mut().pipe;
        let (mut len, mut written) = match *pipe {
            Pipe::Writing { len, written } => (len, written),
            Pipe::Written { .. } | Pipe::Answered { .. } => ([0; 2], 0),
            Pipe::Interrupted => {
                *pipe = Pipe::new();
                return Err(DnsError::NoQuery);
            }
        };
        let mut taken = 0;
        while written < 2
            && let Some(&byte) = data.get(taken)
        {
            if let Some(field) = len.get_mut(written) {
                *field = byte;
            }
            (written, taken) = (written + 1, taken + 1);
        }
        let whole = usize::from(u16::from_be_bytes(len));
        let rest = data.get(taken..).unwrap_or_default();
        let piece = rest
            .get(..rest.len().min((whole + 2).saturating_sub(written)))
            .unwrap_or_default();
        if written >= 2 {
            let at = written - 2;
            if !stack.with(|s| s.engine.dns_write(key, at, piece))? {
                *pipe = Pipe::new();
                return Err(DnsError::BufferTooSmall);
            }
        }
        written += piece.len();
        if written == whole + 2 {
            *pipe = Pipe::new();
            let id = stack.with(|s| s.engine.dns_piece(key, 0..2))?;
            let id = id.filter(|_| whole > HEADER_LEN).ok_or(DnsError::NoQuery)?;
            *pipe = Pipe::Written { len: whole, id };
        } else {
            *pipe = Pipe::Writing { len, written };
        }
        Ok(taken + piece.len())
    }

    async fn flush(&mut self) -> Result<(), DnsError> {
        Ok(())
    }
}

impl<M: RawMutex> Read for DnsSocket<'_, M> {
    /// Reads the answer to the query that was written, as much as there is room for. When there is no
    /// answer, the query is over.
    ///
    /// Dropped before it is ready, it has read nothing, and the query is asked anew by the next.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, DnsError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let pipe = &mut self.turn.get_mut().pipe;
        let mut read = match *pipe {
            Pipe::Writing { .. } => return Err(DnsError::NoQuery),
            Pipe::Interrupted => {
                *pipe = Pipe::new();
                return Err(DnsError::NoQuery);
            }
            Pipe::Written { len, id } => {
                self.ask(len, id).await?;
                0
            }
            Pipe::Answered { read } => read,
        };
        let (count, is_all) = self.stack.with(|s| {
            let answer = s.engine.dns_answer_bytes(self.key).unwrap_or_default();
            let frame = (answer.len() as u16).to_be_bytes();
            let bytes = frame.iter().chain(answer).skip(read);
            let mut count = 0;
            for (room, byte) in buffer.iter_mut().zip(bytes) {
                *room = *byte;
                count += 1;
            }
            (count, read + count == answer.len() + 2)
        })?;
        read += count;
        self.turn.get_mut().pipe = if is_all {
            Pipe::new()
        } else {
            Pipe::Answered { read }
        };
        Ok(count)
    }
}

impl<M: RawMutex> DnsSocket<'_, M> {
    /// Asks the query that was written, and gives its answer the number that it was asked with.
    async fn ask(&mut self, len: usize, id: [u8; 2]) -> Result<(), DnsError> {
        let (stack, key) = (self.stack, self.key);
        let mut turn = self.turn.lock().await;
        let asking = async {
            let tcp = turn.has_tcp();
            stack.with(|s| s.engine.dns_ask_raw(key, len, tcp))??;
            // Given up if this is dropped; the message stays in the buffer.
            let _question = Question { stack, key };
            self.settle(&mut turn).await
        };
        let result = asking.await;
        turn.pipe = match result {
            Ok(()) => Pipe::Answered { read: 0 },
            Err(_) => Pipe::new(),
        };
        drop(turn);
        result?;
        let id = u16::from_be_bytes(id);
        stack.with(|s| s.engine.dns_with_answer(key, |answer| put(answer, 0, id)))?;
        Ok(())
    }
}
