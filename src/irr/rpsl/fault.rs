//! What is wrong with an object that a mirror does not take.

use super::Class;
use crate::outbound::excerpt::excerpt;

/// The most characters of foreign text that a fault shows.
const SHOWN: usize = 80;

/// An object that is not taken. Its next version may be, which heals the gap.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the object that begins with {begins:?} is left out: {fault}")]
pub struct Rejected {
    /// Its class, if it has one that is known.
    pub class: Option<Class>,
    /// Its first line, shortened.
    pub begins: String,
    /// What is wrong with it.
    pub fault: ObjectFault,
}

/// What is wrong with an object. Text in it is shortened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectFault {
    /// No IRRd knows its class.
    #[error("no class {class:?} is known")]
    UnknownClass {
        /// The name of its first attribute.
        class: String,
    },
    /// A line neither has a name and a colon nor goes on with a value.
    #[error("the line {line:?} is no attribute")]
    MalformedAttribute {
        /// The line.
        line: String,
    },
    /// An attribute of its key is missing or says nothing.
    #[error("it has no `{attribute}`, which is part of its key")]
    MissingKey {
        /// Which one.
        attribute: &'static str,
    },
    /// An attribute of its key, or its source, is there twice.
    #[error("it has more than one `{attribute}`")]
    Ambiguous {
        /// Which one.
        attribute: &'static str,
    },
    /// Its prefix is none.
    #[error("{value:?} is no prefix of this class")]
    BadPrefix {
        /// What stands there.
        value: String,
    },
    /// Its prefix has bits behind its length.
    #[error("the prefix {value:?} has bits set behind its length")]
    HostBits {
        /// The prefix.
        value: String,
    },
    /// An AS number is none.
    #[error("`{attribute}` is {value:?}, which is no AS number")]
    BadAsNumber {
        /// Where it stands.
        attribute: &'static str,
        /// What stands there.
        value: String,
    },
    /// A range of addresses or AS numbers is none, or falls.
    #[error("{value:?} is no range of this class")]
    BadRange {
        /// What stands there.
        value: String,
    },
    /// The greatest length of a VRP is none that its prefix can be announced in.
    #[error("`maxLength` is {value:?}, which is no length of what is inside the prefix")]
    BadMaxLength {
        /// What stands there.
        value: String,
    },
    /// A name is none, in the key or in an attribute by which objects are looked up.
    #[error("`{attribute}` names {value:?}, which is no name of that kind")]
    BadName {
        /// Where it stands.
        attribute: &'static str,
        /// What stands there.
        value: String,
    },
    /// It does not say to which source it belongs.
    #[error("it has no `source`")]
    MissingSource,
    /// It belongs to another source.
    #[error("it belongs to the source {found:?}")]
    OtherSource {
        /// Which one.
        found: String,
    },
    /// It is longer than what is read.
    #[error("it has {bytes} bytes, more than are read of an object")]
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// It stands in a stream where no operation says what to do with it.
    #[error("no operation stands before it")]
    Stray,
}

impl ObjectFault {
    /// Returns a short name of its kind that stays the same: for metrics.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::UnknownClass { .. } => "unknown-class",
            Self::MalformedAttribute { .. } => "malformed-attribute",
            Self::MissingKey { .. } => "missing-key",
            Self::Ambiguous { .. } => "ambiguous",
            Self::BadPrefix { .. } => "bad-prefix",
            Self::HostBits { .. } => "host-bits",
            Self::BadAsNumber { .. } => "bad-as-number",
            Self::BadRange { .. } => "bad-range",
            Self::BadMaxLength { .. } => "bad-max-length",
            Self::BadName { .. } => "bad-name",
            Self::MissingSource => "missing-source",
            Self::OtherSource { .. } => "other-source",
            Self::TooLong { .. } => "too-long",
            Self::Stray => "stray",
        }
    }
}

impl Rejected {
    /// Rejects an object, of which text is at least the begin.
    pub(in crate::irr) fn new(text: &str, class: Option<Class>, fault: ObjectFault) -> Self {
        Self { class, begins: shown(text.split('\n').next().unwrap_or_default()), fault }
    }
}

/// Returns text as a fault shows it.
pub(in crate::irr) fn shown(text: &str) -> String {
    // `excerpt` looks at all of its text, which may be megabytes.
    let few: String = text.chars().take(SHOWN.saturating_mul(2)).collect();
    excerpt(&few, SHOWN)
}
