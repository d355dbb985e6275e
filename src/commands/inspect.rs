//! `capstan inspect`: what `capstan-inspect` does, with the same arguments.

use std::io::{self, BufWriter, Write};

use capstan_inspect::{Error, Inspect, Outcome};

use crate::cli::Globals;
use crate::failure::{Exit, Failure};

/// Asks no daemon. Blocks of tapes go to standard output as they are, so it is written to directly.
pub(crate) fn run(inspect: &Inspect, globals: &Globals) -> Result<(), Failure> {
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let done = inspect.run(globals.json, &mut output, &mut io::stderr());
    match done.and_then(|outcome| output.flush().map(|()| outcome).map_err(Error::from)) {
        Ok(Outcome::Whole) => Ok(()),
        Ok(Outcome::Damaged) => Err(Failure::failed("not all of it is whole: what is damaged is named above").told()),
        // A reader that goes away wanted no more.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error @ Error::Usage(_)) => Err(Failure::new(Exit::Usage, error.to_string())),
        Err(error) => Err(Failure::failed(error.to_string())),
    }
}
