//! Why a file did not come.

use std::{io, time::Duration};

use super::location::{Location, NoLocation};
use crate::{
    outbound::{self, NoAnswer},
    retry::Retry,
};

/// A file that did not come, or not as a whole; shown as `https://example.net/x.db.gz: the server has no such file (404)`.
pub type FetchError = outbound::Error<Location, FetchFailure>;

/// The ways to fail.
#[derive(Debug, thiserror::Error)]
pub enum FetchFailure {
    /// No file was named.
    #[error("there is no file to fetch")]
    NothingNamed,
    /// The server did not answer, or not to the end.
    #[error("the server {0}")]
    NoAnswer(#[from] NoAnswer),
    /// The server has no such file.
    #[error("the server has no such file ({0})")]
    Missing(u16),
    /// The server asks to come back later.
    #[error("the server asks to come back later ({0})")]
    Unavailable(u16, Option<Duration>),
    /// The server said something else than the file.
    #[error("the server answered with status {0}: {1}")]
    Status(u16, String),
    /// The server leads on for ever.
    #[error("the server leads on to another place for more than {0} times")]
    RedirectedTooOften(usize),
    /// The server leads from an encrypted to a plain connection, or away from HTTP.
    #[error("the server leads on to {0}, which is not followed: an encrypted connection must stay one, and HTTP too")]
    RedirectedAway(Location),
    /// The server leads on to nowhere.
    #[error("the server leads on to no proper place")]
    RedirectedNowhere(#[source] Option<NoLocation>),
    /// There was no connection to an FTP server within the time.
    #[error("the server could not be reached")]
    Unreachable(#[source] io::Error),
    /// The FTP server refused something, or the connection broke.
    #[error("the FTP server did not go along with {0}")]
    Ftp(&'static str, #[source] Box<suppaftp::FtpError>),
    /// The connection that the file came over broke.
    #[error("the connection broke after {0} bytes")]
    Broken(u64, #[source] io::Error),
    /// The file on this machine cannot be read.
    #[error("the file cannot be read")]
    File(#[source] io::Error),
    /// It is a folder, a pipe, or the like.
    #[error("it is no ordinary file")]
    NoFile,
    /// Nothing came for so long.
    #[error("no byte came for {} seconds", .0.as_secs_f64())]
    Silent(Duration),
    /// Something came, but not all of it.
    #[error("not all of it came within {} seconds", .0.as_secs_f64())]
    TooSlow(Duration),
    /// More or less came than was announced.
    #[error("{received} bytes came where {announced} were announced")]
    #[expect(missing_docs, reason = "the names say it")]
    Length { received: u64, announced: u64 },
    /// More bytes came than are taken.
    #[error("it has more than {0} bytes")]
    TooLarge(u64),
    /// More text came out of it than is taken.
    #[error("it unpacks to more than {0} bytes")]
    TextTooLarge(u64),
    /// It is no proper gzip file: cut, damaged, or followed by something else.
    #[error("it cannot be unpacked")]
    NotUnpacked(#[source] io::Error),
    /// It is a page for people, as gateways and login pages are.
    #[error("a web page came instead: {0}")]
    WebPage(String),
    /// The task that fetches ended without a word.
    #[error("the fetch was broken off")]
    BrokenOff,
    /// It was read on after an error.
    #[error("it failed before")]
    FailedBefore,
    /// Something else went wrong with reading.
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
}

impl FetchFailure {
    /// Returns whether trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NoAnswer(no_answer) => no_answer.retry(),
            Self::Unavailable(_, Some(wait)) => Retry::After(*wait),
            Self::Unavailable(_, None)
            | Self::Missing(_)
            | Self::Status(..)
            | Self::Unreachable(_)
            | Self::Ftp(..)
            | Self::Broken(..)
            | Self::File(_)
            | Self::Silent(_)
            | Self::TooSlow(_)
            | Self::Length { .. }
            | Self::NotUnpacked(_)
            | Self::WebPage(_)
            | Self::BrokenOff
            | Self::Unreadable(_) => Retry::Backoff,
            Self::NothingNamed
            | Self::RedirectedTooOften(_)
            | Self::RedirectedAway(_)
            | Self::RedirectedNowhere(_)
            | Self::NoFile
            | Self::TooLarge(_)
            | Self::TextTooLarge(_)
            | Self::FailedBefore => Retry::Never,
        }
    }
}

/// Returns what is behind an error of a reader of this module.
#[must_use]
pub fn failure_of(error: io::Error) -> FetchError {
    error.downcast::<FetchError>().unwrap_or_else(|other| FetchFailure::Unreadable(other).into())
}

/// Makes an error of a reader.
pub(super) fn reading(location: &Location, failure: FetchFailure) -> io::Error {
    io::Error::other(FetchError::of(location.clone(), failure))
}
