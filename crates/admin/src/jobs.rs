//! Jobs: begun, shown, ended.

use std::ops::Range;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use capstan_api as api;
use capstan_library::{JobInfo, JobOutcome, JobState, Report, Transfer};

use crate::problem::Problem;
use crate::routes::{Admin, barcode, parse};

type Answer<T> = Result<Json<T>, Problem>;

/// Begins to verify a cartridge.
pub(crate) async fn verify(State(admin): State<Admin>, Path(text): Path<String>, body: Bytes) -> Answer<api::Job> {
    let api::VerifyTape {} = parse(&body)?;
    Ok(Json(view(&admin.librarian.verify(barcode(&text)?).await?)))
}

/// All jobs.
pub(crate) async fn jobs(State(admin): State<Admin>) -> Json<Vec<api::Job>> {
    Json(admin.jobs.list().iter().map(view).collect())
}

/// One job.
pub(crate) async fn job(State(admin): State<Admin>, Path(text): Path<String>) -> Answer<api::Job> {
    Ok(Json(view(&admin.jobs.job(number(&text)?)?)))
}

/// Ends a job.
pub(crate) async fn cancel(State(admin): State<Admin>, Path(text): Path<String>) -> Answer<api::Job> {
    Ok(Json(view(&admin.jobs.cancel(number(&text)?)?)))
}

fn number(text: &str) -> Result<u64, Problem> {
    let unknown = || api::Failure::new(api::ErrorKind::NotFound, format!("there is no job {text}"));
    text.parse().map_err(|_| unknown().next("`capstan job list` shows what there is").into())
}

/// A job.
pub(crate) fn view(job: &JobInfo) -> api::Job {
    let (state, why) = match &job.state {
        JobState::Waiting => (api::JobState::Waiting, None),
        JobState::Running => (api::JobState::Running, None),
        JobState::Done(_) => (api::JobState::Done, None),
        JobState::Cancelled(why) => (api::JobState::Cancelled, Some(why.clone())),
        JobState::Failed(why) => (api::JobState::Failed, Some(why.clone())),
    };
    let outcome = if let JobState::Done(outcome) = &job.state { Some(outcome) } else { None };
    api::Job {
        id: job.id,
        kind: job.kind.name().to_owned(),
        barcode: job.barcode.to_string(),
        file: job.file.as_ref().map(|file| file.display().to_string()),
        state,
        created: job.created,
        done_bytes: job.progress.done,
        total_bytes: job.progress.total,
        why,
        report: outcome.and_then(|outcome| match outcome {
            JobOutcome::Verified(report) => Some(verification(report)),
            _ => None,
        }),
        staged_bytes: outcome.and_then(|outcome| match outcome {
            JobOutcome::Staged(bytes) => Some(*bytes),
            _ => None,
        }),
        transferred: outcome.and_then(|outcome| match outcome {
            JobOutcome::Transferred(transfer) => Some(transferred(transfer)),
            _ => None,
        }),
    }
}

fn transferred(transfer: &Transfer) -> api::Transfer {
    let Transfer { blocks, filemarks, bytes, errors } = *transfer;
    api::Transfer { blocks, filemarks, bytes, errors }
}

/// What a verification found, as the API says it.
#[must_use]
pub fn verification(report: &Report) -> api::Verification {
    let finding = |finding: &capstan_library::Finding| api::Finding {
        kind: finding.kind.name().to_owned(),
        damage: finding.kind.is_damage(),
        file: finding.file.display().to_string(),
        offset: finding.offset,
        length: finding.length,
        objects: objects(&finding.objects),
        what: finding.what.clone(),
    };
    api::Verification {
        good: report.is_good(),
        loadable: report.loadable,
        objects: report.objects,
        filemarks: report.filemarks,
        used: report.used,
        lost: report.lost,
        readable: report.readable().iter().filter_map(objects).collect(),
        files: report.files,
        bytes: report.bytes,
        findings: report.findings.iter().map(finding).collect(),
        more: report.more,
    }
}

/// A range as people count: with its last.
fn objects(range: &Range<u64>) -> Option<api::Objects> {
    let last = range.end.checked_sub(1).filter(|last| *last >= range.start)?;
    Some(api::Objects { first: range.start, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_told_with_their_last() {
        assert_eq!(objects(&(3..4)), Some(api::Objects { first: 3, last: 3 }));
        assert_eq!(objects(&(0..0)), None);
        assert_eq!(objects(&(7..9)).unwrap().to_string(), "objects 7 to 8");
    }
}
