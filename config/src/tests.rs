//! How a setting gets its value, and that `Cargo.toml` and `README.md` say what the table says.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::settle::{constants, settle};
use crate::table::{SETTINGS, Setting};

/// Settles a table of `SIZE` alone, as if these variables were set.
fn settle_size(variables: &[(&str, &str)]) -> Result<usize, Vec<String>> {
    const SIZE: &[Setting] = &[Setting {
        name: "SIZE",
        default: 4,
        min: 2,
        max: 9,
        features: &[2, 4, 8],
        doc: "A size.",
    }];
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_string())
    };
    settle(SIZE, variable).map(|values| values[0])
}

fn mistake(variables: &[(&str, &str)]) -> String {
    let mistakes = settle_size(variables).expect_err("must not settle");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(!mistakes[0].contains('\n'), "{mistakes:?}");
    mistakes[0].clone()
}

#[test]
fn nothing_asked_for_gives_the_default() {
    assert_eq!(settle_size(&[]), Ok(4));
}

#[test]
fn a_variable_takes_any_value_in_range() {
    for value in ["2", "3", "9"] {
        assert_eq!(
            settle_size(&[("CYGNET_SIZE", value)]),
            Ok(value.parse().unwrap())
        );
    }
}

#[test]
fn a_feature_sets_its_value() {
    assert_eq!(settle_size(&[("CARGO_FEATURE_SIZE_8", "1")]), Ok(8));
}

#[test]
fn a_variable_wins_over_a_feature() {
    let both = [("CARGO_FEATURE_SIZE_8", "1"), ("CYGNET_SIZE", "3")];
    assert_eq!(settle_size(&both), Ok(3));
}

#[test]
fn two_features_for_one_setting_are_named_with_the_way_out() {
    let two = [("CARGO_FEATURE_SIZE_2", "1"), ("CARGO_FEATURE_SIZE_8", "1")];
    assert_eq!(
        mistake(&two),
        "the features `size-2` and `size-8` contradict each other: \
         keep one of them, or none and set CYGNET_SIZE",
    );
    let with_variable = [two[0], two[1], ("CYGNET_SIZE", "3")];
    assert_eq!(mistake(&with_variable), mistake(&two));
}

#[test]
fn what_is_not_a_number_is_refused() {
    for text in ["", "many", "-3", "+3", "3.0", " 3", "0x3", "3\n"] {
        assert_eq!(
            mistake(&[("CYGNET_SIZE", text)]),
            format!("CYGNET_SIZE={text:?} is not a number: it takes 2 to 9, 4 by default"),
        );
    }
}

#[test]
fn what_is_out_of_range_is_refused() {
    for text in ["0", "1", "10", "99999999999999999999999"] {
        assert_eq!(
            mistake(&[("CYGNET_SIZE", text)]),
            format!("CYGNET_SIZE={text} is out of range: it takes 2 to 9, 4 by default"),
        );
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let variable = |name: &str| name.starts_with("CYGNET_").then(|| "none".to_string());
    let mistakes = settle(SETTINGS, variable).expect_err("must not settle");
    assert_eq!(mistakes.len(), SETTINGS.len());
}

#[test]
fn a_constant_carries_its_documentation() {
    let setting = &SETTINGS[..1];
    assert_eq!(
        constants(setting, &[7]),
        "/// The most IP addresses of one interface, IPv4 and IPv6 together.\n///\n\
         /// Default 4, range 1 to 1024.\npub const IFACE_MAX_ADDR_COUNT: usize = 7;\n",
    );
}

#[test]
fn the_table_is_consistent() {
    let mut names = BTreeSet::new();
    for Setting {
        name,
        default,
        min,
        max,
        features,
        doc,
    } in SETTINGS
    {
        assert!(names.insert(*name), "{name} stands there twice");
        assert!(
            (min..=max).contains(&default),
            "{name}: the default is out of range"
        );
        assert!(
            *max <= usize::from(u16::MAX),
            "{name}: does not fit a 16-bit usize"
        );
        assert!(
            features.is_sorted_by(|a, b| a < b),
            "{name}: features are out of order"
        );
        assert!(
            features.contains(default),
            "{name}: the default has no feature"
        );
        assert!(
            features.iter().all(|value| (min..=max).contains(&value)),
            "{name}: a feature is out of range"
        );
        assert!(
            doc.ends_with('.') && !doc.contains(['\n', '|']),
            "{name}: the doc is not one sentence"
        );
    }
}

#[test]
fn the_manifest_lists_the_features_of_the_table() {
    let mut features = String::new();
    for setting in SETTINGS {
        writeln!(features, "\n## `{}`: {}", setting.name, setting.doc).unwrap();
        for value in setting.features {
            writeln!(features, "{} = []", setting.feature(*value)).unwrap();
        }
    }
    check_block(
        "Cargo.toml",
        "# settings:begin",
        "# settings:end",
        &features,
    );
}

#[test]
fn the_readme_lists_the_settings_of_the_table() {
    let mut table =
        String::from("| Name | Default | Range | Meaning |\n| --- | --- | --- | --- |\n");
    for Setting {
        name,
        default,
        min,
        max,
        doc,
        ..
    } in SETTINGS
    {
        writeln!(table, "| `{name}` | {default} | {min} to {max} | {doc} |").unwrap();
    }
    check_block(
        "../README.md",
        "<!-- config:begin -->",
        "<!-- config:end -->",
        &table,
    );
}

/// Holds the lines between two markers of a file of this crate to `expected`, or writes them where
/// `CYGNET_BLESS` is set.
#[track_caller]
fn check_block(file: &str, begin: &str, end: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (before, rest) = text
        .split_once(begin)
        .unwrap_or_else(|| panic!("{file}: no `{begin}`"));
    let (block, after) = rest
        .split_once(end)
        .unwrap_or_else(|| panic!("{file}: no `{end}`"));
    if block.trim() == expected.trim() {
        return;
    }
    if std::env::var_os("CYGNET_BLESS").is_none() {
        panic!(
            "{file} does not say what src/table.rs says; \
             `CYGNET_BLESS=1 cargo test -p cygnet-config` mends it\n--- expected\n{expected}--- found{block}"
        );
    }
    let expected = expected.trim();
    fs::write(&path, format!("{before}{begin}\n{expected}\n{end}{after}"))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
