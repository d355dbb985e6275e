//! What is refused, and what cannot grow.

use super::*;

fn refused(bench: &mut Bench) -> (TaskTag, Refusal) {
    match bench.event() {
        Event::Refused { tag, refusal } => (tag, refusal),
        other => panic!("{other:?}"),
    }
}

#[test]
fn commands_that_cannot_be_run_are_answered() {
    let both = |bench: &mut Bench| ScsiCommand { read: true, ..bench.command(1, Flags::Write, 100) };
    let long = |bench: &mut Bench| bench.command(1, Flags::Write, (16 << 20) + 1);
    let read = |bench: &mut Bench| bench.command(1, Flags::Read, u32::MAX);
    type Make = fn(&mut Bench) -> ScsiCommand;
    let rows: [(Make, Refusal); 3] =
        [(both, Refusal::Bidirectional), (long, Refusal::TooLong), (read, Refusal::TooLong)];
    for (make, expected) in rows {
        let mut bench = Bench::usual();
        let command = make(&mut bench);
        let data = if command.write { &[0; 100][..] } else { b"" };
        bench.send(command, data).unwrap();
        let (tag, refusal) = refused(&mut bench);
        assert_eq!(refusal, expected);
        bench.target.complete(tag, Answer { status: 2, sense: Bytes::from_static(&[0x70; 18]), ..good() });
        let Pdu::ScsiResponse(response) = bench.one().pdu else { panic!() };
        let whole = command.expected_data_transfer_length;
        assert_eq!((response.status, response.residual), (2, Residual::Underflow(whole)));
        assert_eq!(bench.target.statistics().commands, 0);
    }
}

/// The data of a refused command comes all the same, and goes nowhere.
#[test]
fn a_refused_command_brings_its_data() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::WriteMore, 20 << 20);
    bench.send(command, &[0; 1000]).unwrap();
    bench.no_event();
    bench.send(data_out(1, RESERVED_TAG, 0, 1000, true), &[0; 5000]).unwrap();
    refused(&mut bench);
}

#[test]
fn additional_header_segments() {
    let extended = [0, 17, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    let bidirectional = [0, 5, 2, 0, 0, 0, 2, 0];
    for (ahs, expected) in [(&extended[..], Refusal::LongCdb), (&bidirectional, Refusal::Bidirectional)] {
        let mut bench = Bench::usual();
        let command = bench.command(1, Flags::Write, 4);
        let words = u8::try_from(ahs.len() / 4).unwrap();
        let bhs = Pdu::from(command).encode().with_total_ahs_words(words).with_data_segment_length(4);
        bench.send_raw(bhs, ahs, b"data").unwrap();
        assert_eq!(refused(&mut bench).1, expected);
    }
    for ahs in [&[0, 99, 1, 0][..], &[0, 1, 77, 0]] {
        let mut bench = Bench::usual();
        let command = bench.command(1, Flags::None, 0);
        bench.send_raw(Pdu::from(command).encode().with_total_ahs_words(1), ahs, b"").unwrap();
        assert_eq!(reject_of(&bench.one()), RejectReason::INVALID_PDU_FIELD);
    }
}

#[test]
fn longer_than_declared() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::Write, 300_000);
    let bhs = Pdu::from(command).encode().with_data_segment_length(262_145);
    let expected = ProtocolError::DataSegmentTooLong { length: 262_145, limit: 262_144 };
    assert_eq!(bench.target.receive_header(bench.now, &bhs.0), Err(expected));
    assert_eq!(reject_of(&bench.one()), RejectReason::INVALID_PDU_FIELD);
}

#[test]
fn pdus_that_an_initiator_does_not_send() {
    for opcode in [0x20, 0x21, 0x25, 0x31, 0x3f, 0x03] {
        let mut bench = Bench::usual();
        let mut bytes = [0; 48];
        bytes[0] = opcode;
        assert_eq!(bench.feed(&bytes, b""), Err(ProtocolError::Unexpected(Opcode(opcode))));
        assert_eq!(reject_of(&bench.one()), RejectReason::PROTOCOL_ERROR);
    }
    // Unknown and vendors' ones are refused, and the session goes on.
    let mut bench = Bench::usual();
    for opcode in [0x07, 0x1c, 0x1e] {
        let mut bytes = [0; 48];
        bytes[0] = 0x40 | opcode;
        bytes[7] = 5;
        bench.feed(&bytes, &[0; 8]).unwrap();
        assert_eq!(reject_of(&bench.one()), RejectReason::COMMAND_NOT_SUPPORTED);
    }
    let snack = SnackRequest {
        kind: SnackType::STATUS,
        lun: [0; 8],
        initiator_task_tag: RESERVED_TAG,
        target_transfer_tag: RESERVED_TAG,
        exp_stat_sn: 0,
        beg_run: 0,
        run_length: 0,
    };
    bench.send(snack, b"").unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::SNACK_REJECT);
}

/// Zeros on the wire look like a NOP-Out; they are a stream that is out of step.
#[test]
fn a_request_without_its_fixed_bit_ends_the_connection() {
    for opcode in [0x00, 0x02, 0x06, 0x40, 0x42, 0x46] {
        let mut bench = Bench::usual();
        let mut bytes = [0; 48];
        bytes[0] = opcode;
        assert_eq!(bench.feed(&bytes, b""), Err(ProtocolError::Format(Opcode(opcode & 0x3f))));
        assert_eq!(reject_of(&bench.one()), RejectReason::PROTOCOL_ERROR);
    }
}

/// Who sends pings and does not read is not listened to any more.
#[test]
fn answers_that_no_one_takes() {
    let mut bench = Bench::usual();
    let ping = NopOut {
        immediate: true,
        lun: [0; 8],
        initiator_task_tag: 2,
        target_transfer_tag: RESERVED_TAG,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
    };
    let mut count = 0;
    while bench.target.wants_input() {
        bench.send(ping, &[0; 10_000]).unwrap();
        count += 1;
    }
    assert_eq!(count, 8);
    // What the initiator takes at most was cut from each.
    assert!(bench.sent().iter().all(|sent| sent.data.len() == 8192));
    assert!(bench.target.wants_input());
    let abort = TaskManagementRequest {
        immediate: true,
        function: TaskManagementFunction::CLEAR_ACA,
        lun: LUN,
        initiator_task_tag: 2,
        referenced_task_tag: RESERVED_TAG,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
        ref_cmd_sn: 0,
        exp_data_sn: 0,
    };
    let mut count = 0;
    while bench.target.wants_input() {
        bench.send(abort, b"").unwrap();
        count += 1;
    }
    assert_eq!(count, 64 + 32);
}

/// Room is made for a command only as far as its data is due.
#[test]
fn room_follows_what_is_due() {
    let mut bench = Bench::usual();
    for tag in 0..32 {
        let command = bench.command(tag, Flags::Write, 16 << 20);
        bench.send(command, &[0; 16]).unwrap();
    }
    let held: usize = (0..32).map(|_| bench.handed_out().data_out.len()).sum();
    assert_eq!(held, 32 * 16);
    assert!(bench.target.tasks.iter().all(|task| task.buffer.capacity() == 0));
}
