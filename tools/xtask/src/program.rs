//! A program that says what it does: one line of JSON a step.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Longer than a verification on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

/// A running program; killed when dropped.
pub(crate) struct Program {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = spawned.with_context(|| format!("cannot run {command:?}"))?;
        let input = process.stdin.take();
        let output = process.stdout.take().context("no output")?;
        let (sender, lines) = channel();
        // It ends with the program's output.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { process, input, lines })
    }

    /// The next step.
    pub(crate) fn step(&mut self) -> Result<Value> {
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.with_context(|| format!("nothing more is said: {:?}", self.process.try_wait()))?;
        parse(&line)
    }

    /// Says a line to it.
    pub(crate) fn tell(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("its input is closed")?;
        writeln!(input, "{line}").with_context(|| format!("it does not hear {line:?}"))
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> Result<bool> {
        Ok(self.process.try_wait()?.is_none())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) -> Result<ExitStatus> {
        self.process.kill()?;
        Ok(self.process.wait()?)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn end(&mut self) -> Result<()> {
        let status = self.process.wait()?;
        if !status.success() {
            bail!("it ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A step; one that says what has failed is an error.
pub(crate) fn parse(line: &str) -> Result<Value> {
    let step: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
    match step.get("failed").and_then(Value::as_str) {
        Some(what) => bail!("{what}"),
        None => Ok(step),
    }
}

/// A step that must be of this kind; what it says.
pub(crate) fn expect(step: &Value, kind: &str) -> Result<Value> {
    step.get(kind).cloned().with_context(|| format!("{step} instead of {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_said_in_order_and_a_failure_is_an_error() {
        let script = r#"echo '{"a": 1}'; echo '{"failed": "it is lost"}'; exit 3"#;
        let mut program = Program::start(Command::new("sh").args(["-c", script])).unwrap();
        assert_eq!(expect(&program.step().unwrap(), "a").unwrap(), 1);
        assert_eq!(program.step().unwrap_err().to_string(), "it is lost");
        assert!(program.step().is_err());
        assert!(program.end().is_err());
        assert!(!program.runs().unwrap());
        let mut echo = Program::start(Command::new("sh").args(["-c", "read word; echo \"{$word}\""])).unwrap();
        echo.tell("\"b\": 2").unwrap();
        assert_eq!(expect(&echo.step().unwrap(), "b").unwrap(), 2);
        assert!(expect(&serde_json::json!({ "a": 1 }), "b").is_err());
    }
}
