//! What one session does is not felt by another, nor by its own pings.

use capstan_iscsi::pdu::*;

use super::client::{STUCK, TEST_UNIT_READY, transfer};
use super::*;

#[test]
fn a_stuck_device_answers_pings() {
    let bench = Bench::new(2);
    let mut stuck = bench.client(0, 1);
    let tags: Vec<_> = (0..32).map(|_| stuck.send_command(&STUCK, 0, b"")).collect();
    eventually(|| *bench.devices[0].submitted.lock().unwrap() == 32);
    for _ in 0..100 {
        let begin = Instant::now();
        stuck.ping();
        assert!(begin.elapsed() < Duration::from_millis(100), "{:?}", begin.elapsed());
    }
    let mut other = bench.client(1, 1);
    assert_eq!(other.command(&TEST_UNIT_READY, 0, b"").status, 0);
    for tag in tags {
        bench.devices[0].release();
        assert_eq!(stuck.finish(tag, b"").status, 0);
    }
}

/// The command window is what bounds the queue of a device.
#[test]
fn no_more_commands_than_the_window() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    for _ in 0..100 {
        client.send_command(&STUCK, 0, b"");
    }
    client.ping();
    assert_eq!(*bench.devices[0].submitted.lock().unwrap(), 32);
}

#[test]
fn an_initiator_that_does_not_read() {
    let bench = Bench::new(2);
    let mut slow = bench.client(0, 1);
    let block = vec![1; 4 << 20];
    slow.command(&transfer(0x0a, block.len()), 0, &block);
    for _ in 0..32 {
        slow.send_command(&transfer(0x08, block.len()), 4 << 20, b"");
    }
    // Its budget of 16 MiB is 4 commands at a time; some more went into the sockets' buffers.
    eventually(|| *bench.devices[0].submitted.lock().unwrap() >= 5);
    let mut quick = bench.client(1, 1);
    quick.command(&transfer(0x0a, 65536), 0, &[2; 65536]);
    let begin = Instant::now();
    for _ in 0..200 {
        assert_eq!(quick.command(&transfer(0x08, 65536), 65536, b"").data.len(), 65536);
    }
    assert!(begin.elapsed() < Duration::from_secs(5));
    let submitted = *bench.devices[0].submitted.lock().unwrap();
    assert!(submitted < 12, "{submitted} commands were run for an initiator that takes nothing");
    // What was read for it (all but the first were reads) and has not left: no more than its budget.
    let sessions = bench.portal.sessions();
    let left = sessions.iter().find(|session| session.target.as_deref() == Some("iqn.t0")).unwrap().bytes_read;
    let queued = u64::try_from((submitted - 1) * block.len()).unwrap() - left;
    assert!((1..=16 << 20).contains(&queued), "{queued} bytes wait for an initiator that takes nothing");
    // It gets all of it when it reads.
    for tag in 2..34 {
        assert_eq!(slow.finish(tag, b"").data.len(), 4 << 20);
    }
}

#[test]
fn abort_of_a_stuck_command() {
    let bench = Bench::new(1);
    let mut client = bench.client(0, 1);
    let tag = client.send_command(&STUCK, 0, b"");
    let request = |function, tag, client: &Client| TaskManagementRequest {
        immediate: true,
        function,
        lun: [0; 8],
        initiator_task_tag: 0x100,
        referenced_task_tag: tag,
        cmd_sn: client.cmd_sn,
        exp_stat_sn: 0,
        ref_cmd_sn: client.cmd_sn - 1,
        exp_data_sn: 0,
    };
    client.send(request(TaskManagementFunction::ABORT_TASK, tag, &client), b"");
    let (Pdu::TaskManagementResponse(response), _) = client.receive() else { panic!() };
    assert_eq!(response.response, TaskManagementOutcome::FUNCTION_COMPLETE);
    assert_eq!(client.command(&TEST_UNIT_READY, 0, b"").status, 0);

    client.send_command(&STUCK, 0, b"");
    client.send_command(&TEST_UNIT_READY, 0, b"");
    client.send(request(TaskManagementFunction::LOGICAL_UNIT_RESET, RESERVED_TAG, &client), b"");
    let (Pdu::TaskManagementResponse(response), _) = client.receive() else { panic!() };
    assert_eq!(response.response, TaskManagementOutcome::FUNCTION_COMPLETE);
    assert_eq!(client.command(&TEST_UNIT_READY, 0, b"").status, 0);
    client.send_command(&STUCK, 0, b"");
    client.send(request(TaskManagementFunction::TARGET_COLD_RESET, RESERVED_TAG, &client), b"");
    let (Pdu::TaskManagementResponse(response), _) = client.receive() else { panic!() };
    assert_eq!(response.response, TaskManagementOutcome::FUNCTION_COMPLETE);
    assert!(client.is_closed());
}

#[test]
fn a_cold_reset_ends_all_sessions_with_the_target() {
    let bench = Bench::new(2);
    let mut asking = bench.client(0, 1);
    let mut beside = bench.client(0, 2);
    let mut elsewhere = bench.client(1, 1);
    beside.send_command(&STUCK, 0, b"");
    eventually(|| *bench.devices[0].submitted.lock().unwrap() == 1);
    let request = TaskManagementRequest {
        immediate: true,
        function: TaskManagementFunction::TARGET_COLD_RESET,
        lun: [0; 8],
        initiator_task_tag: 0x100,
        referenced_task_tag: RESERVED_TAG,
        cmd_sn: asking.cmd_sn,
        exp_stat_sn: 0,
        ref_cmd_sn: 0,
        exp_data_sn: 0,
    };
    asking.send(request, b"");
    let (Pdu::TaskManagementResponse(response), _) = asking.receive() else { panic!() };
    assert_eq!(response.response, TaskManagementOutcome::FUNCTION_COMPLETE);
    assert!(asking.is_closed());
    let (Pdu::AsyncMessage(message), _) = beside.receive() else { panic!() };
    assert_eq!((message.event, message.parameter_2, message.parameter_3), (AsyncEvent::SESSION_DROPPED, 2, 0));
    assert!(beside.is_closed());
    eventually(|| bench.portal.sessions().len() == 1);
    assert_eq!(elsewhere.command(&TEST_UNIT_READY, 0, b"").status, 0);
    assert_eq!(bench.client(0, 1).command(&TEST_UNIT_READY, 0, b"").status, 0);
}

#[test]
fn an_initiator_that_is_gone_is_noticed() {
    let bench = Bench::with(1, |config| {
        config.session.nop_interval = Duration::from_millis(100);
        config.session.nop_timeout = Duration::from_millis(200);
    });
    let mut alive = bench.client(0, 1);
    let mut gone = bench.client(0, 2);
    for _ in 0..6 {
        let (Pdu::NopIn(ping), _) = alive.receive() else { panic!() };
        alive.pong(&ping);
    }
    assert!(matches!(gone.receive(), (Pdu::NopIn(_), _)));
    assert!(gone.is_closed());
    let sessions = bench.portal.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].initiator.port[5], 1);
}
