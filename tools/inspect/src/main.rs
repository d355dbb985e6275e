//! `capstan-inspect`: reads what Capstan keeps in a tier. What it does is in the library.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use capstan_inspect::{Error, Inspect, Outcome};
use clap::Parser;

/// Read what Capstan keeps in a tier, without a gateway
#[derive(Parser)]
#[command(name = "capstan-inspect", version, max_term_width = 100)]
struct Program {
    /// Answer in JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    inspect: Inspect,
}

fn main() -> ExitCode {
    let program = Program::parse();
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let done = program.inspect.run(program.json, &mut output, &mut io::stderr());
    let done = done.and_then(|outcome| output.flush().map(|()| outcome).map_err(Error::from));
    match done {
        Ok(Outcome::Whole) => ExitCode::SUCCESS,
        Ok(Outcome::Damaged) => ExitCode::from(1),
        // A reader that goes away wanted no more.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
