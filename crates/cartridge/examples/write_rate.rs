//! How fast blocks are appended to a cartridge and read back: `write_rate [directory] [MiB]`.
//!
//! Compares with plain writes of the same sizes to a file, so that what the format costs can be seen.
#![allow(clippy::print_stdout)]

use std::io::{Error, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use capstan_cartridge::{Cartridge, NewCartridge};
use capstan_disk::RealDisk;
use capstan_media::{Barcode, CartridgeId, MediumOp, ReadRequest};
use capstan_store::Store;

const ID: CartridgeId = CartridgeId([1; 16]);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from).join("capstan-write-rate");
    let total = arguments.next().map_or(Ok(2048), |mib| mib.parse::<u64>())? << 20;
    std::fs::create_dir_all(&directory)?;
    println!("{:>10} {:>12} {:>12} {:>12} {:>12}", "block", "file MB/s", "append MB/s", "sync MB/s", "read MB/s");
    for length in [4 << 10, 64 << 10, 256 << 10, 1 << 20] {
        let plain = plain_file(&directory, length, total)?;
        let [append, sync, read] = cartridge(&directory, length, total)?;
        let rate = |time: Duration| total as f64 / 1e6 / time.as_secs_f64();
        let (append_rate, sync_rate) = (rate(append), rate(append + sync));
        println!("{length:>10} {:>12.0} {append_rate:>12.0} {sync_rate:>12.0} {:>12.0}", rate(plain), rate(read));
    }
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

fn block(length: u32) -> Bytes {
    (0..length).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

fn plain_file(directory: &Path, length: u32, total: u64) -> Result<Duration, Error> {
    let path = directory.join("plain");
    let mut file = std::fs::File::create(&path)?;
    let block = block(length);
    let begin = Instant::now();
    for _ in 0..total / u64::from(length) {
        file.write_all(&block)?;
    }
    let time = begin.elapsed();
    std::fs::remove_file(path)?;
    Ok(time)
}

/// Time to append, to synchronise then, and to read back from the page cache.
fn cartridge(directory: &Path, length: u32, total: u64) -> Result<[Duration; 3], Box<dyn std::error::Error>> {
    let store = Store::open(&directory.join("store"), Arc::new(RealDisk))?;
    let barcode = Barcode::new("RATE01L8")?;
    Cartridge::create(&store, NewCartridge { id: ID, barcode, capacity: 2 * total })?;
    let mut cartridge = Cartridge::open(&store, ID)?;
    let data = block(length);
    let blocks = total / u64::from(length);
    let begin = Instant::now();
    for _ in 0..blocks {
        cartridge.perform(MediumOp::Write { data: data.clone(), block_length: length })?;
    }
    let append = begin.elapsed();
    let begin = Instant::now();
    cartridge.synchronise()?;
    let sync = begin.elapsed();
    cartridge.perform(MediumOp::Rewind)?;
    let begin = Instant::now();
    for _ in 0..blocks {
        cartridge.perform(MediumOp::Read(ReadRequest { block_length: length, count: 1 }))?;
    }
    let read = begin.elapsed();
    cartridge.close()?;
    capstan_cartridge::delete(&store, ID)?;
    Ok([append, sync, read])
}
