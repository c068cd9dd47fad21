//! All outcomes of one state, those that are the same on one line.

use std::fmt::Write as _;

use cygnet::wire::TcpFlags;
use cygnet_tests::script::Script;

use crate::outcome::{Outcome, observe};
use crate::states::Station;
use crate::stimuli::{Ack, Seq, Stimulus, Text, name};

/// The table of one state.
pub(crate) fn of(script: &Script, station: Station) -> String {
    let outcomes = observe_all(script, station, |_| true);
    let mut lines = vec![HEADINGS.map(String::from)];
    let mut rest = outcomes.as_slice();
    while let Some((first, _)) = rest.first() {
        let count = rest
            .iter()
            .take_while(|(stimulus, _)| stimulus.flags == first.flags)
            .count();
        let (these, others) = rest.split_at(count);
        lines.extend(lines_of(first.flags, these));
        rest = others;
    }
    format!("{}\n\n{}", station.title(), align(&lines))
}

/// What each segment does in that state.
pub(crate) fn observe_all(
    script: &Script,
    station: Station,
    wanted: impl Fn(&Stimulus) -> bool,
) -> Vec<(Stimulus, Outcome)> {
    let in_flight = !matches!(
        station,
        Station::Closed
            | Station::Listen
            | Station::FinWait2
            | Station::FinWait2Closed
            | Station::TimeWait
    );
    let wanted = Stimulus::all(in_flight).into_iter().filter(wanted);
    wanted
        .zip(0..)
        .map(|(stimulus, number)| (stimulus, observe(script, station, stimulus, number)))
        .collect()
}

/// How snapshots are kept.
pub(crate) fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("states");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// Outcomes that differ in nothing but numbers and text, put together: first acknowledgments, then
/// sequence numbers, then text.
fn lines_of(flags: TcpFlags, outcomes: &[(Stimulus, Outcome)]) -> Vec<[String; 8]> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (stimulus, outcome) in outcomes {
        let ack: Vec<_> = stimulus.ack.into_iter().collect();
        let same = groups.iter_mut().find(|group| {
            group.outcome == outcome
                && group.texts == [stimulus.text]
                && group.seqs == [stimulus.seq]
        });
        match same {
            Some(group) => group.acks.extend(ack),
            None => groups.push(Group {
                texts: vec![stimulus.text],
                seqs: vec![stimulus.seq],
                acks: ack,
                outcome,
            }),
        }
    }
    let by_seq = merge(groups, |a, b| {
        let same = a.outcome == b.outcome && a.texts == b.texts && a.acks == b.acks;
        same.then(|| a.seqs.extend(&b.seqs)).is_some()
    });
    let by_text = merge(by_seq, |a, b| {
        let same = a.outcome == b.outcome && a.seqs == b.seqs && a.acks == b.acks;
        same.then(|| a.texts.extend(&b.texts)).is_some()
    });
    let acks = Ack::ALL
        .iter()
        .filter(|ack| outcomes.iter().any(|(s, _)| s.ack == Some(**ack)))
        .count();
    by_text
        .iter()
        .map(|group| group.line(flags, acks))
        .collect()
}

/// Segments with the same outcome: every combination of these.
struct Group<'a> {
    texts: Vec<Text>,
    seqs: Vec<Seq>,
    acks: Vec<Ack>,
    outcome: &'a Outcome,
}

impl Group<'_> {
    fn line(&self, flags: TcpFlags, acks: usize) -> [String; 8] {
        let text = match self.texts.as_slice() {
            [Text::None] => "-",
            [Text::TenBytes] => "10",
            _ => "any",
        };
        let acks = if self.acks.is_empty() {
            "-".into()
        } else {
            one_of(&self.acks, acks)
        };
        let Outcome {
            sent,
            delivered,
            dropped,
            next,
        } = self.outcome.clone();
        [
            name(flags),
            text.into(),
            one_of(&self.seqs, Seq::ALL.len()),
            acks,
            sent,
            delivered,
            dropped,
            next,
        ]
    }
}

fn one_of<T: ToString>(items: &[T], all: usize) -> String {
    if items.len() == all {
        return "any".into();
    }
    let items: Vec<_> = items.iter().map(T::to_string).collect();
    items.join(" ")
}

/// Puts each group into the first before it that takes it.
fn merge<'a>(
    groups: Vec<Group<'a>>,
    mut join: impl FnMut(&mut Group<'a>, &Group<'a>) -> bool,
) -> Vec<Group<'a>> {
    let mut merged: Vec<Group<'a>> = Vec::new();
    for group in groups {
        if !merged.iter_mut().any(|before| join(before, &group)) {
            merged.push(group);
        }
    }
    merged
}

fn align(lines: &[[String; 8]]) -> String {
    let widths: [usize; 8] = core::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line[column].len());
        cells.max().unwrap_or(0)
    });
    let mut text = String::new();
    for line in lines {
        let mut aligned = String::new();
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(aligned, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", aligned.trim_end());
    }
    text
}

const HEADINGS: [&str; 8] = [
    "bits", "text", "seq", "ack", "sends", "delivers", "drops", "next",
];
