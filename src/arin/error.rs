//! What can go wrong when ARIN is asked, and what that means for the next try.

use std::{fmt, time::Duration};

use super::{convert::Unfit, xml::Malformed};
use crate::{
    model::{CustomerHandle, NetBlock, NetHandle, OrgHandle, PocHandle},
    retry::Retry,
};

/// What ARIN was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `GET org`
    Org(OrgHandle),
    /// `GET poc`
    Poc(PocHandle),
    /// `GET customer`
    Customer(CustomerHandle),
    /// `GET net`
    Net(NetHandle),
    /// `GET net/mostSpecificNet`
    MostSpecificNet(NetBlock),
}

impl Operation {
    /// The payload that answers it.
    #[must_use]
    pub fn wanted(&self) -> &'static str {
        match self {
            Self::Org(_) => "org",
            Self::Poc(_) => "poc",
            Self::Customer(_) => "customer",
            Self::Net(_) | Self::MostSpecificNet(_) => "net",
        }
    }

    /// What kind of question it is, for figures.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Org(_) => "org",
            Self::Poc(_) => "poc",
            Self::Customer(_) => "customer",
            Self::Net(_) => "net",
            Self::MostSpecificNet(_) => "most-specific-net",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Org(handle) => write!(f, "org {handle}"),
            Self::Poc(handle) => write!(f, "poc {handle}"),
            Self::Customer(handle) => write!(f, "customer {handle}"),
            Self::Net(handle) => write!(f, "net {handle}"),
            Self::MostSpecificNet(range) => write!(f, "mostSpecificNet {range}"),
        }
    }
}

/// Why ARIN's answer is not known. No variant ever means that there is no such object.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client cannot be made: the system has no CA certificates, for instance.
    #[error("cannot set up the HTTP client for ARIN; does the system have CA certificates (package ca-certificates)?")]
    Setup(#[source] reqwest::Error),
    /// The base URL is not on the allow list. Nothing was sent.
    #[error(
        "`{url}` is not listed in arin.allowed_base_urls, so no API key is sent there; correct the API URL of the RIR \
         config (the part before /rest), or add it to that setting"
    )]
    NotAllowed {
        /// The URL as the config has it, without credentials and query.
        url: String,
    },
    /// The key is empty or has characters that no request can carry. Nothing was sent.
    #[error("the API key cannot be sent: it is empty or has characters other than printable ASCII")]
    UnusableKey,
    /// ARIN does not take the API key.
    #[error("ARIN did not accept the API key for {operation} ({fault})")]
    Unauthorized {
        /// What was asked.
        operation: Operation,
        /// What ARIN answered.
        fault: Fault,
    },
    /// ARIN refused this one question.
    #[error("ARIN refused {operation} ({fault})")]
    Refused {
        /// What was asked.
        operation: Operation,
        /// What ARIN answered.
        fault: Fault,
    },
    /// ARIN has asked to slow down (429), and did so until the last try.
    #[error("ARIN throttled {operation} (status 429); the next try may be made in {}", seconds(*.wait))]
    Throttled {
        /// What was asked.
        operation: Operation,
        /// How long every request to this instance is held back.
        wait: Duration,
    },
    /// ARIN has trouble: any 5xx, or the code `E_OUTAGE`.
    #[error("ARIN could not answer {operation} ({fault})")]
    Outage {
        /// What was asked.
        operation: Operation,
        /// What ARIN answered.
        fault: Fault,
    },
    /// The answer points elsewhere; redirects are not followed, since the key would go along.
    #[error(
        "{operation} was redirected (status {status}) to {}, which is not followed; the API URL of the RIR config may be wrong",
        .location.as_deref().unwrap_or("an unnamed place")
    )]
    Redirected {
        /// What was asked.
        operation: Operation,
        /// HTTP status.
        status: u16,
        /// Where to, without credentials and query.
        location: Option<String>,
    },
    /// An answer that Reg-RWS does not give: a gateway's page, a wrong path.
    #[error(
        "the answer to {operation} (status {status}) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or \
         something stands in between: {excerpt}"
    )]
    NotRegRws {
        /// What was asked.
        operation: Operation,
        /// HTTP status.
        status: u16,
        /// How the body begins.
        excerpt: String,
    },
    /// No connection, or it broke before the answer began.
    #[error("ARIN could not be reached for {operation}")]
    Unreachable {
        /// What was asked.
        operation: Operation,
        /// Why.
        source: reqwest::Error,
    },
    /// No full answer within the time allowed.
    #[error("ARIN did not answer {operation} in time")]
    TimedOut {
        /// What was asked.
        operation: Operation,
        /// The expired timer.
        source: reqwest::Error,
    },
    /// The connection ended in the middle of the body.
    #[error("the answer to {operation} was cut off after {received} bytes")]
    CutOff {
        /// What was asked.
        operation: Operation,
        /// Bytes of the body that arrived.
        received: usize,
        /// How the transfer ended; `None` when only the XML ends too early.
        source: Option<reqwest::Error>,
    },
    /// The body is larger than `arin.max_body_bytes`.
    #[error("the answer to {operation} is larger than {limit} bytes (arin.max_body_bytes)")]
    TooLarge {
        /// What was asked.
        operation: Operation,
        /// The limit in bytes.
        limit: usize,
    },
    /// The body is not the payload wanted.
    #[error("the answer to {operation} is not a readable `{}` payload: {excerpt}", .operation.wanted())]
    Invalid {
        /// What was asked.
        operation: Operation,
        /// How the body begins.
        excerpt: String,
        /// Why.
        source: Decode,
    },
}

/// A status that is no success, with the words of the `error` payload if there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// ARIN's code, `E_OBJECT_NOT_FOUND`.
    pub code: Option<String>,
    /// ARIN's words, for people.
    pub message: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

/// Why a body is not the payload wanted.
#[derive(Debug, thiserror::Error)]
pub enum Decode {
    /// It is not XML that is read here.
    #[error(transparent)]
    Xml(#[from] Malformed),
    /// It is XML, but another or an incomplete payload.
    #[error(transparent)]
    Payload(#[from] Unfit),
}

impl Decode {
    fn foreign_words(&mut self) -> Vec<&mut String> {
        match self {
            Self::Xml(malformed) => malformed.foreign_words(),
            Self::Payload(Unfit::Other { found, .. }) => vec![found],
            Self::Payload(Unfit::NoHandle | Unfit::NoBlock) => Vec::new(),
        }
    }
}

impl Error {
    /// Whether asking again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Throttled { wait, .. } => Retry::After(*wait),
            Self::Outage { .. } | Self::Unreachable { .. } | Self::TimedOut { .. } | Self::CutOff { .. } => {
                Retry::Backoff
            }
            Self::Setup(_)
            | Self::NotAllowed { .. }
            | Self::UnusableKey
            | Self::Unauthorized { .. }
            | Self::Refused { .. }
            | Self::Redirected { .. }
            | Self::NotRegRws { .. }
            | Self::TooLarge { .. }
            | Self::Invalid { .. } => Retry::Never,
        }
    }

    /// Whether every further question of the same config would fail in the same way, so that one error is enough.
    ///
    /// A 403 does not: it is about the object. Neither does an unfit answer: the next object's may be fine.
    #[must_use]
    pub fn stops_config(&self) -> bool {
        match self {
            Self::Setup(_)
            | Self::NotAllowed { .. }
            | Self::UnusableKey
            | Self::Unauthorized { .. }
            | Self::Redirected { .. } => true,
            Self::Refused { .. }
            | Self::Throttled { .. }
            | Self::Outage { .. }
            | Self::NotRegRws { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::CutOff { .. }
            | Self::TooLarge { .. }
            | Self::Invalid { .. } => false,
        }
    }

    /// Whether ARIN, or the way to it, is out of order, however often it was tried: a run may rather stop than wait
    /// for as many timeouts as it has questions.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self.retry() {
            Retry::Backoff | Retry::After(_) => true,
            Retry::Never => false,
        }
    }
}

impl Error {
    /// The same error, with `secret` taken out of every word that came from the other side.
    pub(super) fn without(mut self, secret: &str) -> Self {
        for words in self.foreign_words() {
            *words = blacked_out(words, secret);
        }
        self
    }

    fn foreign_words(&mut self) -> Vec<&mut String> {
        match self {
            Self::Unauthorized { fault, .. } | Self::Refused { fault, .. } | Self::Outage { fault, .. } => {
                fault.code.iter_mut().chain(&mut fault.message).collect()
            }
            Self::Redirected { location, .. } => location.iter_mut().collect(),
            Self::NotRegRws { excerpt, .. } => vec![excerpt],
            Self::Invalid { excerpt, source, .. } => source.foreign_words().into_iter().chain([excerpt]).collect(),
            Self::Setup(_)
            | Self::NotAllowed { .. }
            | Self::UnusableKey
            | Self::Throttled { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::CutOff { .. }
            | Self::TooLarge { .. } => Vec::new(),
        }
    }
}

/// Replaces every occurrence of `secret`, in capitals or not.
fn blacked_out(text: &str, secret: &str) -> String {
    let (lower, secret) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut rest = text;
    let mut clean = String::new();
    for kept in lower.split(&secret) {
        let (before, after) = rest.split_at_checked(kept.len()).unwrap_or((rest, ""));
        clean.push_str(before);
        rest = after.get(secret.len()..).unwrap_or_default();
        if !after.is_empty() {
            clean.push_str("[API key]");
        }
    }
    clean
}

/// Whole seconds, rounded up.
fn seconds(wait: Duration) -> String {
    format!("{} s", wait.as_millis().div_ceil(1000))
}
