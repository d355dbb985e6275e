//! CmdSN, and what is immediate.

use super::*;

fn ping(tag: u32, cmd_sn: u32, immediate: bool) -> NopOut {
    NopOut {
        immediate,
        lun: [0; 8],
        initiator_task_tag: tag,
        target_transfer_tag: RESERVED_TAG,
        cmd_sn,
        exp_stat_sn: 0,
    }
}

fn numbered(bench: &mut Bench, tag: u32, cmd_sn: u32) {
    let command = ScsiCommand { cmd_sn, ..bench.command(tag, Flags::None, 0) };
    bench.send(command, b"").unwrap();
}

#[test]
fn a_gap_holds_commands_and_pings() {
    let mut bench = Bench::usual();
    numbered(&mut bench, 3, FIRST_CMD_SN + 2);
    bench.send(ping(4, FIRST_CMD_SN + 3, false), b"held").unwrap();
    numbered(&mut bench, 2, FIRST_CMD_SN + 1);
    bench.no_event();
    assert_eq!(bench.sent(), []);
    bench.send(ping(9, FIRST_CMD_SN, true), b"now").unwrap();
    assert_eq!(&bench.one().data[..], b"now");
    numbered(&mut bench, 1, FIRST_CMD_SN);
    let tags: Vec<_> = (0..3).map(|_| bench.handed_out().tag.0 & 0xffff_ffff).collect();
    assert_eq!(tags, [1, 2, 3]);
    let pong = bench.one();
    assert_eq!(&pong.data[..], b"held");
    let Pdu::NopIn(pong) = pong.pdu else { panic!() };
    // Four numbers are used, one request is over, three run.
    assert_eq!((pong.numbers.exp_cmd_sn, pong.numbers.max_cmd_sn), (FIRST_CMD_SN + 4, FIRST_CMD_SN + 32));
}

#[test]
fn outside_the_window_is_ignored() {
    let mut bench = Bench::session(Config { command_window: 4, ..Config::default() }, &[("InitialR2T", "No")]);
    for (tag, cmd_sn) in [(1, FIRST_CMD_SN + 4), (2, FIRST_CMD_SN - 1), (3, FIRST_CMD_SN + 1000)] {
        let command = ScsiCommand { cmd_sn, ..bench.command(tag, Flags::WriteMore, 1000) };
        bench.send(command, &[0; 100]).unwrap();
        // The rest of its data is dropped without a word too.
        bench.send(data_out(tag, RESERVED_TAG, 0, 100, true), &[0; 900]).unwrap();
    }
    bench.no_event();
    assert_eq!(bench.sent(), []);
    for number in 0..4 {
        numbered(&mut bench, 10 + number, FIRST_CMD_SN + number);
    }
    let first = bench.handed_out().tag;
    (0..3).for_each(|_| drop(bench.handed_out()));
    // The window is full: MaxCmdSN is ExpCmdSN - 1.
    bench.send(ping(20, FIRST_CMD_SN + 4, true), b"").unwrap();
    let Pdu::NopIn(pong) = bench.one().pdu else { panic!() };
    assert_eq!((pong.numbers.exp_cmd_sn, pong.numbers.max_cmd_sn), (FIRST_CMD_SN + 4, FIRST_CMD_SN + 3));
    numbered(&mut bench, 14, FIRST_CMD_SN + 4);
    bench.no_event();
    bench.target.complete(first, good());
    bench.one();
    numbered(&mut bench, 14, FIRST_CMD_SN + 4);
    bench.handed_out();
    // The same number again, and one that is running, are duplicates.
    numbered(&mut bench, 15, FIRST_CMD_SN + 4);
    numbered(&mut bench, 16, FIRST_CMD_SN + 1);
    bench.no_event();
}

/// A command whose unsolicited data is not all there holds up those after it, but no immediate one.
#[test]
fn order_of_arrival_is_order_of_running() {
    let mut bench = Bench::usual();
    let first = bench.command(1, Flags::WriteMore, 20);
    bench.send(first, &[1; 10]).unwrap();
    let second = bench.command(2, Flags::Write, 4);
    bench.send(second, &[2; 4]).unwrap();
    bench.no_event();
    let urgent = ScsiCommand { immediate: true, ..bench.command(3, Flags::None, 0) };
    bench.send(urgent, b"").unwrap();
    assert_eq!(bench.handed_out().tag.0 & 0xff, 3);
    bench.no_event();
    bench.send(data_out(1, RESERVED_TAG, 0, 10, true), &[1; 10]).unwrap();
    assert_eq!(bench.handed_out().data_out, [1; 20][..]);
    assert_eq!(bench.handed_out().data_out, [2; 4][..]);
}

#[test]
fn a_task_tag_in_use_is_refused() {
    let mut bench = Bench::usual();
    let first = bench.command(1, Flags::None, 0);
    bench.send(first, b"").unwrap();
    let tag = bench.handed_out().tag;
    let second = bench.command(1, Flags::None, 0);
    bench.send(second, b"").unwrap();
    assert!(matches!(bench.event(), Event::Rejected { .. }));
    assert_eq!(reject_of(&bench.one()), RejectReason::TASK_IN_PROGRESS);
    // Its number is used up, and the first goes on.
    bench.target.complete(tag, good());
    let Pdu::ScsiResponse(response) = bench.one().pdu else { panic!() };
    assert_eq!(response.numbers.exp_cmd_sn, FIRST_CMD_SN + 2);
    assert_eq!(response.numbers.max_cmd_sn, FIRST_CMD_SN + 33);
    let third = bench.command(1, Flags::None, 0);
    bench.send(third, b"").unwrap();
    bench.handed_out();
}

#[test]
fn immediate_commands_are_few() {
    let mut bench = Bench::usual();
    for tag in 0..8 {
        let command = ScsiCommand { immediate: true, cmd_sn: bench.cmd_sn, ..bench.command(tag, Flags::None, 0) };
        bench.send(command, b"").unwrap();
        bench.handed_out();
    }
    let command = ScsiCommand { immediate: true, ..bench.command(8, Flags::None, 0) };
    bench.send(command, b"").unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::TOO_MANY_IMMEDIATE);
}

/// Reads that no one takes are not run before there is room for what they bring.
#[test]
fn the_data_in_budget_holds_reads_back() {
    let config = Config { data_in_budget: 100_000, ..Config::default() };
    let mut bench = Bench::session(config, &[]);
    for tag in 0..3 {
        let command = bench.command(tag, Flags::Read, 60_000);
        bench.send(command, b"").unwrap();
    }
    let first = bench.handed_out().tag;
    bench.no_event();
    bench.target.complete(first, Answer { data_in: Bytes::from(vec![0; 60_000]), ..good() });
    bench.no_event();
    bench.sent();
    let second = bench.handed_out().tag;
    bench.no_event();
    bench.target.complete(second, good());
    bench.sent();
    bench.handed_out();
}

/// Solicited data has a budget too; a command alone may exceed it.
#[test]
fn the_data_out_budget_holds_r2ts_back() {
    let config = Config { data_out_budget: 50_000, ..Config::default() };
    let mut bench = Bench::session(config, &[("ImmediateData", "No")]);
    let mut tags = Vec::new();
    for tag in 0..2 {
        let command = bench.command(tag, Flags::Write, 60_000);
        bench.send(command, b"").unwrap();
        tags.push(bench.handed_out().tag);
    }
    bench.target.need_data(tags[0], 0, 60_000);
    bench.target.need_data(tags[1], 0, 60_000);
    let Pdu::ReadyToTransfer(out) = bench.one().pdu else { panic!() };
    assert_eq!(out.initiator_task_tag, 0);
    bench.send(data_out(0, out.target_transfer_tag, 0, 0, true), &pattern(60_000)).unwrap();
    assert!(matches!(bench.event(), Event::DataOut { .. }));
    assert_eq!(bench.sent(), []);
    bench.target.complete(tags[0], Answer { data_out_length: 60_000, ..good() });
    let sent = bench.sent();
    assert!(matches!(sent[0].pdu, Pdu::ScsiResponse(_)));
    assert!(matches!(sent[1].pdu, Pdu::ReadyToTransfer(out) if out.initiator_task_tag == 1));
}

/// A rejected or aborted command is over before its turn. It once widened the window at once: behind one gap the
/// initiator could go on for ever, and each number took memory.
#[test]
fn what_is_over_behind_a_gap_does_not_widen_the_window() {
    let config = || Config { command_window: 4, ..Config::default() };
    let window = |bench: &mut Bench| {
        bench.sent();
        bench.send(ping(20, bench.cmd_sn, true), b"").unwrap();
        let Pdu::NopIn(pong) = bench.one().pdu else { panic!() };
        (pong.numbers.exp_cmd_sn, pong.numbers.max_cmd_sn)
    };
    // In a discovery session every command is rejected.
    let mut bench = Bench::new(config());
    bench.log_in("SessionType=Discovery\0", &[]);
    for number in 1..10 {
        numbered(&mut bench, number, FIRST_CMD_SN + number);
    }
    assert_eq!(window(&mut bench), (FIRST_CMD_SN, FIRST_CMD_SN + 3));

    let mut bench = Bench::session(config(), &[("InitialR2T", "No")]);
    for round in 0..3 {
        for number in 1..4 {
            numbered(&mut bench, number, FIRST_CMD_SN + number + 3 * round);
        }
        let clear = TaskManagementRequest {
            immediate: true,
            function: TaskManagementFunction::CLEAR_TASK_SET,
            lun: LUN,
            initiator_task_tag: 900,
            referenced_task_tag: RESERVED_TAG,
            cmd_sn: bench.cmd_sn,
            exp_stat_sn: 0,
            ref_cmd_sn: 0,
            exp_data_sn: 0,
        };
        bench.send(clear, b"").unwrap();
        let Event::Manage(request) = bench.event() else { panic!() };
        bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE);
        assert_eq!(window(&mut bench), (FIRST_CMD_SN, FIRST_CMD_SN + 3), "round {round}");
    }
    // Once the gap is filled all of them are over, and the window is where it belongs.
    numbered(&mut bench, 9, FIRST_CMD_SN);
    let tag = bench.handed_out().tag;
    bench.target.complete(tag, good());
    bench.no_event();
    assert_eq!(window(&mut bench), (FIRST_CMD_SN + 4, FIRST_CMD_SN + 7));
}
