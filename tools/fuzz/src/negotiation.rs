//! Text negotiation between both roles.
//!
//! Invariants for two honest sides: they hold the same values afterwards, which follow from both wishes by each key's
//! rule; an exchange fails only where one side requires a digest that the other refuses. For any text at all: values
//! stay within their limits, an answer is what then holds, a key is taken once, and memory follows the text.

use capstan_iscsi::text::{
    Digest, DigestPolicy, IRRELEVANT, Key, NOT_UNDERSTOOD, Negotiation, NegotiationError, Parameters, REJECT, Rule,
    Wishes, pairs,
};

use crate::memory::peak_of;
use crate::script::Script;

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    let mode = script.byte();
    let discovery = mode & 0x80 != 0;
    match mode % 3 {
        0 => both(&mut script, discovery),
        1 => any_text(&mut script, discovery),
        _ => near_text(&mut script, discovery),
    }
}

const POLICIES: [DigestPolicy; 4] =
    [DigestPolicy::Off, DigestPolicy::Offer, DigestPolicy::Prefer, DigestPolicy::Require];

fn range(key: Key) -> (u32, u32) {
    match key.rule() {
        Rule::Minimum(range) | Rule::Maximum(range) | Rule::Declare(range) => (*range.start(), *range.end()),
        Rule::List | Rule::And | Rule::Or | Rule::Obsolete(_) => (0, u32::MAX),
    }
}

fn wishes(script: &mut Script<'_>) -> Wishes {
    let mut number = |key| {
        let (low, high) = range(key);
        script.within(low, high)
    };
    let mut parameters = Parameters {
        max_connections: number(Key::MaxConnections),
        max_burst_length: number(Key::MaxBurstLength),
        first_burst_length: number(Key::FirstBurstLength),
        default_time_2_wait: number(Key::DefaultTime2Wait),
        default_time_2_retain: number(Key::DefaultTime2Retain),
        max_outstanding_r2t: number(Key::MaxOutstandingR2T),
        error_recovery_level: number(Key::ErrorRecoveryLevel),
        iscsi_protocol_level: number(Key::ISCSIProtocolLevel),
        ..Parameters::default()
    };
    let max_recv_data_segment_length = number(Key::MaxRecvDataSegmentLength);
    let flags = script.byte();
    parameters.initial_r2t = flags & 1 != 0;
    parameters.immediate_data = flags & 2 != 0;
    parameters.data_pdu_in_order = flags & 4 != 0;
    parameters.data_sequence_in_order = flags & 8 != 0;
    let (header_digest, data_digest) = (script.pick(&POLICIES), script.pick(&POLICIES));
    Wishes { parameters, header_digest, data_digest, max_recv_data_segment_length }
}

fn without_requirements(wishes: Wishes) -> Wishes {
    let prefer = |policy| if policy == DigestPolicy::Require { DigestPolicy::Prefer } else { policy };
    let (header_digest, data_digest) = (prefer(wishes.header_digest), prefer(wishes.data_digest));
    Wishes { header_digest, data_digest, ..wishes }
}

fn both(script: &mut Script<'_>, discovery: bool) {
    let (ours, theirs) = (wishes(script), wishes(script));
    let mut initiator = Negotiation::new(ours.clone(), discovery);
    let mut target = Negotiation::new(theirs.clone(), discovery);
    // Discovery does without digests that are required.
    let (ours, theirs) =
        if discovery { (without_requirements(ours), without_requirements(theirs)) } else { (ours, theirs) };
    let mut answers = Vec::new();
    for (key, value) in initiator.offers() {
        match target.receive(key, &value) {
            Ok(answer) => answers.extend(answer.map(|answer| (key, answer))),
            Err(error) => panic!("an honest offer is refused: {error}"),
        }
    }
    answers.extend(target.declare());
    assert_eq!(target.declare(), None, "declared once");
    for (key, value) in &answers {
        if let Err(error) = initiator.receive(key, value) {
            let NegotiationError::Answer { key, .. } = error else { panic!("{error}") };
            let policies = match key {
                Key::HeaderDigest => (ours.header_digest, theirs.header_digest),
                Key::DataDigest => (ours.data_digest, theirs.data_digest),
                _ => panic!("{error}"),
            };
            let apart = [policies, (policies.1, policies.0)].contains(&(DigestPolicy::Require, DigestPolicy::Off));
            assert!(apart, "{policies:?}");
            return;
        }
    }
    if initiator.unmet().is_some() || target.unmet().is_some() {
        // A digest that one requires was not even offered: such a login is refused.
        let apart = |one, other| one == DigestPolicy::Require && other == DigestPolicy::Off;
        let header = apart(theirs.header_digest, ours.header_digest);
        assert!(header || apart(theirs.data_digest, ours.data_digest));
        return;
    }
    agree(&initiator, &target, &ours, &theirs, discovery);
}

fn agree(initiator: &Negotiation, target: &Negotiation, ours: &Wishes, theirs: &Wishes, discovery: bool) {
    let (one, other) = (initiator.agreed(), target.agreed());
    assert_eq!(one, other);
    within_limits(initiator);
    within_limits(target);
    assert_eq!(initiator.peer_max_recv_data_segment_length(), theirs.max_recv_data_segment_length);
    assert_eq!(target.peer_max_recv_data_segment_length(), ours.max_recv_data_segment_length);
    assert_eq!(initiator.own_max_recv_data_segment_length(), ours.max_recv_data_segment_length);
    assert_eq!(target.own_max_recv_data_segment_length(), theirs.max_recv_data_segment_length);
    for (digest, a, b) in [
        (one.header_digest, ours.header_digest, theirs.header_digest),
        (one.data_digest, ours.data_digest, theirs.data_digest),
    ] {
        assert!(a.accepts(digest) && b.accepts(digest), "{digest:?} for {a:?} and {b:?}");
    }
    let (a, b) = (&ours.parameters, &theirs.parameters);
    assert_eq!(one.default_time_2_wait, a.default_time_2_wait.max(b.default_time_2_wait));
    assert_eq!(one.error_recovery_level, a.error_recovery_level.min(b.error_recovery_level));
    if discovery {
        assert_eq!(one.max_burst_length, Parameters::default().max_burst_length, "means nothing in discovery");
        return;
    }
    assert_eq!(one.max_connections, a.max_connections.min(b.max_connections));
    assert_eq!(one.max_burst_length, a.max_burst_length.min(b.max_burst_length));
    assert_eq!(one.first_burst_length, a.first_burst_length.min(b.first_burst_length));
    assert_eq!(one.default_time_2_retain, a.default_time_2_retain.min(b.default_time_2_retain));
    assert_eq!(one.max_outstanding_r2t, a.max_outstanding_r2t.min(b.max_outstanding_r2t));
    assert_eq!(one.initial_r2t, a.initial_r2t || b.initial_r2t);
    assert_eq!(one.immediate_data, a.immediate_data && b.immediate_data);
    assert_eq!(one.data_pdu_in_order, a.data_pdu_in_order || b.data_pdu_in_order);
    assert_eq!(one.data_sequence_in_order, a.data_sequence_in_order || b.data_sequence_in_order);
}

fn within_limits(negotiation: &Negotiation) {
    let agreed = negotiation.agreed();
    for (key, value) in [
        (Key::MaxConnections, agreed.max_connections),
        (Key::MaxBurstLength, agreed.max_burst_length),
        (Key::FirstBurstLength, agreed.first_burst_length),
        (Key::DefaultTime2Wait, agreed.default_time_2_wait),
        (Key::DefaultTime2Retain, agreed.default_time_2_retain),
        (Key::MaxOutstandingR2T, agreed.max_outstanding_r2t),
        (Key::ErrorRecoveryLevel, agreed.error_recovery_level),
        (Key::ISCSIProtocolLevel, agreed.iscsi_protocol_level),
        (Key::MaxRecvDataSegmentLength, negotiation.own_max_recv_data_segment_length()),
        (Key::MaxRecvDataSegmentLength, negotiation.peer_max_recv_data_segment_length()),
    ] {
        let (low, high) = range(key);
        assert!((low..=high).contains(&value), "{key:?}={value}");
    }
}

/// Any text to either side, before or after its own offers.
fn any_text(script: &mut Script<'_>, discovery: bool) {
    let mut negotiation = Negotiation::new(wishes(script), discovery);
    let offered = script.flag().then(|| negotiation.offers());
    let text = script.rest();
    let ((), peak) = peak_of(|| {
        for pair in pairs(text).map_while(Result::ok) {
            if !step(&mut negotiation, offered.is_some(), pair.key, pair.value) {
                break;
            }
        }
    });
    assert!(peak <= 8 * text.len() + 4096, "{peak} bytes for {}", text.len());
    within_limits(&negotiation);
}

/// Keys that exist with values that nearly fit.
fn near_text(script: &mut Script<'_>, discovery: bool) {
    const VALUES: [&str; 16] = [
        "Yes",
        "No",
        "None",
        "CRC32C",
        "CRC32C,None",
        "None,CRC32C",
        "0",
        "1",
        "512",
        "511",
        "16777215",
        "16777216",
        "0x200",
        "Reject",
        "NotUnderstood",
        "",
    ];
    let mut negotiation = Negotiation::new(wishes(script), discovery);
    let offered = script.flag();
    if offered {
        negotiation.offers();
    }
    let mut taken = Vec::new();
    while !script.is_over() {
        let key = script.pick(Key::ALL);
        let value = match script.byte() {
            0..=199 => script.pick(&VALUES).to_owned(),
            _ => script.u32().to_string(),
        };
        let repeated = taken.contains(&key);
        taken.push(key);
        let went_on = step(&mut negotiation, offered, key.name(), &value);
        assert!(!(repeated && went_on), "{key:?} was taken twice");
        if !went_on {
            return;
        }
    }
}

/// One pair; false where the negotiation ends.
fn step(negotiation: &mut Negotiation, offered: bool, name: &str, value: &str) -> bool {
    let answer = negotiation.receive(name, value);
    within_limits(negotiation);
    let Ok(answer) = answer else { return false };
    let Some(key) = Key::of(name) else {
        assert!(answer.is_none_or(|answer| answer == NOT_UNDERSTOOD));
        return true;
    };
    let Some(answer) = answer else {
        assert!(offered || matches!(key.rule(), Rule::Declare(_)), "{key:?} must be answered");
        return true;
    };
    if [REJECT, IRRELEVANT, NOT_UNDERSTOOD].contains(&answer.as_str()) {
        return true;
    }
    let agreed = negotiation.agreed();
    let yes_no = |value: bool| if value { "Yes" } else { "No" }.to_owned();
    let holds = match key {
        Key::HeaderDigest => agreed.header_digest.name().to_owned(),
        Key::DataDigest => agreed.data_digest.name().to_owned(),
        Key::MaxConnections => agreed.max_connections.to_string(),
        Key::InitialR2T => yes_no(agreed.initial_r2t),
        Key::ImmediateData => yes_no(agreed.immediate_data),
        Key::MaxBurstLength => agreed.max_burst_length.to_string(),
        Key::FirstBurstLength => agreed.first_burst_length.to_string(),
        Key::DefaultTime2Wait => agreed.default_time_2_wait.to_string(),
        Key::DefaultTime2Retain => agreed.default_time_2_retain.to_string(),
        Key::MaxOutstandingR2T => agreed.max_outstanding_r2t.to_string(),
        Key::DataPduInOrder => yes_no(agreed.data_pdu_in_order),
        Key::DataSequenceInOrder => yes_no(agreed.data_sequence_in_order),
        Key::ErrorRecoveryLevel => agreed.error_recovery_level.to_string(),
        Key::ISCSIProtocolLevel => agreed.iscsi_protocol_level.to_string(),
        Key::TaskReporting => "RFC3720".to_owned(),
        Key::IFMarker | Key::OFMarker => "No".to_owned(),
        Key::MaxRecvDataSegmentLength | Key::IFMarkInt | Key::OFMarkInt => panic!("{key:?} answered {answer}"),
    };
    assert_eq!(answer, holds, "{key:?}: what was answered is what holds");
    if let Some(digest) = Digest::of(&answer)
        && matches!(key, Key::HeaderDigest | Key::DataDigest)
    {
        assert!(value.split(',').any(|each| each == digest.name()), "{digest:?} was not offered");
    }
    true
}
