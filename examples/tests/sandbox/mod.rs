//! Runs examples in a sandbox of their own, with the kernel at the other end.

use cygnet_host::SKIP_VARIABLE;

use crate::run::run;

/// What an example and the program that it runs in its sandbox print, if both say that all is well; `None`, loudly,
/// where there can be no sandbox and that was said to be all right.
pub(crate) fn printed(example: &str, arguments: &[&str], command: &[&str]) -> Option<String> {
    if std::env::var_os(SKIP_VARIABLE).is_some() {
        eprintln!("SKIPPED: {SKIP_VARIABLE} is set");
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
