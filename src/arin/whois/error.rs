//! The failures of questions to the listing.

use std::time::Duration;

use ipnet::IpNet;
use reqwest::StatusCode;

use super::{
    super::{
        convert::Unfit,
        error::{Unanswered, hint},
        xml::Malformed,
    },
    question::Question,
};
use crate::{
    model::NetHandle,
    outbound::{self, NoAnswer, excerpt::excerpt},
    retry::Retry,
};

/// The most of what came from the other side in one place of a failure, in characters.
pub(super) const LONGEST_WORDS: usize = 200;

/// A failure to learn what the listing says. It never means that there is nothing.
pub type WhoisError = outbound::Error<Question, WhoisErrorKind>;

/// The ways to fail.
#[derive(Debug, thiserror::Error)]
pub enum WhoisErrorKind {
    /// The listing has answered 429 to everything for longer than `arin.patience`. The next question may go after this
    /// time.
    #[error(
        "the public listing has answered every question with 429 (too many requests) for longer than arin.patience; the \
         next try may be made in {} s", .0.as_millis().div_ceil(1000)
    )]
    Throttled(Duration),
    /// The listing has trouble: any 5xx.
    #[error("the public listing could not answer (status {})", .0.as_u16())]
    Outage(StatusCode),
    /// The answer points elsewhere, shown without credentials and query.
    #[error(
        "redirected (status {}) to {}, which is not followed; arin.whois_url may be wrong",
        .0.as_u16(), .1.as_deref().unwrap_or("an unnamed place")
    )]
    Redirected(StatusCode, Option<String>),
    /// An answer that the listing does not give, with its beginning: a gateway's page, a wrong path.
    #[error(
        "the answer (status {}) is not the public listing's; arin.whois_url may be wrong, or something stands in \
         between: {}", .0.as_u16(), .1
    )]
    NotWhois(StatusCode, String),
    /// No whole answer came.
    #[error("{}the public listing {}", hint(.0), .0)]
    NoAnswer(#[from] NoAnswer),
    /// The body, whose elements begin so, is not a list of nets.
    #[error("the answer is not a readable list of nets: {0}")]
    Invalid(String, #[source] UnfitListing),
    /// A list that ends before its end, although its range cannot be divided any more.
    #[error("the list was cut off, and {0} cannot be divided any further")]
    CutOff(IpNet),
    /// So many answers have not been enough.
    #[error("{0} answers did not suffice, as each part of the range was cut off again")]
    TooManyAnswers(usize),
    /// The listing tells two things of a net: it has changed between two answers.
    #[error("two answers contradict each other about {0}; the listing has changed meanwhile")]
    Changed(NetHandle),
}

/// The reasons why a body is not a list of nets.
#[derive(Debug, thiserror::Error)]
pub enum UnfitListing {
    /// It is not XML that is read here.
    #[error(transparent)]
    Xml(#[from] Malformed),
    /// A net that is incomplete, or another document.
    #[error(transparent)]
    Payload(#[from] Unfit),
    /// Its root stands in a name space that is not the listing's.
    #[error("its name space is `{0}`, which is not that of Whois-RWS")]
    NameSpace(String),
    /// It does not say whether the list is whole.
    #[error("it does not say whether the list was cut off (limitExceeded)")]
    NoLimit,
    /// It names nets without telling about them.
    #[error("it has only a reference to a net, although details were asked for")]
    NoDetails,
    /// It lists a net far from the range asked about.
    #[error("it lists {0}, which has nothing in common with the range asked about")]
    Elsewhere(NetHandle),
}

impl From<Unanswered> for WhoisErrorKind {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            // Only what is sent once does not wait any longer.
            Unanswered::Throttled(wait) | Unanswered::NoTurn(wait) => Self::Throttled(wait),
            Unanswered::NoAnswer(no_answer) => Self::NoAnswer(no_answer),
        }
    }
}

impl WhoisError {
    /// Returns whether trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match &self.kind {
            WhoisErrorKind::Throttled(wait) => Retry::After(*wait),
            WhoisErrorKind::NoAnswer(no_answer) => no_answer.retry(),
            WhoisErrorKind::Outage(_) | WhoisErrorKind::Changed(_) => Retry::Backoff,
            WhoisErrorKind::Redirected(..)
            | WhoisErrorKind::NotWhois(..)
            | WhoisErrorKind::Invalid(..)
            | WhoisErrorKind::CutOff(_)
            | WhoisErrorKind::TooManyAnswers(_) => Retry::Never,
        }
    }
}

impl WhoisError {
    /// Returns whether the listing does not answer at all, which the next question would find as well.
    pub(super) fn is_outage(&self) -> bool {
        match &self.kind {
            WhoisErrorKind::Throttled(_) | WhoisErrorKind::Outage(_) => true,
            WhoisErrorKind::NoAnswer(no_answer) => no_answer.retry() != Retry::Never,
            WhoisErrorKind::Changed(_)
            | WhoisErrorKind::Redirected(..)
            | WhoisErrorKind::NotWhois(..)
            | WhoisErrorKind::Invalid(..)
            | WhoisErrorKind::CutOff(_)
            | WhoisErrorKind::TooManyAnswers(_) => false,
        }
    }
}

impl WhoisErrorKind {
    /// Returns the same failure, fit to be shown: what came from the other side is short.
    pub(super) fn shortened(mut self) -> Self {
        for words in self.foreign_words() {
            *words = excerpt(words, LONGEST_WORDS);
        }
        self
    }

    fn foreign_words(&mut self) -> Vec<&mut String> {
        match self {
            Self::Redirected(_, location) => location.iter_mut().collect(),
            Self::NotWhois(_, excerpt) => vec![excerpt],
            Self::Invalid(excerpt, source) => source.foreign_words().into_iter().chain([excerpt]).collect(),
            Self::Throttled(_)
            | Self::Outage(_)
            | Self::NoAnswer(_)
            | Self::CutOff(_)
            | Self::TooManyAnswers(_)
            | Self::Changed(_) => Vec::new(),
        }
    }
}

impl UnfitListing {
    fn foreign_words(&mut self) -> Vec<&mut String> {
        match self {
            Self::Xml(malformed) => malformed.foreign_words(),
            Self::NameSpace(name) | Self::Payload(Unfit::Other(_, name) | Unfit::OtherHandle(name)) => vec![name],
            Self::Payload(Unfit::Nothing | Unfit::NoHandle | Unfit::NoBlock)
            | Self::NoLimit
            | Self::NoDetails
            | Self::Elsewhere(_) => Vec::new(),
        }
    }
}
