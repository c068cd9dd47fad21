//! Suites that draw their circumstances from seeds.

/// Tells a story once for each seed: `few` of them, `CYGNET_SEEDS=N` for more, `CYGNET_SEED=n` for a
/// single one. A story that fails says how to hear it again.
pub fn for_each_seed(few: u64, story: impl Fn(u64)) {
    let number = |name| Some(std::env::var(name).ok()?.parse().expect("a number"));
    let seeds = match number("CYGNET_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CYGNET_SEEDS").unwrap_or(few),
    };
    for seed in seeds {
        let _again = SayAgain(seed);
        story(seed);
    }
}

struct SayAgain(u64);

impl Drop for SayAgain {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The test harness names its threads after the tests.
            let thread = std::thread::current();
            let test = thread.name().unwrap_or_default();
            eprintln!(
                "again with: CYGNET_SEED={} cargo test -p cygnet-tests {test}",
                self.0
            );
        }
    }
}
