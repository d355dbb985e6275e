//! Logins with CHAP against the portal: who gets in, who does not, and what each is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use capstan_initiator::{ChapError, Credentials, InitiatorError, Login, LoginStatus, Secret, Session, discover_as};
use capstan_iscsi::login::Stage;
use capstan_iscsi::pdu::{Bhs, LoginRequest, LoginResponse, Pdu, padding};
use capstan_portal::{Initiator, Initiators, PortalConfig, PortalHandle, Target, start};
use capstan_scsi::sam::{
    Completion, InitiatorPort, Lun, NexusId, Task, TaskId, TaskManagement, TaskObserver, TaskRouter,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ALICE: &str = "iqn.2026-11.io.capstan:alice";
const BOB: &str = "iqn.2026-11.io.capstan:bob";
const TARGET: &str = "iqn.2026-11.io.capstan:target";
const HIDDEN: &str = "iqn.2026-11.io.capstan:hidden";
const LONG: Duration = Duration::from_secs(30);

/// Every command is good.
struct Nothing;

impl TaskRouter for Nothing {
    fn nexus_established(&self, _: NexusId, _: &InitiatorPort) {}
    fn nexus_lost(&self, _: NexusId) {}
    fn submit(&self, _: Lun, task: Task) {
        task.observer.completed(task.id, Completion::good());
    }
    fn data_out(&self, _: Lun, _: TaskId, _: Bytes) {}
    fn manage(&self, _: TaskManagement, _: Arc<dyn TaskObserver>) {}
}

fn credentials(user: &str, secret: &str) -> Credentials {
    Credentials { user: user.to_owned(), secret: Secret::new(secret) }
}

fn own() -> Credentials {
    credentials("alice", "a secret of alice's")
}

fn of_target() -> Credentials {
    credentials("vault", "a secret of the vault's")
}

/// Alice proves who she is and can ask for the same, Bob proves who he is.
async fn portal() -> (PortalHandle, SocketAddr) {
    let initiators = vec![
        Initiator { name: ALICE.to_owned(), chap: Some(own()), mutual: Some(of_target()) },
        Initiator { name: BOB.to_owned(), chap: Some(credentials("bob", "a secret of bob's")), mutual: None },
    ];
    let config = PortalConfig {
        initiators: Initiators::Listed(initiators),
        ..PortalConfig::new(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))])
    };
    let mut hidden = Target::new(HIDDEN, Arc::new(Nothing));
    hidden.access = Some(Arc::new(|initiator| initiator.name == BOB));
    let portal = start(config, vec![Target::new(TARGET, Arc::new(Nothing)), hidden]).await.unwrap();
    let address = portal.local_addrs()[0];
    (portal, address)
}

fn as_alice(chap: Option<Credentials>, mutual: Option<Credentials>) -> Login {
    Login { chap, mutual, ..Login::new(ALICE, TARGET) }
}

#[tokio::test]
async fn one_way_and_mutual() {
    let (portal, address) = portal().await;
    for mutual in [None, Some(of_target())] {
        let session = Session::log_in(address, &as_alice(Some(own()), mutual.clone()), LONG).await.unwrap();
        session.nop(Bytes::new(), LONG).await.unwrap();
        assert_eq!(portal.sessions()[0].initiator.name, ALICE);
        session.log_out(LONG).await.unwrap();
        let login = Login { chap: Some(own()), mutual, ..Login::discovery(ALICE) };
        let found = discover_as(address, &login, LONG).await.unwrap();
        assert_eq!(found.len(), 1, "the hidden target is not listed");
        assert_eq!(found[0].name, TARGET);
    }
    // The same port takes its session over, after it has proven who it is.
    let first = Session::log_in(address, &as_alice(Some(own()), None), LONG).await.unwrap();
    let liar = as_alice(Some(credentials("alice", "wrong")), None);
    Session::log_in(address, &liar, LONG).await.unwrap_err();
    first.nop(Bytes::new(), LONG).await.unwrap();
    let again = Session::log_in(address, &as_alice(Some(own()), None), LONG).await.unwrap();
    assert!(first.nop(Bytes::new(), LONG).await.is_err());
    again.nop(Bytes::new(), LONG).await.unwrap();
}

#[tokio::test]
async fn who_does_not_get_in() {
    let (portal, address) = portal().await;
    let failure = LoginStatus::AUTHENTICATION_FAILURE;
    let forbidden = LoginStatus::AUTHORIZATION_FAILURE;
    let bob = || Some(credentials("bob", "a secret of bob's"));
    let to = |initiator, target, chap| Login { chap, ..Login::new(initiator, target) };
    for (login, expected) in [
        (to(ALICE, TARGET, None), failure),
        (to(ALICE, TARGET, Some(credentials("alice", "wrong"))), failure),
        (to(ALICE, TARGET, Some(credentials("alicia", "a secret of alice's"))), failure),
        (to(ALICE, TARGET, bob()), failure),
        (to("iqn.2026-11.io.capstan:stranger", TARGET, Some(own())), forbidden),
        (to(ALICE, HIDDEN, Some(own())), forbidden),
        (to(ALICE, "iqn.2026-11.io.capstan:none", Some(own())), LoginStatus::NOT_FOUND),
        // Who proves nothing learns nothing about targets.
        (to(ALICE, HIDDEN, Some(credentials("alice", "wrong"))), failure),
        (to(ALICE, "iqn.2026-11.io.capstan:none", None), failure),
        (Login::discovery(ALICE), failure),
        (Login { chap: Some(credentials("alice", "wrong")), ..Login::discovery(ALICE) }, failure),
        // No mutual secret is configured for Bob.
        (Login { mutual: Some(of_target()), ..to(BOB, TARGET, bob()) }, failure),
    ] {
        let result = Session::log_in(address, &login, LONG).await;
        let Err(InitiatorError::Login(status)) = result else { panic!("{login:?}: {result:?}") };
        assert_eq!(status, expected, "{login:?}");
    }
    assert_eq!(portal.sessions(), []);
    Session::log_in(address, &to(BOB, HIDDEN, bob()), LONG).await.unwrap();
}

#[tokio::test]
async fn a_target_that_is_not_the_right_one() {
    let (portal, address) = portal().await;
    for wrong in [credentials("vault", "another secret"), credentials("volt", "a secret of the vault's")] {
        let result = Session::log_in(address, &as_alice(Some(own()), Some(wrong)), LONG).await;
        assert!(matches!(result, Err(InitiatorError::Chap(ChapError::Proof))), "{result:?}");
    }
    let result = Session::log_in(address, &as_alice(Some(own()), Some(own())), LONG).await;
    assert!(matches!(result, Err(InitiatorError::Chap(ChapError::SameSecret))), "{result:?}");
    let result = Session::log_in(address, &as_alice(None, Some(of_target())), LONG).await;
    assert!(matches!(result, Err(InitiatorError::Request(_))), "{result:?}");
    assert_eq!(portal.sessions(), []);

    // One that wants no proof of the initiator takes a login with a secret, but not one that it has to answer.
    let config = PortalConfig::new(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]);
    let open = start(config, vec![Target::new(TARGET, Arc::new(Nothing))]).await.unwrap();
    let address = open.local_addrs()[0];
    Session::log_in(address, &as_alice(Some(own()), None), LONG).await.unwrap().log_out(LONG).await.unwrap();
    let result = Session::log_in(address, &as_alice(Some(own()), Some(of_target())), LONG).await;
    let failure = LoginStatus::AUTHENTICATION_FAILURE;
    assert!(matches!(result, Err(InitiatorError::Login(status)) if status == failure), "{result:?}");
}

/// Wrong proofs run out; right ones never do.
#[tokio::test]
async fn guessing_is_slow_and_logging_in_is_not() {
    let (portal, address) = portal().await;
    let right = as_alice(Some(own()), None);
    for _ in 0..1000 {
        Session::log_in(address, &right, LONG).await.unwrap().log_out(LONG).await.unwrap();
    }
    let begin = Instant::now();
    let (mut failures, mut refusals) = (0, 0);
    for number in 0..60 {
        let login = as_alice(Some(credentials("alice", &number.to_string())), None);
        match Session::log_in(address, &login, LONG).await {
            Err(InitiatorError::Login(LoginStatus::AUTHENTICATION_FAILURE)) => failures += 1,
            Err(InitiatorError::Login(LoginStatus::SERVICE_UNAVAILABLE)) => refusals += 1,
            other => panic!("{other:?}"),
        }
    }
    let most = 11 + begin.elapsed().as_secs();
    assert!((10..=most).contains(&failures), "{failures} guesses in {:?}", begin.elapsed());
    assert_eq!(failures + refusals, 60);
    // What is forgiven is forgiven.
    let mut again = Session::log_in(address, &right, LONG).await;
    while matches!(again, Err(InitiatorError::Login(LoginStatus::SERVICE_UNAVAILABLE))) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        again = Session::log_in(address, &right, LONG).await;
    }
    again.unwrap().log_out(LONG).await.unwrap();
    drop(portal);
}

/// One connection that says what a test wants it to.
struct Raw {
    stream: TcpStream,
}

impl Raw {
    async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap() }
    }

    async fn say(&mut self, next: Option<Stage>, text: &str) -> (LoginResponse, String) {
        let request = LoginRequest {
            transit: next.is_some(),
            continues: false,
            current_stage: Stage::SECURITY,
            next_stage: next.unwrap_or(Stage::SECURITY),
            version_max: 0,
            version_min: 0,
            isid: capstan_initiator::Isid([0x80, 0, 0, 0, 0, 9]),
            tsih: 0,
            initiator_task_tag: 0,
            cid: 0,
            cmd_sn: 1,
            exp_stat_sn: 0,
        };
        let length = u32::try_from(text.len()).unwrap();
        let header = request.encode().with_data_segment_length(length);
        let fill = usize::from(padding(length));
        self.stream.write_all(&[&header.0[..], text.as_bytes(), &[0; 3][..fill]].concat()).await.unwrap();
        let mut header = [0; 48];
        self.stream.read_exact(&mut header).await.unwrap();
        let bhs = Bhs(header);
        let length = bhs.data_segment_length();
        let mut data = vec![0; usize::try_from(length).unwrap() + usize::from(padding(length))];
        self.stream.read_exact(&mut data).await.unwrap();
        let Pdu::LoginResponse(response) = Pdu::decode(&bhs) else { panic!() };
        (response, String::from_utf8(data).unwrap())
    }

    /// Up to the challenge; its value.
    async fn challenge(&mut self, initiator: &str) -> String {
        self.say(None, &format!("InitiatorName={initiator}\0TargetName={TARGET}\0AuthMethod=CHAP\0")).await;
        let (_, text) = self.say(None, "CHAP_A=5\0").await;
        let found = text.split('\0').find_map(|pair| pair.strip_prefix("CHAP_C="));
        found.unwrap().to_owned()
    }
}

/// Who has no secret lets another login of the same portal compute the answer. It gets none.
#[tokio::test]
async fn a_challenge_that_comes_back_is_not_answered() {
    let (portal, address) = portal().await;
    let challenge_of = |text: &str| format!("CHAP_N=bob\0CHAP_R=0x00\0CHAP_I=1\0CHAP_C={text}\0");
    let mut attacked = Raw::connect(address).await;
    let challenge = attacked.challenge(BOB).await;
    assert_eq!(challenge.len(), 2 + 64);
    let mut oracle = Raw::connect(address).await;
    assert_ne!(oracle.challenge(ALICE).await, challenge, "each login has a challenge of its own");
    let (response, text) = oracle.say(Some(Stage::OPERATIONAL), &challenge_of(&challenge)).await;
    assert_eq!((response.status, text.as_str()), (LoginStatus::AUTHENTICATION_FAILURE, ""));
    // And its own.
    let (response, text) = attacked.say(Some(Stage::OPERATIONAL), &challenge_of(&challenge)).await;
    assert_eq!((response.status, text.as_str()), (LoginStatus::AUTHENTICATION_FAILURE, ""));
    assert_eq!(portal.sessions(), []);
}
