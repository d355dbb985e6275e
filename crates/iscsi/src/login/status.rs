//! Status of a login.

use std::fmt;

/// Status class and detail of a Login Response. [RFC 7143 11.13.5]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoginStatus {
    /// Class: 0 success, 1 redirection, 2 initiator error, 3 target error.
    pub class: u8,
    /// Detail.
    pub detail: u8,
}

macro_rules! statuses {
    ($($(#[$doc:meta])* $constant:ident = $class:literal, $detail:literal, $text:literal;)*) => {
        impl LoginStatus {
            $($(#[$doc])* pub const $constant: Self = Self { class: $class, detail: $detail };)*

            /// What the RFC calls it.
            #[must_use]
            pub fn text(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// Login is proceeding or done.
    SUCCESS = 0, 0, "success";
    /// The target has moved, for now.
    MOVED_TEMPORARILY = 1, 1, "target moved temporarily";
    /// The target has moved for good.
    MOVED_PERMANENTLY = 1, 2, "target moved permanently";
    /// Initiator error without a better name.
    INITIATOR_ERROR = 2, 0, "initiator error";
    /// The initiator could not be authenticated, or not as it wanted.
    AUTHENTICATION_FAILURE = 2, 1, "authentication failure";
    /// The initiator may not use this target.
    AUTHORIZATION_FAILURE = 2, 2, "authorization failure";
    /// There is no such target.
    NOT_FOUND = 2, 3, "not found";
    /// The target is gone for good.
    TARGET_REMOVED = 2, 4, "target removed";
    /// No version in common.
    UNSUPPORTED_VERSION = 2, 5, "unsupported version";
    /// No further connection in this session.
    TOO_MANY_CONNECTIONS = 2, 6, "too many connections";
    /// A key that must be there is missing.
    MISSING_PARAMETER = 2, 7, "missing parameter";
    /// This connection cannot join the session.
    CANNOT_INCLUDE_IN_SESSION = 2, 8, "can't include in session";
    /// The session type is not supported.
    SESSION_TYPE_NOT_SUPPORTED = 2, 9, "session type not supported";
    /// There is no session with this TSIH.
    SESSION_DOES_NOT_EXIST = 2, 10, "session does not exist";
    /// A request does not fit the login's state.
    INVALID_DURING_LOGIN = 2, 11, "invalid request during login";
    /// Target error without a better name.
    TARGET_ERROR = 3, 0, "target error";
    /// The target does not take logins now.
    SERVICE_UNAVAILABLE = 3, 1, "service unavailable";
    /// The target has no room.
    OUT_OF_RESOURCES = 3, 2, "out of resources";
}

impl LoginStatus {
    /// Class 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self.class == 0
    }
}

impl fmt::Display for LoginStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (class {} detail {})", self.text().unwrap_or("unknown status"), self.class, self.detail)
    }
}

impl fmt::Debug for LoginStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginStatus({self})")
    }
}
