//! What the examples about addresses and names say beside dnsmasq and Avahi, and what is seen of a ping, each in a
//! sandbox of its own.
//!
//! `cargo test` builds the examples first; with `--test addresses` alone they must have been built.
#![cfg(target_os = "linux")]

mod run;
mod sandbox;

use run::run;
use sandbox::printed;

/// A DNS server for one name; tap0 has 192.168.69.100 and fdaa::100 in the sandbox.
const DNSMASQ: [&str; 11] = [
    "dnsmasq",
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--no-resolv",
    "--no-hosts",
    "--pid-file=",
    "--user=root",
    "--bind-interfaces",
    "--interface=tap0",
    "--dhcp-leasefile=/dev/null",
    "--host-record=swan.example.org,192.168.69.100,fdaa::100",
];

/// Beside dnsmasq with one more option.
fn beside_dnsmasq(example: &str, arguments: &[&str], option: &str) -> Option<String> {
    printed(example, arguments, &[&DNSMASQ[..], &[option]].concat())
}

#[test]
fn dns_prints_the_records_of_a_name() {
    let arguments = ["--server", "192.168.69.100", "swan.example.org", "AAAA"];
    if let Some(text) = beside_dnsmasq("dns", &arguments, "--port=53") {
        assert!(text.contains("AAAA fdaa::100"), "{text}");
    }
}

#[test]
fn ping_takes_addresses_of_both_versions_and_names() {
    for host in ["192.168.69.100", "fdaa::100", "swan.example.org"] {
        if let Some(text) = beside_dnsmasq("ping", &["-c", "1", host], "--port=53") {
            assert!(text.contains("1 replies received"), "{host}: {text}");
        }
    }
}

#[test]
fn dhcp_client_gets_an_address_of_either_version() {
    let range = "--dhcp-range=192.168.69.50,192.168.69.60,2m";
    if let Some(text) = beside_dnsmasq("dhcp_client", &["--once", "--no-probe"], range) {
        assert!(text.contains("address:     192.168.69."), "{text}");
        assert!(text.contains("DNS servers: 192.168.69.100"), "{text}");
    }
    let range = "--dhcp-range=fdaa::1000,fdaa::1fff,64,2m";
    if let Some(text) = beside_dnsmasq("dhcp_client", &["--once", "--ipv6"], range) {
        assert!(text.contains("address:     fdaa::1"), "{text}");
    }
}

#[test]
fn slaac_makes_an_address() {
    let command = [
        &DNSMASQ[..],
        &["--enable-ra", "--dhcp-range=fdaa::,ra-only,64,1h"],
    ];
    if let Some(text) = printed("slaac", &["--once"], &command.concat()) {
        assert!(text.contains("address:     fdaa::"), "{text}");
        assert!(text.contains("gateway:     fe80::"), "{text}");
    }
}

#[test]
fn multicast_hears_what_it_says_itself() {
    for (example, group) in [("multicast", "239.1.1.1"), ("multicast6", "ff05::1234")] {
        let arguments = ["-c", "1", "--say", "hello", group];
        if let Some(text) = printed(example, &arguments, &["sleep", "20"]) {
            assert!(text.contains("hello"), "{text}");
        }
    }
}

#[test]
fn what_examples_share_is_logged_as_well() {
    // Loudly skipped with the others.
    if std::env::var_os(cygnet_host::SKIP_VARIABLE).is_some() {
        return;
    }
    let arguments = ["--sandbox", "-c", "1", "--say", "hello", "239.1.1.1"];
    let output = run("multicast", &arguments);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(log, "listening to 239.1.1.1 at port 5353\n");
}

#[test]
fn tcpdump_prints_the_packets_of_a_ping() {
    let ping = |to| ["ping", "-c1", "-W10", to];
    if let Some(text) = printed("tcpdump", &["tap0"], &ping("192.168.69.1")) {
        let to = line_with(&text, "192.168.69.100 > 192.168.69.1: ICMP echo request");
        let back = line_with(&text, "192.168.69.1 > 192.168.69.100: ICMP echo reply");
        assert!(to < back, "{text}");
    }
    if let Some(text) = printed("tcpdump", &["lo"], &ping("127.0.0.1")) {
        line_with(&text, "127.0.0.1 > 127.0.0.1: ICMP echo request");
        line_with(&text, "127.0.0.1 > 127.0.0.1: ICMP echo reply");
    }
}

/// The number of the one line with a packet like that.
fn line_with(text: &str, packet: &str) -> usize {
    let mut lines = (0..).zip(text.lines());
    let is_it = |(_, line): &(usize, &str)| line.contains(packet);
    let found = lines
        .find(is_it)
        .unwrap_or_else(|| panic!("no {packet}: {text}"));
    assert_eq!(lines.find(is_it), None, "{packet} is there twice: {text}");
    found.0
}

#[test]
fn tcpdump_says_in_one_line_what_is_missing() {
    let output = run("tcpdump", &["nosuch0"]);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert_eq!(
        complaint.trim_end(),
        "error: there is no interface nosuch0; `ip link` lists those there are"
    );
}

/// Runs a command beside an Avahi daemon.
const AVAHI: [&str; 2] = ["sh", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/avahi.sh")];

#[test]
fn mdns_is_found_with_its_service() {
    let arguments = ["--name", "swan", "--service", "_http._tcp:80"];
    let look = "until avahi-resolve -4 -n swan.local && avahi-browse -rptk _http._tcp | grep '^='; do sleep 0.5; done";
    let command = [&AVAHI[..], &["timeout", "30", "sh", "-c", look]].concat();
    if let Some(text) = printed("mdns", &arguments, &command) {
        assert!(text.contains("swan.local\t192.168.69.1"), "{text}");
        let service = ";swan;_http._tcp;local;swan.local;192.168.69.1;80;";
        assert!(text.contains(service), "{text}");
    }
}

#[test]
fn mdns_finds_another_host() {
    let command = [&AVAHI[..], &["sleep", "60"]].concat();
    if let Some(text) = printed("mdns", &["--find", "duck.local"], &command) {
        assert!(text.contains("duck.local A(192.168.69.100)"), "{text}");
    }
}

/// Sends that to whoever connects to a port, and prints what comes back.
fn say(text: &str, listener: &str) -> String {
    // It ends by itself if nobody comes: nobody waits for it then but the test.
    format!("printf '{text}' | socat -t 100 - {listener},reuseaddr,accept-timeout=60")
}

/// Each version of IP: the kernel's address, and how socat listens.
const VERSIONS: [(&str, &str); 2] = [
    ("192.168.69.100", "tcp4-listen:1234"),
    ("fdaa::100", "tcp6-listen:1234"),
];

#[test]
fn client_sends_back_what_it_gets_reversed() {
    for (address, listener) in VERSIONS {
        for faults in [&[][..], &["--drop-chance", "5", "--corrupt-chance", "5"]] {
            let arguments = [faults, &[address, "1234"]].concat();
            let command = ["sh", "-c", &say("abcdefg", listener)];
            if let Some(text) = printed("client", &arguments, &command) {
                assert_eq!(text, "gfedcba", "{arguments:?}");
            }
        }
    }
}

#[test]
fn httpclient_prints_the_page_that_it_asks_for() {
    let page = "HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nswan";
    for (address, listener) in VERSIONS {
        let command = ["sh", "-c", &say(page, listener)];
        let url = "http://host:1234/birds?white=yes";
        if let Some(text) = printed("httpclient", &[address, url], &command) {
            assert!(text.contains("HTTP/1.1 200 OK\r\n"), "{text}");
            assert!(text.contains("\r\n\r\nswan"), "{text}");
            // What the server prints.
            let request = "GET /birds?white=yes HTTP/1.1\r\nHost: host:1234\r\n";
            assert!(text.contains(request), "{text}");
        }
    }
}
