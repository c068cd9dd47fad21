//! Settles every compile-time setting and writes the constants that `src/lib.rs` includes.

#[path = "src/settle.rs"]
mod settle;
#[path = "src/table.rs"]
mod table;

use std::env;
use std::fs;
use std::path::PathBuf;

fn main() {
    for setting in table::SETTINGS {
        println!("cargo::rerun-if-env-changed={}", setting.variable());
    }
    let variable = |name: &str| env::var_os(name).map(|v| v.to_string_lossy().into_owned());
    match settle::settle(table::SETTINGS, variable) {
        Ok(values) => {
            let out_dir = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
            let path = PathBuf::from(out_dir).join("settings.rs");
            fs::write(&path, settle::constants(table::SETTINGS, &values))
                .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        }
        // Cargo fails the build for these, and prints nothing else of this script.
        Err(mistakes) => {
            for mistake in mistakes {
                println!("cargo::error={mistake}");
            }
        }
    }
}
