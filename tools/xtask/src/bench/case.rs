//! One shape of load.

use super::options::Options;
use super::row::Row;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Case {
    pub(super) drives: u32,
    /// Bytes that a command moves.
    pub(super) block: u32,
    /// Length of the blocks in it; 0 is one block of that length.
    pub(super) fixed: u32,
    pub(super) digests: bool,
}

const BLOCKS: [u32; 3] = [64 << 10, 256 << 10, 1 << 20];
const DRIVES: [u32; 2] = [1, 10];

impl Case {
    /// As tape drives are used: blocks of variable length, no digests.
    fn plain(drives: u32, block: u32) -> Self {
        Self { drives, block, fixed: 0, digests: false }
    }

    /// What has to be run for the rows that were asked for, each once, in the table that they belong to.
    pub(super) fn plan(options: &Options) -> Vec<(&'static str, Self)> {
        let plain = DRIVES.iter().flat_map(|drives| BLOCKS.map(|block| Self::plain(*drives, block)));
        let mut plan: Vec<_> = plain
            .filter(|case| {
                options.wants(Row::Throughput)
                    || (options.wants(Row::Cpu) && case.drives == 1)
                    || (options.wants(Row::Memory) && case.drives == 10 && case.block == 1 << 20)
            })
            .map(|case| ("throughput", case))
            .collect();
        if options.wants(Row::Digests) {
            let both = BLOCKS.iter().flat_map(|block| [false, true].map(|digests| (*block, digests)));
            plan.extend(both.map(|(block, digests)| ("digests", Self { digests, ..Self::plain(1, block) })));
        }
        if options.wants(Row::Fixed) {
            plan.push(("fixed", Self { fixed: 512, ..Self::plain(1, 128 * 512) }));
        }
        plan
    }

    /// Its line in a table, without what a column says.
    pub(super) fn line(&self, direction: &str) -> String {
        let drives = if self.drives == 1 { "1 drive".to_owned() } else { format!("{} drives", self.drives) };
        match self.fixed {
            0 => format!("{drives}, {} KiB, {direction}", self.block >> 10),
            length => format!("{drives}, {} x {length} B, {direction}", self.block / length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(words: &[&str]) -> Vec<(&'static str, Case)> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Case::plan(&Options::parse(&words).unwrap())
    }

    #[test]
    fn what_two_rows_need_is_run_once() {
        assert_eq!(plan(&["throughput"]).len(), 6);
        assert_eq!(plan(&["throughput", "cpu", "memory"]), plan(&["throughput"]));
        assert_eq!(plan(&["cpu"]).len(), 3);
        assert_eq!(plan(&["memory"])[0].1.line("read"), "10 drives, 1024 KiB, read");
        assert_eq!(plan(&["digests"]).len(), 6);
        assert_eq!(plan(&["fixed"])[0].1.line("write"), "1 drive, 128 x 512 B, write");
        assert_eq!(plan(&["nop"]), []);
    }
}
