//! Failures as answers.

use std::error::Error;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use capstan_api::{ErrorKind, Failure};
use capstan_library::LibraryError;
use capstan_mover::MoverError;

/// A request that was not done.
#[derive(Debug)]
pub(crate) struct Problem(pub(crate) Failure);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl From<LibraryError> for Problem {
    fn from(error: LibraryError) -> Self {
        use capstan_library::ErrorKind as Library;
        let kind = match error.kind() {
            Library::Invalid => ErrorKind::Invalid,
            Library::NotFound => ErrorKind::NotFound,
            Library::InUse | Library::Full | Library::Busy => ErrorKind::Conflict,
            Library::Refused => ErrorKind::Refused,
            Library::Io | Library::Stopped => ErrorKind::Failed,
        };
        let message = error.to_string();
        let mut why = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Many errors name their source themselves.
            if !message.contains(&text) && !why.contains(&text) {
                why.push(text);
            }
            source = cause.source();
        }
        Self(Failure::new(kind, message).why(why.join("\n")).next(error.next()))
    }
}

impl From<MoverError> for Problem {
    fn from(error: MoverError) -> Self {
        let (kind, next) = match &error {
            MoverError::NotInTier(_) => (ErrorKind::NotFound, "`capstan tape list --foreign` shows what there is"),
            MoverError::NotGiven { next, .. } => (ErrorKind::Refused, next.as_str()),
            MoverError::UnknownTier(_) => (ErrorKind::NotFound, "`capstan tier list` shows what there is"),
            MoverError::Key(_) => (ErrorKind::Conflict, "`capstan key list` shows the keys"),
            MoverError::NotShipped(_) => {
                (ErrorKind::Conflict, "wait until it is shipped: `capstan tape show` says how far it is")
            }
            MoverError::NoRoom { .. } | MoverError::Cancelled => (ErrorKind::Conflict, ""),
            MoverError::Tier(_) | MoverError::Object(_) => {
                (ErrorKind::Failed, "`capstan tier status` shows how the tiers are doing")
            }
            _ => (ErrorKind::Failed, ""),
        };
        Self(Failure::new(kind, error.to_string()).next(next))
    }
}

/// The answer to a path that is none.
pub(crate) async fn no_such_path() -> Problem {
    Failure::new(ErrorKind::NotFound, "the admin API has no such path").into()
}

/// The answer to a method that the path does not have.
pub(crate) async fn no_such_method() -> (StatusCode, Json<Failure>) {
    let failure = Failure::new(ErrorKind::Invalid, "the path of the admin API has no such method");
    (StatusCode::METHOD_NOT_ALLOWED, Json(failure))
}

#[cfg(test)]
mod tests {
    use capstan_media::Barcode;

    use super::*;

    #[test]
    fn a_failure_of_the_library_says_what_to_do() {
        let barcode = Barcode::new("CAP001L8").unwrap();
        let Problem(failure) = LibraryError::Protected { barcode, action: "erased" }.into();
        assert_eq!(failure.kind, ErrorKind::Refused);
        assert_eq!(failure.message, "cartridge CAP001L8 is write-protected: it cannot be erased");
        assert_eq!(failure.why, "");
        assert_eq!(failure.next, "lift it first: `capstan tape unprotect CAP001L8`");
    }

    #[test]
    fn a_tier_that_is_none_is_not_found() {
        let Problem(failure) = MoverError::UnknownTier("clud".to_owned()).into();
        assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::NotFound, "there is no tier \"clud\""));
        assert_eq!(failure.next, "`capstan tier list` shows what there is");
    }
}
