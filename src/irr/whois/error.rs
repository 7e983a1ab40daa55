//! Why a registry could not be asked.

use std::{io, time::Duration};

use ipnet::IpNet;

use super::answer::AnswerFault;

/// Why a registry could not be asked. Nothing of what came may be taken; it is asked again at the next run. Text of the server
/// is shortened.
#[derive(Debug, thiserror::Error)]
pub enum WhoisError {
    /// No connection was made.
    #[error("whois server {address} cannot be reached")]
    Unreachable {
        /// Where to.
        address: String,
        /// What stood in the way.
        #[source]
        source: io::Error,
    },
    /// No connection was made in time.
    #[error("whois server {address} did not take the connection within {limit:?}")]
    NotConnected {
        /// Where to.
        address: String,
        /// The time that it had.
        limit: Duration,
    },
    /// The connection broke.
    #[error("the connection to whois server {address} broke after {answers} answers, so nothing of them was taken")]
    Broken {
        /// Where to.
        address: String,
        /// The answers that had come.
        answers: usize,
        /// What happened to it.
        #[source]
        source: io::Error,
    },
    /// The server closed the connection before it had answered everything.
    #[error(
        "whois server {address} hung up after {answers} answers, so nothing of them was taken; one that does so after \
         each answer does not know `!!` and cannot be asked"
    )]
    HungUp {
        /// Where to.
        address: String,
        /// The answers that had come.
        answers: usize,
    },
    /// Nothing came for too long.
    #[error(
        "whois server {address} sent nothing for {limit:?} in the midst of its answers, so nothing of them was taken"
    )]
    Silent {
        /// Where to.
        address: String,
        /// The time that it had.
        limit: Duration,
    },
    /// The whole took too long.
    #[error("whois server {address} had not answered everything after {limit:?}, so nothing of it was taken")]
    Slow {
        /// Where to.
        address: String,
        /// The time that it had.
        limit: Duration,
    },
    /// The answers are too large to be kept.
    #[error(
        "the answers of whois server {address} have more than {limit} bytes, so nothing of them was taken; mirror the \
         source instead, or ask about less with `own_space`"
    )]
    TooLarge {
        /// Where from.
        address: String,
        /// The most bytes.
        limit: u64,
    },
    /// The server said that it does not answer.
    #[error("whois server {address} refuses {question:?}: {said:?}")]
    Refused {
        /// Which server.
        address: String,
        /// What it was asked.
        question: String,
        /// What it said.
        said: String,
    },
    /// What came is no answer.
    #[error("what whois server {address} says cannot be used")]
    NoAnswer {
        /// Which server.
        address: String,
        /// What is wrong with it.
        #[source]
        fault: AnswerFault,
    },
    /// The server answered another question.
    #[error(
        "asked about {asked}, the whois server answers with an object about {found}, so nothing of its answers was taken"
    )]
    OtherSpace {
        /// The range that it was asked about.
        asked: IpNet,
        /// What is in its answer.
        found: IpNet,
    },
}
