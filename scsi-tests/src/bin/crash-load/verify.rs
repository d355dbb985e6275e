//! After a crash: what is where, what the drives say, what is on every cartridge.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use capstan_initiator::{Changer, DeviceError};
use capstan_scsi::Asc;
use capstan_scsi::SenseKey;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::admin::{Admin, ListedTape};
use crate::book::Book;
use crate::host::Places;
use crate::journal::Event;
use crate::ledger::{Claim, Ledger, Whereabouts};
use crate::station::{ReadBack, Station};

/// What was verified.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Verified {
    /// Cartridges, each read from beginning to end.
    pub(crate) tapes: u64,
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    /// Operations that were in doubt: sent and not answered.
    pub(crate) in_doubt: u64,
    /// Operations on tape that nothing vouches for, and how many of them were found done.
    pub(crate) unsure: u64,
    pub(crate) kept: u64,
    /// Cartridges whose content was not sure.
    pub(crate) unsure_tapes: u64,
    /// Drives that had lost their position and said so.
    pub(crate) positions_lost: u64,
    /// Moves, creations and the like in doubt, and how many of them were found done.
    pub(crate) unsure_changes: u64,
    pub(crate) kept_changes: u64,
}

/// What is where, by both accounts of the daemon; what was in doubt is known then.
pub(crate) async fn places(book: &Book, places: &Places, changer: &Changer, admin: &Admin) -> Result<Verified> {
    let mut seen: BTreeMap<String, u16> = BTreeMap::new();
    for element in changer.element_status().await?.into_iter().filter(|element| element.full) {
        let barcode = element.barcode.with_context(|| format!("no barcode at {}", element.address))?;
        if let Some(other) = seen.insert(barcode.clone(), element.address) {
            bail!("{barcode} is at {other} and at {}", element.address);
        }
    }
    let listed = admin.tapes().await?;
    for tape in &listed {
        let there = seen.get(&tape.barcode).copied();
        ensure!(there.is_some() && there == places.address(&tape.location), "{tape:?} is at {there:?} for the changer");
        ensure!(tape.state == "AVAILABLE", "{tape:?} is not available");
    }
    ensure!(listed.len() == seen.len(), "the changer has {seen:?}, the administrator {listed:?}");
    let mut verified = Verified::default();
    for event in book.look(|ledger| settle(ledger, &listed, &seen, &mut verified))? {
        book.note(&event)?;
    }
    Ok(verified)
}

/// Compares with what may be; the lines that say what is.
fn settle(
    ledger: &Ledger,
    listed: &[ListedTape],
    seen: &BTreeMap<String, u16>,
    verified: &mut Verified,
) -> Result<Vec<Event>> {
    verified.in_doubt = u64::try_from(ledger.in_doubt.len())?;
    let mut events = Vec::new();
    for tape in listed {
        let known = ledger.tapes.get(&tape.barcode);
        let known = known.with_context(|| format!("{tape:?} was never made, or was deleted"))?;
        let place = seen.get(&tape.barcode).copied().unwrap_or_default();
        ensure!(known.place.allows_at(place), "{tape:?} is at {place}, not {:?}", known.place);
        ensure!(known.protected.allows(tape.protected), "{tape:?}, not {:?}", known.protected);
        verified.doubt(known.place, Whereabouts::At(place));
        verified.doubt(known.protected, tape.protected);
        let (barcode, protected) = (tape.barcode.clone(), tape.protected);
        events.push(Event::Found { barcode, place: Some(place), protected });
    }
    for (barcode, tape) in ledger.tapes.iter().filter(|(barcode, _)| !seen.contains_key(*barcode)) {
        ensure!(tape.place.allows(Whereabouts::Nowhere), "{barcode} is nowhere, not {:?}", tape.place);
        verified.doubt(tape.place, Whereabouts::Nowhere);
        events.push(Event::Found { barcode: barcode.clone(), place: None, protected: false });
    }
    Ok(events)
}

impl Verified {
    /// What was in doubt, if it was, has been found as `value`.
    fn doubt<T: Copy + PartialEq>(&mut self, claim: Claim<T>, value: T) {
        if claim.doubt.is_some() {
            self.unsure_changes += 1;
            self.kept_changes += u64::from(claim.known != value);
        }
    }

    fn add(&mut self, read: ReadBack) {
        self.tapes += 1;
        self.objects += read.objects;
        self.bytes += read.bytes;
        self.unsure += read.settled.unsure;
        self.kept += read.settled.kept;
        self.unsure_tapes += u64::from(read.settled.unsure > 0);
    }
}

/// Cartridges that nobody has read yet.
type Queue = Arc<Mutex<VecDeque<String>>>;

/// Reads every cartridge: those in drives where they are, then the others, wherever a drive is free.
pub(crate) async fn contents(stations: Vec<Station>, book: &Book, verified: &mut Verified) -> Result<Vec<Station>> {
    let in_drives: Vec<String> = stations.iter().filter_map(Station::tape).collect();
    let others = book.look(|ledger| ledger.tapes.keys().filter(|tape| !in_drives.contains(tape)).cloned().collect());
    let queue: Queue = Arc::new(Mutex::new(others));
    let mut tasks = JoinSet::new();
    for station in stations {
        tasks.spawn(read_back(station, Arc::clone(&queue)));
    }
    let mut stations = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        let (station, reads, lost) = ended??;
        reads.into_iter().for_each(|read| verified.add(read));
        verified.positions_lost += u64::from(lost);
        stations.push(station);
    }
    stations.sort_by_key(|station| station.address);
    Ok(stations)
}

async fn read_back(mut station: Station, queue: Queue) -> Result<(Station, Vec<ReadBack>, bool)> {
    let (mut reads, mut lost) = (Vec::new(), false);
    if let Some(tape) = station.tape() {
        lost = awaken(&mut station, &tape).await.with_context(|| tape.clone())?;
        reads.push(station.read_all(&tape).await?);
    }
    while let Some(tape) = next(&queue) {
        if let Some(before) = station.tape() {
            station.put_away(&before).await?;
        }
        ensure!(station.fetch(Some(&tape)).await?, "{tape} cannot be fetched");
        reads.push(station.read_all(&tape).await?);
    }
    Ok((station, reads, lost))
}

fn next(queue: &Queue) -> Option<String> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// A cartridge that a crash found in a drive: threaded, and then nothing but a rewind makes it usable; or unloaded,
/// if the host had asked for that.
async fn awaken(station: &mut Station, tape: &str) -> Result<bool> {
    match station.drive.wait_ready().await {
        Ok(_) => {
            position_is_lost(station).await?;
            station.drive.rewind().await?;
            station.at = 0;
            Ok(true)
        }
        Err(error) if is(&error, SenseKey::NotReady, Asc::MEDIUM_NOT_PRESENT) => {
            let asked = station.book.look(|ledger| ledger.host_loads.contains(&station.address));
            ensure!(asked, "not threaded, and no host has unloaded it");
            station.load(tape).await?;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

async fn position_is_lost(station: &Station) -> Result<()> {
    let drive = &station.drive;
    let refused = [
        ("READ", drive.read_block(1 << 16).await.map(drop)),
        ("WRITE", drive.write_block(bytes::Bytes::from_static(b"stray")).await.map(drop)),
        ("WRITE FILEMARKS", drive.write_filemarks(1, false).await.map(drop)),
        ("ERASE", drive.erase().await),
    ];
    for (command, outcome) in refused {
        let error = outcome.err().with_context(|| format!("{command} as if the position were known"))?;
        ensure!(is(&error, SenseKey::MediumError, Asc::SEQUENTIAL_POSITIONING_ERROR), "position lost: {error}");
    }
    ensure!(drive.read_position().await?.unknown, "READ POSITION as if the position were known");
    Ok(())
}

fn is(error: &DeviceError, key: SenseKey, asc: Asc) -> bool {
    error.sense().is_some_and(|sense| sense.triple() == (key as u8, asc.asc, asc.ascq))
}

/// The cartridges of a library that nobody has used yet.
pub(crate) fn first_sight(listed: &[ListedTape], places: &Places) -> Result<Vec<(String, u16, bool)>> {
    let tapes = listed.iter().map(|tape| {
        ensure!(tape.objects == 0, "{tape:?} is not blank, and there is no journal");
        let place = places.address(&tape.location).with_context(|| format!("{tape:?} is in no place"))?;
        Ok((tape.barcode.clone(), place, tape.protected))
    });
    tapes.collect()
}
