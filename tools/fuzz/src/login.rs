//! Logins where a proof is required, by initiators that know the secret, that nearly do, and that say anything.
//!
//! Invariants: nobody gets out of the security stage, and so to a session, who did not say the right name with the
//! right response to this login's challenge; who does, and says nothing wrong, does get there; the target proves
//! itself only to an initiator that proved itself first, only where it has a secret of its own, and never answers its
//! own challenge; no secret is ever sent; memory is bounded; each side ends, or goes on.

use std::sync::Arc;
use std::time::Instant;

use bytes::BufMut as _;
use capstan_iscsi::chap::{Algorithm, Challenge, Credentials, Demand, Prover, Secret};
use capstan_iscsi::login::{Isid, LoginStatus, Stage};
use capstan_iscsi::pdu::{LoginRequest, LoginResponse, Pdu, padding};
use capstan_iscsi::target::{Authentication, Config, Connection, Event};
use capstan_iscsi::text::pairs;

use crate::memory::peak_of;
use crate::script::Script;

const USER: &str = "alice";
const SECRET: &str = "fuzzed secret one";
const TARGET_USER: &str = "vault";
const TARGET_SECRET: &str = "fuzzed secret two";
/// More than a login may need, and what it may hold at a time: twice the longest text, and what was said.
const STEPS: usize = 80;
const MEMORY: usize = 256 << 10;

pub(crate) fn target(data: &[u8]) {
    let ((), peak) = peak_of(|| {
        let mut script = Script::new(data);
        match script.byte() % 4 {
            0 => honest(&mut script),
            1 => any_target(&mut script),
            _ => any_initiator(&mut script),
        }
    });
    assert!(peak <= MEMORY + 64 * data.len(), "{peak} bytes at a time");
}

fn credentials(user: &str, secret: &str) -> Credentials {
    Credentials { user: user.to_owned(), secret: Secret::new(secret) }
}

/// A target in a login, and what it said and was told.
struct Login {
    connection: Connection,
    demand: Demand,
    stage: Stage,
    requests: u32,
    /// All that the initiator said, in lower case, and all that the target did.
    told: String,
    said: String,
    algorithm: Option<Algorithm>,
    proofs: usize,
    established: bool,
    ended: Option<LoginStatus>,
}

impl Login {
    fn new(script: &mut Script<'_>) -> Self {
        let target = match script.byte() % 4 {
            0 => None,
            // What the configuration refuses.
            1 => Some(credentials(TARGET_USER, SECRET)),
            _ => Some(credentials(TARGET_USER, TARGET_SECRET)),
        };
        let challenge = Challenge { identifier: script.byte(), bytes: (0..16).map(|at| at ^ 0x5a).collect() };
        Self {
            connection: Connection::new(Arc::new(Config::default()), Instant::now()),
            demand: Demand { initiator: credentials(USER, SECRET), target, challenge },
            stage: Stage::SECURITY,
            requests: 0,
            told: String::new(),
            said: String::new(),
            algorithm: None,
            proofs: 0,
            established: false,
            ended: None,
        }
    }

    fn lives(&self) -> bool {
        self.ended.is_none() && !self.established
    }

    /// What the right response to the challenge is, as text.
    fn right_response(&self) -> Option<String> {
        let bytes = self.algorithm?.response(&self.demand.initiator.secret, &self.demand.challenge)?;
        Some(hexadecimal(&bytes))
    }

    /// Whether the initiator has said what it takes.
    fn was_told_the_proof(&self) -> bool {
        let name = self.told.contains("chap_n=alice\0");
        name && self.right_response().is_some_and(|right| self.told.contains(&right))
    }

    /// Sends a request; the answer.
    fn say(
        &mut self,
        from: Stage,
        next: Option<Stage>,
        continues: bool,
        text: &[u8],
        lets: bool,
    ) -> Option<LoginResponse> {
        let request = LoginRequest {
            transit: next.is_some(),
            continues,
            current_stage: from,
            next_stage: next.unwrap_or(Stage::SECURITY),
            version_max: 0,
            version_min: 0,
            isid: Isid([0x80, 0, 0, 1, 2, 3]),
            tsih: 0,
            initiator_task_tag: 1,
            cid: 5,
            cmd_sn: 1,
            exp_stat_sn: 1,
        };
        self.requests += 1;
        self.told.push_str(&String::from_utf8_lossy(text).to_lowercase());
        let length = u32::try_from(text.len()).expect("small");
        let header = request.encode().with_data_segment_length(length);
        let whole = [text, &[0; 3][..usize::from(padding(length))]].concat();
        let mut rest = &whole[..];
        let now = Instant::now();
        let mut result = self.connection.receive_header(now, &header.0).map(|_| ());
        while result.is_ok() && !self.connection.expects_header() {
            let mut place = self.connection.destination();
            let count = rest.len().min(place.remaining_mut());
            place.put_slice(&rest[..count]);
            rest = &rest[count..];
            result = self.connection.advance(now, count);
        }
        while let Some(event) = self.connection.poll_event() {
            result = match event {
                Event::Identify(_) => self.connection.identified(Ok(Authentication::Chap(self.demand.clone()))),
                Event::Proof { challenge } => {
                    self.proofs += 1;
                    assert_eq!(self.proofs, 1, "one try");
                    assert!(challenge.is_none_or(|bytes| (1..=1024).contains(&bytes.len())));
                    let verdict = if lets { Ok(()) } else { Err(LoginStatus::SERVICE_UNAVAILABLE) };
                    self.connection.examine(verdict)
                }
                Event::Establish => {
                    assert!(self.was_told_the_proof(), "a session without the right proof");
                    self.established = true;
                    self.connection.establish(now, Ok(7))
                }
                other => panic!("{other:?} in a login"),
            };
        }
        let answer = self.heard();
        match (answer, result) {
            (Some(answer), Ok(())) => assert!(answer.status.is_success()),
            (Some(answer), Err(_)) => assert!(!answer.status.is_success()),
            (None, _) => panic!("no answer"),
        }
        answer
    }

    /// Takes the one answer.
    fn heard(&mut self) -> Option<LoginResponse> {
        let transmit = self.connection.poll_transmit()?;
        assert!(self.connection.poll_transmit().is_none(), "one answer");
        let Pdu::LoginResponse(answer) = Pdu::decode(&capstan_iscsi::pdu::Bhs(*transmit.head().first_chunk()?)) else {
            panic!("something else than an answer to a login");
        };
        let text = String::from_utf8_lossy(transmit.data()).into_owned();
        for secret in [SECRET, TARGET_SECRET] {
            assert!(!text.contains(secret), "a secret is sent");
        }
        for pair in pairs(transmit.data()).map(|pair| pair.expect("text as it must be")) {
            match pair.key {
                "CHAP_A" => self.algorithm = pair.value.parse().ok().map(Algorithm),
                "CHAP_N" | "CHAP_R" => {
                    assert!(self.was_told_the_proof(), "the target proves itself to anyone");
                    assert_eq!(self.demand.target, Some(credentials(TARGET_USER, TARGET_SECRET)));
                    let own = self
                        .algorithm
                        .and_then(|algorithm| algorithm.response(&Secret::new(TARGET_SECRET), &self.demand.challenge));
                    assert_ne!(Some(pair.value), own.map(|own| hexadecimal(&own)).as_deref(), "its own challenge");
                }
                _ => {}
            }
        }
        self.said.push_str(&text);
        if !answer.status.is_success() {
            self.ended = Some(answer.status);
        }
        if answer.transit {
            assert!(self.was_told_the_proof(), "out of the security stage without the right proof");
            self.stage = answer.next_stage;
        }
        Some(answer)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// An initiator that knows, or does not know, what it has to.
fn honest(script: &mut Script<'_>) {
    let mut login = Login::new(script);
    let (name, secret) = (script.byte() & 7 != 0, script.byte() & 7 != 0);
    let own = credentials(if name { USER } else { "mallory" }, if secret { SECRET } else { "guess" });
    let wants = script.flag();
    let asked = Challenge { identifier: script.byte(), bytes: vec![1 + script.byte() % 3; 1 + script.below(40)] };
    let mutual = wants.then(|| (credentials(TARGET_USER, TARGET_SECRET), asked));
    let mut prover = Prover::new(own, mutual).expect("two secrets");
    let first = b"InitiatorName=iqn.i\0TargetName=iqn.t\0AuthMethod=CHAP,None\0";
    login.say(Stage::SECURITY, None, false, first, true);
    let (key, mut value) = prover.offer();
    if script.flag() {
        value = script.pick(&Algorithm::PREFERRED).0.to_string();
    }
    let mut text = format!("{key}={value}\0");
    while login.lives() && login.stage == Stage::SECURITY {
        let from = login.said.len();
        let next = prover.is_ready().then_some(Stage::FULL_FEATURE);
        login.say(Stage::SECURITY, next, false, text.as_bytes(), true);
        for pair in pairs(&login.said.as_bytes()[from..]).map(|pair| pair.expect("text as it must be")) {
            if pair.key.starts_with("CHAP_") {
                prover.receive(pair.key, pair.value).expect("each key once");
            }
        }
        let answers = prover.step().expect("a target as it must be");
        text = answers.iter().fold(String::new(), |text, (key, value)| format!("{text}{key}={value}\0"));
    }
    let has_mutual = login.demand.target == Some(credentials(TARGET_USER, TARGET_SECRET));
    assert_eq!(login.established, name && secret && (!wants || has_mutual));
    assert!(login.established || login.ended == Some(LoginStatus::AUTHENTICATION_FAILURE));
    assert_eq!(prover.is_owed(), wants && !login.established);
}

/// An initiator that says what the script says, in any order.
fn any_initiator(script: &mut Script<'_>) {
    const STAGES: [Stage; 4] = [Stage::SECURITY, Stage::OPERATIONAL, Stage(2), Stage::FULL_FEATURE];
    let mut login = Login::new(script);
    // Else every login ends at its first request.
    let mut text = if script.byte() & 7 != 0 { b"InitiatorName=iqn.i\0TargetName=iqn.t\0".to_vec() } else { vec![] };
    for _ in 0..STEPS {
        if script.is_over() || !login.lives() {
            return;
        }
        let choice = script.byte();
        for _ in 0..choice % 6 {
            text.extend(said(&login, script));
        }
        let from = if choice < 220 { login.stage } else { script.pick(&STAGES) };
        let next = script.flag().then(|| script.pick(&STAGES));
        let continues = script.byte() < 16;
        let lets = script.byte() != 1;
        text.truncate(8192);
        login.say(from, next, continues, &text, lets);
        text.clear();
    }
}

/// A pair that means something, or nearly, or any bytes.
fn said(login: &Login, script: &mut Script<'_>) -> Vec<u8> {
    let own = hexadecimal(&login.demand.challenge.bytes);
    let right = login.right_response().unwrap_or_default();
    let text = match script.byte() % 24 {
        0 | 1 => "AuthMethod=CHAP".to_owned(),
        2 => "AuthMethod=CHAP,None".to_owned(),
        3 => "AuthMethod=None".to_owned(),
        4 | 5 => "CHAP_A=5,6,7,8".to_owned(),
        6 => format!("CHAP_A={}", script.byte() % 12),
        7..=9 => "CHAP_N=alice".to_owned(),
        10 => "CHAP_N=vault".to_owned(),
        11 | 12 => format!("CHAP_R={right}"),
        13 => format!("CHAP_R={}", right.get(..right.len() / 2 * 2 - right.len().min(2)).unwrap_or_default()),
        14 => format!("CHAP_R={own}"),
        15 => format!("CHAP_I={}", login.demand.challenge.identifier),
        16 => format!("CHAP_I={}", u32::from(script.byte()) + u32::from(script.flag())),
        17 | 18 => format!("CHAP_C=0x{}", "0b".repeat(script.below(1100))),
        19 => format!("CHAP_C={own}"),
        20 => "CHAP_C=0bAAECAwQ=".to_owned(),
        21 => "MaxBurstLength=512".to_owned(),
        22 => format!("CHAP_{}={}", script.pick(&["A", "C", "I", "N", "R", "X"]), script.byte()),
        _ => return script.take(24).to_vec(),
    };
    [text.as_bytes(), b"\0"].concat()
}

/// A target that says anything to an initiator: which believes nothing but a proof.
fn any_target(script: &mut Script<'_>) {
    let asked = Challenge { identifier: 3, bytes: vec![0x0b; 16] };
    let mutual = Some((credentials(TARGET_USER, TARGET_SECRET), asked.clone()));
    let mut prover = Prover::new(credentials(USER, SECRET), mutual).expect("two secrets");
    let mut login = Login::new(script);
    let mut told = String::new();
    while !script.is_over() {
        login.algorithm = Some(script.pick(&Algorithm::PREFERRED));
        let mut message = Vec::new();
        for _ in 0..script.byte() % 5 {
            message.extend(said(&login, script));
        }
        if script.byte() & 0x0f == 0x0f {
            let algorithm = login.algorithm.expect("picked");
            let right = algorithm.response(&Secret::new(TARGET_SECRET), &asked).expect("one of ours");
            message.extend(format!("CHAP_N=vault\0CHAP_R={}\0", hexadecimal(&right)).into_bytes());
        }
        told.push_str(&String::from_utf8_lossy(&message).to_lowercase());
        for pair in pairs(&message).map_while(Result::ok).filter(|pair| pair.key.starts_with("CHAP_")) {
            if prover.receive(pair.key, pair.value).is_err() {
                return;
            }
        }
        let Ok(answers) = prover.step() else { return };
        assert!(answers.iter().all(|(_, value)| !value.contains(SECRET) && !value.contains(TARGET_SECRET)));
        let proofs = Algorithm::PREFERRED.map(|algorithm| {
            hexadecimal(&algorithm.response(&Secret::new(TARGET_SECRET), &asked).expect("one of ours"))
        });
        let proven = told.contains("chap_n=vault\0") && proofs.iter().any(|proof| told.contains(proof));
        assert!(prover.is_owed() || proven, "a target is believed without a proof");
    }
}
