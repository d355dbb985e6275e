//! Aborts and resets in each phase of a command.

use super::*;

fn abort(bench: &Bench, tag: u32, ref_cmd_sn: u32) -> TaskManagementRequest {
    TaskManagementRequest {
        immediate: true,
        function: TaskManagementFunction::ABORT_TASK,
        lun: LUN,
        initiator_task_tag: 900,
        referenced_task_tag: tag,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
        ref_cmd_sn,
        exp_data_sn: 0,
    }
}

fn reset(bench: &Bench, function: TaskManagementFunction) -> TaskManagementRequest {
    TaskManagementRequest { function, referenced_task_tag: RESERVED_TAG, ..abort(bench, 0, 0) }
}

fn outcome(sent: &Sent) -> TaskManagementOutcome {
    match sent.pdu {
        Pdu::TaskManagementResponse(pdu) => {
            assert_eq!(pdu.initiator_task_tag, 900);
            pdu.response
        }
        other => panic!("{other:?}"),
    }
}

fn managed(bench: &mut Bench) -> ManagementRequest {
    match bench.event() {
        Event::Manage(request) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn abort_while_unsolicited_data_comes() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::WriteMore, 1000);
    bench.send(command, &[0; 100]).unwrap();
    let after = bench.command(2, Flags::None, 0);
    bench.send(after, b"").unwrap();
    bench.no_event();
    bench.send(abort(&bench, 1, FIRST_CMD_SN), b"").unwrap();
    assert_eq!(outcome(&bench.one()), TaskManagementOutcome::FUNCTION_COMPLETE);
    // What it held up runs, and its late data is dropped.
    assert_eq!(bench.handed_out().tag.0 & 0xff, 2);
    bench.send(data_out(1, RESERVED_TAG, 0, 100, true), &[0; 900]).unwrap();
    assert_eq!(bench.sent(), []);
}

#[test]
fn abort_of_another_logical_units_command() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::Read, 1000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    let elsewhere = TaskManagementRequest { lun: [0, 7, 0, 0, 0, 0, 0, 0], ..abort(&bench, 1, FIRST_CMD_SN) };
    bench.send(elsewhere, b"").unwrap();
    assert_eq!(outcome(&bench.one()), TaskManagementOutcome::TASK_DOES_NOT_EXIST);
    bench.target.complete(tag, Answer { data_in: pattern(1000).into(), ..good() });
    assert!(!bench.sent().is_empty(), "it is answered as ever");
}

#[test]
fn abort_while_a_command_runs() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::Read, 1000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.send(abort(&bench, 1, FIRST_CMD_SN), b"").unwrap();
    let request = managed(&mut bench);
    assert_eq!((request.lun, request.task), (LUN, Some(tag)));
    assert_eq!(request.function, TaskManagementFunction::ABORT_TASK);
    assert_eq!(bench.sent(), []);
    bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE);
    let sent = bench.one();
    assert_eq!(outcome(&sent), TaskManagementOutcome::FUNCTION_COMPLETE);
    assert_eq!(bench.target.outstanding(), 0);
    // A late answer goes nowhere.
    bench.target.complete(tag, good());
    assert_eq!(bench.sent(), []);
}

/// The command ends while it is being aborted: its answer comes before the function's.
#[test]
fn abort_that_comes_too_late() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::Read, 20_000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.send(abort(&bench, 1, FIRST_CMD_SN), b"").unwrap();
    let request = managed(&mut bench);
    bench.target.complete(tag, Answer { data_in: Bytes::from(pattern(20_000)), ..good() });
    bench.target.managed(request.tag, TaskManagementOutcome::TASK_DOES_NOT_EXIST);
    let sent = bench.sent();
    assert_eq!(sent.len(), 4);
    assert!(matches!(sent[2].pdu, Pdu::DataIn(DataIn { status: Some(0), .. })));
    assert_eq!(outcome(&sent[3]), TaskManagementOutcome::TASK_DOES_NOT_EXIST);

    // And while its answer is being sent.
    let command = bench.command(2, Flags::Read, 20_000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.complete(tag, Answer { data_in: Bytes::from(pattern(20_000)), ..good() });
    assert!(bench.target.poll_transmit().is_some());
    bench.send(abort(&bench, 2, FIRST_CMD_SN + 1), b"").unwrap();
    let sent = bench.sent();
    assert_eq!(outcome(sent.last().unwrap()), TaskManagementOutcome::TASK_DOES_NOT_EXIST);
    assert_eq!(sent.len(), 3);
}

#[test]
fn abort_while_data_is_solicited() {
    let mut bench = Bench::session(Config::default(), &[("ImmediateData", "No")]);
    let command = bench.command(1, Flags::Write, 1000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.need_data(tag, 0, 1000);
    let Pdu::ReadyToTransfer(out) = bench.one().pdu else { panic!() };
    bench.send(data_out(1, out.target_transfer_tag, 0, 0, false), &[0; 500]).unwrap();
    bench.send(abort(&bench, 1, FIRST_CMD_SN), b"").unwrap();
    let request = managed(&mut bench);
    bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE);
    assert_eq!(outcome(&bench.one()), TaskManagementOutcome::FUNCTION_COMPLETE);
    // The initiator goes on to answer the R2T. [RFC 7143 4.2.3.3]
    bench.send(data_out(1, out.target_transfer_tag, 1, 500, true), &[0; 500]).unwrap();
    assert_eq!(bench.sent(), []);
    bench.no_event();
    assert_eq!(bench.target.data_out_used, 0);
}

/// An abort in the middle of a PDU: the rest of it is dropped.
#[test]
fn abort_inside_a_pdu() {
    let mut bench = Bench::session(Config::default(), &[("ImmediateData", "No")]);
    let command = bench.command(1, Flags::Write, 1000);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    bench.target.need_data(tag, 0, 1000);
    let Pdu::ReadyToTransfer(out) = bench.one().pdu else { panic!() };
    bench.send(abort(&bench, 1, FIRST_CMD_SN), b"").unwrap();
    let request = managed(&mut bench);
    let bhs = Pdu::from(data_out(1, out.target_transfer_tag, 0, 0, true)).encode().with_data_segment_length(1000);
    let placement = bench.target.receive_header(bench.now, &bhs.0).unwrap();
    assert_eq!(placement, DataPlacement::Task { offset: 0, length: 1000 });
    bench.target.destination().put_slice(&[7; 300]);
    bench.target.advance(bench.now, 300).unwrap();
    bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE);
    bench.one();
    bench.target.destination().put_slice(&[7; 700]);
    bench.target.advance(bench.now, 700).unwrap();
    assert!(bench.target.expects_header());
    bench.no_event();
    assert_eq!(bench.sent(), []);
}

#[test]
fn abort_of_what_is_not_here() {
    let mut bench = Bench::usual();
    bench.cmd_sn += 1;
    // Its number was never seen: it was lost, and will not be taken any more.
    bench.send(abort(&bench, 1, FIRST_CMD_SN), b"").unwrap();
    let sent = bench.one();
    assert_eq!(outcome(&sent), TaskManagementOutcome::FUNCTION_COMPLETE);
    let Pdu::TaskManagementResponse(pdu) = sent.pdu else { panic!() };
    assert_eq!(pdu.numbers.exp_cmd_sn, FIRST_CMD_SN + 1);
    assert_eq!(pdu.numbers.max_cmd_sn, FIRST_CMD_SN + 32);
    let late = ScsiCommand { cmd_sn: FIRST_CMD_SN, ..bench.command(1, Flags::None, 0) };
    bench.send(late, b"").unwrap();
    bench.no_event();
    // Its number was seen: it was answered.
    bench.send(abort(&bench, 1, FIRST_CMD_SN), b"").unwrap();
    assert_eq!(outcome(&bench.one()), TaskManagementOutcome::TASK_DOES_NOT_EXIST);
}

#[test]
fn a_reset_ends_all_of_a_logical_unit() {
    let mut bench = Bench::usual();
    let other_lun = [0; 8];
    let first = bench.command(1, Flags::None, 0);
    bench.send(first, b"").unwrap();
    let first = bench.handed_out().tag;
    let second = ScsiCommand { lun: other_lun, ..bench.command(2, Flags::None, 0) };
    bench.send(second, b"").unwrap();
    let second = bench.handed_out().tag;
    let third = bench.command(3, Flags::WriteMore, 100);
    bench.send(third, b"").unwrap();
    bench.send(reset(&bench, TaskManagementFunction::LOGICAL_UNIT_RESET), b"").unwrap();
    let request = managed(&mut bench);
    assert_eq!((request.function, request.task), (TaskManagementFunction::LOGICAL_UNIT_RESET, None));
    // One that comes after the reset was asked for is not touched by it.
    let fourth = bench.command(4, Flags::None, 0);
    bench.send(fourth, b"").unwrap();
    let fourth = bench.handed_out().tag;
    bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE);
    assert_eq!(outcome(&bench.one()), TaskManagementOutcome::FUNCTION_COMPLETE);
    bench.target.complete(first, good());
    assert_eq!(bench.sent(), []);
    bench.target.complete(second, good());
    bench.target.complete(fourth, good());
    assert_eq!(bench.sent().len(), 2);
    assert_eq!(bench.target.outstanding(), 0);
}

#[test]
fn functions_that_are_not_there() {
    for (function, expected) in [
        (TaskManagementFunction::CLEAR_ACA, TaskManagementOutcome::FUNCTION_NOT_SUPPORTED),
        (TaskManagementFunction::TASK_REASSIGN, TaskManagementOutcome::REASSIGNMENT_NOT_SUPPORTED),
        (TaskManagementFunction(99), TaskManagementOutcome::FUNCTION_NOT_SUPPORTED),
    ] {
        let mut bench = Bench::usual();
        bench.send(reset(&bench, function), b"").unwrap();
        assert_eq!(outcome(&bench.one()), expected);
    }
    for function in [
        TaskManagementFunction::ABORT_TASK_SET,
        TaskManagementFunction::CLEAR_TASK_SET,
        TaskManagementFunction::TARGET_WARM_RESET,
        TaskManagementFunction::TARGET_COLD_RESET,
    ] {
        let mut bench = Bench::usual();
        bench.send(reset(&bench, function), b"").unwrap();
        let request = managed(&mut bench);
        assert_eq!(request.function, function);
        bench.target.managed(request.tag, TaskManagementOutcome::LUN_DOES_NOT_EXIST);
        assert_eq!(outcome(&bench.one()), TaskManagementOutcome::LUN_DOES_NOT_EXIST);
    }
}

/// In its turn, and not before the commands ahead of it are there.
#[test]
fn a_numbered_function_waits_for_its_turn() {
    let mut bench = Bench::usual();
    let function = TaskManagementRequest {
        immediate: false,
        cmd_sn: FIRST_CMD_SN + 1,
        ..reset(&bench, TaskManagementFunction::LOGICAL_UNIT_RESET)
    };
    bench.send(function, b"").unwrap();
    bench.no_event();
    let command = bench.command(1, Flags::None, 0);
    bench.send(command, b"").unwrap();
    bench.handed_out();
    let request = managed(&mut bench);
    bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE);
    let Pdu::TaskManagementResponse(pdu) = bench.one().pdu else { panic!() };
    assert_eq!((pdu.numbers.exp_cmd_sn, pdu.numbers.max_cmd_sn), (FIRST_CMD_SN + 2, FIRST_CMD_SN + 33));
}

/// The second command was handed out when the first, which it waited for, was aborted; only then was it aborted too.
#[test]
fn what_waits_in_an_aborted_task_set_does_not_run() {
    for function in [TaskManagementFunction::ABORT_TASK_SET, TaskManagementFunction::LOGICAL_UNIT_RESET] {
        let mut bench = Bench::usual();
        let first = bench.command(1, Flags::WriteMore, 1000);
        bench.send(first, &[0; 100]).unwrap();
        let second = bench.command(2, Flags::Write, 100);
        bench.send(second, &[0; 100]).unwrap();
        bench.send(reset(&bench, function), b"").unwrap();
        let request = managed(&mut bench);
        bench.no_event();
        bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE);
        assert_eq!(outcome(&bench.one()), TaskManagementOutcome::FUNCTION_COMPLETE);
        assert_eq!(bench.target.outstanding(), 0);
        // What comes later runs.
        let third = bench.command(3, Flags::None, 0);
        bench.send(third, b"").unwrap();
        assert_eq!(bench.handed_out().tag.0 & 0xff, 3);
    }
}
