//! The initiator against the portal, over loopback: every way that data can travel, and every way that things end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use capstan_initiator::{
    Command, DigestPolicy, InitiatorError, Isid, Login, LoginStatus, Management, Residual, Session,
    TaskManagementOutcome, Wishes, discover,
};
use capstan_portal::{PortalConfig, PortalHandle, Target, start};
use capstan_scsi::asc::Asc;
use capstan_scsi::sam::{
    Completion, InitiatorPort, Lun, ManagementFunction, ManagementResponse, NexusId, Status, Task, TaskId,
    TaskManagement, TaskObserver, TaskRouter,
};
use capstan_scsi::{CheckCondition, SenseKey};

const INITIATOR: &str = "iqn.2026-11.io.capstan:initiator-test";
const TARGET: &str = "iqn.2026-11.io.capstan:memory";
const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(20);

const WRITE: u8 = 0x0a;
const READ: u8 = 0x08;
/// A command that never ends by itself.
const HOLD: u8 = 0xf0;

/// A device that remembers the last write, and holds what it is told to hold.
#[derive(Default)]
struct Memory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    content: Bytes,
    writing: HashMap<TaskId, Task>,
    held: HashMap<TaskId, Task>,
}

fn written(content: &Bytes) -> Completion {
    Completion { data_out_length: u32::try_from(content.len()).unwrap(), ..Completion::good() }
}

impl TaskRouter for Memory {
    fn nexus_established(&self, _: NexusId, _: &InitiatorPort) {}

    fn nexus_lost(&self, nexus: NexusId) {
        let mut state = self.state.lock().unwrap();
        state.writing.retain(|id, _| id.nexus != nexus);
        state.held.retain(|id, _| id.nexus != nexus);
    }

    fn submit(&self, _: Lun, task: Task) {
        let mut state = self.state.lock().unwrap();
        let [opcode, _, high, middle, low, ..] = task.cdb.0;
        let length = u32::from_be_bytes([0, high, middle, low]);
        let received = u32::try_from(task.data_out.received.len()).unwrap();
        match opcode {
            WRITE if received < task.data_out.expected => {
                task.observer.need_data(task.id, received, task.data_out.expected);
                state.writing.insert(task.id, task);
            }
            WRITE => {
                state.content = task.data_out.received.clone();
                task.observer.completed(task.id, written(&state.content));
            }
            READ => {
                let length = state.content.len().min(usize::try_from(length).unwrap());
                task.observer.completed(task.id, Completion::good_with(state.content.slice(..length)));
            }
            HOLD => drop(state.held.insert(task.id, task)),
            _ => {
                let refused = CheckCondition::new(SenseKey::IllegalRequest, Asc::INVALID_COMMAND_OPERATION_CODE);
                task.observer.completed(task.id, refused.into_completion(Bytes::new()));
            }
        }
    }

    fn data_out(&self, _: Lun, id: TaskId, data: Bytes) {
        let mut state = self.state.lock().unwrap();
        if let Some(task) = state.writing.remove(&id) {
            state.content = [task.data_out.received, data].concat().into();
            task.observer.completed(id, written(&state.content));
        }
    }

    fn manage(&self, request: TaskManagement, observer: Arc<dyn TaskObserver>) {
        let mut state = self.state.lock().unwrap();
        let response = match request.function {
            ManagementFunction::AbortTask(id) => match state.held.remove(&id) {
                Some(_) => ManagementResponse::FunctionComplete,
                None => ManagementResponse::TaskDoesNotExist,
            },
            _ => {
                state.held.clear();
                ManagementResponse::FunctionComplete
            }
        };
        observer.managed(request.tag, response);
    }
}

async fn portal() -> (PortalHandle, SocketAddr) {
    let config = PortalConfig::new(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    let portal = start(config, vec![Target::new(TARGET, Arc::new(Memory::default()))]).await.unwrap();
    let address = portal.local_addrs()[0];
    (portal, address)
}

async fn session(address: SocketAddr) -> Session {
    Session::log_in(address, &Login::new(INITIATOR, TARGET), LONG).await.unwrap()
}

fn six(opcode: u8, length: usize) -> [u8; 6] {
    let [_, high, middle, low] = u32::try_from(length).unwrap().to_be_bytes();
    [opcode, 0, high, middle, low, 0]
}

async fn write(session: &Session, data: Bytes) {
    let length = data.len();
    let outcome = session.execute(Lun::ZERO, Command::write(&six(WRITE, length), data), LONG).await.unwrap();
    assert_eq!((outcome.status, outcome.residual), (Status::GOOD, Residual::None), "{length} bytes");
}

async fn read(session: &Session, length: usize) -> Bytes {
    let command = Command::read(&six(READ, length), u32::try_from(length).unwrap());
    let outcome = session.execute(Lun::ZERO, command, LONG).await.unwrap();
    assert_eq!((outcome.status, outcome.residual), (Status::GOOD, Residual::None), "{length} bytes");
    outcome.data
}

/// Each combination of the keys that decide how data travels.
fn wishes() -> Vec<Wishes> {
    let mut all = Vec::new();
    for bits in 0..16_u8 {
        let digest = if bits & 1 == 0 { DigestPolicy::Off } else { DigestPolicy::Require };
        let mut wishes = Wishes { header_digest: digest, data_digest: digest, ..Wishes::default() };
        wishes.parameters.initial_r2t = bits & 2 != 0;
        wishes.parameters.immediate_data = bits & 4 != 0;
        if bits & 8 != 0 {
            wishes.max_recv_data_segment_length = 1024;
            wishes.parameters.first_burst_length = 1536;
            wishes.parameters.max_burst_length = 4096;
        }
        all.push(wishes);
    }
    all
}

#[tokio::test]
async fn data_of_any_length_goes_there_and_back_in_every_way() {
    let (_portal, address) = portal().await;
    for wishes in wishes() {
        let login = Login { wishes: wishes.clone(), ..Login::new(INITIATOR, TARGET) };
        let session = Session::log_in(address, &login, LONG).await.unwrap();
        assert_eq!(session.parameters().initial_r2t, wishes.parameters.initial_r2t);
        assert_eq!(session.parameters().immediate_data, wishes.parameters.immediate_data);
        for length in [1, 3, 4, 511, 1024, 1025, 1536, 1537, 4096, 8195, 262_145, 3_000_001] {
            let data: Bytes = (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
            write(&session, data.clone()).await;
            assert_eq!(read(&session, length).await, data, "{length} bytes with {wishes:?}");
        }
        session.log_out(LONG).await.unwrap();
    }
}

/// The smallest and the largest that the keys can say, and more data than a burst of either.
#[tokio::test]
async fn lengths_at_both_ends_of_their_ranges() {
    const LEAST: u32 = 512;
    const MOST: u32 = 0x00ff_ffff;
    let (_portal, address) = portal().await;
    for bits in 0..32_u8 {
        let length = |bit: u8| if bits & bit == 0 { LEAST } else { MOST };
        let mut wishes = Wishes { max_recv_data_segment_length: length(1), ..Wishes::default() };
        wishes.parameters.max_burst_length = length(2);
        // A first burst is part of a burst. [RFC 7143 13.14]
        wishes.parameters.first_burst_length = length(4).min(length(2));
        wishes.parameters.max_outstanding_r2t = if bits & 8 == 0 { 1 } else { 65535 };
        wishes.parameters.initial_r2t = bits & 16 != 0;
        let login = Login { wishes: wishes.clone(), ..Login::new(INITIATOR, TARGET) };
        let session = Session::log_in(address, &login, LONG).await.unwrap();
        let agreed = session.parameters();
        assert_eq!(agreed.max_burst_length, length(2).min(0x00ff_fe00));
        assert_eq!(agreed.first_burst_length, wishes.parameters.first_burst_length.min(262_144));
        assert_eq!(agreed.max_outstanding_r2t, wishes.parameters.max_outstanding_r2t.min(8));
        for length in [1, 511, 512, 513, 1024, 300_001] {
            let data: Bytes = (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
            write(&session, data.clone()).await;
            assert_eq!(read(&session, length).await, data, "{length} bytes with {wishes:?}");
        }
        session.log_out(LONG).await.unwrap();
    }
    // More than one command may move is refused, and nothing is lost by it.
    let session = session(address).await;
    let command = Command::read(&six(READ, 16), (16 << 20) + 1);
    let refused = session.execute(Lun::ZERO, command, LONG).await.unwrap();
    assert_eq!((refused.status, refused.sense().unwrap().triple()), (Status::CHECK_CONDITION, (5, 0x24, 0)));
    let most: Bytes = vec![0xa5; 0x00ff_fe00 + 512].into();
    let command = Command::write(&six(WRITE, 0), most.clone());
    assert_eq!(session.execute(Lun::ZERO, command, LONG).await.unwrap().status, Status::GOOD);
    let back =
        session.execute(Lun::ZERO, Command::read(&[READ, 0, 0xff, 0xff, 0xff, 0], 16 << 20), LONG).await.unwrap();
    assert_eq!((back.data.len(), &back.data[..]), (0x00ff_ffff, &most[..0x00ff_ffff]));
}

#[tokio::test]
async fn a_cold_reset_ends_the_session_after_its_answer() {
    let (portal, address) = portal().await;
    let session = session(address).await;
    let other = Login { isid: Isid([0x80, 1, 2, 3, 0, 9]), ..Login::new(INITIATOR, TARGET) };
    let other = Session::log_in(address, &other, LONG).await.unwrap();
    let mut held = session.start(Lun::ZERO, Command::new(&[HOLD])).await.unwrap();
    let outcome = session.manage(Management::TargetColdReset, LONG).await.unwrap();
    assert_eq!(outcome, TaskManagementOutcome::FUNCTION_COMPLETE);
    assert!(matches!(held.wait(LONG).await, Err(InitiatorError::Aborted | InitiatorError::Closed)));
    for each in [session, other] {
        assert!(each.nop(Bytes::new(), LONG).await.is_err());
    }
    while !portal.sessions().is_empty() {
        tokio::time::sleep(SECOND / 100).await;
    }
    write(&self::session(address).await, Bytes::from_static(b"again")).await;
}

#[tokio::test]
async fn residuals_say_how_much_was_there() {
    let (_portal, address) = portal().await;
    let session = session(address).await;
    write(&session, Bytes::from_static(b"0123456789")).await;
    let short = session.execute(Lun::ZERO, Command::read(&six(READ, 100), 100), LONG).await.unwrap();
    assert_eq!((&short.data[..], short.residual), (&b"0123456789"[..], Residual::Underflow(90)));
    let long = session.execute(Lun::ZERO, Command::read(&six(READ, 10), 4), LONG).await.unwrap();
    assert_eq!((&long.data[..], long.residual), (&b"0123"[..], Residual::Overflow(6)));
}

#[tokio::test]
async fn sense_data_arrives_with_the_status() {
    let (_portal, address) = portal().await;
    let session = session(address).await;
    let outcome = session.execute(Lun::ZERO, Command::read(&[0xee], 10), LONG).await.unwrap();
    assert_eq!(outcome.status, Status::CHECK_CONDITION);
    assert_eq!(outcome.sense().unwrap().triple(), (5, 0x20, 0));
    assert_eq!(outcome.residual, Residual::Underflow(10));
}

#[tokio::test]
async fn a_ping_brings_back_what_was_sent() {
    let (_portal, address) = portal().await;
    let session = session(address).await;
    let data = Bytes::from(vec![0x5a; 1000]);
    assert_eq!(session.nop(data.clone(), LONG).await.unwrap(), data);
}

#[tokio::test]
async fn an_aborted_command_ends_while_others_go_on() {
    let (_portal, address) = portal().await;
    let session = session(address).await;
    let mut held = session.start(Lun::ZERO, Command::new(&[HOLD])).await.unwrap();
    write(&session, Bytes::from_static(b"meanwhile")).await;
    let abort = Management::AbortTask(Lun::ZERO, held.tag());
    assert_eq!(session.manage(abort, LONG).await.unwrap(), TaskManagementOutcome::FUNCTION_COMPLETE);
    assert!(matches!(held.wait(LONG).await, Err(InitiatorError::Aborted)));
    assert_eq!(session.manage(abort, LONG).await.unwrap(), TaskManagementOutcome::TASK_DOES_NOT_EXIST);
    assert_eq!(read(&session, 9).await, "meanwhile");
}

#[tokio::test]
async fn a_reset_ends_all_commands_of_the_logical_unit() {
    let (_portal, address) = portal().await;
    let session = session(address).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(session.start(Lun::ZERO, Command::new(&[HOLD])).await.unwrap());
    }
    let reset = Management::LogicalUnitReset(Lun::ZERO);
    assert_eq!(session.manage(reset, LONG).await.unwrap(), TaskManagementOutcome::FUNCTION_COMPLETE);
    for mut each in held {
        assert!(matches!(each.wait(LONG).await, Err(InitiatorError::Aborted)));
    }
}

#[tokio::test]
async fn more_commands_than_the_window_takes_wait_for_it() {
    let (_portal, address) = portal().await;
    let session = session(address).await;
    write(&session, Bytes::from_static(b"content")).await;
    let mut running = Vec::new();
    for _ in 0..300 {
        running.push(session.start(Lun::ZERO, Command::read(&six(READ, 7), 7)).await.unwrap());
    }
    for mut each in running {
        assert_eq!(each.wait(LONG).await.unwrap().data, "content");
    }
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_given_up_and_the_session_goes_on() {
    let (_portal, address) = portal().await;
    let session = session(address).await;
    let late = session.execute(Lun::ZERO, Command::new(&[HOLD]), SECOND / 10).await;
    assert!(matches!(late, Err(InitiatorError::Timeout { what: "a command", .. })));
    write(&session, Bytes::from_static(b"on")).await;
}

#[tokio::test]
async fn commands_end_when_the_target_drops_the_session() {
    let (portal, address) = portal().await;
    let session = session(address).await;
    let mut held = session.start(Lun::ZERO, Command::new(&[HOLD])).await.unwrap();
    session.nop(Bytes::new(), LONG).await.unwrap();
    assert!(portal.drop_session(portal.sessions()[0].id));
    assert!(matches!(held.wait(LONG).await, Err(InitiatorError::Closed | InitiatorError::Io(_))));
    assert!(session.nop(Bytes::new(), LONG).await.is_err());
}

#[tokio::test]
async fn after_a_logout_the_session_is_closed() {
    let (portal, address) = portal().await;
    let session = session(address).await;
    let copy = session.clone();
    session.log_out(LONG).await.unwrap();
    assert!(matches!(copy.nop(Bytes::new(), LONG).await, Err(InitiatorError::Closed)));
    for _ in 0..100 {
        if portal.sessions().is_empty() {
            return;
        }
        tokio::time::sleep(SECOND / 100).await;
    }
    panic!("the target still has the session");
}

#[tokio::test]
async fn logins_that_cannot_be_say_why() {
    let (portal, address) = portal().await;
    let unknown = Session::log_in(address, &Login::new(INITIATOR, "iqn.2026-11.io.capstan:none"), LONG).await;
    assert!(matches!(unknown, Err(InitiatorError::Login(LoginStatus::NOT_FOUND))), "{unknown:?}");
    portal.shutdown().await;
    let gone = Session::log_in(address, &Login::new(INITIATOR, TARGET), LONG).await;
    assert!(matches!(gone, Err(InitiatorError::Connect { .. })), "{gone:?}");
}

#[tokio::test]
async fn the_same_port_takes_its_session_over_and_another_gets_its_own() {
    let (portal, address) = portal().await;
    let first = session(address).await;
    let other = Login { isid: Isid([0x80, 1, 2, 3, 0, 9]), ..Login::new(INITIATOR, TARGET) };
    let other = Session::log_in(address, &other, LONG).await.unwrap();
    let again = session(address).await;
    assert!(first.nop(Bytes::new(), LONG).await.is_err());
    other.nop(Bytes::new(), LONG).await.unwrap();
    again.nop(Bytes::new(), LONG).await.unwrap();
    assert_eq!(portal.sessions().len(), 2);
}

#[tokio::test]
async fn discovery_lists_the_target_at_the_address_that_was_asked() {
    let (_portal, address) = portal().await;
    let targets = discover(address, INITIATOR, LONG).await.unwrap();
    assert_eq!(targets.len(), 1);
    assert_eq!(targets[0].name, TARGET);
    assert_eq!(targets[0].addresses, [format!("{address},1")]);
}

#[tokio::test]
async fn a_target_that_says_nothing_is_given_up() {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let silent = Session::log_in(address, &Login::new(INITIATOR, TARGET), SECOND / 10).await;
    assert!(matches!(silent, Err(InitiatorError::Timeout { what: "the login", .. })), "{silent:?}");
}
