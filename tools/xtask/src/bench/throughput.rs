//! Write and read: every case, every subject, one after the other, in each repetition.

use anyhow::Result;

use super::Bench;
use super::case::Case;
use super::client::{Client, Share, Took, together};
use super::quiet;
use super::results::{Cell, Results};
use super::statistics::float;
use super::subject::{Server, Subject};
use super::usage::peak_memory;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let plan = Case::plan(&bench.options);
    for repetition in 0..bench.options.repeat {
        for (table, case) in &plan {
            // Nobody is always the first.
            let mut subjects = subjects(table, &bench.options.only);
            let first = usize::try_from(repetition)?.checked_rem(subjects.len()).unwrap_or(0);
            subjects.rotate_left(first);
            println!("{} of {}: {table}: {}", repetition + 1, bench.options.repeat, case.line("write and read"));
            for subject in subjects {
                one(bench, table, case, subject)?;
            }
        }
    }
    Ok(())
}

/// Who takes part.
fn subjects(table: &str, only: &[Subject]) -> Vec<Subject> {
    let takes_part = |subject: &Subject| match table {
        "digests" => *subject == Subject::Capstan,
        // The others know no block length.
        "fixed" => matches!(subject, Subject::Capstan | Subject::Tgt),
        _ => true,
    };
    only.iter().copied().filter(takes_part).collect()
}

/// A subject that fails fails in its cells; only the machine can end the run.
fn one(bench: &mut Bench, table: &'static str, case: &Case, subject: Subject) -> Result<()> {
    let column = match (table, case.digests) {
        ("digests", true) => "digests on",
        ("digests", false) => "digests off",
        _ => subject.name(),
    };
    let directory = bench.directory.fresh()?;
    let measured = subject
        .start(&bench.programs, &directory, case.drives)
        .and_then(|server| measure(bench, table, case, column, &server).and_then(|()| server.stop()));
    bench.directory.fresh()?;
    if let Err(error) = measured {
        let line = case.line("write");
        bench.results.fail(Cell { table, line: &line, unit: "MiB/s", column }, &format!("{error:#}"));
    }
    Ok(())
}

fn measure(bench: &mut Bench, table: &'static str, case: &Case, column: &str, server: &Server) -> Result<()> {
    let bytes = bench.options.bytes / u64::from(case.drives) / u64::from(case.block) * u64::from(case.block);
    let share = Share { case: *case, bytes, seed: bench.options.seed };
    let clients: Result<Vec<_>> =
        (0..case.drives).map(|number| Client::start(&bench.programs.load, server, number, share)).collect();
    let mut clients = clients?;
    for client in &mut clients {
        let agreed = client.ready()?;
        if !agreed.is_null() {
            bench.results.note(format!("{column} negotiated {agreed}"));
        }
    }
    let mebibytes = float(bytes * u64::from(case.drives)) / 1_048_576.0;
    for order in ["write", "read"] {
        quiet::wait(&mut bench.results)?;
        let took = together(&mut clients, server.pid, order)?;
        if order == "write" {
            together(&mut clients, server.pid, "rewind")?;
        }
        record(&mut bench.results, table, &case.line(order), column, mebibytes, took);
    }
    if table == "throughput" {
        let line = case.line("write and read");
        bench.results.add(Cell { table: "memory", line: &line, unit: "MiB", column }, peak_memory(server.pid)?);
    }
    clients.into_iter().try_for_each(Client::end)
}

fn record(results: &mut Results, table: &'static str, line: &str, column: &str, mebibytes: f64, took: Took) {
    let seconds = took.time.as_secs_f64();
    results.add(Cell { table, line, unit: "MiB/s", column }, mebibytes / seconds);
    // What one row says of processors is enough.
    if table == "throughput" {
        let gibibytes = mebibytes / 1024.0;
        results.add(Cell { table: "cpu", line, unit: "s/GiB", column }, took.server_cpu / gibibytes);
        results.add(Cell { table: "client", line, unit: "s/s", column }, took.client_cpu / seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_those_that_can_do_it() {
        assert_eq!(subjects("throughput", &Subject::ALL), Subject::ALL);
        assert_eq!(subjects("digests", &Subject::ALL), [Subject::Capstan]);
        assert_eq!(subjects("fixed", &Subject::ALL), [Subject::Capstan, Subject::Tgt]);
        assert_eq!(subjects("fixed", &[Subject::Null]), []);
    }
}
