//! Data from the initiator.

use super::*;

fn r2t(sent: &Sent) -> ReadyToTransfer {
    match sent.pdu {
        Pdu::ReadyToTransfer(pdu) => pdu,
        other => panic!("{other:?}"),
    }
}

fn response(sent: &Sent) -> ScsiResponse {
    match sent.pdu {
        Pdu::ScsiResponse(pdu) => pdu,
        other => panic!("{other:?}"),
    }
}

#[test]
fn immediate_data_only() {
    for length in [1, 3, 4, 512, 65536] {
        let mut bench = Bench::usual();
        let data = pattern(length);
        let expected = u32::try_from(length).unwrap();
        let command = bench.command(1, Flags::Write, expected);
        bench.send(command, &data).unwrap();
        let command = bench.handed_out();
        assert_eq!((&command.data_out[..], command.data_out_expected), (&data[..], expected));
        assert_eq!((command.lun, command.cdb, command.data_in_limit), (LUN, [9; 16], 0));
        bench.no_event();
        bench.target.complete(command.tag, Answer { data_out_length: expected, ..good() });
        let answer = response(&bench.one());
        assert_eq!((answer.residual, answer.status, answer.exp_data_sn), (Residual::None, 0, 0));
        assert_eq!(answer.numbers.exp_cmd_sn, FIRST_CMD_SN + 1);
        assert_eq!(answer.numbers.max_cmd_sn, FIRST_CMD_SN + 32);
        assert_eq!(bench.target.outstanding(), 0);
    }
}

#[test]
fn immediate_then_unsolicited_then_solicited() {
    let keys = [("InitialR2T", "No"), ("FirstBurstLength", "4096"), ("MaxBurstLength", "4000")];
    let mut bench = Bench::session(Config::default(), &keys);
    let data = pattern(10_000);
    let command = bench.command(1, Flags::WriteMore, 10_000);
    bench.send(command, &data[..1000]).unwrap();
    bench.no_event();
    bench.send(data_out(1, RESERVED_TAG, 0, 1000, false), &data[1000..3001]).unwrap();
    bench.no_event();
    bench.send(data_out(1, RESERVED_TAG, 1, 3001, true), &data[3001..4096]).unwrap();
    let command = bench.handed_out();
    assert_eq!(command.data_out, data[..4096]);
    bench.target.need_data(command.tag, 4096, 10_000);
    let mut position = 4096;
    for (number, length) in [(0, 4000), (1, 1904)] {
        let pdu = r2t(&bench.one());
        assert_eq!((pdu.buffer_offset, pdu.desired_data_transfer_length, pdu.r2t_sn), (position, length, number));
        assert_eq!((pdu.lun, pdu.initiator_task_tag), (LUN, 1));
        let middle = position + 900;
        let end = position + length;
        let place = |from: u32, to: u32| usize::try_from(from).unwrap()..usize::try_from(to).unwrap();
        bench.send(data_out(1, pdu.target_transfer_tag, 0, position, false), &data[place(position, middle)]).unwrap();
        bench.no_event();
        bench.send(data_out(1, pdu.target_transfer_tag, 1, middle, true), &data[place(middle, end)]).unwrap();
        position = end;
    }
    let Event::DataOut { tag, lun, data: solicited } = bench.event() else { panic!() };
    assert_eq!((tag, lun, &solicited[..]), (command.tag, LUN, &data[4096..]));
    bench.target.complete(tag, Answer { data_out_length: 10_000, ..good() });
    let answer = response(&bench.one());
    assert_eq!((answer.residual, answer.exp_data_sn), (Residual::None, 2));
    assert_eq!(bench.target.statistics(), Statistics { commands: 1, data_in_bytes: 0, data_out_bytes: 10_000 });
}

/// A logical unit that wants all of it in one piece lets go of what came with the command.
#[test]
fn all_in_one_piece() {
    let data = pattern(10_000);
    for (length, asked) in [(10_000, 7000), (6000, 3000), (3000, 0), (2000, 0)] {
        let mut bench = Bench::usual();
        let command = bench.command(1, Flags::Write, 10_000);
        bench.send(command, &data[..3000]).unwrap();
        let command = bench.handed_out();
        assert_eq!(command.data_out, data[..3000]);
        bench.target.need_data(command.tag, 0, length);
        if asked > 0 {
            let pdu = r2t(&bench.one());
            assert_eq!((pdu.buffer_offset, pdu.desired_data_transfer_length), (3000, asked));
            let end = usize::try_from(3000 + asked).unwrap();
            bench.send(data_out(1, pdu.target_transfer_tag, 0, 3000, true), &data[3000..end]).unwrap();
        }
        let Event::DataOut { data: all, .. } = bench.event() else { panic!() };
        assert_eq!(all, data[..usize::try_from(length).unwrap()], "{length}");
        bench.target.complete(command.tag, Answer { data_out_length: length, ..good() });
        assert_eq!(response(&bench.one()).exp_data_sn, u32::from(asked > 0));
        assert_eq!(bench.target.outstanding(), 0);
    }
}

/// As many R2Ts as were agreed on are out at once, and they are answered in their order.
#[test]
fn several_r2ts_at_once() {
    let keys = [("InitialR2T", "Yes"), ("ImmediateData", "No"), ("MaxBurstLength", "1000"), ("MaxOutstandingR2T", "3")];
    let data = pattern(4500);
    let solicited = || {
        let mut bench = Bench::session(Config::default(), &keys);
        let command = bench.command(1, Flags::Write, 4500);
        bench.send(command, b"").unwrap();
        let tag = bench.handed_out().tag;
        bench.target.need_data(tag, 0, 4500);
        let sent = bench.sent();
        let out: Vec<_> = sent.iter().map(r2t).collect();
        assert_eq!(out.iter().map(|pdu| pdu.buffer_offset).collect::<Vec<_>>(), [0, 1000, 2000]);
        assert_eq!(out.iter().map(|pdu| pdu.r2t_sn).collect::<Vec<_>>(), [0, 1, 2]);
        (bench, tag, out)
    };
    let (mut bench, tag, mut out) = solicited();
    let mut at = 0;
    while let Some(pdu) = (at < out.len()).then(|| out[at]) {
        let from = usize::try_from(pdu.buffer_offset).unwrap();
        let to = from + usize::try_from(pdu.desired_data_transfer_length).unwrap();
        let data_out = data_out(1, pdu.target_transfer_tag, 0, pdu.buffer_offset, true);
        bench.send(data_out, &data[from..to]).unwrap();
        out.extend(bench.sent().iter().map(r2t));
        at += 1;
    }
    assert_eq!(
        out.iter().map(|pdu| pdu.desired_data_transfer_length).collect::<Vec<_>>(),
        [1000, 1000, 1000, 1000, 500]
    );
    let Event::DataOut { data: all, .. } = bench.event() else { panic!() };
    assert_eq!(all, data);
    bench.target.complete(tag, Answer { data_out_length: 4500, ..good() });
    assert_eq!(response(&bench.one()).exp_data_sn, 5);

    let (mut bench, _, out) = solicited();
    let second = out[1].target_transfer_tag;
    let early = bench.send(data_out(1, second, 0, 1000, true), &data[1000..2000]);
    assert_eq!(early, Err(ProtocolError::TransferTag(second)));
}

#[test]
fn all_solicited() {
    let mut bench = Bench::session(Config::default(), &[("InitialR2T", "Yes"), ("ImmediateData", "No")]);
    let data = pattern(20_000);
    let command = bench.command(1, Flags::Write, 20_000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.need_data(tag, 0, 12_000);
    let pdu = r2t(&bench.one());
    assert_eq!((pdu.buffer_offset, pdu.desired_data_transfer_length), (0, 12_000));
    bench.send(data_out(1, pdu.target_transfer_tag, 0, 0, true), &data[..12_000]).unwrap();
    assert!(matches!(bench.event(), Event::DataOut { data: solicited, .. } if solicited == data[..12_000]));
    bench.target.complete(tag, Answer { data_out_length: 12_000, ..good() });
    assert_eq!(response(&bench.one()).residual, Residual::Underflow(8000));
}

#[test]
fn residuals_of_writes() {
    for (expected, wanted, residual) in [
        (100, 100, Residual::None),
        (100, 60, Residual::Underflow(40)),
        (100, 0, Residual::Underflow(100)),
        (60, 100, Residual::Overflow(40)),
        (0, 100, Residual::Overflow(100)),
        (0, 0, Residual::None),
    ] {
        let mut bench = Bench::usual();
        let command = bench.command(1, Flags::Write, expected);
        bench.send(command, &pattern(usize::try_from(expected).unwrap())).unwrap();
        let tag = bench.handed_out().tag;
        bench.target.complete(tag, Answer { data_out_length: wanted, ..good() });
        assert_eq!(response(&bench.one()).residual, residual, "{expected} {wanted}");
    }
}

#[test]
fn more_is_needed_than_offered() {
    let mut bench = Bench::session(Config::default(), &[("ImmediateData", "No")]);
    let command = bench.command(1, Flags::Write, 100);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.need_data(tag, 0, 5000);
    let pdu = r2t(&bench.one());
    assert_eq!(pdu.desired_data_transfer_length, 100);
    bench.send(data_out(1, pdu.target_transfer_tag, 0, 0, true), &[1; 100]).unwrap();
    assert!(matches!(bench.event(), Event::DataOut { data, .. } if data.len() == 100));
    bench.target.complete(tag, Answer { data_out_length: 5000, ..good() });
    assert_eq!(response(&bench.one()).residual, Residual::Overflow(4900));
}

/// A session with an R2T out for bytes 0..1000 of a write of 2000.
fn soliciting() -> (Bench, ReadyToTransfer) {
    let mut bench = Bench::session(Config::default(), &[("InitialR2T", "No"), ("MaxBurstLength", "1000")]);
    let command = bench.command(1, Flags::Write, 2000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.need_data(tag, 0, 2000);
    let pdu = r2t(&bench.one());
    (bench, pdu)
}

/// Data that does not fit ends the connection: at error recovery level 0 nothing else keeps it whole.
#[test]
fn solicited_data_that_does_not_fit() {
    let (_, out) = soliciting();
    let tag = out.target_transfer_tag;
    let rows = [
        (data_out(1, tag + 1, 0, 0, true), 1000, ProtocolError::TransferTag(tag + 1)),
        (data_out(1, RESERVED_TAG, 0, 0, true), 1000, ProtocolError::TransferTag(RESERVED_TAG)),
        (data_out(1, tag, 0, 4, true), 996, ProtocolError::DataOutOfPlace { offset: 4, expected: 0 }),
        (data_out(1, tag, 1, 0, true), 1000, ProtocolError::DataOutOfSequence { data_sn: 1, expected: 0 }),
        (data_out(1, tag, 0, 0, true), 1001, ProtocolError::TooMuchData { end: 1000 }),
        (data_out(1, tag, 0, 0, true), 999, ProtocolError::BurstEnd),
        (data_out(1, tag, 0, 0, false), 1000, ProtocolError::BurstEnd),
        (data_out(1, tag, 0, u32::MAX, true), 1, ProtocolError::DataOutOfPlace { offset: u32::MAX, expected: 0 }),
    ];
    for (pdu, length, expected) in rows {
        let (mut bench, _) = soliciting();
        assert_eq!(bench.send(pdu, &vec![0; length]), Err(expected));
        reject_of(&bench.one());
    }
}

#[test]
fn unsolicited_data_that_does_not_fit() {
    let session = |keys: &[(&str, &str)]| Bench::session(Config::default(), keys);
    let small = [("InitialR2T", "No"), ("FirstBurstLength", "1000")];

    let mut bench = session(&small);
    let command = bench.command(1, Flags::Write, 5000);
    assert_eq!(bench.send(command, &[0; 1001]), Err(ProtocolError::TooMuchData { end: 1000 }));

    let mut bench = session(&small);
    let command = bench.command(1, Flags::Write, 10);
    assert_eq!(bench.send(command, &[0; 11]), Err(ProtocolError::TooMuchData { end: 10 }));

    let mut bench = session(&[("ImmediateData", "No")]);
    let command = bench.command(1, Flags::Write, 10);
    assert_eq!(bench.send(command, &[0; 10]), Err(ProtocolError::UnsolicitedData));

    let mut bench = session(&[("InitialR2T", "Yes")]);
    let command = bench.command(1, Flags::WriteMore, 10);
    assert_eq!(bench.send(command, b""), Err(ProtocolError::UnsolicitedData));

    let mut bench = session(&small);
    let command = bench.command(1, Flags::Read, 10);
    assert_eq!(bench.send(command, b"data"), Err(ProtocolError::UnsolicitedData));

    let mut bench = session(&small);
    let command = bench.command(1, Flags::WriteMore, 5000);
    bench.send(command, &[0; 600]).unwrap();
    let more = data_out(1, RESERVED_TAG, 0, 600, true);
    assert_eq!(bench.send(more, &[0; 401]), Err(ProtocolError::TooMuchData { end: 1000 }));

    // All that came is there; nothing more may come without an R2T.
    let mut bench = session(&small);
    let command = bench.command(1, Flags::Write, 5000);
    bench.send(command, &[0; 600]).unwrap();
    assert_eq!(bench.send(more, &[0; 4]), Err(ProtocolError::UnsolicitedData));
}

#[test]
fn data_for_no_command_is_rejected() {
    let mut bench = Bench::usual();
    bench.send(data_out(9, RESERVED_TAG, 0, 0, true), &[0; 100]).unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::PROTOCOL_ERROR);
    bench.send(data_out(9, 12, 0, 0, true), b"").unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::PROTOCOL_ERROR);
}

/// The device gave up while data was on its way: the answer goes out, the data is dropped, the session lives.
#[test]
fn an_early_answer() {
    let (mut bench, out) = soliciting();
    bench.send(data_out(1, out.target_transfer_tag, 0, 0, false), &[0; 400]).unwrap();
    let tag = bench.target.tasks.iter().next().unwrap().tag;
    bench.target.complete(tag, Answer { status: 2, sense: Bytes::from_static(&[0x70; 18]), ..good() });
    bench.send(data_out(1, out.target_transfer_tag, 1, 400, false), &[0; 100]).unwrap();
    let answer = bench.one();
    assert_eq!(response(&answer).status, 2);
    assert_eq!(answer.data[..3], [0, 18, 0x70]);
    bench.send(data_out(1, out.target_transfer_tag, 2, 500, true), &[0; 500]).unwrap();
    assert_eq!(bench.sent(), []);
    bench.no_event();
    let again = bench.command(1, Flags::Write, 4);
    bench.send(again, b"data").unwrap();
    assert_eq!(&bench.handed_out().data_out[..], b"data");
}

#[test]
fn digests_on() {
    let keys = [("HeaderDigest", "CRC32C"), ("DataDigest", "CRC32C"), ("InitialR2T", "No")];
    let mut bench = Bench::session(Config::default(), &keys);
    let data = pattern(5001);
    let command = bench.command(1, Flags::WriteMore, 5001);
    bench.send(command, &data[..1001]).unwrap();
    bench.send(data_out(1, RESERVED_TAG, 0, 1001, true), &data[1001..]).unwrap();
    let command = bench.handed_out();
    assert_eq!(command.data_out, data);
    bench.target.complete(command.tag, Answer { data_out_length: 5001, ..good() });
    assert_eq!(response(&bench.one()).residual, Residual::None);
    let read = bench.command(2, Flags::Read, 7);
    bench.send(read, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.complete(tag, Answer { data_in: Bytes::from_static(b"seven b"), ..good() });
    assert_eq!(&bench.one().data[..], b"seven b");

    // A header that does not match: nothing it says can be believed, so there is no Reject.
    let ping = NopOut {
        immediate: true,
        lun: [0; 8],
        initiator_task_tag: 3,
        target_transfer_tag: RESERVED_TAG,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
    };
    assert_eq!(bench.feed(&ping.encode().0, &[0; 4]), Err(ProtocolError::HeaderDigest));
    assert_eq!(bench.sent(), []);
}

#[test]
fn a_data_digest_that_does_not_match() {
    let mut bench = Bench::session(Config::default(), &[("DataDigest", "CRC32C")]);
    let command = bench.command(1, Flags::Write, 5);
    let bhs = Pdu::from(command).encode().with_data_segment_length(5);
    assert_eq!(bench.feed(&bhs.0, b"hello\0\0\0xxxx"), Err(ProtocolError::DataDigest));
    assert_eq!(reject_of(&bench.one()), RejectReason::DATA_DIGEST_ERROR);
    bench.no_event_but_rejected();
}

impl Bench {
    fn no_event_but_rejected(&mut self) {
        assert!(matches!(self.event(), Event::Rejected { .. }));
        self.no_event();
    }
}

/// A steady stream of writes uses the same buffer again.
#[test]
fn buffers_come_back() {
    let mut bench = Bench::usual();
    bench.piece = 65536;
    let data = pattern(65536);
    let mut places = Vec::new();
    for tag in 0..20 {
        let command = bench.command(tag, Flags::Write, 65536);
        bench.send(command, &data).unwrap();
        let command = bench.handed_out();
        assert_eq!(command.data_out, data);
        places.push(command.data_out.as_ptr());
        bench.target.complete(command.tag, Answer { data_out_length: 65536, ..good() });
        bench.one();
    }
    places.dedup();
    assert_eq!(places.len(), 1);
}
