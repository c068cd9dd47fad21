//! Dependencies point downwards, and only the async skin knows of tasks.

use std::collections::BTreeSet;

use crate::source;

/// The stack's modules, from the roof to the ground. A module knows what is on the floors below it, and
/// nobody on its own floor: TCP emits segments and IP routes datagrams, and only the engine brings them
/// together.
const FLOORS: &[&[&str]] = &[
    &["socket"],
    &["engine"],
    &["tcp", "udp", "icmp", "dns", "dhcp", "ip", "link"],
    &["stats"],
    &["wire"],
    &["storage", "rand", "events"],
    &["time", "log", "siphash"],
];

/// Who knows a neighbor all the same, which of its names, and why.
const NEIGHBORS: &[(&str, &str, &str)] = &[
    // Neighbors and claimed addresses belong to an interface, and the type that names one is IP's.
    ("link", "ip", "InterfaceId"),
];

#[test]
fn modules_know_only_what_is_below_them() {
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for source in source::stack() {
        let Some(layer) = source.layer() else {
            continue;
        };
        let floor = floor(layer).unwrap_or_else(|| panic!("`{layer}` has no floor: give it one"));
        for (path, line) in source.paths() {
            let [root, target, names @ ..] = path.as_slice() else {
                continue;
            };
            if root != "crate" || target == layer {
                continue;
            }
            let exception = NEIGHBORS.iter().find(|(who, whom, what)| {
                *who == layer && *whom == target && names.first().is_some_and(|name| name == what)
            });
            if let Some(exception) = exception {
                used.insert(exception);
            } else if crate_root_has(target) {
                faults.push(format!(
                    "{}: `crate::{target}` hides which layer it comes from",
                    source.place(line)
                ));
            } else if self::floor(target).is_none_or(|below| below <= floor) {
                faults.push(format!(
                    "{}: `{layer}` must not know `{}`",
                    source.place(line),
                    path[1..].join("::")
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for exception in NEIGHBORS {
        assert!(
            used.contains(exception),
            "nobody needs the exception {exception:?}"
        );
    }
}

#[test]
fn only_the_async_skin_names_tasks_and_wakers() {
    let mut faults = Vec::new();
    for source in source::stack() {
        if source.layer() == Some("socket") {
            continue;
        }
        for (path, line) in source.paths() {
            let path: Vec<_> = path.iter().map(String::as_str).collect();
            if matches!(
                path[..],
                ["core" | "std" | "alloc", "task" | "future", ..]
                    | ["embassy_time" | "embassy_futures", ..]
                    | ["embassy_sync", "waitqueue", ..]
            ) {
                faults.push(format!("{}: `{}`", source.place(line), path.join("::")));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "only `socket` names tasks:\n{}",
        faults.join("\n")
    );
}

/// How far below the roof a module is.
fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// Whether a name in the crate's root is a re-export and not a module.
fn crate_root_has(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}
