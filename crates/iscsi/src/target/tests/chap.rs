//! Logins that have to prove who they are.

use super::*;
use crate::chap::{Algorithm, Challenge, Credentials, Demand, Secret};

const NAMES: &str = "InitiatorName=iqn.i\0TargetName=iqn.t\0";

fn challenge() -> Challenge {
    Challenge { identifier: 9, bytes: vec![0x11; 16] }
}

fn demand(mutual: bool) -> Demand {
    let credentials = |user: &str, secret: &str| Credentials { user: user.to_owned(), secret: Secret::new(secret) };
    let target = mutual.then(|| credentials("vault", "the target's secret"));
    Demand { initiator: credentials("alice", "correct horse battery"), target, challenge: challenge() }
}

/// The initiator's response to the challenge.
fn response_with(secret: &str) -> String {
    let bytes = Algorithm::MD5.response(&Secret::new(secret), &challenge()).unwrap();
    bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// A scripted login: each step is the stage to go on to, if any, and text. What the target says last.
struct Attempt {
    bench: Bench,
    demand: Demand,
    proofs: usize,
}

impl Attempt {
    fn new(mutual: bool) -> Self {
        Self { bench: Bench::new(Config::default()), demand: demand(mutual), proofs: 0 }
    }

    fn say(&mut self, current: Stage, next: Option<Stage>, text: &str) -> Result<(LoginResponse, String), LoginStatus> {
        let pdu = LoginRequest { transit: next.is_some(), ..self.bench.login(current, next.unwrap_or(Stage(0))) };
        let mut result = self.bench.send(pdu, text.as_bytes());
        while let Some(event) = self.bench.target.poll_event() {
            result = match event {
                Event::Identify(_) => self.bench.target.identified(Ok(Authentication::Chap(self.demand.clone()))),
                Event::Proof { .. } => {
                    self.proofs += 1;
                    self.bench.target.examine(Ok(()))
                }
                Event::Establish => self.bench.target.establish(self.bench.now, Ok(TSIH)),
                other => panic!("{other:?}"),
            };
        }
        let Sent { pdu: Pdu::LoginResponse(response), data } = self.bench.one() else { panic!() };
        match result {
            Ok(()) => assert!(response.status.is_success()),
            Err(error) => assert_eq!(error, ProtocolError::LoginRefused(response.status)),
        }
        if !response.status.is_success() {
            return Err(response.status);
        }
        Ok((response, String::from_utf8(data.to_vec()).unwrap().replace('\0', ";")))
    }

    /// Up to the challenge.
    fn challenged(mutual: bool) -> Self {
        let mut attempt = Self::new(mutual);
        let first = format!("{NAMES}AuthMethod=CHAP,None\0");
        // An initiator may say that it is ready to go on; it is not let.
        let (answer, text) = attempt.say(Stage::SECURITY, Some(Stage::OPERATIONAL), &first).unwrap();
        assert_eq!((answer.transit, text.as_str()), (false, "TargetPortalGroupTag=1;AuthMethod=CHAP;"));
        let (answer, text) = attempt.say(Stage::SECURITY, None, "CHAP_A=5\0").unwrap();
        assert_eq!((answer.transit, answer.next_stage), (false, Stage::SECURITY));
        assert_eq!(text, "CHAP_A=5;CHAP_I=9;CHAP_C=0x11111111111111111111111111111111;");
        attempt
    }
}

fn proof(user: &str, secret: &str) -> String {
    format!("CHAP_N={user}\0CHAP_R={}\0", response_with(secret))
}

#[test]
fn the_right_proof_leads_to_a_session() {
    for mutual in [false, true] {
        for at_once in [true, false] {
            let mut attempt = Attempt::challenged(mutual);
            let proof = proof("alice", "correct horse battery");
            let next = at_once.then_some(Stage::OPERATIONAL);
            let (answer, text) = attempt.say(Stage::SECURITY, next, &proof).unwrap();
            assert_eq!((answer.transit, text.as_str()), (at_once, ""));
            if !at_once {
                attempt.say(Stage::SECURITY, Some(Stage::OPERATIONAL), "").unwrap();
            }
            let (answer, _) = attempt.say(Stage::OPERATIONAL, Some(Stage::FULL_FEATURE), "").unwrap();
            assert_eq!((answer.tsih, attempt.proofs), (TSIH, 1));
        }
    }
    // From the security stage straight to the full feature phase.
    let mut attempt = Attempt::challenged(false);
    let proof = proof("alice", "correct horse battery");
    let (answer, _) = attempt.say(Stage::SECURITY, Some(Stage::FULL_FEATURE), &proof).unwrap();
    assert_eq!(answer.tsih, TSIH);
}

#[test]
fn the_target_proves_who_it_is() {
    let mut attempt = Attempt::challenged(true);
    let asked = format!("{}CHAP_I=3\0CHAP_C=0x2222\0", proof("alice", "correct horse battery"));
    let (answer, text) = attempt.say(Stage::SECURITY, Some(Stage::OPERATIONAL), &asked).unwrap();
    assert!(answer.transit);
    // md5 of 03, "the target's secret", 22 22.
    assert_eq!(text, "CHAP_N=vault;CHAP_R=0x5ed2b94bd5d39ab1e93ba7647cbb54ca;");
}

/// Refused with this status, and nothing is established.
#[track_caller]
fn refused(mut attempt: Attempt, current: Stage, next: Option<Stage>, text: &str, expected: LoginStatus) {
    assert_eq!(attempt.say(current, next, text).err(), Some(expected), "{text:?}");
    assert_eq!(attempt.bench.target.poll_event(), None);
    assert!(!attempt.bench.target.is_logged_out());
}

#[test]
fn no_way_around_the_proof() {
    let failure = LoginStatus::AUTHENTICATION_FAILURE;
    let with = |more: &str| format!("{NAMES}{more}");
    let operational = Some(Stage::OPERATIONAL);
    let full = Some(Stage::FULL_FEATURE);
    for kind in ["TargetName=iqn.t\0", "SessionType=Discovery\0"] {
        let text = format!("InitiatorName=iqn.i\0{kind}");
        refused(Attempt::new(false), Stage::OPERATIONAL, full, &text, failure);
        refused(Attempt::new(false), Stage::OPERATIONAL, None, &text, failure);
        refused(Attempt::new(false), Stage::SECURITY, full, &text, failure);
        refused(Attempt::new(false), Stage::SECURITY, operational, &text, failure);
    }
    for offer in ["None", "KRB5", "SRP,None", "", "chap"] {
        let text = with(&format!("AuthMethod={offer}\0"));
        refused(Attempt::new(false), Stage::SECURITY, operational, &text, failure);
    }
    for next in [operational, full] {
        refused(Attempt::challenged(false), Stage::SECURITY, next, "AuthMethod=None\0", LoginStatus::INITIATOR_ERROR);
    }
    refused(Attempt::challenged(false), Stage::OPERATIONAL, full, "", LoginStatus::INVALID_DURING_LOGIN);
    refused(Attempt::challenged(false), Stage::FULL_FEATURE, full, "", LoginStatus::INVALID_DURING_LOGIN);
    for (user, secret) in [("alice", "wrong"), ("alice", ""), ("bob", "correct horse battery"), ("bob", "wrong")] {
        refused(Attempt::challenged(true), Stage::SECURITY, operational, &proof(user, secret), failure);
        refused(Attempt::challenged(true), Stage::SECURITY, full, &proof(user, secret), failure);
    }
}

/// Saying nothing, and that one is ready, for as long as it takes.
#[test]
fn waiting_does_not_help() {
    let mut attempt = Attempt::challenged(false);
    for _ in 0..20 {
        let (answer, text) = attempt.say(Stage::SECURITY, Some(Stage::FULL_FEATURE), "").unwrap();
        assert_eq!((answer.transit, answer.tsih, text.as_str()), (false, 0, ""));
    }
    assert_eq!(attempt.proofs, 0);
}

#[test]
fn class_and_detail_of_a_malformed_exchange() {
    let error = LoginStatus::INITIATOR_ERROR;
    let failure = LoginStatus::AUTHENTICATION_FAILURE;
    let right = proof("alice", "correct horse battery");
    let long = "00".repeat(1025);
    let before: [(&str, LoginStatus); 7] = [
        ("CHAP_A=5\0", error),
        ("CHAP_N=alice\0CHAP_R=0x00\0AuthMethod=CHAP\0", error),
        ("AuthMethod=CHAP\0AuthMethod=CHAP\0", error),
        ("AuthMethod=CHAP\0CHAP_A=\0", error),
        ("AuthMethod=CHAP\0CHAP_A=9,4\0", failure),
        ("AuthMethod=CHAP\0CHAP_A=5\0CHAP_A=5\0", error),
        ("AuthMethod=CHAP\0CHAP_N=alice\0CHAP_R=0x00\0", error),
    ];
    for (text, expected) in before {
        refused(Attempt::new(true), Stage::SECURITY, None, &format!("{NAMES}{text}"), expected);
    }
    let after: [(&str, LoginStatus); 12] = [
        ("CHAP_A=5\0", error),
        ("AuthMethod=CHAP\0", error),
        ("CHAP_N=alice\0", error),
        ("CHAP_R=0x00\0", error),
        ("CHAP_N=alice\0CHAP_R=\0", error),
        ("CHAP_N=alice\0CHAP_R=abc\0", error),
        ("CHAP_N=\0CHAP_R=0x00\0", error),
        ("CHAP_N=alice\0CHAP_R=0x00\0", failure),
        (&format!("{right}{right}"), error),
        (&format!("{right}CHAP_I=1\0"), error),
        (&format!("{right}CHAP_I=1\0CHAP_C=0x{long}\0"), error),
        // The target's own challenge.
        (&format!("{right}CHAP_I=1\0CHAP_C=0x{}\0", "11".repeat(16)), failure),
    ];
    for (text, expected) in after {
        refused(Attempt::challenged(true), Stage::SECURITY, Some(Stage::OPERATIONAL), text, expected);
    }
    let mutual = format!("{right}CHAP_I=1\0CHAP_C=0x22\0");
    refused(Attempt::challenged(false), Stage::SECURITY, Some(Stage::OPERATIONAL), &mutual, failure);
    // Again, when it is over.
    let mut attempt = Attempt::challenged(true);
    attempt.say(Stage::SECURITY, None, &right).unwrap();
    refused(attempt, Stage::SECURITY, None, &right, error);
    let mut attempt = Attempt::challenged(true);
    attempt.say(Stage::SECURITY, Some(Stage::OPERATIONAL), &right).unwrap();
    refused(attempt, Stage::OPERATIONAL, None, &right, error);
}

#[test]
fn the_owner_does_not_let_a_proof_be_looked_at() {
    for status in [LoginStatus::SERVICE_UNAVAILABLE, LoginStatus::AUTHENTICATION_FAILURE] {
        let mut attempt = Attempt::challenged(true);
        let pdu = attempt.bench.login(Stage::SECURITY, Stage::OPERATIONAL);
        let text = format!("{}CHAP_I=1\0CHAP_C=0x0a0b\0", proof("alice", "correct horse battery"));
        attempt.bench.send(pdu, text.as_bytes()).unwrap();
        assert_eq!(attempt.bench.event(), Event::Proof { challenge: Some(vec![10, 11]) });
        // Nothing goes on before the owner answers.
        assert_eq!(attempt.bench.sent(), []);
        assert_eq!(attempt.bench.target.examine(Err(status)), Err(ProtocolError::LoginRefused(status)));
        let Pdu::LoginResponse(response) = attempt.bench.one().pdu else { panic!() };
        assert_eq!(response.status, status);
    }
}
