//! How fast one thread seals and opens a segment: `cargo run --release -p capstan-tier --example seal_rate`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::time::Instant;

use capstan_media::CartridgeId;
use capstan_tier::{CartridgeKey, Opener, SealOptions, SegmentId, seal};

const LENGTH: u64 = 64 << 20;

fn main() {
    // Text-like: words of a small vocabulary, in an order without a period.
    let mut state = 1_u64;
    let mut text = Vec::new();
    while text.len() < usize::try_from(LENGTH).unwrap() {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        text.extend(format!("{:x} ", (state >> 40) % 5000).as_bytes());
    }
    text.truncate(usize::try_from(LENGTH).unwrap());
    let key = CartridgeKey::new([1; 32]);
    let segment = SegmentId { cartridge: CartridgeId([2; 16]), sequence: 1, epoch: 1 };
    println!("64 MiB       seal MiB/s   open MiB/s   stored");
    for (name, zstd, encrypt) in
        [("raw", None, false), ("aes", None, true), ("zstd:1", Some(1), false), ("zstd:3 + aes", Some(3), true)]
    {
        let key = encrypt.then_some(&key);
        let options = SealOptions { zstd, key: key.map(|key| (key, [3; 32])), ..SealOptions::default() };
        let began = Instant::now();
        let sealed = seal(segment, LENGTH, &mut text.as_slice(), options).unwrap();
        let sealing = began.elapsed().as_secs_f64();
        let object = sealed.body.to_bytes();
        let began = Instant::now();
        let opener = Opener::new("x", &object, sealed.body.length(), segment, key).unwrap();
        opener.open_whole(&object, |_| Ok(())).unwrap();
        let opening = began.elapsed().as_secs_f64();
        let percent = object.len() as f64 * 100.0 / LENGTH as f64;
        println!("{name:12} {:10.0} {:12.0} {percent:9.1} %", 64.0 / sealing, 64.0 / opening);
    }
}
