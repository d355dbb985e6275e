//! What to do next, read from standard input.

use std::io::stdin;

use anyhow::{Context, Result, bail};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Write,
    Rewind,
    Read,
    /// Write until told to stop.
    Flood,
    Stop,
    Ping(u32),
    Locate(u64),
    End,
}

impl Order {
    /// The next one; the end of the input is an end.
    pub(crate) fn next() -> Result<Self> {
        let mut line = String::new();
        stdin().read_line(&mut line)?;
        Self::parse(&line)
    }

    fn parse(line: &str) -> Result<Self> {
        let (word, value) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        Ok(match word {
            "write" => Self::Write,
            "rewind" => Self::Rewind,
            "read" => Self::Read,
            "flood" => Self::Flood,
            "stop" => Self::Stop,
            "ping" => Self::Ping(value.parse().context("ping needs a count")?),
            "locate" => Self::Locate(value.parse().context("locate needs an object")?),
            "end" | "" => Self::End,
            _ => bail!("nobody knows the order {word:?}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_word_with_or_without_a_number() {
        assert_eq!(Order::parse("write\n").unwrap(), Order::Write);
        assert_eq!(Order::parse("locate 9000000000\n").unwrap(), Order::Locate(9_000_000_000));
        assert_eq!(Order::parse("").unwrap(), Order::End);
        for wrong in ["wriet", "ping", "ping x"] {
            assert!(Order::parse(wrong).is_err(), "{wrong}");
        }
    }
}
