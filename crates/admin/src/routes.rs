//! What is answered at which path.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use capstan_api::{
    Configuration, CreateTapes, Done, Drive, Element, EraseTape, ErrorKind, Failure, Import, Load, Move, Moved, Portal,
    ProtectTape, Session, Status, Tape, Tapes, Target, Unload, path,
};
use capstan_library::{Events, Jobs, Labels, Librarian, Statistics, TapeInfo};
use capstan_media::{Barcode, Place};
use capstan_mover::{AreaInfo, LibraryImages, Operations, ShippingInfo};
use capstan_portal::PortalHandle;
use serde::de::DeserializeOwned;

use crate::events::events;
use crate::exchange::{adopt, foreign, hand_over};
use crate::images::{export_tape, import_tape};
use crate::jobs::{cancel, job, jobs, verify};
use crate::keys::{confirm_backup, keys, remove_old_keys, rotate_keys, verify_keys};
use crate::problem::{Problem, no_such_method, no_such_path};
use crate::state::state;
use crate::tiers::{area, limit, pause, resume, scrub, stage, test, tiers, waiting};
use crate::versions::{change, clone, roll_back, versions};
use crate::view;

/// What requests are answered from.
#[derive(Clone)]
pub struct Admin {
    /// Cartridges, drives and slots.
    pub librarian: Librarian,
    /// What has happened.
    pub events: Events,
    /// What goes on behind everything else.
    pub jobs: Jobs,
    /// Tiers, and what of cartridges is where; `None` where nothing is shipped.
    pub operations: Option<Arc<dyn Operations>>,
    /// What is where, after each change.
    pub images: LibraryImages,
    /// Sessions.
    pub portal: PortalHandle,
    /// What does not change while the daemon runs.
    pub facts: Arc<Facts>,
}

/// What does not change while the daemon runs.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Version of the daemon.
    pub version: String,
    /// Name of the gateway.
    pub gateway: String,
    /// Identity of the library: a UUID.
    pub library: String,
    /// The configuration that is in effect.
    pub configuration: Configuration,
    /// Where the daemon keeps everything.
    pub state_dir: PathBuf,
    /// When it started.
    pub started: Instant,
    /// How many sessions there can be.
    pub max_sessions: u64,
    /// The targets.
    pub targets: Vec<Target>,
    /// Where each drive is reached: target and logical unit number.
    pub drives: Vec<(String, u16)>,
}

type Answer<T> = Result<Json<T>, Problem>;

impl Admin {
    /// The API.
    pub fn router(self) -> Router {
        Router::new()
            .route(path::STATUS, get(status))
            .route(path::STATE, get(state))
            .route(path::TAPES, get(tapes).post(create_tapes))
            .route("/v1/tapes/{barcode}", get(tape).delete(delete_tape))
            .route("/v1/tapes/{barcode}/erase", post(erase_tape))
            .route("/v1/tapes/{barcode}/protection", post(protect_tape))
            .route("/v1/tapes/{barcode}/verify", post(verify))
            .route("/v1/tapes/{barcode}/stage", post(stage))
            .route("/v1/tapes/{barcode}/versions", get(versions).post(change))
            .route("/v1/tapes/{barcode}/clone", post(clone))
            .route("/v1/tapes/{barcode}/rollback", post(roll_back))
            .route("/v1/tapes/{barcode}/export", post(export_tape))
            .route("/v1/tapes/{barcode}/import", post(import_tape))
            .route("/v1/tapes/{barcode}/handover", post(hand_over))
            .route("/v1/tapes/{barcode}/adopt", post(adopt))
            .route(path::FOREIGN, get(foreign))
            .route(path::TIERS, get(tiers))
            .route("/v1/tiers/{name}/test", post(test))
            .route("/v1/tiers/{name}/pause", post(pause))
            .route("/v1/tiers/{name}/resume", post(resume))
            .route("/v1/tiers/{name}/limit", post(limit))
            .route("/v1/tiers/{name}/scrub", post(scrub))
            .route(path::KEYS, get(keys))
            .route(path::KEY_BACKUP, post(confirm_backup))
            .route(path::KEY_VERIFY, post(verify_keys))
            .route(path::KEY_ROTATE, post(rotate_keys))
            .route(path::KEY_REMOVE_OLD, post(remove_old_keys))
            .route(path::JOBS, get(jobs))
            .route("/v1/jobs/{id}", get(job).delete(cancel))
            .route(path::ELEMENTS, get(elements))
            .route(path::MOVE, post(move_medium))
            .route(path::LOAD, post(load))
            .route(path::UNLOAD, post(unload))
            .route(path::IMPORT, post(import))
            .route(path::DRIVES, get(drives))
            .route("/v1/drives/{index}", get(drive))
            .route(path::EVENTS, get(events))
            .route(path::SESSIONS, get(sessions))
            .route("/v1/sessions/{id}", delete(drop_session))
            .fallback(no_such_path)
            .method_not_allowed_fallback(no_such_method)
            .with_state(self)
    }

    fn drive(&self, info: &capstan_library::DriveInfo) -> Drive {
        let (target, lun) = self.facts.drives.get(usize::from(info.index)).cloned().unwrap_or_default();
        view::drive(info, target, lun)
    }

    pub(crate) async fn show(&self, barcode: Barcode) -> Answer<Tape> {
        Ok(Json(self.tape(&self.librarian.tape(barcode).await?)))
    }

    /// A cartridge, with what of it is where.
    pub(crate) fn tape(&self, info: &TapeInfo) -> Tape {
        let shipping = self.operations.as_ref().and_then(|mover| mover.tape(info.id));
        view::tape(info, shipping.unwrap_or_default())
    }

    fn tapes(&self, infos: &[TapeInfo]) -> Vec<Tape> {
        infos.iter().map(|info| self.tape(info)).collect()
    }

    /// What waits, and how full the areas are. Where nothing is shipped all of the disk is one.
    fn shipping(&self, statistics: &Statistics) -> ShippingInfo {
        let path = self.facts.state_dir.clone();
        let used = statistics.used;
        let all = || {
            let free = free(&self.facts);
            AreaInfo { path, used, size: used.saturating_add(free), free: Some(free), problems: Vec::new() }
        };
        match &self.operations {
            Some(mover) => mover.shipping(),
            None => ShippingInfo { cache: all(), ..ShippingInfo::default() },
        }
    }
}

async fn status(State(admin): State<Admin>) -> Answer<Status> {
    let statistics = admin.librarian.statistics().await?;
    let drives = admin.librarian.drives().await?;
    let facts = &admin.facts;
    let shipping = admin.shipping(&statistics);
    let by_state: BTreeMap<String, u64> =
        statistics.tapes_by_state.iter().map(|(state, number)| (state.name().to_owned(), *number)).collect();
    Ok(Json(Status {
        version: facts.version.clone(),
        gateway: facts.gateway.clone(),
        state_dir: facts.state_dir.display().to_string(),
        uptime_seconds: facts.started.elapsed().as_secs(),
        portal: Portal {
            addresses: admin.portal.local_addrs().iter().map(ToString::to_string).collect(),
            sessions: u64::try_from(admin.portal.sessions().len()).unwrap_or(u64::MAX),
            max_sessions: facts.max_sessions,
        },
        targets: facts.targets.clone(),
        drives: drives.iter().map(|drive| admin.drive(drive)).collect(),
        tapes: Tapes { total: by_state.values().sum(), by_state },
        upload_buffer: area(shipping.buffer),
        cache: area(shipping.cache),
        unshipped_bytes: shipping.unshipped_bytes,
        oldest_unshipped_seconds: waiting(shipping.oldest_unshipped),
        tiers: admin.all_tiers(),
    }))
}

/// Bytes that can still be written where the cartridges are.
fn free(facts: &Facts) -> u64 {
    rustix::fs::statvfs(&facts.state_dir).map_or(0, |system| system.f_bavail.saturating_mul(system.f_frsize))
}

async fn tapes(State(admin): State<Admin>) -> Answer<Vec<Tape>> {
    Ok(Json(admin.tapes(&admin.librarian.tapes().await?)))
}

async fn create_tapes(State(admin): State<Admin>, body: Bytes) -> Answer<Vec<Tape>> {
    let request: CreateTapes = parse(&body)?;
    let labels = match (&request.barcode, request.count) {
        (Some(text), 1) => Labels::One(barcode(text)?),
        (Some(_), _) => return Err(Failure::new(ErrorKind::Invalid, "one barcode is for one cartridge").into()),
        (None, count) => Labels::Numbered { count, prefix: request.prefix },
    };
    let new = capstan_library::CreateTapes { labels, size: request.size };
    Ok(Json(admin.tapes(&admin.librarian.create_tapes(new).await?)))
}

async fn tape(State(admin): State<Admin>, Path(text): Path<String>) -> Answer<Tape> {
    admin.show(barcode(&text)?).await
}

async fn delete_tape(State(admin): State<Admin>, Path(text): Path<String>) -> Answer<Done> {
    admin.librarian.delete_tape(barcode(&text)?).await?;
    Ok(Json(Done {}))
}

async fn erase_tape(State(admin): State<Admin>, Path(text): Path<String>, body: Bytes) -> Answer<Tape> {
    let EraseTape {} = parse(&body)?;
    let barcode = barcode(&text)?;
    admin.librarian.erase_tape(barcode.clone()).await?;
    admin.show(barcode).await
}

async fn protect_tape(State(admin): State<Admin>, Path(text): Path<String>, body: Bytes) -> Answer<Tape> {
    let request: ProtectTape = parse(&body)?;
    let barcode = barcode(&text)?;
    admin.librarian.set_protected(barcode.clone(), request.protected).await?;
    admin.show(barcode).await
}

async fn elements(State(admin): State<Admin>) -> Answer<Vec<Element>> {
    Ok(Json(view::elements(&admin.librarian.elements().await?)))
}

async fn move_medium(State(admin): State<Admin>, body: Bytes) -> Answer<Moved> {
    let request: Move = parse(&body)?;
    let (from, to) = (place(&request.from)?, place(&request.to)?);
    Ok(Json(view::moved(&admin.librarian.move_medium(from, to).await?)))
}

async fn load(State(admin): State<Admin>, body: Bytes) -> Answer<Moved> {
    let request: Load = parse(&body)?;
    Ok(Json(view::moved(&admin.librarian.load(barcode(&request.barcode)?, request.drive).await?)))
}

async fn unload(State(admin): State<Admin>, body: Bytes) -> Answer<Moved> {
    let request: Unload = parse(&body)?;
    Ok(Json(view::moved(&admin.librarian.unload(request.drive).await?)))
}

async fn import(State(admin): State<Admin>, body: Bytes) -> Answer<Vec<Moved>> {
    let request: Import = parse(&body)?;
    let barcodes: Result<Vec<Barcode>, Problem> = request.barcodes.iter().map(|text| barcode(text)).collect();
    let mut moves = Vec::new();
    for barcode in barcodes? {
        moves.push(view::moved(&admin.librarian.import(barcode).await?));
    }
    Ok(Json(moves))
}

async fn drives(State(admin): State<Admin>) -> Answer<Vec<Drive>> {
    Ok(Json(admin.librarian.drives().await?.iter().map(|drive| admin.drive(drive)).collect()))
}

async fn drive(State(admin): State<Admin>, Path(text): Path<String>) -> Answer<Drive> {
    let drives = admin.librarian.drives().await?;
    let found = drives.iter().find(|drive| drive.index.to_string() == text);
    let missing = || {
        Failure::new(ErrorKind::NotFound, format!("there is no drive {text}"))
            .why(format!("the library has {} drives, numbered from 0", drives.len()))
            .next("`capstan drive list` shows what there is")
    };
    Ok(Json(admin.drive(found.ok_or_else(missing)?)))
}

async fn sessions(State(admin): State<Admin>) -> Answer<Vec<Session>> {
    let sessions = admin.portal.sessions();
    Ok(Json(sessions.iter().map(view::session).collect()))
}

async fn drop_session(State(admin): State<Admin>, Path(text): Path<String>) -> Answer<Done> {
    let known = match text.parse() {
        Ok(id) => admin.portal.drop_session(id),
        Err(_) => false,
    };
    if known {
        return Ok(Json(Done {}));
    }
    let failure = Failure::new(ErrorKind::NotFound, format!("there is no session {text}"));
    Err(failure.next("`capstan session list` shows what there is").into())
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let failure = Failure::new(ErrorKind::Invalid, "the request is not understood").why(error.to_string());
        failure.next("use a `capstan` of the daemon's version").into()
    })
}

pub(crate) fn barcode(text: &str) -> Result<Barcode, Problem> {
    Barcode::new(text).map_err(|error| Failure::new(ErrorKind::Invalid, error.to_string()).into())
}

fn place(text: &str) -> Result<Place, Problem> {
    text.parse().map_err(|error: String| Failure::new(ErrorKind::Invalid, error).into())
}
