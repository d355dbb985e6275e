//! Data for the initiator.

use super::*;

fn data_in(sent: &Sent) -> DataIn {
    match sent.pdu {
        Pdu::DataIn(pdu) => pdu,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_pdu_with_status() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::Read, 36);
    bench.send(command, b"").unwrap();
    let command = bench.handed_out();
    assert_eq!((command.data_in_limit, command.data_out_expected), (36, 0));
    bench.target.complete(command.tag, Answer { data_in: Bytes::from(pattern(36)), ..good() });
    let sent = bench.one();
    let pdu = data_in(&sent);
    assert_eq!(sent.data, pattern(36));
    assert_eq!((pdu.is_final, pdu.status, pdu.residual, pdu.data_sn), (true, Some(0), Residual::None, 0));
    assert_eq!(pdu.numbers.max_cmd_sn, FIRST_CMD_SN + 32);
    assert_eq!(bench.target.outstanding(), 0);
}

/// Cut by what the initiator takes (4000 each) and by MaxBurstLength (10000), F at the end of each sequence.
#[test]
fn split_by_segment_and_burst() {
    let keys = [("MaxRecvDataSegmentLength", "4000"), ("MaxBurstLength", "10000")];
    let mut bench = Bench::session(Config::default(), &keys);
    let data = pattern(21_000);
    let command = bench.command(1, Flags::Read, 25_000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.complete(tag, Answer { data_in: Bytes::from(data.clone()), ..good() });
    let sent = bench.sent();
    let shape: Vec<_> = sent.iter().map(|sent| (sent.data.len(), data_in(sent).is_final)).collect();
    let expected =
        [(4000, false), (4000, false), (2000, true), (4000, false), (4000, false), (2000, true), (1000, true)];
    assert_eq!(shape, expected);
    let mut joined = Vec::new();
    for (number, each) in sent.iter().enumerate() {
        let pdu = data_in(each);
        assert_eq!(usize::try_from(pdu.data_sn).unwrap(), number);
        assert_eq!(usize::try_from(pdu.buffer_offset).unwrap(), joined.len());
        joined.extend_from_slice(&each.data);
        let is_last = number == 6;
        assert_eq!(pdu.status, is_last.then_some(0));
        assert_eq!(pdu.residual, if is_last { Residual::Underflow(4000) } else { Residual::None });
    }
    assert_eq!(joined, data);
}

#[test]
fn data_and_sense() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::Read, 1000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    let sense = Bytes::from(pattern(18));
    let answer = Answer { status: 2, sense: sense.clone(), data_in: Bytes::from(pattern(600)), data_out_length: 0 };
    bench.target.complete(tag, answer);
    let sent = bench.sent();
    assert_eq!(sent.len(), 2);
    let first = data_in(&sent[0]);
    assert_eq!((first.is_final, first.status, sent[0].data.len()), (true, None, 600));
    let Pdu::ScsiResponse(response) = sent[1].pdu else { panic!() };
    assert_eq!((response.status, response.exp_data_sn, response.residual), (2, 1, Residual::Underflow(400)));
    assert_eq!((&sent[1].data[..2], &sent[1].data[2..]), (&[0, 18][..], &sense[..]));
}

#[test]
fn residuals_of_reads() {
    for (flags, expected, actual, residual) in [
        (Flags::Read, 100, 100, Residual::None),
        (Flags::Read, 100, 36, Residual::Underflow(64)),
        (Flags::Read, 100, 0, Residual::Underflow(100)),
        (Flags::Read, 36, 100, Residual::Overflow(64)),
        (Flags::Read, 0, 36, Residual::Overflow(36)),
        (Flags::None, 0, 36, Residual::Overflow(36)),
        (Flags::None, 0, 0, Residual::None),
        (Flags::Write, 0, 36, Residual::Overflow(36)),
    ] {
        let mut bench = Bench::usual();
        let command = bench.command(1, flags, expected);
        bench.send(command, b"").unwrap();
        let tag = bench.handed_out().tag;
        bench.target.complete(tag, Answer { data_in: Bytes::from(pattern(actual)), ..good() });
        let sent = bench.one();
        assert_eq!(sent.data.len(), actual.min(usize::try_from(expected).unwrap()));
        let found = match sent.pdu {
            Pdu::DataIn(pdu) => pdu.residual,
            Pdu::ScsiResponse(pdu) => pdu.residual,
            other => panic!("{other:?}"),
        };
        assert_eq!(found, residual, "{expected} {actual}");
    }
}

/// Pings overtake the data of reads; status numbers still go up one by one.
#[test]
fn pings_between_data() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::Read, 30_000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.complete(tag, Answer { data_in: Bytes::from(pattern(30_000)), ..good() });
    assert!(bench.target.poll_transmit().is_some());
    let ping = NopOut {
        immediate: true,
        lun: [0; 8],
        initiator_task_tag: 2,
        target_transfer_tag: RESERVED_TAG,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
    };
    bench.send(ping, b"ping").unwrap();
    let sent = bench.sent();
    assert_eq!(sent.len(), 4);
    let Pdu::NopIn(pong) = sent[0].pdu else { panic!() };
    assert_eq!((pong.initiator_task_tag, pong.target_transfer_tag), (2, RESERVED_TAG));
    assert_eq!(&sent[0].data[..], b"ping");
    assert_eq!(data_in(&sent[3]).status, Some(0));
}
