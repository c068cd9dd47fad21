//! What users do with a connection: write, read, pause, change their minds, and leave.

use cygnet::{Duration, OwnedReadHalf, OwnedWriteHalf, TcpError, TcpReader, TcpSocket, TcpWriter};
use embassy_futures::join::join;
use embassy_futures::select::{Either, select};

use crate::conversation::{Conversation, End};
use crate::dice::Dice;
use crate::world::World;

/// One user at one end of a conversation.
pub(crate) struct User<'w, 'd> {
    pub(crate) world: &'w World<'d>,
    pub(crate) conversation: &'w Conversation,
    pub(crate) end: End,
    /// Bytes to write.
    pub(crate) total: u64,
}

/// How the user holds the connection.
#[derive(Clone, Copy, Debug)]
enum Grip {
    /// One task does one thing at a time.
    Whole,
    /// One task reads and writes at the same time.
    Split,
    /// As if two tasks read and write.
    Halves,
}

impl<'d> User<'_, 'd> {
    /// Talks until both sides are done, or until the user has had enough.
    pub(crate) async fn talk(
        &self,
        socket: TcpSocket<'d>,
        dice: &mut Dice,
    ) -> Option<TcpSocket<'d>> {
        let fair = self.world.plan.is_fair();
        let leaves = !fair && dice.chance(40);
        let patience = match leaves {
            true => dice.span(Duration::from_millis(1), Duration::from_secs(100)),
            false if fair => LONG,
            false => Duration::from_secs(900),
        };
        let grip = dice.pick(&[Grip::Whole, Grip::Split, Grip::Halves]);
        self.tell(|| format!("has a connection, {grip:?}, {} bytes to write", self.total));
        let mut socket = match grip {
            Grip::Halves => {
                let done = self
                    .world
                    .within(patience, self.talk_in_halves(socket, dice))
                    .await;
                self.left(done.is_some());
                return None;
            }
            Grip::Whole | Grip::Split => socket,
        };
        let talk = async {
            match grip {
                Grip::Whole => self.talk_whole(&mut socket, dice).await,
                _ => self.talk_split(&mut socket, dice).await,
            }
        };
        let done = self.world.within(patience, talk).await.is_some();
        if done {
            return self.part(socket, dice).await;
        }
        let info = socket.info();
        self.tell(|| format!("leaves: {info:?}"));
        if dice.chance(50) {
            self.account().aborted.set(true);
            let abort = self.world.within(Duration::from_secs(30), socket.abort());
            abort.await;
        }
        self.left(false);
        None
    }

    /// Both sides are done: the ways to end it.
    async fn part(&self, mut socket: TcpSocket<'d>, dice: &mut Dice) -> Option<TcpSocket<'d>> {
        let fair = self.world.plan.is_fair();
        let way = dice.below(3);
        // A pool takes the buffers of who closes in the background when it needs them; who wants to be
        // sure waits.
        if way < 2 || fair && self.end == End::Server {
            let patience = if fair { LONG } else { Duration::from_secs(60) };
            let ended = async {
                match way {
                    0 => socket.close().await,
                    _ => socket.flush().await,
                }
            };
            match self.world.within(patience, ended).await {
                Some(Ok(())) => {}
                Some(Err(error)) => self.fail(error),
                None => {
                    self.left(false);
                    return None;
                }
            }
        }
        self.left(true);
        // Whoever just leaves is not done yet.
        (way < 2).then_some(socket)
    }

    async fn talk_split(&self, socket: &mut TcpSocket<'d>, dice: &mut Dice) {
        let (mut reading, mut writing) = (self.world.dice(), self.world.dice());
        let (mut reader, mut writer) = socket.split();
        let swap = dice.chance(50);
        let read = self.read_all(&mut reader, &mut reading);
        let write = self.write_all(&mut writer, &mut writing);
        if swap {
            join(write, read).await;
        } else {
            join(read, write).await;
        }
    }

    async fn talk_in_halves(&self, socket: TcpSocket<'d>, dice: &mut Dice) {
        let (mut reading, mut writing) = (self.world.dice(), self.world.dice());
        let (mut reader, mut writer) = socket.into_split();
        let drops = dice.chance(50);
        let wait = self.world.plan.is_fair() && self.end == End::Server;
        let read = async {
            self.read_all(&mut reader, &mut reading).await;
            drop(reader);
        };
        let write = async {
            self.write_all(&mut writer, &mut writing).await;
            if (wait || !drops)
                && let Err(error) = writer.flush().await
            {
                self.fail(error);
            }
            drop(writer);
        };
        join(read, write).await;
    }

    /// Reads when there is something to read, writes when there is room.
    async fn talk_whole(&self, socket: &mut TcpSocket<'d>, dice: &mut Dice) {
        let chunk = dice.scale(16, 8_192) as usize;
        let mut buffer = vec![0; chunk];
        let mut rest = self.total.min(chunk as u64 * MOST_REQUESTS);
        let (mut reads, mut writes) = (true, true);
        while reads || writes {
            let ready = async {
                match (reads, writes) {
                    (true, true) => {
                        let (read, write) = (socket.wait_read_ready(), socket.wait_write_ready());
                        matches!(select(read, write).await, Either::First(()))
                    }
                    (true, false) => {
                        socket.wait_read_ready().await;
                        true
                    }
                    (false, _) => {
                        socket.wait_write_ready().await;
                        false
                    }
                }
            };
            let Some(can_read) = self.world.ask(dice, ready).await else {
                continue;
            };
            if can_read {
                if dice.chance(10) {
                    self.peek(socket, &mut buffer).await;
                }
                reads = self.read_some(socket, &mut buffer, dice).await;
            } else {
                writes = self.write_some(socket, &mut buffer, &mut rest, dice).await;
            }
            self.pause(dice).await;
        }
    }

    async fn peek(&self, socket: &mut TcpSocket<'d>, buffer: &mut [u8]) {
        if let Ok(len @ 1..) = socket.peek(buffer).await {
            self.conversation.check_seen(self.end, &buffer[..len]);
        }
    }

    async fn read_all(&self, reader: &mut impl Reads, dice: &mut Dice) {
        let mut buffer = vec![0; dice.scale(16, 8_192) as usize];
        while self.read_some(reader, &mut buffer, dice).await {
            self.pause(dice).await;
        }
    }

    /// False when nothing more will come.
    async fn read_some(&self, reader: &mut impl Reads, buffer: &mut [u8], dice: &mut Dice) -> bool {
        let most = dice.between(1, buffer.len() as u64) as usize;
        let buffer = &mut buffer[..most];
        let read = if dice.chance(20) {
            let take = |bytes: &mut [u8]| {
                let len = bytes.len().min(buffer.len());
                buffer[..len].copy_from_slice(&bytes[..len]);
                (len, len)
            };
            self.world.ask(dice, reader.read_with(take)).await
        } else {
            self.world.ask(dice, reader.read(buffer)).await
        };
        match read {
            None => true,
            Some(Ok(0)) => {
                self.tell(|| "reads the end".into());
                self.conversation.on_end(self.end);
                false
            }
            Some(Ok(len)) => {
                self.conversation.on_read(self.end, &buffer[..len]);
                true
            }
            Some(Err(error)) => {
                self.fail(error);
                false
            }
        }
    }

    async fn write_all(&self, writer: &mut impl Writes, dice: &mut Dice) {
        let mut buffer = vec![0; dice.scale(16, 8_192) as usize];
        let mut rest = self.total.min(buffer.len() as u64 * MOST_REQUESTS);
        while self.write_some(writer, &mut buffer, &mut rest, dice).await {
            self.pause(dice).await;
        }
    }

    /// False when all is written and said to be so, or cannot be.
    async fn write_some(
        &self,
        writer: &mut impl Writes,
        buffer: &mut [u8],
        rest: &mut u64,
        dice: &mut Dice,
    ) -> bool {
        if *rest == 0 {
            self.tell(|| "has written all".into());
            self.account().finished.set(true);
            writer.shutdown();
            return false;
        }
        let most = dice.between(1, buffer.len() as u64).min(*rest) as usize;
        let written = if dice.chance(20) {
            let fill = |room: &mut [u8]| {
                let len = most.min(room.len());
                self.conversation.fill(self.end, &mut room[..len]);
                self.conversation.on_written(self.end, len);
                (len, len)
            };
            self.world.ask(dice, writer.write_with(fill)).await
        } else {
            let data = &mut buffer[..most];
            self.conversation.fill(self.end, data);
            let write = async {
                let written = writer.write(data).await;
                if let Ok(len) = written {
                    self.conversation.on_written(self.end, len);
                }
                written
            };
            self.world.ask(dice, write).await
        };
        match written {
            None => {}
            Some(Ok(len)) => {
                assert!(len > 0, "a write of nothing");
                *rest -= len as u64;
            }
            Some(Err(error)) => {
                self.fail(error);
                return false;
            }
        }
        if dice.chance(2) {
            // Not for ever: two who do nothing but wait for the other to read would never be done.
            let patience = dice.span(Duration::from_micros(1), Duration::from_millis(500));
            if let Some(Err(error)) = self.world.within(patience, writer.flush()).await {
                self.fail(error);
                return false;
            }
        }
        true
    }

    /// Is busy with something else, now and then.
    async fn pause(&self, dice: &mut Dice) {
        if dice.chance(4) {
            let span = dice.span(Duration::from_micros(10), Duration::from_secs(1));
            self.world.sleep(span).await;
        }
    }

    fn fail(&self, error: TcpError) {
        self.tell(|| format!("fails: {error}"));
        self.conversation.on_error(self.end, error);
    }

    /// Holds the connection no more. `in_order`: there is nothing that it could miss.
    fn left(&self, in_order: bool) {
        let account = self.account();
        if !in_order || !self.world.plan.is_fair() {
            account.gone.set(true);
        } else if account.failed.get().is_none() {
            // In a fair world everything arrives.
            assert!(account.saw_end.get() && account.finished.get());
        }
        // Dropping a handle closes its sending side.
        account.finished.set(true);
        assert!(
            in_order || !self.world.plan.is_fair(),
            "{} {:?}: stuck after {} bytes written",
            self.conversation,
            self.end,
            self.conversation.written(self.end)
        );
        self.tell(|| "leaves".into());
    }

    fn account(&self) -> &crate::conversation::Side {
        self.conversation.side(self.end)
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        let Self {
            conversation, end, ..
        } = self;
        self.world
            .tell(|| format!("{conversation} {end:?} {}", what()));
    }
}

/// Whatever can be read from.
pub(crate) trait Reads {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TcpError>;
    async fn read_with<R>(
        &mut self,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, TcpError>;
}

/// Whatever can be written to.
pub(crate) trait Writes {
    async fn write(&mut self, data: &[u8]) -> Result<usize, TcpError>;
    async fn write_with<R>(
        &mut self,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, TcpError>;
    async fn flush(&mut self) -> Result<(), TcpError>;
    fn shutdown(&mut self);
}

macro_rules! reads {
    ($type:ty) => {
        impl Reads for $type {
            async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TcpError> {
                <$type>::read(self, buffer).await
            }

            async fn read_with<R>(
                &mut self,
                f: impl FnOnce(&mut [u8]) -> (usize, R),
            ) -> Result<R, TcpError> {
                <$type>::read_with(self, f).await
            }
        }
    };
}

macro_rules! writes {
    ($type:ty) => {
        impl Writes for $type {
            async fn write(&mut self, data: &[u8]) -> Result<usize, TcpError> {
                <$type>::write(self, data).await
            }

            async fn write_with<R>(
                &mut self,
                f: impl FnOnce(&mut [u8]) -> (usize, R),
            ) -> Result<R, TcpError> {
                <$type>::write_with(self, f).await
            }

            async fn flush(&mut self) -> Result<(), TcpError> {
                <$type>::flush(self).await
            }

            fn shutdown(&mut self) {
                self.shutdown_write();
            }
        }
    };
}

reads!(TcpSocket<'_>);
reads!(TcpReader<'_, '_>);
reads!(OwnedReadHalf<'_>);
writes!(TcpSocket<'_>);
writes!(TcpWriter<'_, '_>);
writes!(OwnedWriteHalf<'_>);

/// Longer than anything takes that comes to an end by itself.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// So that who writes byte by byte does not write for ever.
const MOST_REQUESTS: u64 = 1_000;
