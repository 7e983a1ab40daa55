//! Failures to get a whole answer, told apart by whether the request can have been carried out.

use crate::{retry::Retry, tls::Distrust};

/// A request that brought no whole answer. The texts go on after the name of the system that was asked.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Nothing was sent, so nothing was done.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// The request was sent at least in part, so its outcome is unknown.
    #[error(transparent)]
    Lost(#[from] AnswerLost),
}

/// The reasons why a request did not leave.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// There was no connection, or the request cannot be written.
    #[error("could not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Whoever answered, perhaps the proxy, presented a certificate that is not trusted.
    #[error("presented a certificate that is not trusted: {0}; `rir-sidecar check` says what to do")]
    Distrusted(Distrust, #[source] reqwest::Error),
}

/// The ways to lose the answer to a request that was sent. A write may have been carried out after each of them.
#[derive(Debug, thiserror::Error)]
pub enum AnswerLost {
    /// No whole answer came within the timeout.
    #[error("did not answer in time")]
    TimedOut(#[source] reqwest::Error),
    /// The connection ended before the answer began.
    #[error("closed the connection without an answer")]
    Disconnected(#[source] reqwest::Error),
    /// The connection, or only the document if there is no source, ended after so many bytes of the body.
    #[error("sent an answer that was cut off after {0} bytes")]
    CutOff(usize, #[source] Option<reqwest::Error>),
    /// The body is larger than so many bytes, which is as far as it is read.
    #[error("sent an answer of more than {0} bytes")]
    TooLarge(usize),
}

impl NoAnswer {
    /// Sorts a failure before the answer began. A timeout of the whole request counts as sent, even if it was spent on
    /// connecting.
    pub(crate) fn before_answer(error: reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() {
            match Distrust::behind(&error) {
                Some(distrust) => NotSent::Distrusted(distrust, error),
                None => NotSent::Unreachable(error),
            }
            .into()
        } else if error.is_timeout() {
            AnswerLost::TimedOut(error).into()
        } else {
            AnswerLost::Disconnected(error).into()
        }
    }

    /// Sorts a failure after `received` bytes of the body.
    pub(crate) fn in_body(error: reqwest::Error, received: usize) -> Self {
        if error.is_timeout() { AnswerLost::TimedOut(error) } else { AnswerLost::CutOff(received, Some(error)) }.into()
    }

    /// Returns whether trying again may help, for a request that may be sent twice.
    #[must_use]
    pub fn retry(&self) -> Retry {
        if matches!(self, Self::Lost(AnswerLost::TooLarge(_))) { Retry::Never } else { Retry::Backoff }
    }
}
