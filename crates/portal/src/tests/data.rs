//! Blocks to the device and back.

use capstan_iscsi::pdu::Residual;

use super::client::{TEST_UNIT_READY, transfer};
use super::*;

fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 256 + seed) % 256).unwrap()).collect()
}

#[track_caller]
fn echo(client: &mut Client, length: usize) {
    let data = pattern(length, length);
    let written = client.command(&transfer(0x0a, length), 0, &data);
    assert_eq!((written.status, written.residual), (0, Residual::None), "{length}");
    let read = client.command(&transfer(0x08, length), u32::try_from(length).unwrap(), b"");
    assert_eq!((read.status, read.residual), (0, Residual::None), "{length}");
    assert!(read.data == data, "{length} bytes differ");
}

#[test]
fn blocks_of_all_sizes_come_back() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    for length in [1, 2, 3, 511, 512, 4096, 8191, 8192, 8193, 65536, 65537, 262_144, 1 << 20, 5_000_001] {
        echo(&mut client, length);
    }
    assert_eq!(client.command(&TEST_UNIT_READY, 0, b"").status, 0);
    client.log_out();
}

#[test]
fn with_other_parameters() {
    let bench = Bench::new(1);
    let variants: [&[(&'static str, &'static str)]; 3] = [
        &[("InitialR2T", "Yes"), ("MaxBurstLength", "4096"), ("MaxRecvDataSegmentLength", "512")],
        &[("FirstBurstLength", "65536"), ("MaxBurstLength", "70000"), ("MaxRecvDataSegmentLength", "16777215")],
        &[("HeaderDigest", "None,CRC32C"), ("DataDigest", "None")],
    ];
    for keys in variants {
        let mut client = bench.try_client(Login { keys: keys.to_vec(), ..Login::to(0) }).unwrap();
        for length in [1, 65536, 300_000] {
            echo(&mut client, length);
        }
        client.log_out();
    }
}

#[test]
fn residuals_and_refusals() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    let data = pattern(1000, 0);
    assert_eq!(client.command(&transfer(0x0a, 1000), 0, &data).residual, Residual::None);
    let short = client.command(&transfer(0x08, 1000), 1500, b"");
    assert_eq!((short.data, short.residual), (data.clone(), Residual::Underflow(500)));
    let long = client.command(&transfer(0x08, 1000), 600, b"");
    assert_eq!((&long.data[..], long.residual), (&data[..600], Residual::Overflow(400)));
    let tag = client.send_command(&transfer(0x08, 1000), 20 << 20, b"");
    let refused = client.finish(tag, b"");
    assert_eq!((refused.status, refused.sense[2], refused.sense[12]), (2, 5, 0x24));
    assert_eq!(refused.residual, Residual::Underflow(20 << 20));
}

#[test]
fn many_commands_at_once() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    let data = pattern(10_000, 3);
    client.command(&transfer(0x0a, 10_000), 0, &data);
    for _ in 0..20 {
        let tags: Vec<_> = (0..32).map(|_| client.send_command(&transfer(0x08, 10_000), 10_000, b"")).collect();
        for tag in tags {
            assert_eq!(client.finish(tag, b"").data, data);
        }
    }
    eventually(|| {
        let session = &bench.portal.sessions()[0];
        (session.commands, session.bytes_read, session.bytes_written) == (641, 640 * 10_000, 10_000)
    });
}
