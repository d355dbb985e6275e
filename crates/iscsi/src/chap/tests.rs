//! Both ends of an exchange, and what neither accepts. The responses were computed by another implementation.

use super::*;

const CHALLENGE: &str = "0xa0a1a2a3a4a5a6a7a8a9aaabacadaeaf";

/// Algorithm, the initiator's response in both spellings, the target's.
const GOLDEN: [(Algorithm, &str, &str, &str); 4] = [
    (
        Algorithm::MD5,
        "0x7a2f899fe0486f5be3682c9ec92e37e7",
        "0bei+Jn+BIb1vjaCyeyS435w==",
        "0x2f181c8665f7204b2da01f6730e820bf",
    ),
    (
        Algorithm::SHA1,
        "0xdee6643c0f1882b341df1c2bc2d58749dce04288",
        "0b3uZkPA8YgrNB3xwrwtWHSdzgQog=",
        "0x60a1dbbfa8e22b168d157a7cf40a6081bd2783af",
    ),
    (
        Algorithm::SHA256,
        "0xfa1432608af33a22e38619d8922ca770447df56884157d49ec647cf0f77516f2",
        "0b+hQyYIrzOiLjhhnYkiyncER99WiEFX1J7GR88Pd1FvI=",
        "0xe8a28da67e3b021e2eb38b892d8b583670312594aa49c7ced099074a4ff14c96",
    ),
    (
        Algorithm::SHA3_256,
        "0xec12531133cb8a3adcc4266aaa3ddea560156fd3dd87d0663e53cc15b2ddbe1b",
        "0b7BJTETPLijrcxCZqqj3epWAVb9Pdh9BmPlPMFbLdvhs=",
        "0x82eed60e00c86881ba2ecc6ef08f68a809703b48ce10bb18eb03da67980b7493",
    ),
];

fn credentials(user: &str, secret: &str) -> Credentials {
    Credentials { user: user.to_owned(), secret: Secret::new(secret) }
}

fn own() -> Credentials {
    credentials("alice", "initiator-secret")
}

fn target() -> Credentials {
    credentials("vault", "target-secret-1")
}

fn demand() -> Demand {
    let challenge = Challenge { identifier: 0x2a, bytes: (0xa0..=0xaf).collect() };
    Demand { initiator: own(), target: Some(target()), challenge }
}

fn asked() -> Challenge {
    Challenge { identifier: 7, bytes: (1..=17).collect() }
}

fn say(verifier: &mut Verifier, pairs: &[(&str, &str)]) -> Result<Step, ChapError> {
    pairs.iter().try_for_each(|(key, value)| verifier.receive(key, value))?;
    verifier.step()
}

/// After the algorithm was agreed on.
fn challenged(demand: Demand, algorithm: Algorithm) -> Verifier {
    let mut verifier = Verifier::new(demand);
    let Ok(Step::Say(pairs)) = say(&mut verifier, &[("CHAP_A", &algorithm.0.to_string())]) else { panic!() };
    let expected = [("CHAP_A", algorithm.0.to_string()), ("CHAP_I", "42".to_owned()), ("CHAP_C", CHALLENGE.to_owned())];
    assert_eq!(pairs, expected);
    verifier
}

#[test]
fn golden_responses() {
    for (algorithm, hexadecimal, base64, mutual) in GOLDEN {
        for response in [hexadecimal, &hexadecimal.to_uppercase().replace("0X", "0x"), base64] {
            let mut verifier = challenged(demand(), algorithm);
            let proof = [("CHAP_N", "alice"), ("CHAP_R", response)];
            assert_eq!(say(&mut verifier, &proof), Ok(Step::Verify), "{algorithm:?}");
            assert_eq!((verifier.asked(), verifier.is_proven()), (None, false));
            assert_eq!(verifier.verify(), Ok(vec![]), "{algorithm:?}");
            assert!(verifier.is_proven());
        }
        let mut verifier = challenged(demand(), algorithm);
        let proof =
            [("CHAP_N", "alice"), ("CHAP_R", hexadecimal), ("CHAP_I", "0x7"), ("CHAP_C", "0bAQIDBAUGBwgJCgsMDQ4PEBE=")];
        assert_eq!(say(&mut verifier, &proof), Ok(Step::Verify));
        assert_eq!(verifier.asked(), Some(&asked()));
        let expected = vec![("CHAP_N", "vault".to_owned()), ("CHAP_R", mutual.to_owned())];
        assert_eq!(verifier.verify(), Ok(expected), "{algorithm:?}");
    }
}

#[test]
fn the_strongest_algorithm_of_an_offer() {
    for (offer, expected) in [
        ("5", Ok(Algorithm::MD5)),
        ("5,6", Ok(Algorithm::SHA1)),
        ("5,8,6", Ok(Algorithm::SHA3_256)),
        ("5,6,8,7", Ok(Algorithm::SHA256)),
        ("0x5,0x07", Ok(Algorithm::SHA256)),
        ("9,x,,5", Ok(Algorithm::MD5)),
        ("4,9,261", Err(ChapError::NoAlgorithm)),
        ("MD5", Err(ChapError::NoAlgorithm)),
        ("", Err(ChapError::Malformed("CHAP_A"))),
    ] {
        assert_eq!(Algorithm::choose(offer), expected, "{offer:?}");
    }
    assert_eq!(Algorithm::offer(), "7,8,6,5");
}

#[test]
fn each_end_convinces_the_other() {
    for mutual in [None, Some((target(), asked()))] {
        let mut prover = Prover::new(own(), mutual.clone()).unwrap();
        let mut verifier = Verifier::new(demand());
        assert_eq!((prover.is_ready(), prover.is_owed()), (false, mutual.is_some()));
        let (key, value) = prover.offer();
        let Ok(Step::Say(pairs)) = say(&mut verifier, &[(key, &value)]) else { panic!() };
        pairs.iter().for_each(|(key, value)| prover.receive(key, value).unwrap());
        let proof = prover.step().unwrap();
        assert!(prover.is_ready());
        proof.iter().for_each(|(key, value)| verifier.receive(key, value).unwrap());
        assert_eq!(verifier.step(), Ok(Step::Verify));
        let answer = verifier.verify().unwrap();
        assert!(verifier.is_proven());
        answer.iter().for_each(|(key, value)| prover.receive(key, value).unwrap());
        assert_eq!(prover.step(), Ok(vec![]));
        assert!(!prover.is_owed());
    }
}

#[test]
fn wrong_names_and_secrets() {
    let (_, right, ..) = GOLDEN[0];
    let other = GOLDEN[1].1;
    let cut = &right[..right.len() - 2];
    let longer = format!("{right}00");
    for (name, response) in
        [("bob", right), ("ALICE", right), ("alic", right), ("alice", other), ("alice", cut), ("alice", &longer)]
    {
        let mut verifier = challenged(demand(), Algorithm::MD5);
        assert_eq!(say(&mut verifier, &[("CHAP_N", name), ("CHAP_R", response)]), Ok(Step::Verify));
        assert_eq!(verifier.verify(), Err(ChapError::Proof), "{name} {response}");
        assert!(!verifier.is_proven());
        // Nor does it get a second try.
        assert_eq!(say(&mut verifier, &[("CHAP_N", "alice"), ("CHAP_R", right)]), Err(ChapError::Unexpected("CHAP_N")));
        assert_eq!(verifier.verify(), Err(ChapError::Proof));
    }
}

#[test]
fn what_a_target_does_not_take() {
    use ChapError::{Malformed, Missing, Unexpected};
    let (_, right, ..) = GOLDEN[0];
    let long = format!("0x{}", "00".repeat(1025));
    let long_name = "a".repeat(256);
    let cases: [(&[(&str, &str)], ChapError); 20] = [
        (&[("CHAP_A", "5")], Missing("CHAP_N")),
        (&[("CHAP_N", "alice")], Missing("CHAP_R")),
        (&[("CHAP_R", right)], Missing("CHAP_N")),
        (&[("CHAP_I", "1"), ("CHAP_C", "0x01")], Missing("CHAP_N")),
        (&[("CHAP_N", "alice"), ("CHAP_N", "alice")], Unexpected("CHAP_N")),
        (&[("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_A", "5")], Unexpected("CHAP_A")),
        (&[("CHAP_X", "1")], Unexpected("an unknown CHAP key")),
        (&[("CHAP_N", ""), ("CHAP_R", right)], Malformed("CHAP_N")),
        (&[("CHAP_N", &long_name), ("CHAP_R", right)], Malformed("CHAP_N")),
        (&[("CHAP_N", "alice"), ("CHAP_R", "")], Malformed("CHAP_R")),
        (&[("CHAP_N", "alice"), ("CHAP_R", "0x")], Malformed("CHAP_R")),
        (&[("CHAP_N", "alice"), ("CHAP_R", "7a2f")], Malformed("CHAP_R")),
        (&[("CHAP_N", "alice"), ("CHAP_R", &long)], Malformed("CHAP_R")),
        (&[("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", "1")], Missing("CHAP_C")),
        (&[("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_C", "0x01")], Missing("CHAP_I")),
        (&[("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", "256"), ("CHAP_C", "0x01")], Malformed("CHAP_I")),
        (&[("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", ""), ("CHAP_C", "0x01")], Malformed("CHAP_I")),
        (&[("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", "1"), ("CHAP_C", "0x")], Malformed("CHAP_C")),
        (&[("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", "1"), ("CHAP_C", &long)], Malformed("CHAP_C")),
        (&[("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", "1"), ("CHAP_C", "0bA")], Malformed("CHAP_C")),
    ];
    for (pairs, expected) in cases {
        let mut verifier = challenged(demand(), Algorithm::MD5);
        assert_eq!(say(&mut verifier, pairs), Err(expected), "{pairs:?}");
        assert!(!verifier.is_proven());
    }
    for (key, value) in [("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", "1"), ("CHAP_C", "0x01")] {
        assert_eq!(say(&mut Verifier::new(demand()), &[(key, value)]), Err(Unexpected(key)));
    }
    // The longest challenge that is allowed.
    let mut verifier = challenged(demand(), Algorithm::MD5);
    let longest = format!("0x{}", "00".repeat(1024));
    let proof = [("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", "255"), ("CHAP_C", &longest)];
    assert_eq!(say(&mut verifier, &proof), Ok(Step::Verify));
    assert_eq!(verifier.verify().unwrap().len(), 2);
}

#[test]
fn mutual_proofs_that_are_not_given() {
    let (_, right, ..) = GOLDEN[0];
    let ask = |demand: Demand, challenge: &str| {
        let mut verifier = challenged(demand, Algorithm::MD5);
        let proof = [("CHAP_N", "alice"), ("CHAP_R", right), ("CHAP_I", "42"), ("CHAP_C", challenge)];
        assert_eq!(say(&mut verifier, &proof), Ok(Step::Verify));
        verifier.verify()
    };
    assert_eq!(ask(demand(), CHALLENGE), Err(ChapError::Reflected));
    assert_eq!(ask(Demand { target: None, ..demand() }, "0x01"), Err(ChapError::NotMutual));
    let same = credentials("vault", "initiator-secret");
    assert_eq!(ask(Demand { target: Some(same.clone()), ..demand() }, "0x01"), Err(ChapError::SameSecret));
    assert_eq!(Prover::new(own(), Some((same, asked()))).err(), Some(ChapError::SameSecret));
}

/// What a target answers to the offer, and to the initiator's proof.
fn initiator_hears(first: &[(&str, &str)], second: &[(&str, &str)], mutual: bool) -> Result<bool, ChapError> {
    let mut prover = Prover::new(own(), mutual.then(|| (target(), asked())))?;
    for message in [first, second] {
        message.iter().try_for_each(|(key, value)| prover.receive(key, value))?;
        prover.step()?;
    }
    Ok(prover.is_owed())
}

#[test]
fn what_an_initiator_does_not_take() {
    use ChapError::{Malformed, Missing, Unexpected};
    let first = [("CHAP_A", "5"), ("CHAP_I", "42"), ("CHAP_C", CHALLENGE)];
    let (_, _, _, right) = GOLDEN[0];
    assert_eq!(initiator_hears(&first, &[("CHAP_N", "vault"), ("CHAP_R", right)], true), Ok(false));
    assert_eq!(initiator_hears(&first, &[], true), Ok(true));
    for second in [[("CHAP_N", "other"), ("CHAP_R", right)], [("CHAP_N", "vault"), ("CHAP_R", GOLDEN[0].1)]] {
        assert_eq!(initiator_hears(&first, &second, true), Err(ChapError::Proof));
    }
    assert_eq!(initiator_hears(&first, &[("CHAP_R", right)], true), Err(Missing("CHAP_N")));
    assert_eq!(initiator_hears(&first, &[("CHAP_N", "vault"), ("CHAP_R", right)], false), Err(Unexpected("CHAP_R")));
    let reflected = [("CHAP_A", "5"), ("CHAP_I", "1"), ("CHAP_C", "0x0102030405060708090a0b0c0d0e0f1011")];
    assert_eq!(initiator_hears(&reflected, &[], true), Err(ChapError::Reflected));
    let cases: [(&[(&str, &str)], ChapError); 7] = [
        (&[("CHAP_A", "5")], Missing("CHAP_C")),
        (&[("CHAP_I", "1"), ("CHAP_C", "0x01")], Missing("CHAP_A")),
        (&[("CHAP_A", "9"), ("CHAP_I", "1"), ("CHAP_C", "0x01")], ChapError::NoAlgorithm),
        (&[("CHAP_A", "Reject"), ("CHAP_I", "1"), ("CHAP_C", "0x01")], ChapError::NoAlgorithm),
        (&[("CHAP_A", "5,6"), ("CHAP_I", "1"), ("CHAP_C", "0x01")], ChapError::NoAlgorithm),
        (&[("CHAP_A", "5"), ("CHAP_I", "1"), ("CHAP_C", "0x")], Malformed("CHAP_C")),
        (&[("CHAP_A", "5"), ("CHAP_I", "1"), ("CHAP_C", "0x01"), ("CHAP_N", "x")], Unexpected("CHAP_N")),
    ];
    for (first, expected) in cases {
        assert_eq!(initiator_hears(first, &[], false), Err(expected), "{first:?}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?} {:?}", demand(), Prover::new(own(), Some((target(), asked()))));
    assert!(!shown.contains("secret-") && !shown.contains("-secret"), "{shown}");
    assert_eq!(format!("{:?}", Secret::new("initiator-secret")), "Secret(..)");
    assert_eq!(Secret::new("a"), Secret::new(b"a".to_vec()));
    assert_ne!(Secret::new("a"), Secret::new("ab"));
}
