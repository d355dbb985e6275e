//! Text in the full feature phase.

use super::*;

fn discovery(keys: &[(&str, &str)]) -> Bench {
    let mut bench = Bench::new(Config::default());
    bench.log_in("SessionType=Discovery\0", keys);
    bench
}

fn request(bench: &mut Bench) -> TextRequest {
    let cmd_sn = bench.cmd_sn;
    bench.cmd_sn += 1;
    TextRequest {
        immediate: false,
        is_final: true,
        continues: false,
        lun: [0; 8],
        initiator_task_tag: 3,
        target_transfer_tag: RESERVED_TAG,
        cmd_sn,
        exp_stat_sn: 0,
    }
}

fn response(sent: &Sent) -> TextResponse {
    match sent.pdu {
        Pdu::TextResponse(pdu) => pdu,
        other => panic!("{other:?}"),
    }
}

fn record(name: &str) -> TargetRecord {
    TargetRecord { name: name.to_owned(), addresses: vec!["192.0.2.1:3260,1".to_owned()] }
}

#[test]
fn send_targets() {
    let mut bench = discovery(&[]);
    let pdu = request(&mut bench);
    bench.send(pdu, b"SendTargets=All\0").unwrap();
    assert_eq!(bench.event(), Event::SendTargets(TargetQuery::All));
    bench.target.send_targets(&[record("iqn.a"), record("iqn.b")]);
    let sent = bench.one();
    let expected =
        b"TargetName=iqn.a\0TargetAddress=192.0.2.1:3260,1\0TargetName=iqn.b\0TargetAddress=192.0.2.1:3260,1\0";
    assert_eq!(sent.data, &expected[..]);
    let pdu = response(&sent);
    assert_eq!((pdu.is_final, pdu.continues, pdu.target_transfer_tag), (true, false, RESERVED_TAG));
    assert_eq!((pdu.numbers.exp_cmd_sn, pdu.numbers.max_cmd_sn), (FIRST_CMD_SN + 1, FIRST_CMD_SN + 32));
    let pdu = request(&mut bench);
    bench.send(pdu, b"SendTargets=iqn.b\0").unwrap();
    assert_eq!(bench.event(), Event::SendTargets(TargetQuery::Named("iqn.b".to_owned())));
    bench.target.send_targets(&[]);
    assert!(bench.one().data.is_empty());
}

#[test]
fn a_long_answer_comes_in_pieces() {
    let mut bench = discovery(&[("MaxRecvDataSegmentLength", "512")]);
    let pdu = request(&mut bench);
    bench.send(pdu, b"SendTargets=All\0").unwrap();
    bench.event();
    let targets: Vec<_> =
        (0..50).map(|number| record(&format!("iqn.2026-11.io.capstan:gw.drive-{number:02}"))).collect();
    bench.target.send_targets(&targets);
    let mut whole = Vec::new();
    loop {
        let sent = bench.one();
        assert!(sent.data.len() <= 512);
        whole.extend_from_slice(&sent.data);
        let pdu = response(&sent);
        if pdu.is_final {
            assert!(!pdu.continues);
            break;
        }
        assert!(pdu.continues && pdu.target_transfer_tag != RESERVED_TAG);
        let next = TextRequest { target_transfer_tag: pdu.target_transfer_tag, ..request(&mut bench) };
        bench.send(next, b"").unwrap();
    }
    assert_eq!(whole.iter().filter(|byte| **byte == 0).count(), 100);
    assert_eq!(crate::text::pairs(&whole).filter(|pair| pair.unwrap().key == "TargetName").count(), 50);
}

#[test]
fn only_the_own_target_in_a_normal_session() {
    let mut bench = Bench::usual();
    let pdu = request(&mut bench);
    bench.send(pdu, b"SendTargets=\0").unwrap();
    assert_eq!(bench.event(), Event::SendTargets(TargetQuery::Own));
    bench.target.send_targets(&[record("iqn.t")]);
    bench.one();
    let pdu = request(&mut bench);
    bench.send(pdu, b"SendTargets=All\0X-a=1\0MaxBurstLength=512\0MaxRecvDataSegmentLength=1024\0").unwrap();
    let sent = bench.one();
    assert_eq!(sent.data, &b"SendTargets=Reject\0X-a=NotUnderstood\0MaxBurstLength=Reject\0"[..]);
    assert_eq!(bench.target.session.max_send_data_segment_length, 1024);
}

#[test]
fn a_question_in_pieces() {
    let mut bench = discovery(&[]);
    let first = TextRequest { is_final: false, continues: true, ..request(&mut bench) };
    bench.send(first, b"SendTar").unwrap();
    let pdu = response(&bench.one());
    assert!(!pdu.is_final && !pdu.continues);
    let second = TextRequest { target_transfer_tag: pdu.target_transfer_tag, ..request(&mut bench) };
    bench.send(second, b"gets=All\0").unwrap();
    assert_eq!(bench.event(), Event::SendTargets(TargetQuery::All));
}

#[test]
fn text_that_is_refused() {
    let mut bench = discovery(&[]);
    let pdu = TextRequest { target_transfer_tag: 99, ..request(&mut bench) };
    bench.send(pdu, b"").unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::INVALID_PDU_FIELD);
    let pdu = request(&mut bench);
    bench.send(pdu, b"no equals sign\0").unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::PROTOCOL_ERROR);
    let pdu = request(&mut bench);
    bench.send(pdu, &[b'a'; TEXT_LIMIT + 1]).unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::PROTOCOL_ERROR);
    let pdu = TextRequest { continues: true, ..request(&mut bench) };
    bench.send(pdu, b"A=b\0").unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::PROTOCOL_ERROR);
    // The numbers of the refused are used up, and the session goes on.
    let pdu = request(&mut bench);
    bench.send(pdu, b"SendTargets=All\0").unwrap();
    while bench.target.poll_event().is_some_and(|event| event != Event::SendTargets(TargetQuery::All)) {}
    bench.target.send_targets(&[]);
    assert!(response(&bench.one()).is_final);
}

#[test]
fn no_commands_in_a_discovery_session() {
    let mut bench = discovery(&[]);
    let command = bench.command(1, Flags::Read, 36);
    bench.send(command, b"").unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::COMMAND_NOT_SUPPORTED);
    let abort = TaskManagementRequest {
        immediate: true,
        function: TaskManagementFunction::LOGICAL_UNIT_RESET,
        lun: LUN,
        initiator_task_tag: 2,
        referenced_task_tag: RESERVED_TAG,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
        ref_cmd_sn: 0,
        exp_data_sn: 0,
    };
    bench.send(abort, b"").unwrap();
    assert_eq!(reject_of(&bench.one()), RejectReason::COMMAND_NOT_SUPPORTED);
}
