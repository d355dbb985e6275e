//! Anything at all from the other side: no panic, no growth, and an end.

use proptest::prelude::*;

use super::*;

/// Feeds bytes as a socket would, answering events as an owner would, until they or the connection end.
fn survive(mut bench: Bench, mut bytes: &[u8]) -> Result<(), ProtocolError> {
    loop {
        while let Some(event) = bench.target.poll_event() {
            match event {
                Event::Identify(_) => bench.target.identified(Ok(Authentication::None))?,
                Event::Establish => bench.target.establish(bench.now, Ok(TSIH))?,
                Event::Command(command) if command.cdb[0] & 1 == 0 => {
                    let received = u32::try_from(command.data_out.len()).unwrap();
                    assert!(received <= command.data_out_expected);
                    bench.target.need_data(command.tag, received, u32::from(command.cdb[1]) * 100);
                }
                Event::Command(command) => {
                    let data_in = Bytes::from(vec![0; usize::from(command.cdb[1])]);
                    bench.target.complete(command.tag, Answer { data_in, ..good() });
                }
                Event::Refused { tag, .. } | Event::DataOut { tag, .. } => bench.target.complete(tag, good()),
                Event::Manage(request) => bench.target.managed(request.tag, TaskManagementOutcome::FUNCTION_COMPLETE),
                Event::SendTargets(_) => bench.target.send_targets(&[]),
                Event::Rejected { .. } | Event::LoggedOut | Event::Proof { .. } => {}
            }
        }
        while let Some(transmit) = bench.target.poll_transmit() {
            assert!(transmit.data().len() <= 262_144);
        }
        assert!(bench.target.outstanding() <= 32 + 8);
        assert!(bench.target.data_in_used <= 16 << 20);
        assert!(bench.target.data_out_used <= 16 << 20);
        if bench.target.is_logged_out() {
            return Ok(());
        }
        if bench.target.expects_header() {
            let Some((header, rest)) = bytes.split_first_chunk() else { return Ok(()) };
            bytes = rest;
            bench.target.receive_header(bench.now, header)?;
        } else {
            let mut place = bench.target.destination();
            assert!(place.remaining_mut() > 0);
            let count = bytes.len().min(place.remaining_mut());
            if count == 0 {
                return Ok(());
            }
            place.put_slice(&bytes[..count]);
            bytes = &bytes[count..];
            bench.target.advance(bench.now, count)?;
        }
    }
}

/// A PDU that is nearly right: a known opcode, near numbers, small tags, some data.
fn near() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![4 => Just(1u8), 4 => Just(5), 1 => Just(0), 1 => Just(2), 1 => Just(4), 1 => 0..64u8];
    let small = prop_oneof![8 => 0..4u32, 1 => Just(u32::MAX)];
    (opcode, any::<bool>(), any::<u8>(), small.clone(), small, 0..6u32, 0..3u32, 0..300usize).prop_map(
        |(opcode, immediate, flags, itt, word_20, ahead, word_36, length)| {
            let mut pdu = vec![0; 48 + length.next_multiple_of(4)];
            pdu[0] = opcode | if immediate { 0x40 } else { 0 };
            pdu[1] = flags;
            pdu[6..8].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            pdu[16..20].copy_from_slice(&itt.to_be_bytes());
            let expected = if opcode == 1 { word_20.wrapping_mul(200) } else { word_20 };
            pdu[20..24].copy_from_slice(&expected.to_be_bytes());
            pdu[24..28].copy_from_slice(&(FIRST_CMD_SN + ahead).to_be_bytes());
            pdu[32] = flags;
            pdu[33] = 7;
            if opcode == 5 {
                pdu[36..40].copy_from_slice(&word_36.to_be_bytes());
            }
            pdu
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes_before_login(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
        let _ = survive(Bench::new(Config::default()), &bytes);
    }

    #[test]
    fn random_bytes_in_a_session(bytes in proptest::collection::vec(any::<u8>(), 0..4000)) {
        let _ = survive(Bench::usual(), &bytes);
    }

    #[test]
    fn nearly_right_pdus(pdus in proptest::collection::vec(near(), 1..40)) {
        let _ = survive(Bench::usual(), &pdus.concat());
    }

    #[test]
    fn random_text_in_a_login(text in proptest::collection::vec(any::<u8>(), 0..600), flags in any::<u8>()) {
        let bench = Bench::new(Config::default());
        let length = u32::try_from(text.len()).unwrap();
        let mut pdu = bench.login(Stage::SECURITY, Stage::OPERATIONAL).encode().with_data_segment_length(length).0.to_vec();
        pdu[1] = flags;
        pdu.extend(&text);
        pdu.resize(48 + text.len().next_multiple_of(4), 0);
        let _ = survive(bench, &pdu);
    }

    #[test]
    fn random_keys_in_a_login(to_the_end in any::<bool>(), keys in proptest::collection::vec(
        (prop_oneof![Just("MaxBurstLength"), Just("AuthMethod"), Just("InitialR2T"), Just("HeaderDigest"), Just("SessionType"), Just("X-y")],
         prop_oneof![Just("Yes".to_owned()), Just("None".to_owned()), Just("4096".to_owned()), "[ -~]{0,300}"]), 0..12)) {
        let bench = Bench::new(Config::default());
        let mut text = b"InitiatorName=iqn.i\0TargetName=iqn.t\0".to_vec();
        for (key, value) in keys {
            text.extend(format!("{key}={value}\0").bytes());
        }
        let length = u32::try_from(text.len()).unwrap();
        let stages = if to_the_end { [Stage::OPERATIONAL, Stage::FULL_FEATURE] } else { [Stage::SECURITY, Stage::OPERATIONAL] };
        let header = bench.login(stages[0], stages[1]).encode().with_data_segment_length(length);
        text.resize(text.len().next_multiple_of(4), 0);
        let _ = survive(bench, &[&header.0[..], &text].concat());
    }
}
