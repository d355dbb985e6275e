//! Rubbish, silence, and too many.

use std::io::Write as _;

use capstan_iscsi::pdu::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::client::TEST_UNIT_READY;
use super::*;

#[test]
fn silence_before_login_is_ended() {
    let bench = Bench::with(1, |config| config.session.login_timeout = Duration::from_millis(200));
    let mut silent = Client::connect(bench.address());
    let mut half = Client::connect(bench.address());
    half.stream.write_all(&[0x43; 20]).unwrap();
    let begin = Instant::now();
    assert!(silent.is_closed() && half.is_closed());
    assert!(begin.elapsed() < Duration::from_secs(2));
    bench.client(0, 1).log_out();
}

#[test]
fn connections_without_login_are_bounded() {
    let bench = Bench::with(1, |config| config.max_half_open = 20);
    let mut all: Vec<_> = (0..50).map(|_| Client::connect(bench.address())).collect();
    // It is the oldest that go.
    for (number, client) in all.iter_mut().enumerate() {
        let patience = if number < 30 { Duration::from_secs(10) } else { Duration::from_millis(20) };
        client.stream.set_read_timeout(Some(patience)).unwrap();
        assert_eq!(client.is_closed(), number < 30, "{number}");
    }
    // Who has something to say gets in all the same.
    bench.client(0, 2).log_out();
    drop(all);
    eventually(|| {
        let mut client = Client::connect(bench.address());
        client.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        !client.is_closed()
    });
    bench.client(0, 1).log_out();
    eventually(|| bench.portal.registry.rows() == [0; 4]);
}

#[test]
fn rubbish_ends_only_its_own_connection() {
    let bench = Bench::new(1);
    let good = std::cell::RefCell::new(bench.client(0, 1));
    let mut runner = TestRunner::new(Config { cases: 100, failure_persistence: None, ..Config::default() });
    let strategy = (proptest::collection::vec(any::<u8>(), 0..3000), any::<bool>());
    runner
        .run(&strategy, |(bytes, logged_in)| {
            let mut bad = if logged_in { bench.client(0, 2) } else { Client::connect(bench.address()) };
            let _ = bad.stream.write_all(&bytes);
            bad.stream.shutdown(std::net::Shutdown::Write).unwrap();
            prop_assert!(bad.is_closed());
            prop_assert_eq!(good.borrow_mut().command(&TEST_UNIT_READY, 0, b"").status, 0);
            Ok(())
        })
        .unwrap();
    eventually(|| bench.portal.sessions().len() == 1);
    good.into_inner().log_out();
}

/// The reason comes before the end.
#[test]
fn a_reject_is_sent_before_the_connection_ends() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    let pdu = ScsiCommand {
        immediate: false,
        is_final: true,
        read: false,
        write: true,
        attribute: TaskAttribute::SIMPLE,
        lun: [0; 8],
        initiator_task_tag: 1,
        expected_data_transfer_length: 10,
        cmd_sn: client.cmd_sn,
        exp_stat_sn: 0,
        cdb: [0; 16],
    };
    client.send(pdu, &[0; 11]);
    let (Pdu::Reject(reject), header) = client.receive() else { panic!() };
    assert_eq!(reject.reason, RejectReason::PROTOCOL_ERROR);
    assert_eq!(header[..4], [0x01, 0xa1, 0, 0]);
    assert!(client.is_closed());
    eventually(|| bench.devices[0].seen().len() == 2);
}
