//! Cartridges that change from one gateway to another on the same tier: given away and adopted, or taken from one that is
//! lost. Of two who want one at the same time one has it, and all that was acknowledged can be read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod rig;

use capstan_cartridge::Cartridge;
use capstan_format::manifest::Delta;
use capstan_media::{Barcode, GatewayId, MediumFailureKind, MediumOp};
use capstan_mover::{Adopted, MoverError, NoticeKind};
use capstan_store::StoreError;
use capstan_tier::MemoryTier;
use rig::{ID, Rig, Running, small};

fn gateway(number: u8, tier: &MemoryTier) -> Rig {
    let mut rig = Rig::new();
    rig.tier = tier.clone();
    rig.gateway = GatewayId([number; 16]);
    rig.name = format!("gw{number}");
    rig
}

/// Two gateways on one tier; the first has a cartridge with 21 objects, all of them shipped.
fn two() -> (Rig, Running, Rig, Running) {
    let tier = MemoryTier::new("memory");
    let (one, two) = (gateway(1, &tier), gateway(2, &tier));
    let (first, second) = (one.start(), two.start());
    first.create();
    first.load();
    first.write(0..20);
    first.unload();
    first.shipped_to(21);
    (one, first, two, second)
}

fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(answer)
}

fn barcode() -> Barcode {
    Barcode::new("CAP001L8").unwrap()
}

fn adopt(running: &Running, force: bool) -> Result<Adopted, MoverError> {
    wait(running.operations.adopt(&barcode(), force))
}

fn hand_over(running: &Running, to: Option<&str>) -> Result<(), MoverError> {
    wait(running.operations.hand_over(ID, to))
}

fn last_delta(rig: &Rig) -> Delta {
    let prefix = capstan_tier::names::Names::default().manifest(&rig.tape());
    let objects = rig.tier.objects();
    Delta::decode(objects.iter().rfind(|(key, _)| key.starts_with(&prefix)).unwrap().1).unwrap()
}

#[test]
fn a_cartridge_is_given_away_adopted_gone_on_with_and_comes_back() {
    let (one, first, two, second) = two();
    let foreign = wait(second.operations.foreign()).unwrap();
    assert_eq!(foreign.len(), 1);
    assert_eq!(
        (foreign[0].barcode.clone(), foreign[0].owner, foreign[0].owner_name.as_deref()),
        (barcode(), one.gateway, Some("gw1"))
    );
    assert_eq!((foreign[0].used, foreign[0].handed_over), (20_000, None));
    assert_eq!(wait(first.operations.foreign()).unwrap(), []);
    let refused = adopt(&second, false).unwrap_err().to_string();
    assert!(refused.contains("has not given it away"), "{refused}");
    assert!(hand_over(&first, Some("nobody")).unwrap_err().to_string().contains("no gateway \"nobody\""));

    hand_over(&first, Some("gw2")).unwrap();
    assert_eq!(last_delta(&one).handed_over.unwrap().to, Some(two.gateway));
    assert_eq!(one.told(NoticeKind::HandedOver).len(), 1);
    // As long as its files are here nobody writes to it.
    first.load();
    let refused = first.drive.perform(MediumOp::WriteFilemarks { count: 1, synchronise: true }).unwrap_err();
    assert_eq!(refused.kind, MediumFailureKind::WriteProtected);
    first.drop_cartridge();
    first.store.claim(ID).unwrap().delete().unwrap();
    // Again says the same: it may have been cut off between.
    let foreign = wait(second.operations.foreign()).unwrap();
    assert_eq!(foreign[0].handed_over, Some(Some(two.gateway)));
    let refused = adopt(&first, false).unwrap_err().to_string();
    assert!(refused.contains("was given to gateway 02020202"), "{refused}");

    let adopted = adopt(&second, false).unwrap();
    assert_eq!((adopted.owner, adopted.facts.objects), (one.gateway, 21));
    assert_eq!(adopt(&second, false).unwrap(), Adopted { owner: two.gateway, ..adopted }, "asked again it is the same");
    second.load();
    second.expect(0..20);
    second.write(20..40);
    second.unload();
    second.shipped_to(42);
    assert_eq!(two.told(NoticeKind::Fenced), Vec::<String>::new());
    hand_over(&second, None).unwrap();
    second.store.claim(ID).unwrap().delete().unwrap();
    adopt(&first, false).unwrap();
    first.load();
    first.expect(0..20);
    first.expect(20..40);
    first.write(40..60);
    first.unload();
    first.shipped_to(63);
    assert_eq!(one.told(NoticeKind::Fenced), Vec::<String>::new());
    first.stop();
    second.stop();
}

#[test]
fn what_was_given_away_stays_given_over_a_restart() {
    let (one, first, two, second) = two();
    hand_over(&first, None).unwrap();
    first.stop();
    // It died before the files were removed.
    let first = one.start();
    first.until("ready", || first.operations.tiers()[0].state.name() == "ready");
    hand_over(&first, None).unwrap();
    first.load();
    assert!(first.drive.perform(MediumOp::Erase).is_err());
    first.drop_cartridge();
    adopt(&second, false).unwrap();
    assert_eq!(two.told(NoticeKind::Adopted).len(), 1);
    first.stop();
    second.stop();
}

#[test]
fn taken_from_a_gateway_that_runs_after_all_its_data_is_a_fork() {
    let (one, first, two, second) = two();
    first.load();
    adopt(&second, true).unwrap();
    first.locate(21);
    first.write(100..120);
    first.until("forked", || !one.told(NoticeKind::Forked).is_empty());
    let tape = first.operations.tape(ID).unwrap();
    assert!(tape.fenced && tape.unshipped_bytes > 15_000, "{tape:?}");
    let refused = hand_over(&first, None).unwrap_err().to_string();
    assert!(
        refused.contains("somebody works on it") || refused.contains("in use") || refused.contains("not ours"),
        "{refused}"
    );
    let refused = adopt(&first, true).unwrap_err().to_string();
    assert!(refused.contains("is here, with what was written to it before"), "{refused}");
    first.locate(0);
    first.expect(0..20);
    first.expect(100..120);
    second.load();
    second.expect(0..20);
    second.write(200..220);
    second.unload();
    second.shipped_to(42);
    first.stop();
    second.stop();
    assert_eq!(two.told(NoticeKind::Fenced), Vec::<String>::new());
}

/// The tape in a store holds these blocks, parts of 20 with a filemark each.
fn holds(rig: &Rig, parts: &[u64]) {
    let running = rig.start();
    running.load();
    parts.iter().for_each(|part| running.expect(part * 20..(part + 1) * 20));
    running.stop();
}

#[test]
fn of_two_that_adopt_one_cartridge_one_has_it() {
    for round in 0..50 * rig::soak() {
        let (one, first, two, second) = two();
        let three = gateway(3, &one.tier);
        let third = three.start();
        let force = round % 2 == 0;
        if !force {
            hand_over(&first, None).unwrap();
        }
        let ends = std::thread::scope(|scope| {
            [&second, &third]
                .map(|running| scope.spawn(move || adopt(running, force)))
                .map(|thread| thread.join().unwrap())
        });
        let writer = last_delta(&one).writer;
        // With force the later one takes it from the earlier one; else one is refused.
        let holder = if writer == two.gateway { (&two, 0) } else { (&three, 1) };
        assert_eq!(writer, holder.0.gateway, "{round}");
        assert!(ends[holder.1].is_ok(), "{round}: {ends:?}");
        let other = &ends[1 - holder.1];
        if let Err(error) = other {
            assert!(matches!(error, MoverError::NotGiven { .. }), "{round}: {error}");
            let loser = if holder.1 == 0 { &third } else { &second };
            assert!(matches!(loser.store.look_at(ID), Err(StoreError::NotFound(_))), "{round}");
        } else {
            assert!(force, "{round}: both have it");
        }
        first.stop();
        second.stop();
        third.stop();
        holds(holder.0, &[0]);
    }
}

#[test]
fn of_one_that_ships_and_one_that_takes_one_goes_on_and_both_can_be_read() {
    for round in 0..50 * rig::soak() {
        let (one, first, two, second) = two();
        first.load();
        first.locate(21);
        let taken = std::thread::scope(|scope| {
            let taker = scope.spawn(|| {
                (0..round * 200).for_each(|_| std::thread::yield_now());
                adopt(&second, true)
            });
            // What is written before the fence is acknowledged; what comes after it is refused.
            let mut written = 1;
            for part in 1..6 {
                let data = |number| MediumOp::Write { data: rig::block(number), block_length: 1000 };
                let all = (part * 20..(part + 1) * 20).all(|number| first.drive.perform(data(number)).is_ok());
                let mark = MediumOp::WriteFilemarks { count: 1, synchronise: true };
                if !all || first.drive.perform(mark).is_err() {
                    break;
                }
                written = part + 1;
            }
            (taker.join().unwrap(), written)
        });
        let (adopted, written) = taken;
        match adopted {
            Ok(adopted) => {
                // The other one learns it as soon as it ships something.
                let shipped = adopted.facts.objects / 21;
                assert!((1..=written).contains(&shipped), "{round}: {shipped} of {written}");
                if written > shipped {
                    first.until("fenced", || !one.told(NoticeKind::Fenced).is_empty());
                }
                first.stop();
                second.stop();
                holds(&two, &(0..shipped).collect::<Vec<_>>());
            }
            Err(error) => {
                assert!(matches!(error, MoverError::NotGiven { .. }), "{round}: {error}");
                first.shipped_to(written * 21);
                first.stop();
                second.stop();
            }
        }
        // All that was acknowledged is here.
        let store = one.store();
        let facts = Cartridge::open_with(&store, ID, small()).unwrap().facts();
        assert!(facts.objects >= written * 21, "{round}: {} of {written}", facts.objects);
        drop(store);
        holds(&one, &(0..written).collect::<Vec<_>>());
    }
}
