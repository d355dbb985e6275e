//! Each key's rule from both ends.

use proptest::prelude::*;

use super::*;

fn target() -> Negotiation {
    Negotiation::new(Wishes::default(), false)
}

fn answer(negotiation: &mut Negotiation, key: &str, value: &str) -> Option<String> {
    negotiation.receive(key, value).unwrap()
}

/// What a Linux initiator offers, and what it must be told.
#[test]
fn answers_to_a_kernel_initiator() {
    let mut target = target();
    let rows = [
        ("HeaderDigest", "None", Some("None")),
        ("DataDigest", "CRC32C,None", Some("CRC32C")),
        ("DefaultTime2Wait", "2", Some("2")),
        ("DefaultTime2Retain", "0", Some("0")),
        ("IFMarker", "No", Some("No")),
        ("OFMarker", "No", Some("No")),
        ("ErrorRecoveryLevel", "0", Some("0")),
        ("InitialR2T", "No", Some("No")),
        ("ImmediateData", "Yes", Some("Yes")),
        ("MaxBurstLength", "16776192", Some("16776192")),
        ("FirstBurstLength", "262144", Some("262144")),
        ("MaxOutstandingR2T", "1", Some("1")),
        ("MaxConnections", "1", Some("1")),
        ("DataPDUInOrder", "Yes", Some("Yes")),
        ("DataSequenceInOrder", "Yes", Some("Yes")),
        ("MaxRecvDataSegmentLength", "131072", None),
    ];
    for (key, value, expected) in rows {
        assert_eq!(answer(&mut target, key, value).as_deref(), expected, "{key}");
    }
    assert_eq!(target.peer_max_recv_data_segment_length(), 131_072);
    assert_eq!(target.agreed().data_digest, Digest::Crc32c);
    assert!(!target.agreed().initial_r2t);
    assert_eq!(target.declare(), Some(("MaxRecvDataSegmentLength", "262144".to_owned())));
    assert_eq!(target.declare(), None);
}

#[test]
fn rules() {
    let rows = [
        ("MaxBurstLength", "512", "512"),
        ("FirstBurstLength", "16777215", "262144"),
        ("MaxConnections", "8", "1"),
        ("MaxOutstandingR2T", "0x10", "8"),
        ("MaxOutstandingR2T", "3", "3"),
        ("DefaultTime2Wait", "5", "5"),
        ("DefaultTime2Wait", "0", "2"),
        ("DefaultTime2Retain", "20", "0"),
        ("ErrorRecoveryLevel", "2", "0"),
        ("DataPDUInOrder", "No", "Yes"),
        ("DataSequenceInOrder", "No", "Yes"),
        ("InitialR2T", "Yes", "Yes"),
        ("ImmediateData", "No", "No"),
        ("HeaderDigest", "CRC32C", "CRC32C"),
        ("HeaderDigest", "MD5,None", "None"),
        ("HeaderDigest", "MD5", "Reject"),
        ("TaskReporting", "FastAbort,RFC3720", "RFC3720"),
        ("TaskReporting", "FastAbort", "Reject"),
        ("iSCSIProtocolLevel", "2", "1"),
        ("IFMarkInt", "2048~8192", "Reject"),
        ("OFMarker", "Yes", "No"),
        ("MaxBurstLength", "511", "Reject"),
        ("MaxBurstLength", "16777216", "Reject"),
        ("MaxBurstLength", "many", "Reject"),
        ("MaxRecvDataSegmentLength", "0", "Reject"),
        ("DefaultTime2Wait", "3601", "Reject"),
        ("InitialR2T", "Maybe", "Reject"),
        ("X-com.example.colour", "red", "NotUnderstood"),
    ];
    for (key, value, expected) in rows {
        assert_eq!(answer(&mut target(), key, value).as_deref(), Some(expected), "{key}={value}");
    }
}

#[test]
fn discovery_does_without_a_required_digest() {
    let wishes =
        Wishes { header_digest: DigestPolicy::Require, data_digest: DigestPolicy::Require, ..Wishes::default() };
    let mut target = Negotiation::new(wishes, true);
    assert_eq!(target.receive("HeaderDigest", "None"), Ok(Some("None".to_owned())));
    assert_eq!(target.receive("DataDigest", "None,CRC32C"), Ok(Some("CRC32C".to_owned())));
    assert_eq!(target.unmet(), None);
}

#[test]
fn discovery_makes_keys_irrelevant() {
    let mut target = Negotiation::new(Wishes::default(), true);
    assert_eq!(answer(&mut target, "MaxBurstLength", "16776192").as_deref(), Some("Irrelevant"));
    assert_eq!(answer(&mut target, "HeaderDigest", "None").as_deref(), Some("None"));
}

#[test]
fn digest_policies() {
    for (policy, offer, expected) in [
        (DigestPolicy::Off, "CRC32C,None", "None"),
        (DigestPolicy::Off, "CRC32C", "Reject"),
        (DigestPolicy::Offer, "None,CRC32C", "None"),
        (DigestPolicy::Prefer, "None,CRC32C", "CRC32C"),
        (DigestPolicy::Prefer, "None", "None"),
        (DigestPolicy::Require, "None,CRC32C", "CRC32C"),
        (DigestPolicy::Require, "None", "Reject"),
    ] {
        let mut target = Negotiation::new(Wishes { header_digest: policy, ..Wishes::default() }, false);
        assert_eq!(answer(&mut target, "HeaderDigest", offer).as_deref(), Some(expected), "{policy:?} {offer}");
    }
}

#[test]
fn a_key_twice_is_an_error() {
    let mut target = target();
    target.receive("MaxBurstLength", "512").unwrap();
    assert_eq!(target.receive("MaxBurstLength", "512"), Err(NegotiationError::Repeated(Key::MaxBurstLength)));
}

#[test]
fn both_ends_agree() {
    let mut initiator = Negotiation::new(
        Wishes { header_digest: DigestPolicy::Prefer, max_recv_data_segment_length: 65536, ..Wishes::default() },
        false,
    );
    let mut target = target();
    let offers = initiator.offers();
    assert_eq!(offers[0], ("MaxRecvDataSegmentLength", "65536".to_owned()));
    assert!(initiator.offers().is_empty());
    for (key, value) in offers {
        if let Some(answer) = target.receive(key, &value).unwrap() {
            assert_eq!(initiator.receive(key, &answer).unwrap(), None, "{key}");
        }
    }
    let (key, value) = target.declare().unwrap();
    assert_eq!(initiator.receive(key, &value).unwrap(), None);
    assert_eq!(initiator.agreed(), target.agreed());
    assert_eq!(initiator.agreed().header_digest, Digest::Crc32c);
    assert_eq!(initiator.peer_max_recv_data_segment_length(), target.own_max_recv_data_segment_length());
    assert_eq!(target.peer_max_recv_data_segment_length(), initiator.own_max_recv_data_segment_length());
}

#[test]
fn answers_that_cannot_be() {
    for (key, value) in [
        ("MaxBurstLength", "16777215"),
        ("InitialR2T", "perhaps"),
        ("HeaderDigest", "MD5"),
        ("ErrorRecoveryLevel", "2"),
        ("DataPDUInOrder", "No"),
    ] {
        let mut initiator = Negotiation::new(Wishes::default(), false);
        initiator.offers();
        assert!(matches!(initiator.receive(key, value), Err(NegotiationError::Answer { .. })), "{key}={value}");
    }
    let mut demanding = Negotiation::new(Wishes { data_digest: DigestPolicy::Require, ..Wishes::default() }, false);
    demanding.offers();
    assert!(demanding.receive("DataDigest", "Reject").is_err());
}

proptest! {
    /// Whatever is said, lengths stay inside what the RFC and the wishes allow.
    #[test]
    fn outcome_stays_in_range(pairs in proptest::collection::vec((0..Key::ALL.len(), "\\PC{0,12}|[0-9]{1,9}|Yes|No"), 0..30)) {
        let mut target = target();
        for (key, value) in pairs {
            let _ = target.receive(Key::ALL[key].name(), &value);
        }
        let agreed = target.agreed();
        prop_assert!((512..=0x00ff_fe00).contains(&agreed.max_burst_length));
        prop_assert!((512..=262_144).contains(&agreed.first_burst_length));
        prop_assert!((512..=0x00ff_ffff).contains(&target.peer_max_recv_data_segment_length()));
        prop_assert!(agreed.data_pdu_in_order && agreed.data_sequence_in_order);
        prop_assert_eq!((agreed.max_connections, agreed.error_recovery_level), (1, 0));
        prop_assert!((1..=8).contains(&agreed.max_outstanding_r2t));
    }
}
