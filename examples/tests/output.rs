//! What the examples that need no privileges print, and that they are as repeatable as they say.
//!
//! `cargo test` builds the examples first; with `--test output` alone they must have been built.

mod run;

use std::path::PathBuf;
use std::process::Command;

use run::{path_of, run};

/// What an example printed, if it said that all is well.
fn printed(example: &str, arguments: &[&str]) -> String {
    let output = run(example, arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{example} {arguments:?}: {complaint}"
    );
    String::from_utf8(output.stdout).expect("examples print text")
}

fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap_or_default()
}

#[test]
fn loopback_ends_with_what_arrived() {
    let text = printed("loopback", &["--size", "300K"]);
    assert_eq!(
        last_line(&text),
        "loopback: 307200 bytes arrived as they were sent"
    );
    assert!(
        text.contains("server: a connection from 127.0.0.1:"),
        "{text}"
    );
}

#[test]
fn loopback_survives_faults() {
    let faults = ["--drop-chance", "10", "--corrupt-chance", "10"];
    let text = printed("loopback", &[&["--size", "100K"][..], &faults].concat());
    assert_eq!(
        last_line(&text),
        "loopback: 102400 bytes arrived as they were sent"
    );
    assert!(
        !text.contains(" 0 segments twice"),
        "nothing was lost: {text}"
    );
}

#[test]
fn a_rate_limit_needs_an_interval() {
    let limit = ["--tx-rate-limit", "4", "--size", "20K"];
    let output = run("loopback", &limit);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "error: missing --shaping-interval <TIME>; --help says what that is\n"
    );
    let text = printed(
        "loopback",
        &[&limit[..], &["--shaping-interval", "1ms"]].concat(),
    );
    assert!(
        !text.contains("  0.000000 client: the server says"),
        "{text}"
    );
}

/// What one simulation measured: bytes per second, fairness, and the share of packets that were dropped.
fn simulated(controller: &str, cell: &[&str]) -> [f64; 3] {
    let arguments = [&["--csv", "--controller", controller], cell].concat();
    let text = printed("netsim", &arguments);
    let mut row = last_line(&text).split(',').skip(5);
    [(); 3].map(|()| {
        let figure = row.next().and_then(|figure| figure.parse().ok());
        figure.unwrap_or_else(|| panic!("no row: {text}"))
    })
}

/// Bytes per second of one transfer over the lossy path.
fn lossy_path(buffer: &str, loss: &str, controller: &str) -> f64 {
    let [rate, _, _] = simulated(controller, &["--buffer", buffer, "--loss", loss]);
    rate
}

#[test]
fn netsim_comes_close_to_what_is_possible() {
    // Buffer, loss in percent, and of what an ideal sender reaches so many percent.
    for (buffer, loss, possible, share) in [
        ("8K", "1", 79_145.0, 0.8),
        ("8K", "10", 61_676.0, 0.7),
        ("8K", "30", 39_320.0, 0.45),
        ("32K", "5", 227_827.0, 0.7),
    ] {
        let rate = lossy_path(buffer, loss, "none");
        assert!(rate >= possible * share, "{buffer} {loss} %: {rate}");
    }
}

#[test]
fn netsim_cubic_outruns_the_incumbents() {
    // 2.5 times its 60 kB/s, and four times its 13 kB/s.
    for (loss, rate) in [("1", 150_000.0), ("5", 52_000.0)] {
        let reached = lossy_path("32K", loss, "cubic");
        assert!(reached >= rate, "{loss} %: {reached}");
    }
}

#[test]
fn netsim_bbr_hardly_minds_losses() {
    let rate = lossy_path("32K", "0", "bbr");
    for (loss, share) in [("1", 0.8), ("5", 0.5)] {
        let reached = lossy_path("32K", loss, "bbr");
        assert!(reached >= share * rate, "{loss} %: {reached} of {rate}");
    }
}

#[test]
fn netsim_cubic_uses_a_bottleneck_and_shares_it() {
    let [alone, _, drops] = simulated("cubic", &["--flows", "1"]);
    // 256 KiB in 67.1 ms, the round-trip time of the first flow.
    assert!(alone >= 0.58 * 3_906_766.0, "{alone}");
    assert!(drops == 0.0, "{drops}");
    // Who loses in the common slow start is chance, so one world says little of how evenly flows share.
    let worlds =
        ["1", "2", "3", "4"].map(|seed| simulated("cubic", &["--flows", "64", "--seed", seed]));
    let mean = |figure: usize| worlds.iter().map(|world| world[figure]).sum::<f64>() / 4.0;
    let (rate, fairness) = (mean(0), mean(1));
    assert!(rate >= 14_000_000.0, "{rate}");
    assert!(fairness >= 0.8, "{fairness}");
    assert!(
        worlds.iter().all(|[_, _, drops]| *drops < 0.02),
        "{worlds:?}"
    );
}

#[test]
fn netsim_compares_with_the_incumbent_on_the_same_path_alone() {
    let cell = ["--loss", "1", "--buffer", "8K", "--controller", "none"];
    for (rtt, figure) in [("100ms", "58491"), ("50ms", "-")] {
        let text = printed("netsim", &[&cell[..], &["--rtt", rtt]].concat());
        let line = text.lines().find(|line| line.contains("smoltcp none"));
        let line = line.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(line.split_whitespace().next_back(), Some(figure), "{rtt}");
    }
}

#[test]
fn netsim_ends_where_everything_is_lost() {
    let cell = ["--loss", "100", "--buffer", "8K"];
    assert_eq!(simulated("cubic", &cell), [0.0, 1.0, 1.0]);
    let text = printed("netsim", &[&cell[..], &["--controller", "cubic"]].concat());
    let line = text.lines().find(|line| line.contains("cubic"));
    assert!(line.is_some_and(|line| line.ends_with("0   0%!")), "{text}");
}

#[test]
fn netsim_runs_the_kernel_through_the_same_bottleneck() {
    let cell = ["--flows", "2", "--controller", "newreno", "--kernel"];
    let text = printed("netsim", &[&["--csv"][..], &cell].concat());
    let rows: Vec<Vec<_>> = text.lines().map(|row| row.split(',').collect()).collect();
    let of = |scenario| {
        let row = rows.iter().find(|row| row[0] == scenario);
        row.unwrap_or_else(|| panic!("no row of {scenario}: {text}"))
    };
    let figure = |scenario, column: usize| -> f64 {
        let figure = of(scenario)[column].parse();
        figure.unwrap_or_else(|_| panic!("no figure: {text}"))
    };
    for scenario in ["bottleneck", "kernel"] {
        assert_eq!(of(scenario)[1..5], ["newreno", "262144", "0", "2"]);
        assert!(figure(scenario, 5) > 0.0, "nothing arrived: {text}");
        // Of two flows, half would be one that has everything.
        assert!(figure(scenario, 6) > 0.5, "{text}");
    }
    // Real time is never as even as a simulation's.
    assert_ne!(of("bottleneck")[5], of("kernel")[5], "{text}");
}

#[test]
fn netsim_is_repeatable() {
    let rate = || lossy_path("4K", "20", "newreno");
    assert_eq!(rate(), rate());
}

#[test]
fn loopback_writes_a_capture() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("loopback.pcap");
    let name = file.to_str().expect("a path that is text");
    printed("loopback", &["--size", "10K", "--pcap", name]);
    let capture = std::fs::read(&file).expect("a capture was written");
    assert_eq!(
        capture[..4],
        0xa1b2_c3d4_u32.to_le_bytes(),
        "libpcap, in microseconds"
    );
    // Every byte passes twice: on its way out and in.
    assert!(capture.len() > 2 * 10 * 1024, "{} bytes", capture.len());
}

#[test]
fn link_ends_with_what_arrived_and_how_fast() {
    let text = printed(
        "link",
        &["--size", "1M", "--bandwidth", "100M", "--delay", "2ms"],
    );
    let last = last_line(&text);
    let rate = last
        .strip_prefix("link: 1048576 bytes arrived as they were sent, goodput ")
        .and_then(|rate| rate.strip_suffix(" Mbit/s"))
        .unwrap_or_else(|| panic!("{text}"));
    let rate: f64 = rate.parse().expect("a rate is a number");
    assert!(rate > 50.0 && rate < 100.0, "of 100 Mbit/s: {rate}");
}

#[test]
fn link_repairs_whatever_the_link_does() {
    let arguments = "--size 512K --delay 3ms --jitter 2ms --bandwidth 50M --queue 50 --loss 3 \
                     --duplicate 3 --reorder 3 --corrupt 3";
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    let text = printed("link", &arguments);
    assert!(last_line(&text).starts_with("link: 524288 bytes arrived as they were sent"));
    for counter in ["lost", "duplicated", "reordered", "corrupted"] {
        assert!(!text.contains(&format!(": 0 {counter}")), "{text}");
        assert!(!text.contains(&format!(", 0 {counter}")), "{text}");
    }
}

#[test]
fn link_is_the_same_with_the_same_seed_and_another_with_another() {
    let with_seed = |seed| {
        let text = printed("link", &["--size", "256K", "--loss", "5", "--seed", seed]);
        let on_this_machine = text.lines().position(|line| line.starts_with("time"));
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.remove(on_this_machine.expect("a line says how long it took"));
        lines
    };
    assert_eq!(with_seed("1"), with_seed("1"));
    assert_ne!(with_seed("1"), with_seed("2"));
}

#[test]
fn what_is_missing_is_one_line_that_says_what_to_do() {
    let output = run("ping", &["--tap", "no-such-tap", "192.168.69.100"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.starts_with("error: there is no interface no-such-tap; use --sandbox"),
        "{text}"
    );
}

#[test]
fn an_address_by_dhcp_is_refused_where_there_is_no_ethernet() {
    for example in ["dhcp_client", "net", "net_udp"] {
        let output = run(example, &["--tun", "tun0"]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(text, "error: there is no DHCP on tun0; use --tap\n");
    }
}

#[test]
fn a_lease_of_less_than_a_second_is_refused() {
    for lease in ["0", "999ms"] {
        let output = run("dhcp_client", &["--max-lease", lease]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("use a second or more"), "{text}");
    }
}

#[test]
fn nothing_is_said_to_a_reader_that_has_gone() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(path_of("loopback"));
    let output = command.args(["--size", "1K"]).stdout(writer).output();
    let output = output.expect("it starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!output.status.success());
}

#[test]
fn help_explains_every_example() {
    let options = [
        "--tap",
        "--tun",
        "--sandbox",
        "--pcap",
        "--drop-chance",
        "--corrupt-chance",
        "--size-limit",
        "--tx-rate-limit",
        "--rx-rate-limit",
        "--shaping-interval",
        "--verbose",
    ];
    for example in ["server", "client", "ping", "httpclient", "benchmark"] {
        let text = printed(example, &["--help"]);
        for option in options {
            assert!(text.contains(option), "{example}: {option}");
        }
    }
}
