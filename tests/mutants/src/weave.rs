//! All mutants of one source file, woven into it: each behind a question to the switch, on a line that names it.
//!
//! ```text
//!   a < b          ->  (if on(7) { a <= b } else if on(8) { a == b } else { a < b })
//!   { body }       ->  { if on(9) { return 0; } body }
//!   Pattern => x   ->  Pattern if !on(10) => x
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::list::{Genre, Mutant, Place};

/// The source with the mutants in it, by number.
pub(crate) struct Woven {
    pub(crate) text: String,
    /// Those that stand where there is no question to ask, as in the value of a constant.
    pub(crate) left_out: Vec<u16>,
    /// Those without which a `match` does not say what to do with everything.
    pub(crate) unviable: Vec<u16>,
}

/// The number that a line of woven source is marked with.
pub(crate) fn number_on(line: &str) -> Option<u16> {
    let (_, rest) = line.split_once(MARK)?;
    rest.split_once(' ')?.0.parse().ok()
}

pub(crate) fn weave(source: &str, mutants: &[(u16, &Mutant)]) -> Result<Woven, String> {
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut sites = Sites::default();
    sites.visit_file(&file);
    let lines = Lines::of(source);
    let (mut left_out, mut unviable) = (Vec::new(), Vec::new());
    let mut seams = BTreeMap::<Seam, Vec<Branch<'_>>>::new();
    for &(number, mutant) in mutants {
        let span = lines.offset(mutant.span.start)..lines.offset(mutant.span.end);
        if mutant.genre == Genre::MatchArm && sites.needed_arms.contains(&span.start) {
            unviable.push(number);
            continue;
        }
        let Some(seam) = sites.seam(mutant.genre, &span) else {
            left_out.push(number);
            continue;
        };
        seams.entry(seam).or_default().push(Branch {
            number,
            span,
            replacement: &mutant.replacement,
        });
    }
    let mut stitches = Vec::new();
    for (seam, branches) in &seams {
        stitch(source, seam, branches, &mut stitches);
    }
    Ok(Woven {
        text: sew(source, stitches),
        left_out,
        unviable,
    })
}

/// A piece of source that mutants change, and how they get in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seam {
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Before the statements of a function.
    Body,
    /// Around an expression.
    Expression,
    /// Around the guard of an arm that may be left out.
    ArmWithGuard,
    /// Behind the pattern of an arm that has no guard.
    Arm,
}

struct Branch<'a> {
    number: u16,
    span: Range<usize>,
    replacement: &'a str,
}

/// Text to put in at an offset; what closes comes before what opens there, and of these the outer opens first.
struct Stitch {
    offset: usize,
    order: (bool, usize, u8),
    text: String,
}

fn stitch(source: &str, seam: &Seam, branches: &[Branch<'_>], stitches: &mut Vec<Stitch>) {
    let len = seam.end - seam.start;
    let kind = seam.kind as u8;
    let mut before = String::new();
    let mut after = "";
    match seam.kind {
        Kind::Body => {
            for branch in branches {
                let Branch {
                    number,
                    replacement,
                    ..
                } = branch;
                write!(
                    before,
                    "\n{MARK}{number} */ if {SWITCH}({number}) {{ return {replacement}; }}\n"
                )
                .unwrap();
            }
        }
        Kind::Expression => {
            before.push('(');
            for branch in branches {
                let (number, text) = (branch.number, changed(source, seam, branch));
                write!(
                    before,
                    "\n{MARK}{number} */ if {SWITCH}({number}) {{ {text} }} else\n"
                )
                .unwrap();
            }
            before.push('{');
            after = "})";
        }
        Kind::ArmWithGuard => {
            write!(before, "{} && (", none_on(branches)).unwrap();
            after = ")";
        }
        Kind::Arm => write!(before, " if {}", none_on(branches)).unwrap(),
    }
    let opening = match seam.kind {
        // It closes the pattern.
        Kind::Arm => (false, 0, kind),
        _ => (true, usize::MAX - len, kind),
    };
    stitches.push(Stitch {
        offset: seam.start,
        order: opening,
        text: before,
    });
    if !after.is_empty() {
        let order = (false, len, u8::MAX - kind);
        stitches.push(Stitch {
            offset: seam.end,
            order,
            text: after.into(),
        });
    }
}

fn none_on(branches: &[Branch<'_>]) -> String {
    branches.iter().fold("true".into(), |mut text, branch| {
        write!(text, "\n{MARK}{0} */ && !{SWITCH}({0})\n", branch.number).unwrap();
        text
    })
}

/// The seam's source as this mutant has it, on one line.
fn changed(source: &str, seam: &Seam, branch: &Branch<'_>) -> String {
    let text = [
        &source[seam.start..branch.span.start],
        " ",
        branch.replacement,
        " ",
        &source[branch.span.end..seam.end],
    ]
    .concat();
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim())
        .collect::<Vec<_>>()
        .join(" ")
}

fn sew(source: &str, mut stitches: Vec<Stitch>) -> String {
    stitches.sort_by_key(|stitch| (stitch.offset, stitch.order));
    let mut text = String::new();
    let mut done = 0;
    for stitch in stitches {
        text.push_str(&source[done..stitch.offset]);
        text.push_str(&stitch.text);
        done = stitch.offset;
    }
    text.push_str(&source[done..]);
    text
}

/// Where mutants can stand, by where what they change begins.
#[derive(Default)]
struct Sites {
    operators: HashMap<usize, Range<usize>>,
    fields: HashMap<usize, Range<usize>>,
    guards: HashMap<usize, Range<usize>>,
    /// The end of the pattern, and the guard.
    arms: HashMap<usize, (usize, Option<Range<usize>>)>,
    /// The arms of a `match` that has none for everything else.
    needed_arms: HashSet<usize>,
    constants: Vec<Range<usize>>,
    /// The bodies of functions whose type only their last expression tells.
    opaque: HashSet<usize>,
}

impl Sites {
    fn seam(&self, genre: Genre, span: &Range<usize>) -> Option<Seam> {
        if self
            .constants
            .iter()
            .any(|constant| constant.contains(&span.start))
        {
            return None;
        }
        let (kind, range) = match genre {
            Genre::FnValue if self.opaque.contains(&span.start) => return None,
            Genre::FnValue => (Kind::Body, span.clone()),
            Genre::BinaryOperator | Genre::UnaryOperator => {
                (Kind::Expression, self.operators.get(&span.start)?.clone())
            }
            Genre::StructField => (Kind::Expression, self.fields.get(&span.start)?.clone()),
            Genre::MatchArmGuard => (Kind::Expression, self.guards.get(&span.start)?.clone()),
            Genre::MatchArm => match self.arms.get(&span.start)? {
                (_, Some(guard)) => (Kind::ArmWithGuard, guard.clone()),
                (end, None) => (Kind::Arm, *end..*end),
            },
        };
        Some(Seam {
            start: range.start,
            end: range.end,
            kind,
        })
    }
}

impl Sites {
    fn note_opaque(&mut self, signature: &syn::Signature, body: &syn::Block) {
        if let syn::ReturnType::Type(_, returned) = &signature.output
            && matches!(**returned, syn::Type::ImplTrait(_))
            && let Some(first) = body.stmts.first()
        {
            self.opaque.insert(first.span().byte_range().start);
        }
    }
}

impl<'ast> Visit<'ast> for Sites {
    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        // An operand that binds names cannot be an operand of anything else.
        let binds = [&node.left, &node.right].iter().any(|side| has_let(side));
        if !binds {
            self.operators
                .insert(node.op.span().byte_range().start, node.span().byte_range());
        }
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        self.operators
            .insert(node.op.span().byte_range().start, node.span().byte_range());
        visit::visit_expr_unary(self, node);
    }

    fn visit_expr_struct(&mut self, node: &'ast syn::ExprStruct) {
        for field in &node.fields {
            self.fields
                .insert(field.span().byte_range().start, node.span().byte_range());
        }
        visit::visit_expr_struct(self, node);
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        self.note_opaque(&node.sig, &node.block);
        visit::visit_impl_item_fn(self, node);
    }

    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        self.note_opaque(&node.sig, &node.block);
        visit::visit_item_fn(self, node);
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let has_rest = |arm: &syn::Arm| matches!(arm.pat, syn::Pat::Wild(_));
        if !node.arms.iter().any(has_rest) {
            let starts = node.arms.iter().map(|arm| arm.span().byte_range().start);
            self.needed_arms.extend(starts);
        }
        visit::visit_expr_match(self, node);
    }

    fn visit_arm(&mut self, node: &'ast syn::Arm) {
        let start = node.span().byte_range().start;
        if let syn::Pat::Guard(guarded) = &node.pat {
            let guard = guarded.guard.span().byte_range();
            self.guards.insert(guard.start, guard.clone());
            if !has_let(&guarded.guard) {
                self.arms.insert(start, (guard.start, Some(guard)));
            }
        } else {
            self.arms
                .insert(start, (node.pat.span().byte_range().end, None));
        }
        visit::visit_arm(self, node);
    }

    fn visit_item_const(&mut self, node: &'ast syn::ItemConst) {
        self.constants.push(node.span().byte_range());
    }

    fn visit_impl_item_const(&mut self, node: &'ast syn::ImplItemConst) {
        self.constants.push(node.span().byte_range());
    }
}

/// Whether this is a chain of conditions of which one is a `let`.
fn has_let(expression: &syn::Expr) -> bool {
    match expression {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

/// Where lines begin.
struct Lines<'a> {
    lines: Vec<(usize, &'a str)>,
}

impl<'a> Lines<'a> {
    fn of(source: &'a str) -> Self {
        let mut start = 0;
        let lines = source.split_inclusive('\n').map(|line| {
            let here = start;
            start += line.len();
            (here, line)
        });
        Self {
            lines: lines.collect(),
        }
    }

    fn offset(&self, place: Place) -> usize {
        let (start, line) = self.lines[place.line - 1];
        let column = line.char_indices().nth(place.column - 1);
        start + column.map_or(line.len(), |(index, _)| index)
    }
}

const MARK: &str = "/* mutant ";
const SWITCH: &str = "mutant_switch::on";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::Span;

    const SOURCE: &str = "\
fn f(a: u8, b: u8) -> bool {
    a < b && !(a == 0) // why
}

fn g(a: u8) -> u8 {
    match a {
        1 => 2,
        3 if a > 0 => 4,
        _ => 5,
    }
}

const K: u8 = 2 * 3;
";

    fn mutant(genre: Genre, line: usize, columns: Range<usize>, replacement: &str) -> Mutant {
        Mutant {
            name: String::new(),
            file: String::new(),
            genre,
            span: Span {
                start: Place {
                    line,
                    column: columns.start,
                },
                end: Place {
                    line,
                    column: columns.end,
                },
            },
            replacement: replacement.into(),
        }
    }

    fn woven(mutants: &[Mutant]) -> Woven {
        let numbered: Vec<_> = (0..).zip(mutants).collect();
        weave(SOURCE, &numbered).unwrap()
    }

    /// The woven text without its line breaks and marks.
    fn plain(text: &str) -> String {
        let mut plain = text.replace("mutant_switch::on", "on");
        while let Some((before, rest)) = plain.split_once(MARK) {
            plain = format!("{before}{}", rest.split_once(" */ ").unwrap().1);
        }
        plain.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_operator_and_what_is_around_it_have_questions_of_their_own() {
        let woven = woven(&[
            mutant(Genre::BinaryOperator, 2, 7..8, "<="),
            mutant(Genre::BinaryOperator, 2, 11..13, "||"),
            mutant(Genre::UnaryOperator, 2, 14..15, ""),
        ]);
        let text = plain(&woven.text);
        let expected = "( if on(1) { a < b || !(a == 0) } else {\
                        ( if on(0) { a <= b } else {a < b}) && \
                        ( if on(2) { (a == 0) } else {!(a == 0)})}) // why";
        assert!(text.contains(expected), "{text}");
        syn::parse_file(&woven.text).unwrap();
    }

    #[test]
    fn a_function_returns_before_its_first_statement_and_an_arm_is_left_out() {
        let woven = woven(&[
            mutant(Genre::FnValue, 6, 5..14, "0"),
            mutant(Genre::MatchArm, 7, 9..16, ""),
            mutant(Genre::MatchArm, 8, 9..25, ""),
            mutant(Genre::MatchArmGuard, 8, 14..19, "true"),
        ]);
        let text = plain(&woven.text);
        assert!(text.contains("{ if on(0) { return 0; } match a"), "{text}");
        assert!(text.contains("1 if true && !on(1) => 2"), "{text}");
        assert!(
            text.contains("3 if ( if on(3) { true } else {true && !on(2) && (a > 0)}) => 4"),
            "{text}"
        );
        syn::parse_file(&woven.text).unwrap();
    }

    #[test]
    fn a_constant_is_left_out_and_lines_name_the_mutant_on_them() {
        let woven = woven(&[
            mutant(Genre::BinaryOperator, 13, 17..18, "+"),
            mutant(Genre::BinaryOperator, 2, 7..8, "=="),
        ]);
        assert_eq!(woven.left_out, [0]);
        let named: Vec<_> = woven.text.lines().filter_map(number_on).collect();
        assert_eq!(named, [1]);
    }
}
