//! The examples after embassy's, each in a sandbox of its own with the kernel at the other end.

mod run;
mod sandbox;

use sandbox::printed;

fn prints(example: &str, arguments: &[&str], command: &[&str], expected: &str) {
    if let Some(text) = printed(example, arguments, command) {
        assert_eq!(text, expected);
    }
}

#[test]
fn net_says_hello_until_nobody_listens() {
    let listen = "socat -u tcp4-listen:8000 - | head -n 2";
    prints(
        "net",
        &["--static-ip"],
        &["sh", "-c", listen],
        "Hello!\nHello!\n",
    );
}

#[test]
fn tcp_accept_counts_for_whoever_connects_and_then_for_the_next() {
    let connect = "socat -u tcp4-connect:192.168.69.2:9999 -";
    let both = format!("{connect} & {connect}; wait");
    let text = printed("tcp_accept", &["--static-ip"], &["sh", "-c", &both]);
    let Some(text) = text else { return };
    let mut numbers: Vec<_> = text.lines().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["1", "1", "2", "2", "3", "3", "4", "4", "5", "5"]);
}

#[test]
fn net_udp_sends_back_what_comes() {
    let ask = "echo hello | socat -t 5 stdio udp4-connect:192.168.69.2:9400,readbytes=6";
    prints("net_udp", &["--static-ip"], &["sh", "-c", ask], "hello\n");
}

/// It has one address to give.
const DNSMASQ: [&str; 10] = [
    "dnsmasq",
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--user=root",
    "--pid-file=",
    "--leasefile-ro",
    "--no-ping",
    "--dhcp-authoritative",
    "--dhcp-range=192.168.69.200,192.168.69.200,2m",
    "--host-record=www.example.com,192.0.2.1",
];

#[test]
fn net_dns_gets_an_address_and_finds_one() {
    prints("net_dns", &[], &DNSMASQ, "192.0.2.1\n");
}

/// Gives the example its address, and runs `ask` until it prints something: looking for duplicates takes seconds.
fn beside_dnsmasq(ask: &str) -> String {
    let serve = DNSMASQ.join(" ");
    let again = format!("for n in $(seq 30); do {ask} | grep -m1 . && break; sleep 1; done");
    format!("{serve} & {again}; kill $!")
}

#[test]
fn net_udp_may_get_its_address_from_what_runs_in_its_sandbox() {
    let ask = "echo hello | socat -t 1 stdio udp4-connect:192.168.69.200:9400,readbytes=6";
    prints(
        "net_udp",
        &[],
        &["sh", "-c", &beside_dnsmasq(ask)],
        "hello\n",
    );
}

#[test]
fn tcp_accept_may_get_its_address_from_what_runs_in_its_sandbox() {
    let ask = "socat -T 5 -u tcp4-connect:192.168.69.200:9999,connect-timeout=1 -";
    prints(
        "tcp_accept",
        &[],
        &["sh", "-c", &beside_dnsmasq(ask)],
        "1\n",
    );
}
