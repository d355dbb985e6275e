//! Everything that is printed goes through here.
//!
//! A reader that goes away (`capstan tape list | head -1`) is no error: what it does not want is not written.

mod human;
mod table;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

pub(crate) use human::{age, count, percent, rate, since, size, utc};
pub(crate) use table::{Align, Table};

/// Text for people or for programs, on standard output.
pub(crate) fn print(text: &str) {
    write_to(&mut io::stdout().lock(), text);
}

/// Text about what happens, on standard error.
pub(crate) fn note(text: &str) {
    write_to(&mut io::stderr().lock(), text);
}

/// A value as JSON, on standard output.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) {
    print(&json_text(value));
}

/// A value as JSON on one line, for outputs of which each line is a value.
pub(crate) fn json_line<T: Serialize + ?Sized>(value: &T) {
    print(&serde_json::to_string(value).unwrap_or_default());
}

/// A value as JSON, on standard error.
pub(crate) fn json_note<T: Serialize + ?Sized>(value: &T) {
    note(&json_text(value));
}

/// Shows how far something is in the last line of the terminal, if there is one; an empty text takes the line away.
pub(crate) fn progress(text: &str) {
    let mut stream = io::stderr().lock();
    if stream.is_terminal() {
        let _ = write!(stream, "\r\x1b[K{text}").and_then(|()| stream.flush());
    }
}

/// Clears the terminal, if there is one, before something is shown anew.
pub(crate) fn clear() {
    if io::stdout().is_terminal() {
        let _ = io::stdout().write_all(b"\x1b[2J\x1b[H");
    }
}

fn json_text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn write_to(stream: &mut dyn Write, text: &str) {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // The only failures are a reader that is gone and a full disk behind a redirection; neither can be told here.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(end.as_bytes()));
    let _ = stream.flush();
}
