//! Logging in and out.

use super::*;
use crate::text::{DigestPolicy, Wishes};

fn text(sent: &Sent) -> String {
    String::from_utf8(sent.data.to_vec()).unwrap().replace('\0', ";")
}

fn response(sent: &Sent) -> LoginResponse {
    match sent.pdu {
        Pdu::LoginResponse(response) => response,
        other => panic!("{other:?}"),
    }
}

/// What open-iscsi sends: security, then operational, then the full feature phase.
#[test]
fn two_stages() {
    let mut bench = Bench::new(Config::default());
    let names = b"InitiatorName=iqn.i\0InitiatorAlias=host\0TargetName=iqn.t\0SessionType=Normal\0AuthMethod=None\0";
    bench.send(bench.login(Stage::SECURITY, Stage::OPERATIONAL), names).unwrap();
    let expected = Identity {
        initiator_name: "iqn.i".to_owned(),
        isid: Isid([0x80, 0, 0, 1, 2, 3]),
        tsih: 0,
        cid: 5,
        kind: SessionKind::Normal("iqn.t".to_owned()),
    };
    assert_eq!(bench.event(), Event::Identify(expected));
    assert_eq!(bench.sent(), []);
    bench.target.identified(Ok(Authentication::None)).unwrap();
    let first = bench.one();
    assert_eq!(text(&first), "TargetPortalGroupTag=1;AuthMethod=None;");
    let answer = response(&first);
    assert!(answer.transit && answer.status.is_success());
    assert_eq!((answer.current_stage, answer.next_stage, answer.tsih), (Stage::SECURITY, Stage::OPERATIONAL, 0));
    let numbers = TargetNumbers { stat_sn: 40, exp_cmd_sn: FIRST_CMD_SN, max_cmd_sn: FIRST_CMD_SN + 31 };
    assert_eq!(answer.numbers, numbers);

    let keys = b"HeaderDigest=None\0InitialR2T=No\0MaxRecvDataSegmentLength=65536\0X-odd=1\0FirstBurstLength=4096\0";
    bench.send(bench.login(Stage::OPERATIONAL, Stage::FULL_FEATURE), keys).unwrap();
    assert_eq!(bench.event(), Event::Establish);
    bench.target.establish(bench.now, Ok(TSIH)).unwrap();
    let last = bench.one();
    let expected =
        "HeaderDigest=None;InitialR2T=No;X-odd=NotUnderstood;FirstBurstLength=4096;MaxRecvDataSegmentLength=262144;";
    assert_eq!(text(&last), expected);
    assert_eq!(response(&last).tsih, TSIH);
    assert_eq!(bench.target.parameters().first_burst_length, 4096);
}

#[test]
fn text_in_many_requests() {
    let mut bench = Bench::new(Config::default());
    let whole = b"InitiatorName=iqn.i\0TargetName=iqn.t\0MaxBurstLength=8192\0";
    for part in whole.chunks(20) {
        bench.no_event();
        let is_last = part.len() < 20;
        let pdu = LoginRequest {
            continues: !is_last,
            transit: is_last,
            ..bench.login(Stage::OPERATIONAL, Stage::FULL_FEATURE)
        };
        bench.send(pdu, part).unwrap();
        if !is_last {
            let answer = bench.one();
            assert_eq!((text(&answer).as_str(), response(&answer).transit), ("", false));
        }
    }
    assert!(matches!(bench.event(), Event::Identify(_)));
}

#[track_caller]
fn refused(change: impl FnOnce(&mut LoginRequest), text: &str, expected: LoginStatus) {
    let mut bench = Bench::new(Config::default());
    let mut pdu = bench.login(Stage::SECURITY, Stage::OPERATIONAL);
    change(&mut pdu);
    let mut result = bench.send(pdu, text.as_bytes());
    if result.is_ok() {
        assert!(matches!(bench.event(), Event::Identify(_)));
        result = bench.target.identified(Ok(Authentication::None));
    }
    assert_eq!(result, Err(ProtocolError::LoginRefused(expected)));
    let answer = response(&bench.one());
    assert_eq!((answer.status, answer.transit, answer.initiator_task_tag), (expected, false, 1));
}

#[test]
fn class_and_detail_of_refusals() {
    const NAMES: &str = "InitiatorName=iqn.i\0TargetName=iqn.t\0";
    let with = |more: &str| format!("{NAMES}{more}");
    let same = |_: &mut LoginRequest| {};
    refused(same, "TargetName=iqn.t\0", LoginStatus::MISSING_PARAMETER);
    refused(same, "InitiatorName=iqn.i\0", LoginStatus::MISSING_PARAMETER);
    refused(same, "", LoginStatus::MISSING_PARAMETER);
    refused(same, &with("SessionType=Other\0"), LoginStatus::SESSION_TYPE_NOT_SUPPORTED);
    refused(same, &with("AuthMethod=CHAP\0"), LoginStatus::AUTHENTICATION_FAILURE);
    refused(same, &with("AuthMethod=None\0CHAP_A=5\0"), LoginStatus::AUTHENTICATION_FAILURE);
    refused(same, &with("InitiatorName=iqn.i\0"), LoginStatus::INITIATOR_ERROR);
    refused(same, &with("MaxBurstLength=512\0MaxBurstLength=512\0"), LoginStatus::INITIATOR_ERROR);
    refused(same, &with("no equals sign\0"), LoginStatus::INITIATOR_ERROR);
    refused(same, "InitiatorName=\0TargetName=iqn.t\0", LoginStatus::INITIATOR_ERROR);
    let long = "x".repeat(224);
    refused(same, &format!("InitiatorName={long}\0TargetName=iqn.t\0"), LoginStatus::INITIATOR_ERROR);
    refused(|pdu| pdu.version_min = 1, NAMES, LoginStatus::UNSUPPORTED_VERSION);
    refused(|pdu| pdu.current_stage = Stage::FULL_FEATURE, NAMES, LoginStatus::INVALID_DURING_LOGIN);
    refused(|pdu| pdu.current_stage = Stage(2), NAMES, LoginStatus::INVALID_DURING_LOGIN);
    refused(|pdu| pdu.next_stage = Stage(2), NAMES, LoginStatus::INITIATOR_ERROR);
    refused(|pdu| pdu.next_stage = Stage::SECURITY, NAMES, LoginStatus::INITIATOR_ERROR);
    refused(|pdu| pdu.continues = true, NAMES, LoginStatus::INITIATOR_ERROR);
    refused(|pdu| pdu.current_stage = Stage::OPERATIONAL, NAMES, LoginStatus::INITIATOR_ERROR);
}

#[test]
fn the_owner_refuses() {
    for status in [LoginStatus::NOT_FOUND, LoginStatus::AUTHORIZATION_FAILURE, LoginStatus::SESSION_DOES_NOT_EXIST] {
        let mut bench = Bench::new(Config::default());
        let pdu = LoginRequest { tsih: 9, ..bench.login(Stage::OPERATIONAL, Stage::FULL_FEATURE) };
        bench.send(pdu, b"InitiatorName=iqn.i\0TargetName=iqn.t\0").unwrap();
        let Event::Identify(identity) = bench.event() else { panic!() };
        assert_eq!(identity.tsih, 9);
        assert_eq!(bench.target.identified(Err(status)), Err(ProtocolError::LoginRefused(status)));
        assert_eq!(response(&bench.one()).status, status);
    }
    let mut bench = Bench::new(Config::default());
    bench
        .send(bench.login(Stage::OPERATIONAL, Stage::FULL_FEATURE), b"InitiatorName=iqn.i\0TargetName=iqn.t\0")
        .unwrap();
    bench.event();
    bench.target.identified(Ok(Authentication::None)).unwrap();
    assert_eq!(bench.event(), Event::Establish);
    assert!(bench.target.establish(bench.now, Err(LoginStatus::OUT_OF_RESOURCES)).is_err());
    assert_eq!(response(&bench.one()).status, LoginStatus::OUT_OF_RESOURCES);
}

#[test]
fn what_does_not_belong_in_a_login() {
    let mut bench = Bench::new(Config::default());
    let command = bench.command(1, Flags::None, 0);
    let expected = LoginStatus::INVALID_DURING_LOGIN;
    assert_eq!(bench.send(command, b""), Err(ProtocolError::LoginRefused(expected)));
    assert_eq!(response(&bench.one()).status, expected);

    // Another session's identifiers in the middle of a login.
    let mut bench = Bench::new(Config::default());
    let first = LoginRequest { transit: false, ..bench.login(Stage::SECURITY, Stage::SECURITY) };
    bench.send(first, b"InitiatorName=iqn.i\0TargetName=iqn.t\0").unwrap();
    // Nor may the initiator go on before it is answered.
    assert_eq!(bench.send(first, b""), Err(ProtocolError::LoginRefused(expected)));
    let mut bench = Bench::new(Config::default());
    bench.send(first, b"InitiatorName=iqn.i\0TargetName=iqn.t\0").unwrap();
    bench.event();
    bench.target.identified(Ok(Authentication::None)).unwrap();
    bench.one();
    let other = LoginRequest { isid: Isid([0; 6]), ..first };
    assert_eq!(bench.send(other, b""), Err(ProtocolError::LoginRefused(expected)));
}

#[test]
fn a_login_is_bounded() {
    let mut bench = Bench::new(Config::default());
    let pdu = LoginRequest { transit: false, continues: true, ..bench.login(Stage::SECURITY, Stage::SECURITY) };
    let text = [b'a'; 8192];
    bench.send(pdu, &text).unwrap();
    bench.send(pdu, &text).unwrap();
    assert_eq!(bench.send(pdu, &text), Err(ProtocolError::LoginRefused(LoginStatus::INITIATOR_ERROR)));

    let mut bench = Bench::new(Config::default());
    let header = pdu.encode().with_data_segment_length(8193);
    let refused = Err(ProtocolError::LoginRefused(LoginStatus::INITIATOR_ERROR));
    assert_eq!(bench.feed(&header.0, &[0; 8196]), refused);

    let mut bench = Bench::new(Config::default());
    let result = (0..100).find_map(|_| bench.send(pdu, b"").err());
    assert_eq!(result, Some(ProtocolError::LoginRefused(LoginStatus::INITIATOR_ERROR)));
}

#[test]
fn logouts() {
    let request = |reason, cid, cmd_sn| LogoutRequest {
        immediate: true,
        reason,
        initiator_task_tag: 77,
        cid,
        cmd_sn,
        exp_stat_sn: 0,
    };
    for (reason, cid, expected, closes) in [
        (LogoutReason::CLOSE_SESSION, 0, LogoutOutcome::CLOSED, true),
        (LogoutReason::CLOSE_CONNECTION, 5, LogoutOutcome::CLOSED, true),
        (LogoutReason::CLOSE_CONNECTION, 6, LogoutOutcome::CID_NOT_FOUND, false),
        (LogoutReason::REMOVE_FOR_RECOVERY, 5, LogoutOutcome::RECOVERY_NOT_SUPPORTED, false),
    ] {
        let mut bench = Bench::usual();
        bench.send(request(reason, cid, bench.cmd_sn), b"").unwrap();
        assert_eq!(bench.target.poll_event(), closes.then_some(Event::LoggedOut));
        let Pdu::LogoutResponse(response) = bench.one().pdu else { panic!() };
        assert_eq!((response.response, response.initiator_task_tag), (expected, 77));
        assert_eq!(bench.target.is_logged_out(), closes);
    }
}

#[test]
fn a_logout_ends_what_runs() {
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::Read, 512);
    bench.send(command, b"").unwrap();
    let tag = bench.handed_out().tag;
    let logout = LogoutRequest {
        immediate: false,
        reason: LogoutReason::CLOSE_SESSION,
        initiator_task_tag: 2,
        cid: 5,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
    };
    bench.send(logout, b"").unwrap();
    bench.target.complete(tag, Answer { data_in: Bytes::from_static(&[0; 512]), ..good() });
    assert!(matches!(bench.one().pdu, Pdu::LogoutResponse(_)));
}

/// What came before its turn was carried out after the logout once: nobody could be told how it ended.
#[test]
fn nothing_has_its_turn_after_a_logout() {
    let logout = |cmd_sn| LogoutRequest {
        immediate: false,
        reason: LogoutReason::CLOSE_SESSION,
        initiator_task_tag: 70,
        cid: 5,
        cmd_sn,
        exp_stat_sn: 0,
    };
    let mut bench = Bench::usual();
    let first = bench.cmd_sn;
    let late = ScsiCommand { cmd_sn: first + 1, ..bench.command(1, Flags::None, 0) };
    bench.send(late, b"").unwrap();
    bench.send(logout(first), b"").unwrap();
    assert_eq!(bench.event(), Event::LoggedOut);
    bench.no_event();
    assert!(matches!(bench.one().pdu, Pdu::LogoutResponse(_)));

    // A reset that takes away what stood before the logout is not answered after it.
    let mut bench = Bench::usual();
    let command = bench.command(1, Flags::WriteMore, 1000);
    bench.send(command, &[0; 100]).unwrap();
    bench.send(logout(bench.cmd_sn), b"").unwrap();
    bench.no_event();
    let reset = TaskManagementRequest {
        immediate: true,
        function: TaskManagementFunction::LOGICAL_UNIT_RESET,
        lun: LUN,
        initiator_task_tag: 900,
        referenced_task_tag: RESERVED_TAG,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
        ref_cmd_sn: 0,
        exp_data_sn: 0,
    };
    bench.send(reset, b"").unwrap();
    let Event::Manage(request) = bench.event() else { panic!() };
    assert_eq!(bench.event(), Event::LoggedOut);
    bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE);
    bench.no_event();
    assert!(matches!(bench.one().pdu, Pdu::LogoutResponse(_)));
}

/// A refused or unmentioned digest left None in force, and the login went on without what the target requires.
#[test]
fn a_required_digest_is_required() {
    let refused = Err(ProtocolError::LoginRefused(LoginStatus::INITIATOR_ERROR));
    for (keys, ends) in [("", refused), ("HeaderDigest=None\0", refused), ("HeaderDigest=None,CRC32C\0", Ok(()))] {
        let wishes = Wishes { header_digest: DigestPolicy::Require, ..Wishes::default() };
        let mut bench = Bench::new(Config { wishes, ..Config::default() });
        let text = format!("InitiatorName=iqn.i\0TargetName=iqn.t\0{keys}");
        bench.send(bench.login(Stage::OPERATIONAL, Stage::FULL_FEATURE), text.as_bytes()).unwrap();
        bench.event();
        assert_eq!(bench.target.identified(Ok(Authentication::None)), ends, "{keys:?}");
    }
}

#[test]
fn time_limits() {
    let mut bench = Bench::new(Config::default());
    assert_eq!(bench.target.poll_timeout(), Some(bench.now + Duration::from_secs(15)));
    bench.pass(14).unwrap();
    assert_eq!(bench.pass(1), Err(ProtocolError::LoginTimedOut));

    let mut bench = Bench::usual();
    bench.pass(14).unwrap();
    assert_eq!(bench.sent(), []);
    bench.pass(1).unwrap();
    let Pdu::NopIn(ping) = bench.one().pdu else { panic!() };
    assert_eq!(ping.initiator_task_tag, RESERVED_TAG);
    let answer = NopOut {
        immediate: true,
        lun: ping.lun,
        initiator_task_tag: RESERVED_TAG,
        target_transfer_tag: ping.target_transfer_tag,
        cmd_sn: bench.cmd_sn,
        exp_stat_sn: 0,
    };
    bench.pass(20).unwrap();
    bench.send(answer, b"").unwrap();
    assert_eq!(bench.sent(), []);
    bench.pass(15).unwrap();
    assert!(matches!(bench.one().pdu, Pdu::NopIn(_)));
    bench.pass(29).unwrap();
    assert_eq!(bench.pass(1), Err(ProtocolError::NopTimedOut));
}
