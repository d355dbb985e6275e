//! What a verification found, for people.

use capstan_api::{Finding, Objects, Verification};

use crate::output;

/// A line if all is good; else a line for each finding, and what can be read.
pub(crate) fn report_text(name: &str, report: &Verification) -> String {
    let Verification { objects, filemarks, used, lost, .. } = report;
    let files = output::count(report.files, "file");
    let tape = format!("{} ({})", output::count(*objects, "object"), output::count(*filemarks, "filemark"));
    let mut text = if report.good {
        format!("{name}  good: {tape}, {} in {files}\n", output::size(*used))
    } else if !report.loadable {
        format!("{name}  DAMAGED: it cannot be loaded ({files})\n")
    } else if *lost == 0 {
        format!("{name}  DAMAGED: all of its {tape} can be read ({files})\n")
    } else {
        format!("{name}  DAMAGED: {lost} of its {tape} cannot be read ({files})\n")
    };
    text.extend(report.findings.iter().map(finding));
    if report.more > 0 {
        text.push_str(&format!("  ... and {}\n", output::count(report.more, "more finding")));
    }
    if *lost > 0 {
        let readable: Vec<String> = report.readable.iter().map(range).collect();
        let readable = if readable.is_empty() { "nothing".to_owned() } else { readable.join(", ") };
        text.push_str(&format!("  readable: {readable}\n"));
    }
    text
}

fn finding(finding: &Finding) -> String {
    let Finding { kind, file, offset, length, what, .. } = finding;
    let place = match length {
        0 => String::new(),
        _ => format!(", bytes {offset} to {}", offset.saturating_add(length.saturating_sub(1))),
    };
    let lost = finding.objects.map(|objects| format!("    {objects} lost\n")).unwrap_or_default();
    format!("  {kind}: {file}{place}\n    {what}\n{lost}")
}

fn range(objects: &Objects) -> String {
    if objects.first == objects.last {
        objects.first.to_string()
    } else {
        format!("{} to {}", objects.first, objects.last)
    }
}
