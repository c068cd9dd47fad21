//! The results, as a table for people and as rows for programs.

use std::fmt::Write as _;

/// One measured value.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What was done.
    pub scenario: &'static str,
    /// How many sockets were there beside the one at work.
    pub idle_sockets: usize,
    /// Who did it.
    pub stack: &'static str,
    /// How much.
    pub value: f64,
    /// What `value` counts.
    pub unit: &'static str,
}

/// One line for each value, under a line of names.
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from("scenario,idle_sockets,stack,value,unit\n");
    for Row {
        scenario,
        idle_sockets,
        stack,
        value,
        unit,
    } in rows
    {
        writeln!(
            text,
            "{scenario},{idle_sockets},{stack},{},{unit}",
            digits(*value)
        )
        .expect("a String takes everything");
    }
    text
}

/// The values in what [`csv`] wrote. `None` if it is something else.
pub fn values(csv: &str) -> Option<Vec<f64>> {
    let rows = csv.lines().skip(1);
    rows.map(|row| row.split(',').nth(3)?.parse().ok())
        .collect()
}

/// One line for each measurement, with a column for each stack.
pub fn table(rows: &[Row]) -> String {
    let mut stacks: Vec<&str> = Vec::new();
    for row in rows {
        if !stacks.contains(&row.stack) {
            stacks.push(row.stack);
        }
    }
    let mut lines = vec![header(&stacks)];
    for point in rows.chunk_by(|a, b| (a.scenario, a.idle_sockets) == (b.scenario, b.idle_sockets))
    {
        let mut line = vec![
            point[0].scenario.to_owned(),
            point[0].idle_sockets.to_string(),
        ];
        for stack in &stacks {
            let row = point.iter().find(|row| row.stack == *stack);
            line.push(row.map_or_else(|| "-".to_owned(), |row| digits(row.value)));
        }
        line.push(point[0].unit.to_owned());
        lines.push(line);
    }
    aligned(&lines)
}

fn header(stacks: &[&str]) -> Vec<String> {
    let mut header = vec!["scenario".to_owned(), "sockets".to_owned()];
    header.extend(stacks.iter().map(|stack| (*stack).to_owned()));
    header.push("unit".to_owned());
    header
}

/// Columns as wide as their widest cell: the first and the last to the left, numbers to the right.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].len())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            match column {
                0 => write!(text, "{cell:width$}"),
                _ if column + 1 == columns => writeln!(text, "  {cell}"),
                _ => write!(text, "  {cell:>width$}"),
            }
            .expect("a String takes everything");
        }
    }
    text
}

/// Whole numbers from a hundred on, and three digits below.
fn digits(value: f64) -> String {
    let decimals = match value {
        _ if value == value.trunc() => 0,
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        0.1.. => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> [Row; 3] {
        let row = |scenario, stack, value| Row {
            scenario,
            idle_sockets: 10,
            stack,
            value,
            unit: "B",
        };
        [
            row("tcp", "a", 38.25),
            row("tcp", "longer", 1234.5),
            row("udp-64", "longer", 0.12345),
        ]
    }

    #[test]
    fn csv_has_a_row_for_each_value() {
        assert_eq!(
            csv(&rows()),
            "scenario,idle_sockets,stack,value,unit\n\
             tcp,10,a,38.2,B\ntcp,10,longer,1234,B\nudp-64,10,longer,0.123,B\n",
        );
    }

    #[test]
    fn values_are_read_as_they_were_written() {
        assert_eq!(values(&csv(&rows())), Some(vec![38.2, 1234.0, 0.123]));
        assert_eq!(values("scenario\nno such row\n"), None);
    }

    #[test]
    fn the_table_has_a_column_for_each_stack() {
        assert_eq!(
            table(&rows()),
            "scenario  sockets     a  longer  unit\n\
             tcp            10  38.2    1234  B\n\
             udp-64         10     -   0.123  B\n",
        );
    }
}
