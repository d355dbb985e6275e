//! The client of the bare limit.

use std::io::{IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use serde_json::json;

use super::{HEADER, Request};
use crate::blocks::Blocks;
use crate::options::BarePart;
use crate::order::Order;
use crate::pace::since;
use crate::say;

pub(crate) fn run(part: &BarePart) -> Result<()> {
    let blocks = Blocks::make(&part.amount)?;
    let mut stream = TcpStream::connect(part.server)?;
    stream.set_nodelay(true)?;
    say(&json!({ "ready": null }));
    loop {
        let order = Order::next()?;
        let start = Instant::now();
        match order {
            Order::Write => write(&mut stream, &blocks, part.number)?,
            Order::Read => read(&mut stream, &blocks, part.number)?,
            Order::Rewind => {}
            Order::End => return Ok(()),
            order => bail!("the bare limit has no {order:?}"),
        }
        say(&json!({ "done": { "microseconds": since(start) } }));
    }
}

fn request(blocks: &Blocks, number: u32, at: u64, reads: bool) -> Request {
    Request { reads, number, length: blocks.length, offset: at * u64::from(blocks.length) }
}

fn write(stream: &mut TcpStream, blocks: &Blocks, number: u32) -> Result<()> {
    let mut answer = [0; HEADER];
    for at in 0..blocks.count {
        let (header, block) = (request(blocks, number, at, false).encode(), blocks.at(at));
        let sent = stream.write_vectored(&[IoSlice::new(&header), IoSlice::new(&block)])?;
        let rest = sent.checked_sub(HEADER).and_then(|sent| block.get(sent..));
        let Some(rest) = rest else { bail!("the connection takes not even a header") };
        stream.write_all(rest)?;
        stream.read_exact(&mut answer)?;
        ensure!(answer == header, "another answer");
    }
    Ok(())
}

fn read(stream: &mut TcpStream, blocks: &Blocks, number: u32) -> Result<()> {
    let mut block = vec![0; usize::try_from(blocks.length)?];
    let mut answer = [0; HEADER];
    for at in 0..blocks.count {
        stream.write_all(&request(blocks, number, at, true).encode())?;
        stream.read_exact(&mut answer)?;
        stream.read_exact(&mut block)?;
        ensure!(blocks.is_at(at, &block), "block {at} is not what was written");
    }
    Ok(())
}
