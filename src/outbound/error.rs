//! The form that the errors of all clients have.

use std::{error::Error as StdError, fmt};

/// A failed request; shown as `org EXAMPLE-1: ARIN refused it`.
#[derive(Debug)]
pub struct Error<Request, Kind> {
    /// The request that failed; `None` when there was none yet.
    pub request: Option<Box<Request>>,
    /// The kind of failure, with its cause.
    pub kind: Kind,
}

impl<Request, Kind> Error<Request, Kind> {
    pub(crate) fn of(request: Request, kind: Kind) -> Self {
        Self { request: Some(Box::new(request)), kind }
    }
}

/// A failure before there was a request.
impl<Request, Kind> From<Kind> for Error<Request, Kind> {
    fn from(kind: Kind) -> Self {
        Self { request: None, kind }
    }
}

impl<Request: fmt::Display, Kind: fmt::Display> fmt::Display for Error<Request, Kind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.request {
            Some(request) => write!(f, "{request}: {}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

impl<Request: fmt::Debug + fmt::Display, Kind: StdError> StdError for Error<Request, Kind> {
    /// Returns the cause behind the kind, whose own text is part of the error's.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.kind.source()
    }
}
