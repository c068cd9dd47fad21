//! Connection requests from invented addresses, a million of them.

use std::net::Ipv4Addr;

use cygnet::wire::{SeqNum, TcpFlags, TcpHeader, TcpOptions, Timestamps};
use cygnet::{Discard, Duration, TcpListener, TcpPool, TcpSocket};

use cygnet_link::{Impairments, percent};

use crate::forger::{Forged, Scene, leak};

/// A listener with a backlog of 4.
fn listen(scene: &Scene) -> TcpListener<'static> {
    let pool = leak(TcpPool::<4, 2048, 2048>::new());
    let pool = scene.server.add_pool(pool).expect("room for a pool");
    TcpListener::bind(scene.server, 80, pool).expect("a free port")
}

fn socket(scene: &Scene) -> TcpSocket<'static> {
    TcpSocket::new(scene.client, leak([0; 2048]), leak([0; 2048])).expect("a slot")
}

/// The `n`th request: another address, port and number each time.
fn request(n: u32) -> Forged {
    let noise = n.wrapping_mul(0x9e37_79b9);
    Forged {
        src: Ipv4Addr::from_bits(0x6400_0000 | n & 0x00ff_ffff),
        header: TcpHeader {
            src_port: (noise >> 16) as u16 | 1,
            dst_port: 80,
            seq: SeqNum::new(noise),
            flags: TcpFlags::SYN,
            window: 64_240,
            options: TcpOptions {
                mss: Some(1_460),
                window_scale: Some(7),
                sack_permitted: true,
                timestamps: Some(Timestamps {
                    value: noise,
                    echo: 0,
                }),
                ..TcpOptions::default()
            },
            ..TcpHeader::default()
        },
        text: &[],
    }
}

fn flood(scene: &Scene) {
    let mut n = 0;
    scene.attacker.forge(move || {
        n += 1;
        request(n)
    });
}

/// One connection: a question and an answer, and both sides close.
async fn converse(scene: &Scene, client: &mut TcpSocket<'_>, listener: &TcpListener<'_>) {
    let serve = async {
        let mut server = listener.accept().await.expect("few tasks wait");
        let mut question = [0; 4];
        assert_eq!(server.read(&mut question).await, Ok(4));
        server.write(&question).await.expect("an open connection");
        server.close().await.expect("an open connection");
    };
    let ask = async {
        client.connect(scene.at(80)).await.expect("a connection");
        client.write(b"ping").await.expect("an open connection");
        let mut answer = [0; 4];
        assert_eq!(client.read(&mut answer).await, Ok(4));
        assert_eq!(&answer, b"ping");
        assert_eq!(client.read(&mut answer).await, Ok(0));
        client.close().await.expect("an open connection");
    };
    embassy_futures::join::join(serve, ask).await;
}

#[test]
fn a_million_requests_cost_no_connection_of_a_thousand_and_no_memory() {
    const CONNECTIONS: u64 = 1_000;
    const REQUESTS: u64 = 1_000;
    let scene = Scene::new(1);
    let listener = listen(&scene);
    flood(&scene);
    let mut client =
        TcpSocket::new(scene.client, leak([0; 2048]), leak([0; 2048])).expect("a slot");
    let mut round = async || {
        scene.attacker.attack(REQUESTS);
        converse(&scene, &mut client, &listener).await;
        // Ten thousand requests a second.
        scene.executor.sleep(Duration::from_millis(100)).await;
        assert!(scene.attacker.is_done());
    };
    scene.executor.block_on(async {
        // What tables there are have grown to their size after this.
        for _ in 0..10 {
            round().await;
        }
    });
    let grown = allocation_counter::measure(|| {
        scene.executor.block_on(async {
            for _ in 10..CONNECTIONS {
                round().await;
            }
        });
    });
    assert_eq!(grown.bytes_current, 0, "{grown:?}");
    let stats = scene.server.stats();
    assert_eq!(stats.discarded(Discard::BacklogFull), 0);
    assert_eq!(stats.discarded(Discard::BadSynCookie), 0);
    assert_eq!(scene.attacker.answers(), CONNECTIONS * REQUESTS);
    assert!(
        u64::from(stats.syn_cookies_accepted) > CONNECTIONS / 2,
        "{stats:?}"
    );
    let (half_open, queued) = listener.backlog();
    assert_eq!(queued, 0);
    assert!(half_open <= 256, "the table has no more");
}

#[test]
fn loss_during_a_flood_costs_time_and_no_connection() {
    let loss = Impairments::new().loss(percent(5));
    let scene = Scene::impaired(3, loss);
    let listener = listen(&scene);
    flood(&scene);
    let mut client = socket(&scene);
    scene.executor.block_on(async {
        for _ in 0..200 {
            scene.attacker.attack(500);
            converse(&scene, &mut client, &listener).await;
        }
    });
    let stats = scene.server.stats();
    assert!(stats.syn_cookies_accepted > 100, "{stats:?}");
}
