//! The report: Markdown for people, JSON for programs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::machine::Machine;
use super::results::{Results, Series};
use super::statistics::{ratio, summary, written};

/// A table's name in the results, its heading, what is said about it, and which columns are divided.
struct Table {
    name: &'static str,
    heading: &'static str,
    about: &'static str,
    ratios: &'static [(&'static str, &'static str)],
}

const AGAINST_OTHERS: &[(&str, &str)] = &[("capstan", "tgt"), ("capstan", "bare limit"), ("capstan", "null target")];

const TABLES: [Table; 10] = [
    Table {
        name: "throughput",
        heading: "Throughput",
        about: "All drives together; each has one command at a time. Reads come from the page cache.",
        ratios: AGAINST_OTHERS,
    },
    Table {
        name: "digests",
        heading: "CRC32C digests",
        about: "One drive; header and data digests against none.",
        ratios: &[("digests on", "digests off")],
    },
    Table {
        name: "fixed",
        heading: "Blocks of 512 bytes",
        about: "One drive, fixed-block mode, 128 blocks in a WRITE(6) or READ(6).",
        ratios: &[("capstan", "tgt")],
    },
    Table {
        name: "cpu",
        heading: "Processor time of the server",
        about: "User and system time of the server's process for each GiB moved.",
        ratios: AGAINST_OTHERS,
    },
    Table {
        name: "client",
        heading: "Processor share of the clients",
        about: "Processor time of all clients for each second of a measurement: where it comes near to 1 for each \
                drive, the client is a good part of what is measured.",
        ratios: &[],
    },
    Table {
        name: "memory",
        heading: "Peak memory of the server",
        about: "VmHWM at the end of a measurement.",
        ratios: &[],
    },
    Table {
        name: "nop",
        heading: "NOP-Out round trips",
        about: "On the session of drive 9, idle and while nine drives write 1 MiB blocks and another process keeps \
                the disk busy: four threads of it write 4 MiB at a time to the same file system, with fdatasync after \
                each. How busy the disk was is said by the kernel's counters.",
        ratios: &[("capstan", "tgt"), ("capstan", "null target")],
    },
    Table {
        name: "start",
        heading: "Start",
        about: "From the start of the process until a login is answered. Cold: the data of its files was dropped from \
                the page cache before.",
        ratios: &[],
    },
    Table {
        name: "locate",
        heading: "LOCATE",
        about: "LOCATE(16) to a random block, and a READ there. Cold: the first one after a start of the daemon with \
                the data of its files dropped from the page cache; warm: twenty more. tgt has no LOCATE.",
        ratios: &[],
    },
    Table { name: "iperf", heading: "One TCP stream", about: "iperf3 over loopback, for orientation.", ratios: &[] },
];

/// Writes `report.md` and `report.json`; what is in them.
pub(super) fn write(machine: &Machine, results: &Results, directory: &Path) -> Result<(String, String)> {
    let markdown = markdown(machine, results);
    let json = serde_json::to_string_pretty(&value(machine, results))?;
    fs::write(directory.join("report.md"), &markdown).context("report.md")?;
    fs::write(directory.join("report.json"), &json).context("report.json")?;
    Ok((markdown, json))
}

fn markdown(machine: &Machine, results: &Results) -> String {
    let mut text: Vec<String> = vec!["| what | value |".into(), "|---|---|".into()];
    text.extend(machine.facts.iter().map(|(name, value)| format!("| {name} | {} |", cell(value))));
    text.push("\nEach cell is the median, with minimum and maximum in brackets; ratios are of medians.".into());
    for table in &TABLES {
        text.extend(lines(table, results));
    }
    if !results.notes.is_empty() {
        text.push("\n### Notes\n".into());
        text.extend(results.notes.iter().map(|note| format!("- {note}")));
    }
    text.push(String::new());
    text.join("\n")
}

fn lines(table: &Table, results: &Results) -> Vec<String> {
    let of_table: Vec<&Series> = results.series.iter().filter(|series| series.table == table.name).collect();
    if of_table.is_empty() {
        return Vec::new();
    }
    let columns = distinct(of_table.iter().map(|series| series.column.as_str()));
    let cases = distinct(of_table.iter().map(|series| series.line.as_str()));
    let has = |column: &str| columns.contains(&column);
    let ratios: Vec<_> = table.ratios.iter().filter(|(of, to)| has(of) && has(to)).collect();
    let mut text = vec![format!("\n### {}\n\n{}\n", table.heading, table.about)];
    let mut head = vec!["case".to_owned(), "unit".to_owned()];
    head.extend(columns.iter().map(|column| (*column).to_owned()));
    head.extend(ratios.iter().map(|(of, to)| format!("{of} / {to}")));
    text.push(format!("| {} |", head.join(" | ")));
    text.push(format!("|{}", "---|".repeat(head.len())));
    for case in &cases {
        let unit = of_table.iter().find(|series| series.line == *case).map_or("", |series| series.unit);
        let mut cells = vec![(*case).to_owned(), unit.to_owned()];
        cells.extend(columns.iter().map(|column| figure(results.get(table.name, case, column))));
        cells.extend(ratios.iter().map(|(of, to)| {
            let values = |column| results.values(table.name, case, column);
            ratio(values(of), values(to)).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
        }));
        text.push(format!("| {} |", cells.join(" | ")));
    }
    text
}

fn figure(series: Option<&Series>) -> String {
    let Some(series) = series else { return "-".to_owned() };
    let failure = series.failure.as_ref().map(|why| format!("failed: {}", cell(why)));
    let figures = summary(&series.values).map(|summary| {
        let [median, min, max] = [summary.median, summary.min, summary.max].map(written);
        format!("{median} ({min}-{max})")
    });
    match (figures, failure) {
        (Some(figures), None) => figures,
        (Some(figures), Some(failure)) => format!("{figures}; {failure}"),
        (None, failure) => failure.unwrap_or_else(|| "-".to_owned()),
    }
}

/// A table has one line a row.
fn cell(text: &str) -> String {
    text.replace('|', "/").replace('\n', " ")
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for name in names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    distinct
}

fn value(machine: &Machine, results: &Results) -> Value {
    let series = results.series.iter().map(|series| {
        let summary = summary(&series.values);
        json!({
            "table": series.table,
            "case": series.line,
            "subject": series.column,
            "unit": series.unit,
            "median": summary.map(|summary| summary.median),
            "min": summary.map(|summary| summary.min),
            "max": summary.map(|summary| summary.max),
            "repetitions": summary.map_or(0, |summary| summary.count),
            "values": series.values,
            "failure": series.failure,
        })
    });
    let machine: serde_json::Map<String, Value> =
        machine.facts.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    json!({ "machine": machine, "notes": results.notes, "series": series.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::super::results::Cell;
    use super::*;

    fn report() -> (Machine, Results) {
        let mut results = Results::default();
        let cell = |column| Cell { table: "throughput", line: "1 drive, 64 KiB, write", unit: "MiB/s", column };
        for value in [300.0, 100.0, 200.0] {
            results.add(cell("capstan"), value);
        }
        results.fail(cell("tgt"), "not\ninstalled | here");
        results.add(cell("bare limit"), 400.0);
        results.note("quiet".into());
        (Machine { facts: vec![("commit", "abc".to_owned())] }, results)
    }

    #[test]
    fn a_subject_that_is_not_there_has_its_reason_in_its_cell_and_no_ratio() {
        let (machine, results) = report();
        let markdown = markdown(&machine, &results);
        assert!(markdown.contains("| commit | abc |"), "{markdown}");
        let table: Vec<&str> = markdown.lines().skip_while(|line| !line.starts_with("| case")).take(3).collect();
        assert_eq!(
            table,
            [
                "| case | unit | capstan | tgt | bare limit | capstan / tgt | capstan / bare limit |",
                "|---|---|---|---|---|---|---|",
                "| 1 drive, 64 KiB, write | MiB/s | 200 (100-300) | failed: not installed / here | 400 (400-400) | - | \
                 0.50 |",
            ]
        );
        assert!(markdown.ends_with("### Notes\n\n- quiet\n"));
    }

    #[test]
    fn json_has_every_value() {
        let (machine, results) = report();
        let value = value(&machine, &results);
        assert_eq!(value["machine"]["commit"], "abc");
        let capstan = &value["series"][0];
        assert_eq!((capstan["median"].as_f64(), capstan["repetitions"].as_u64()), (Some(200.0), Some(3)));
        assert_eq!(capstan["values"], json!([300.0, 100.0, 200.0]));
        assert_eq!((&value["series"][1]["median"], value["series"][1]["failure"].is_string()), (&Value::Null, true));
    }
}
