//! What the core never does: no unsafe code, nothing that panics, no floating point, no formatting.
//!
//! Panics and formatting cost a firmware tens of kilobytes, and a panic that a packet can reach costs it
//! the device. Assertions about our own bugs are `debug_assert!`, and those that the compiler evaluates
//! stand in `const` blocks.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ExprConst, ExprMethodCall, ImplItem, Item, ItemConst, Lit, Macro};

use crate::source::{self, attributes, is_for_tests};

/// Macros that panic, in any build.
const PANICS: &[&str] = &[
    "panic",
    "unreachable",
    "todo",
    "unimplemented",
    "assert",
    "assert_eq",
    "assert_ne",
];

/// Traits whose implementations format: an application that never asks for it does not pay for it.
const FORMATTERS: &[&str] = &["Display", "Debug", "Format"];

/// Macros of the formatting machinery.
const FORMATTING: &[&str] = &[
    "format",
    "format_args",
    "write",
    "writeln",
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
];

#[test]
fn the_stack_forbids_unsafe_code_and_does_without_std() {
    let text = std::fs::read_to_string(source::workspace().join("stack/src/lib.rs"))
        .expect("the stack has a lib.rs");
    for attribute in ["#![forbid(unsafe_code)]", "#![no_std]"] {
        let stands_alone = text.lines().any(|line| line == attribute);
        assert!(stands_alone, "stack/src/lib.rs must say {attribute}");
    }
}

#[test]
fn nothing_in_the_stack_panics() {
    check("panics", |finding| match finding {
        Finding::Macro { name, .. } => PANICS.contains(&name),
        Finding::Method(name) => ["unwrap", "expect", "unwrap_err", "expect_err"].contains(&name),
        Finding::Type(_) | Finding::Float => false,
    });
}

#[test]
fn the_stack_has_no_floating_point() {
    check("floating point", |finding| match finding {
        Finding::Type(name) => ["f32", "f64"].contains(&name),
        Finding::Float => true,
        Finding::Macro { .. } | Finding::Method(_) => false,
    });
}

#[test]
fn only_formatters_format() {
    check("formatting", |finding| match finding {
        Finding::Macro { name, in_fmt } => FORMATTING.contains(&name) && !in_fmt,
        Finding::Type(_) | Finding::Method(_) | Finding::Float => false,
    });
}

/// What a rule may object to.
enum Finding<'a> {
    /// A macro's name, and whether it is called by an `impl` of one of [`FORMATTERS`].
    Macro {
        name: &'a str,
        in_fmt: bool,
    },
    Method(&'a str),
    Type(&'a str),
    /// A literal with a point or an exponent.
    Float,
}

/// Fails with every place in the stack that `is_fault` objects to.
#[track_caller]
fn check(what: &str, is_fault: fn(Finding<'_>) -> bool) {
    let mut faults = Vec::new();
    for source in source::stack() {
        let mut lines = Lines {
            is_fault,
            in_fmt: false,
            found: Vec::new(),
        };
        lines.visit_file(&source.syntax);
        faults.extend(lines.found.into_iter().map(|line| source.place(line)));
    }
    assert!(faults.is_empty(), "{what} in:\n{}", faults.join("\n"));
}

/// The lines with a fault, outside of tests and of what the compiler evaluates.
struct Lines {
    is_fault: fn(Finding<'_>) -> bool,
    in_fmt: bool,
    found: Vec<usize>,
}

impl Lines {
    fn judge(&mut self, finding: Finding<'_>, at: impl Spanned) {
        if (self.is_fault)(finding) {
            self.found.push(at.span().start().line);
        }
    }
}

impl<'ast> Visit<'ast> for Lines {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        let outer = self.in_fmt;
        if let Item::Impl(item) = item
            && let Some((name, _)) = &item.trait_
        {
            self.in_fmt = name
                .segments
                .last()
                .is_some_and(|last| FORMATTERS.iter().any(|name| last.ident == name));
        }
        visit::visit_item(self, item);
        self.in_fmt = outer;
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(function) if is_for_tests(&function.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    /// Evaluated by the compiler: a panic there is a message for whoever builds.
    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}

    fn visit_item_const(&mut self, _: &'ast ItemConst) {}

    fn visit_macro(&mut self, call: &'ast Macro) {
        if let Some(last) = call.path.segments.last() {
            let name = last.ident.to_string();
            let in_fmt = self.in_fmt;
            self.judge(
                Finding::Macro {
                    name: &name,
                    in_fmt,
                },
                call,
            );
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.judge(Finding::Method(&call.method.to_string()), &call.method);
        visit::visit_expr_method_call(self, call);
    }

    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        if let Some(name) = path.path.get_ident() {
            self.judge(Finding::Type(&name.to_string()), path);
        }
        visit::visit_type_path(self, path);
    }

    fn visit_lit(&mut self, literal: &'ast Lit) {
        if matches!(literal, Lit::Float(_)) {
            self.judge(Finding::Float, literal);
        }
    }
}
