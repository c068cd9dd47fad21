//! What the crates may depend on, and the oldest compiler they promise to build with.

use std::collections::BTreeSet;

use cargo_metadata::semver::Version;
use cargo_metadata::{
    CargoOpt, DependencyKind, Metadata, MetadataCommand, Node, Package, PackageId,
};

use crate::source;

/// The workspace's crates that others may use, each with those of the workspace it may depend on. A
/// driver knows the driver trait, and nothing else of the stack.
const CRATES: &[(&str, &[&str])] = &[
    ("cygnet-config", &[]),
    ("cygnet-driver", &[]),
    ("cygnet", &["cygnet-config", "cygnet-driver"]),
    ("cygnet-link", &["cygnet-driver"]),
    ("cygnet-middleware", &["cygnet-driver"]),
    ("cygnet-embassy", &["cygnet-driver"]),
    ("cygnet-lan9118", &["cygnet-driver"]),
    ("cygnet-xarxa", &["cygnet-driver"]),
    ("cygnet-picoserve", &["cygnet"]),
    ("cygnet-sntpc", &["cygnet"]),
    ("cygnet-tuntap", &["cygnet-driver"]),
    // The sandbox has to open its device while it is still root there.
    ("cygnet-host", &["cygnet-driver", "cygnet-tuntap"]),
];

/// The oldest compiler that all of them build with, except for those in [`NEWER`].
static MSRV: Version = Version::new(1, 88, 0);

/// What stands on others that ask for more than the stack does: the benchmark's peers, picoserve 0.20, and
/// xarxa-driver 0.1.
const NEWER: &[&str] = &["cygnet-bench", "cygnet-picoserve", "cygnet-xarxa"];

#[test]
fn crates_depend_on_what_is_below_them() {
    let metadata = metadata();
    let published: BTreeSet<_> = published(&metadata).map(|p| p.name.as_str()).collect();
    let expected: BTreeSet<_> = CRATES.iter().map(|(name, _)| *name).collect();
    assert_eq!(published, expected, "the crates to publish");
    for (name, allowed) in CRATES {
        let package = published_by_name(&metadata, name);
        let found: BTreeSet<_> = package
            .dependencies
            .iter()
            .filter(|d| d.path.is_some() && d.kind != DependencyKind::Development)
            .map(|d| d.name.as_str())
            .collect();
        assert_eq!(
            found,
            allowed.iter().copied().collect(),
            "what {name} depends on"
        );
    }
}

#[test]
fn every_crate_states_the_same_oldest_compiler() {
    for package in metadata().workspace_packages() {
        if !NEWER.contains(&package.name.as_str()) {
            assert_eq!(
                package.rust_version.as_ref(),
                Some(&MSRV),
                "{}",
                package.name
            );
        }
    }
}

#[test]
fn no_dependency_asks_for_a_newer_compiler() {
    let metadata = metadata();
    let nodes = &metadata
        .resolve
        .as_ref()
        .expect("a resolved workspace")
        .nodes;
    let mut seen = BTreeSet::new();
    let mut open: Vec<&PackageId> = published(&metadata)
        .filter(|package| !NEWER.contains(&package.name.as_str()))
        .map(|package| &package.id)
        .collect();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let package = &metadata[id];
        let needs = package.rust_version.as_ref().unwrap_or(&MSRV);
        assert!(
            *needs <= MSRV,
            "{} {} needs Rust {needs}",
            package.name,
            package.version
        );
        let node = nodes
            .iter()
            .find(|node| node.id == *id)
            .expect("a node for each package");
        open.extend(needed_to_build(node));
    }
    assert!(
        seen.len() > CRATES.len() * 2,
        "the dependencies were not found"
    );
}

fn needed_to_build(node: &Node) -> impl Iterator<Item = &PackageId> {
    node.deps
        .iter()
        .filter(|dep| {
            dep.dep_kinds
                .iter()
                .any(|info| info.kind != DependencyKind::Development)
        })
        .map(|dep| &dep.pkg)
}

fn published(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.workspace_packages().into_iter().filter(|package| {
        package
            .publish
            .as_ref()
            .is_none_or(|registries| !registries.is_empty())
    })
}

fn published_by_name<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    published(metadata)
        .find(|package| package.name.as_str() == name)
        .unwrap_or_else(|| panic!("no crate {name}"))
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(source::workspace().join("Cargo.toml"))
        // Resolves every feature without compiling any.
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_string()])
        .exec()
        .expect("cargo metadata")
}

/// Cargo merges the `[env]` sections of all folders above: a size for hosts that the firmware's own
/// configuration does not name would be its size as well.
#[test]
fn firmware_sets_every_size_that_hosts_set() {
    let names = |path: &str| -> BTreeSet<String> {
        let path = source::workspace().join(path);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let assignments = text.lines().filter_map(|line| line.split_once(" = "));
        let names = assignments.map(|(name, _)| name.to_string());
        names.filter(|name| name.starts_with("CYGNET_")).collect()
    };
    let hosts = names(".cargo/config.toml");
    assert!(!hosts.is_empty(), "the sizes have moved");
    let firmware = names("examples/firmware/.cargo/config.toml");
    assert_eq!(&hosts - &firmware, BTreeSet::new());
}
