//! The states, and how a peer brings a connection there.

use cygnet_tests::script::{
    ListenerId, Peer, Script, SocketId, SocketOptions, ack, data, fin, syn, syn_ack,
};

/// A state, and where it matters the way that led there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Station {
    /// Nobody listens.
    Closed,
    /// Somebody does.
    Listen,
    /// The target's SYN is out.
    SynSent,
    /// A peer's SYN is answered.
    SynReceived,
    /// The target's SYN and the peer's crossed, and both are answered.
    SynCrossed,
    /// Both sides have sent a hundred bytes; the target's are not acknowledged.
    Established,
    /// As established, and the target has closed.
    FinWait1,
    /// The target has closed, and everything is acknowledged.
    FinWait2,
    /// As before, and the application has let go of the socket.
    FinWait2Closed,
    /// As established, and the peer has closed.
    CloseWait,
    /// Both have closed at once; the target's FIN is not acknowledged.
    Closing,
    /// Both have closed, the peer first; the target's FIN is not acknowledged.
    LastAck,
    /// Both have closed, and somebody listens on the port again.
    TimeWait,
}

/// A connection in its state, or where one could be.
pub(crate) struct Scene<'s> {
    pub(crate) peer: Peer<'s>,
    pub(crate) listener: Option<ListenerId>,
    pub(crate) socket: Option<SocketId>,
    /// RCV.NXT, SND.UNA and SND.NXT of the target, relative to the initial numbers.
    pub(crate) rcv_nxt: u32,
    pub(crate) snd_una: u32,
    pub(crate) snd_nxt: u32,
}

impl Station {
    /// The state's name in the RFC, and what else there is to say.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED: nobody listens",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED after a passive OPEN",
            Self::SynCrossed => "SYN-RECEIVED after an active OPEN: the requests crossed",
            Self::Established => "ESTABLISHED: 100 bytes are in flight",
            Self::FinWait1 => "FIN-WAIT-1: the FIN is in flight",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::FinWait2Closed => "FIN-WAIT-2, and the application has let go of the socket",
            Self::CloseWait => "CLOSE-WAIT: 100 bytes are in flight",
            Self::Closing => "CLOSING: the FIN is in flight",
            Self::LastAck => "LAST-ACK: the FIN is in flight",
            Self::TimeWait => "TIME-WAIT, and somebody listens",
        }
    }

    /// Brings a new connection there; `number` keeps it apart from others.
    pub(crate) fn enter(self, script: &Script, number: u16) -> Scene<'_> {
        let (port, peer_port) = (1_000 + number, 20_000 + number);
        let peer = script.peer(peer_port, port);
        match self {
            Self::Closed => Scene::empty(peer),
            Self::Listen => Scene {
                listener: Some(script.listen_with(port, &small())),
                ..Scene::empty(peer)
            },
            Self::SynSent | Self::SynCrossed => {
                let socket = script.connect_with(peer_port, &small());
                peer.expect(syn());
                let scene = Scene {
                    socket: Some(socket),
                    snd_nxt: 1,
                    ..Scene::empty(peer)
                };
                match self {
                    Self::SynCrossed => scene.cross(),
                    _ => scene,
                }
            }
            Self::SynReceived => {
                let listener = script.listen_with(port, &small());
                peer.send(syn().mss(1_000));
                peer.expect(syn_ack());
                Scene {
                    listener: Some(listener),
                    rcv_nxt: 1,
                    snd_nxt: 1,
                    ..Scene::empty(peer)
                }
            }
            _ => self.enter_synchronized(script, Scene::open(script, peer, port), port),
        }
    }

    fn enter_synchronized<'s>(
        self,
        script: &'s Script,
        mut scene: Scene<'s>,
        port: u16,
    ) -> Scene<'s> {
        let socket = scene.socket();
        match self {
            Self::Established => scene.write(script),
            Self::CloseWait => {
                scene.peer_closes();
                script.read_end(socket);
                scene.write(script);
            }
            Self::FinWait1 => scene.shut_down(script),
            Self::FinWait2 | Self::FinWait2Closed => {
                scene.shut_down(script);
                scene.acknowledge();
                if self == Self::FinWait2Closed {
                    script.close(socket);
                    scene.socket = None;
                }
            }
            Self::Closing => {
                scene.shut_down(script);
                // It crosses the target's FIN.
                scene.peer_closes();
                script.read_end(socket);
            }
            Self::LastAck => {
                scene.peer_closes();
                script.read_end(socket);
                scene.shut_down(script);
            }
            _ => {
                scene.shut_down(script);
                scene.acknowledge();
                scene.peer_closes();
                script.close(socket);
                scene.socket = None;
                scene.listener = Some(script.listen_with(port, &small()));
            }
        }
        scene
    }
}

impl<'s> Scene<'s> {
    fn empty(peer: Peer<'s>) -> Self {
        Self {
            peer,
            listener: None,
            socket: None,
            rcv_nxt: 0,
            snd_una: 0,
            snd_nxt: 0,
        }
    }

    pub(crate) fn socket(&self) -> SocketId {
        self.socket.expect("a connection with a socket")
    }

    /// The handshake, and a hundred bytes from the peer that are read.
    fn open(script: &'s Script, peer: Peer<'s>, port: u16) -> Self {
        let listener = script.listen_with(port, &small());
        peer.send(syn().mss(1_000));
        peer.expect(syn_ack());
        peer.send(ack(1));
        let socket = script.accept(listener);
        script.unlisten(listener);
        peer.send(data(1..101));
        peer.expect(ack(101));
        script.read(socket, 1..101);
        Self {
            peer,
            listener: None,
            socket: Some(socket),
            rcv_nxt: 101,
            snd_una: 1,
            snd_nxt: 1,
        }
    }

    fn cross(mut self) -> Self {
        self.peer.send(syn().mss(1_000));
        self.peer.expect(syn_ack());
        self.rcv_nxt = 1;
        self
    }

    fn write(&mut self, script: &Script) {
        script.write(self.socket(), 1..101);
        self.peer.expect(data(1..101));
        self.snd_nxt = 101;
    }

    fn shut_down(&mut self, script: &Script) {
        script.shutdown_write(self.socket());
        self.peer.expect(fin(1));
        self.snd_nxt = 2;
    }

    fn acknowledge(&mut self) {
        self.peer.send(ack(self.snd_nxt));
        self.snd_una = self.snd_nxt;
    }

    fn peer_closes(&mut self) {
        self.peer.send(fin(self.rcv_nxt).ack(self.snd_una));
        self.rcv_nxt += 1;
        self.peer.expect(ack(self.rcv_nxt));
    }
}

/// Buffers of its own, so that the socket is in nobody's pool.
fn small() -> SocketOptions {
    SocketOptions {
        receive_buffer: Some(4_096),
        ..SocketOptions::default()
    }
}
