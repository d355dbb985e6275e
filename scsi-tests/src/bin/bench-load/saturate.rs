//! Keeps a disk busy: what was written has reached it before more is written, by several at once.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use crate::blocks::Blocks;
use crate::options::{Amount, SaturatePart};
use crate::order::Order;
use crate::say;

const BLOCK: u32 = 4 << 20;

/// Until anything is said on standard input.
pub(crate) fn run(part: &SaturatePart) -> Result<()> {
    let bytes = (part.bytes / u64::from(part.writers.max(1))).max(u64::from(BLOCK));
    let blocks = Arc::new(Blocks::make(&Amount { block: BLOCK, bytes, seed: 1 })?);
    let told = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..part.writers)
        .map(|number| {
            let (told, blocks) = (Arc::clone(&told), Arc::clone(&blocks));
            let file = part.file.with_extension(number.to_string());
            thread::spawn(move || write(&file, &blocks, &told))
        })
        .collect();
    say(&json!({ "ready": null }));
    Order::next()?;
    told.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.join().map_err(|_| anyhow!("a writer died"))??;
    }
    say(&json!({ "saturated": { "bytes": written } }));
    Ok(())
}

/// Overwrites one file; how many bytes it was.
fn write(file: &Path, blocks: &Blocks, told: &AtomicBool) -> Result<u64> {
    let file = File::create(file).with_context(|| file.display().to_string())?;
    let mut written = 0_u64;
    while !told.load(Ordering::Relaxed) {
        let at = written.checked_rem(blocks.count).unwrap_or(0);
        file.write_all_at(&blocks.at(at), at * u64::from(BLOCK))?;
        file.sync_data()?;
        written += 1;
    }
    Ok(written * u64::from(BLOCK))
}
