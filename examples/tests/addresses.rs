//! What the examples about addresses and names say beside dnsmasq, each in a sandbox of its own.
//!
//! `cargo test` builds the examples first; with `--test addresses` alone they must have been built.
#![cfg(target_os = "linux")]

mod run;

use run::run;

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

/// What an example prints in a sandbox; `None`, loudly, where there can be none and that was said to be all right.
fn printed(example: &str, arguments: &[&str], command: &[&str]) -> Option<String> {
    if std::env::var_os("CYGNET_SKIP_LINUX_TESTS").is_some() {
        eprintln!("SKIPPED: CYGNET_SKIP_LINUX_TESTS is set");
        return None;
    }
    let mut all = vec!["--sandbox"];
    all.extend(arguments);
    if !command.is_empty() {
        all.push("--");
        all.extend(command);
    }
    let output = run(example, &all);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example} {all:?}: {complaint}");
    Some(String::from_utf8(output.stdout).expect("examples print text"))
}

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
