//! The failures of requests to ARIN, and whether another try may help.

use std::{fmt, time::Duration};

use regex_lite::RegexBuilder;
use reqwest::StatusCode;

use super::{convert::Unfit, request::Request, xml::Malformed};
use crate::{
    http_client,
    outbound::{self, AnswerLost, NoAnswer, excerpt::excerpt},
    retry::Retry,
};

/// The most of what came from the other side in one place of a failure, in characters.
const LONGEST_WORDS: usize = 400;
/// The most of ARIN's own words, which name all that is wrong with a document.
pub(super) const LONGEST_MESSAGE: usize = 2_000;
/// The most of a name or code that came from there. One failure may repeat several.
const LONGEST_NAME: usize = 100;
/// So many characters of an API key at the end of an excerpt are the key.
const SHORTEST_PART: usize = 6;

/// A failure to learn ARIN's answer. It never means that there is no such object.
pub type Error = outbound::Error<Request, ErrorKind>;

/// The ways to fail. [`ErrorKind::NoAnswer`] tells a request that never left from one whose answer was lost.
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    /// The HTTP client cannot be made: the system has no CA certificates, for instance.
    #[error("cannot make an HTTP client for ARIN")]
    Setup(#[source] http_client::Error),
    /// The base URL, shown without credentials and query, is not on the allow list. Nothing was sent.
    #[error(
        "`{0}` is not listed in arin.allowed_base_urls, so no API key is sent there; correct the API URL of the RIR \
         config (the part before /rest), or add it to that setting"
    )]
    NotAllowed(String),
    /// The base URL, shown likewise, is plain HTTP to another machine. Nothing was sent.
    #[error(
        "`{0}` is not encrypted, so no API key is sent there; write https in the API URL of the RIR config (http is for \
         this machine only)"
    )]
    NotEncrypted(String),
    /// The key is empty or has characters that no request can carry. Nothing was sent.
    #[error("the API key cannot be sent: it is empty or has characters other than printable ASCII")]
    UnusableKey,
    /// A kept call is none of those that there are. Nothing was sent.
    #[error("it is none of the calls that are made here, so it was not sent; did somebody edit it?")]
    NoSuchCall,
    /// ARIN does not take the API key, which has brought nothing so far.
    #[error("ARIN did not accept the API key ({0}); `rir-sidecar check` tries it and says what to do")]
    Unauthorized(Fault),
    /// ARIN does not take the API key for this one object. For another it has.
    #[error("ARIN did not accept the API key for it, though for others; it may have no authority over this one ({0})")]
    NoAuthority(Fault),
    /// ARIN refused this one request.
    #[error("ARIN refused it ({0})")]
    Refused(Fault),
    /// ARIN has answered 429 to every request to the instance for longer than `arin.patience`. The next one may go after
    /// this time.
    #[error(
        "ARIN has answered every request with 429 (too many requests) for longer than arin.patience; the next try may \
         be made in {} s. Does something else use the same address or API key?", .0.as_millis().div_ceil(1000)
    )]
    Throttled(Duration),
    /// Its turn to be sent did not come within this time. Nothing was sent.
    #[error(
        "its turn to be sent did not come within {} s, as other requests go first or ARIN takes none just now",
        .0.as_secs()
    )]
    NoTurn(Duration),
    /// ARIN has trouble: any 5xx, or the code `E_OUTAGE`. For what is sent once only, a 429 as well.
    #[error("ARIN could not answer ({0})")]
    Outage(Fault),
    /// The answer points elsewhere, shown without credentials and query; the key would go along, so it stays here.
    #[error(
        "redirected (status {}) to {}, which is not followed; the API URL of the RIR config may be wrong",
        .0.as_u16(), .1.as_deref().unwrap_or("an unnamed place")
    )]
    Redirected(StatusCode, Option<String>),
    /// An answer that Reg-RWS does not give, with its beginning: a gateway's page, a wrong path.
    #[error(
        "the answer (status {}) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands \
         in between: {}", .0.as_u16(), .1
    )]
    NotRegRws(StatusCode, String),
    /// No whole answer came.
    #[error("{}ARIN {}", hint(.0), .0)]
    NoAnswer(#[from] NoAnswer),
    /// The body, which begins so, is not the payload with this root element.
    #[error("the answer is not a readable `{0}` payload: {1}")]
    Invalid(&'static str, String, #[source] Decode),
}

/// The reasons why there is no answer to judge.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// Everything has been answered with 429 for too long; the next request may go after this time.
    Throttled(Duration),
    /// Its turn did not come within this time.
    NoTurn(Duration),
    /// No whole answer came.
    NoAnswer(NoAnswer),
}

impl Unanswered {
    /// Returns whether not a byte can have arrived.
    pub(super) fn is_not_sent(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::NoTurn(_) | Self::NoAnswer(NoAnswer::NotSent(_)) => true,
            Self::NoAnswer(NoAnswer::Lost(_)) => false,
        }
    }
}

impl From<NoAnswer> for Unanswered {
    fn from(no_answer: NoAnswer) -> Self {
        Self::NoAnswer(no_answer)
    }
}

impl From<Unanswered> for ErrorKind {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Throttled(wait) => Self::Throttled(wait),
            Unanswered::NoTurn(longest) => Self::NoTurn(longest),
            Unanswered::NoAnswer(no_answer) => Self::NoAnswer(no_answer),
        }
    }
}

/// A status that is no success, with the words of the `error` payload if there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// ARIN's code, such as `E_OBJECT_NOT_FOUND`.
    pub code: Option<String>,
    /// ARIN's words, for people.
    pub message: Option<String>,
}

impl Fault {
    /// ARIN's own words for something that it does not have.
    pub(super) fn absence() -> Self {
        Self { code: Some("E_OBJECT_NOT_FOUND".to_owned()), ..Self::wordless(StatusCode::NOT_FOUND) }
    }

    pub(super) fn wordless(status: StatusCode) -> Self {
        Self { status: status.as_u16(), code: None, message: None }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_ref().map(|code| format!(", {code}")).unwrap_or_default();
        let message = self.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        write!(f, "status {}{code}{message}", self.status)
    }
}

/// The reasons why a body is not the payload expected.
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
    fn foreign_names(&mut self) -> Vec<&mut String> {
        match self {
            Self::Xml(malformed) => malformed.foreign_words(),
            Self::Payload(Unfit::Other(_, found) | Unfit::OtherHandle(found)) => vec![found],
            Self::Payload(Unfit::Nothing | Unfit::NoHandle | Unfit::NoBlock) => Vec::new(),
        }
    }
}

impl Error {
    /// Returns whether trying again may help, for a request that may be sent twice.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match &self.kind {
            ErrorKind::Throttled(wait) | ErrorKind::NoTurn(wait) => Retry::After(*wait),
            ErrorKind::NoAnswer(no_answer) => no_answer.retry(),
            ErrorKind::Outage(_) => Retry::Backoff,
            ErrorKind::Setup(_)
            | ErrorKind::NotAllowed(_)
            | ErrorKind::NotEncrypted(_)
            | ErrorKind::UnusableKey
            | ErrorKind::NoSuchCall
            | ErrorKind::Unauthorized(_)
            | ErrorKind::NoAuthority(_)
            | ErrorKind::Refused(_)
            | ErrorKind::Redirected(..)
            | ErrorKind::NotRegRws(..)
            | ErrorKind::Invalid(..) => Retry::Never,
        }
    }

    /// Returns whether somebody else seems to have answered in ARIN's place: a gateway, a cache, a wrong path. Several in
    /// a row say that ARIN cannot be asked at all.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::NotRegRws(..)
                | ErrorKind::Invalid(_, _, Decode::Xml(_) | Decode::Payload(Unfit::Other(..) | Unfit::OtherHandle(_)))
        )
    }

    /// Returns whether ARIN does not let this key see the object: that is so for what others hold.
    #[must_use]
    pub fn refuses_object(&self) -> bool {
        matches!(self.kind, ErrorKind::NoAuthority(_) | ErrorKind::Refused(_))
    }

    /// Returns whether ARIN refuses to show the object to this key, with 401 or 403.
    #[must_use]
    pub fn denies_sight(&self) -> bool {
        match &self.kind {
            ErrorKind::NoAuthority(_) => true,
            ErrorKind::Refused(fault) => matches!(fault.status, 401 | 403),
            ErrorKind::Setup(_)
            | ErrorKind::NotAllowed(_)
            | ErrorKind::NotEncrypted(_)
            | ErrorKind::UnusableKey
            | ErrorKind::NoSuchCall
            | ErrorKind::Unauthorized(_)
            | ErrorKind::Throttled(_)
            | ErrorKind::NoTurn(_)
            | ErrorKind::Outage(_)
            | ErrorKind::Redirected(..)
            | ErrorKind::NotRegRws(..)
            | ErrorKind::NoAnswer(_)
            | ErrorKind::Invalid(..) => false,
        }
    }

    /// Returns the refusal of a key that has turned out to work: it is about this object only.
    #[must_use]
    pub fn about_one_object(mut self) -> Self {
        if let ErrorKind::Unauthorized(fault) = self.kind {
            self.kind = ErrorKind::NoAuthority(fault);
        }
        self
    }

    /// Returns whether ARIN did not take the API key, for this object or for any.
    #[must_use]
    pub fn refuses_key(&self) -> bool {
        matches!(self.kind, ErrorKind::Unauthorized(_) | ErrorKind::NoAuthority(_))
    }

    /// Returns whether every further request of the same config would fail alike, so that one error is enough.
    ///
    /// A 403 does not: it is about the object. Neither does an unfit answer: the next object's may be fine.
    #[must_use]
    pub fn stops_config(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Setup(_)
                | ErrorKind::NotAllowed(_)
                | ErrorKind::NotEncrypted(_)
                | ErrorKind::UnusableKey
                | ErrorKind::Unauthorized(_)
                | ErrorKind::Redirected(..)
        )
    }
}

impl ErrorKind {
    /// Returns the same failure, fit to be shown: every word that came from the other side is without `secret`, and short.
    pub(super) fn without(mut self, secret: &str) -> Self {
        for name in self.foreign_names() {
            *name = excerpt(&blacked_out(name, secret), LONGEST_NAME);
        }
        if let Some(message) = self.fault().and_then(|fault| fault.message.as_mut()) {
            *message = excerpt(&blacked_out(message, secret), LONGEST_MESSAGE);
        }
        for words in self.foreign_words() {
            *words = excerpt(&blacked_out(words, secret), LONGEST_WORDS);
        }
        self
    }

    fn fault(&mut self) -> Option<&mut Fault> {
        match self {
            Self::Unauthorized(fault) | Self::NoAuthority(fault) | Self::Refused(fault) | Self::Outage(fault) => {
                Some(fault)
            }
            Self::Setup(_)
            | Self::NotAllowed(_)
            | Self::NotEncrypted(_)
            | Self::UnusableKey
            | Self::NoSuchCall
            | Self::Throttled(_)
            | Self::NoTurn(_)
            | Self::Redirected(..)
            | Self::NotRegRws(..)
            | Self::NoAnswer(_)
            | Self::Invalid(..) => None,
        }
    }

    fn foreign_names(&mut self) -> Vec<&mut String> {
        match self {
            Self::Unauthorized(fault) | Self::NoAuthority(fault) | Self::Refused(fault) | Self::Outage(fault) => {
                fault.code.iter_mut().collect()
            }
            Self::Invalid(_, _, source) => source.foreign_names(),
            Self::Redirected(..)
            | Self::NotRegRws(..)
            | Self::Setup(_)
            | Self::NotAllowed(_)
            | Self::NotEncrypted(_)
            | Self::UnusableKey
            | Self::NoSuchCall
            | Self::Throttled(_)
            | Self::NoTurn(_)
            | Self::NoAnswer(_) => Vec::new(),
        }
    }

    fn foreign_words(&mut self) -> Vec<&mut String> {
        match self {
            Self::Redirected(_, location) => location.iter_mut().collect(),
            Self::NotRegRws(_, excerpt) | Self::Invalid(_, excerpt, _) => vec![excerpt],
            Self::Unauthorized(_)
            | Self::NoAuthority(_)
            | Self::Refused(_)
            | Self::Outage(_)
            | Self::Setup(_)
            | Self::NotAllowed(_)
            | Self::NotEncrypted(_)
            | Self::UnusableKey
            | Self::NoSuchCall
            | Self::Throttled(_)
            | Self::NoTurn(_)
            | Self::NoAnswer(_) => Vec::new(),
        }
    }
}

/// Returns a hint at the setting that a limit comes from.
pub(super) fn hint(no_answer: &NoAnswer) -> &'static str {
    let too_large = matches!(no_answer, NoAnswer::Lost(AnswerLost::TooLarge(_)));
    if too_large { "arin.max_body_bytes does not suffice: " } else { "" }
}

/// Replaces every occurrence of `secret`, in capitals or not, and the beginning of one that an excerpt ends with.
fn blacked_out(text: &str, secret: &str) -> String {
    let pattern = RegexBuilder::new(&regex_lite::escape(secret)).case_insensitive(true).build();
    let Ok(pattern) = pattern else { return "[withheld]".to_owned() };
    let text = pattern.replace_all(text, "[API key]");
    match text.strip_suffix('…').and_then(|excerpt| without_beginning(excerpt, secret)) {
        Some(excerpt) => format!("{excerpt}[API key]…"),
        None => text.into_owned(),
    }
}

/// Returns a text without the beginning of `secret` that it ends with, if that is long enough to be no chance.
fn without_beginning<'a>(text: &'a str, secret: &str) -> Option<&'a str> {
    let ends = (SHORTEST_PART..secret.len()).rev().filter_map(|length| {
        let (text, end) = text.split_at_checked(text.len().checked_sub(length)?)?;
        Some((text, end, secret.get(..length)?))
    });
    ends.filter(|(_, end, part)| end.eq_ignore_ascii_case(part)).map(|(text, ..)| text).next()
}
