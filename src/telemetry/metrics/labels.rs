//! The labels of metrics. A series is kept for as long as the process lives, so the values of a label are a closed set:
//! an enum of this file, or a [`Word`], of which a [`Vocabulary`] gives out a limited number. No set of labels takes a
//! text as it is.

use std::{
    collections::BTreeSet,
    fmt::{self, Write},
    sync::Arc,
};

use parking_lot::Mutex;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use reqwest::StatusCode;

/// The word that stands for all those that a vocabulary has no room for.
const OTHER: &str = "other";
/// The longest word, in characters.
const LONGEST_WORD: usize = 128;

/// Makes an enum of the words of a label.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $about:literal])+ $variant:ident => $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $about])+ $variant,)+
        }

        impl $name {
            /// All words of the label.
            pub(super) const WORDS: &[&str] = &[$($word),+];

            /// Returns its word in the label.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

/// The method of an HTTP request: one that HTTP knows, or *other*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method(&'static str);

impl Method {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    /// Returns the method of this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(Self::KNOWN.into_iter().find(|known| *known == name).unwrap_or(OTHER))
    }

    /// Returns its word in the label.
    pub(crate) fn word(self) -> &'static str {
        self.0
    }
}

words! {
    /// The result of a webhook.
    Webhook {
        /// It led to jobs.
        Queued => "queued",
        /// Nothing follows from it.
        Ignored => "ignored",
        /// It had been taken before.
        Repeated => "repeated",
        /// Its signature is missing or wrong.
        Unsigned => "unsigned",
        /// Its body did not arrive whole, or there was no room for it.
        Unread => "unread",
        /// It is not what NetBox sends.
        Malformed => "malformed",
        /// It is too old, or from the future.
        Stale => "stale",
        /// The queue did not take it.
        Unavailable => "unavailable",
    }
}

words! {
    /// The end of a job in the hands of a worker.
    JobEnd {
        /// Done.
        Done => "done",
        /// It failed and is tried again.
        Retried => "retried",
        /// It failed for good.
        Dead => "dead",
        /// Somebody cancelled it.
        Cancelled => "cancelled",
        /// The worker goes away, and another one does it.
        HandedBack => "handed_back",
        /// It is to be done later.
        Again => "again",
        /// Another worker took it over.
        Lost => "lost",
    }
}

words! {
    /// The action of a run on an object.
    Deed {
        /// A new row.
        Created => "created",
        /// A row that changed.
        Updated => "updated",
        /// A row that was marked as not found.
        Retired => "retired",
        /// It was passed over.
        Skipped => "skipped",
        /// It could not be asked or written.
        Failed => "failed",
    }
}

words! {
    /// A part of the service, in which a panic is caught.
    Part {
        /// The tick of the schedule.
        Scheduler => "scheduler",
        /// One RIR config in the schedule.
        Config => "config",
        /// The reading of NetBox's change log.
        Sweep => "sweep",
        /// The claiming of jobs.
        Worker => "worker",
        /// One job.
        Job => "job",
        /// The taking of connections.
        Http => "http",
        /// One HTTP request.
        Request => "request",
        /// The reading of the keys file.
        Keys => "keys",
        /// The registration as a process that is alive.
        Presence => "presence",
    }
}

/// A system that requests go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// ARIN's Reg-RWS.
    Arin,
    /// NetBox.
    Netbox,
}

impl Upstream {
    /// Returns its word in the label.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Arin => "arin",
            Self::Netbox => "netbox",
        }
    }
}

/// The status of an answer, or the reason why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Status {
    /// A status that HTTP knows.
    Known(u16),
    /// A status that somebody made up.
    Unknown,
    /// There was no answer in time.
    Timeout,
    /// There was nobody who answers.
    Unreachable,
}

impl Status {
    /// Takes the status of an answer.
    pub(super) fn of(status: StatusCode) -> Self {
        if status.canonical_reason().is_some() { Self::Known(status.as_u16()) } else { Self::Unknown }
    }
}

impl EncodeLabelValue for Status {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        match self {
            Self::Known(status) => EncodeLabelValue::encode(status, encoder),
            Self::Unknown => encoder.write_str(OTHER),
            Self::Timeout => encoder.write_str("timeout"),
            Self::Unreachable => encoder.write_str("unreachable"),
        }
    }
}

/// A word of a [`Vocabulary`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Word(Arc<str>);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), fmt::Error> {
        encoder.write_str(&self.0)
    }
}

/// The words of a label that are known only when the process runs: so many at most, and *other* for the rest.
#[derive(Debug)]
pub(super) struct Vocabulary {
    most: usize,
    words: Mutex<BTreeSet<Word>>,
}

impl Vocabulary {
    pub(super) fn of(most: usize) -> Self {
        Self { most, words: Mutex::default() }
    }

    /// Returns the word for a text.
    pub(super) fn word(&self, text: &str) -> Word {
        let (word, mut words) = (Self::cut(text), self.words.lock());
        if words.len() < self.most {
            words.insert(word.clone());
        }
        if words.contains(&word) { word } else { Word(OTHER.into()) }
    }

    /// Forgets all words but these. Returns those that are forgotten.
    pub(super) fn keep<'a>(&self, texts: impl Iterator<Item = &'a str>) -> BTreeSet<Word> {
        let kept = texts.map(Self::cut).take(self.most).collect();
        let mut words = self.words.lock();
        let before = std::mem::replace(&mut *words, kept);
        before.difference(&words).cloned().collect()
    }

    /// Returns all words that were given out.
    pub(super) fn known(&self) -> BTreeSet<Word> {
        self.words.lock().clone()
    }

    fn cut(text: &str) -> Word {
        Word(text.chars().take(LONGEST_WORD).collect::<String>().into())
    }
}

/// A value of a label that comes from a closed set.
trait Closed {}

impl Closed for &'static str {}
impl Closed for Status {}
impl Closed for Word {}

/// Makes sets of labels, whose values are all from closed sets.
macro_rules! label_sets {
    ($($name:ident { $($label:ident: $value:ty),+ })+) => {
        $(
            #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
            pub(super) struct $name {
                $(pub(super) $label: $value,)+
            }
        )+

        $($(const _: () = closed::<$value>();)+)+
    };
}

/// Is compiled only for what comes from a closed set.
const fn closed<T: Closed>() {}

label_sets! {
    Answered { method: &'static str, route: Word, status: Status }
    Route { method: &'static str, route: Word }
    Outcome { result: &'static str }
    State { state: &'static str }
    Kind { kind: &'static str }
    Ended { kind: &'static str, result: &'static str }
    Change { object_type: &'static str, action: &'static str }
    Config { config: Word }
    Found { config: Word, kind: &'static str, level: &'static str }
    Judged { config: Word, state: &'static str }
    Panic { part: &'static str }
    Asked { upstream: &'static str, operation: Word, status: Status }
    Operation { upstream: &'static str, operation: Word }
    Registry { registry: Word }
    Source { source: Word }
    Rejected { source: Word, reason: Word }
    Updated { source: Word, result: &'static str }
    Verdict { verdict: &'static str }
    Level { level: &'static str }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(word: &Word) -> &str {
        &word.0
    }

    #[test]
    fn a_vocabulary_has_an_end_and_so_has_a_word() {
        let words = Vocabulary::of(2);
        assert_eq!(["a", "b", "c", "a"].map(|name| words.word(name)).each_ref().map(text), ["a", "b", "other", "a"]);
        let gone = words.keep(["b", &"ü".repeat(1000)].into_iter());
        assert_eq!(gone.iter().map(text).collect::<Vec<_>>(), ["a"]);
        assert_eq!(text(&words.word(&"ü".repeat(1000))), "ü".repeat(128));
        assert_eq!(text(&words.word("a")), "other");
    }

    #[test]
    fn a_made_up_status_is_told_as_any_other() {
        let of = |code: u16| Status::of(StatusCode::from_u16(code).unwrap());
        assert_eq!(
            [of(200), of(503), of(299), of(999)],
            [Status::Known(200), Status::Known(503), Status::Unknown, Status::Unknown]
        );
    }
}
