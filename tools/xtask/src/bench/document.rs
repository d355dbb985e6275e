//! The last report in `docs/performance.md`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- report: made by `cargo xtask bench --document` -->";
const END: &str = "<!-- end of report -->";

pub(super) fn write(root: &Path, report: &Path) -> Result<bool> {
    let text = fs::read_to_string(report).context("there is no report yet: run `cargo xtask bench` first")?;
    let page = root.join("docs/performance.md");
    let old = fs::read_to_string(&page).context("docs/performance.md")?;
    fs::write(&page, replaced(&old, &text)?).context("docs/performance.md")?;
    println!("written into docs/performance.md");
    Ok(true)
}

fn replaced(page: &str, report: &str) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).context("docs/performance.md has no place for a report")?;
    let (_, after) = rest.split_once(END).context("docs/performance.md: the report has no end")?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", report.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_the_place_of_the_last_one_and_nothing_else() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(replaced(&page, "new\n").unwrap(), format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert!(replaced("a", "new").is_err());
    }
}
