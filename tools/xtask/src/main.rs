//! `cargo xtask`: the checks and tests that a change must pass, in the words of the README.
//!
//! One module per command. Shell scripts under `scsi-tests/linux` hold what runs as a client in the guest;
//! everything that decides whether a change is good is decided here.

// A program for a terminal: its output is the point of it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod check;
mod daemon;
mod docs;
mod linux;
mod process;
mod program;
mod soak;
mod summary;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
cargo xtask COMMAND

  check                 refuse crate arrows that the design does not have, unsafe code, clocks and sockets in the
                        sans-IO crates, paths of one machine; list long files
  test                  formatting, clippy, check, unit and integration tests, documentation tests
  docs                  write what is made: the README's comparison, docs/reference
  linux [OPTION] [JOB]  real clients on a real Linux initiator (User Mode Linux, needs root); all jobs by default
      --list            list the jobs and what each one proves
      --setup           install packages and build the guest's root, run nothing
      --binary FILE     the daemon under test (default: build it, release profile)
      --keep            keep the state directories of the daemon
      --server NAME     the S3 server of tier-s3: weed (SeaweedFS, the default), ministack or s3s, on the search path
      --full            tier-dir, tier-s3: 20 GiB instead of 1; takes half an hour and 40 GiB of disk
  soak [kill|power]     kill the daemon 200 times under load, cut the power of a guest 50 times on ext4 and on XFS
                        (needs root); what was found is in target/soak
      --count N         so many times
      --seed S          decides what is written and when it dies (default: the clock; it is recorded)
      --fs ext4|xfs     power: one file system only
      --binary FILE     the daemon under test (default: build it, release profile)
  bench [ROW..]         measure the daemon against tgt, a bare file server and the portal alone, in one run; the report
                        is in target/bench. Rows: throughput cpu memory digests fixed nop start locate iperf
      --repeat N        repetitions (default 5)
      --bytes SIZE      moved in each measurement, by all drives together (default 256MiB)
      --only A,B        of the subjects: capstan tgt tgt-packaged bare null
      --seed S          decides what is written and where to LOCATE (default 1)
      --blocks N        locate: blocks on the tape (default 10000000)
      --cartridges N    start: cartridges in the library (default 1500)
      --directory D     where everything is written (default: target/bench/work)
      --json FILE       write the report's JSON there too
      --binary FILE     the daemon under test (default: build it, release profile)
      --document        put the report into docs/performance.md; alone: the last one
";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything asked for passed.
fn run() -> Result<bool> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match (command.as_str(), rest.as_slice()) {
        ("check", []) => check::run(),
        ("test", []) => test::run(),
        ("docs", []) => docs::write(),
        ("linux", _) => linux::run(&rest),
        ("soak", _) => soak::run(&rest),
        ("bench", _) => bench::run(&rest),
        ("help" | "--help" | "-h", _) => {
            print!("{USAGE}");
            Ok(true)
        }
        _ => {
            eprint!("{USAGE}");
            Ok(false)
        }
    }
}
