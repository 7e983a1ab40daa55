//! The labels of metrics. Their values are closed sets, except for names of configs, routes and registries.

use prometheus_client::encoding::EncodeLabelSet;

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
            pub(super) fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words! {
    /// The result of a webhook.
    Webhook {
        /// It led to jobs.
        Queued => "queued",
        /// Nothing follows from it.
        Ignored => "ignored",
        /// Its signature is missing or wrong.
        Unsigned => "unsigned",
        /// It is not what NetBox sends.
        Malformed => "malformed",
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Answered {
    pub(super) method: String,
    pub(super) route: String,
    pub(super) status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Route {
    pub(super) method: String,
    pub(super) route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Outcome {
    pub(super) result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct State {
    pub(super) state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Kind {
    pub(super) kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Ended {
    pub(super) kind: &'static str,
    pub(super) result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Change {
    pub(super) object_type: &'static str,
    pub(super) action: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Config {
    pub(super) config: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Asked {
    pub(super) upstream: &'static str,
    pub(super) operation: String,
    pub(super) status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Operation {
    pub(super) upstream: &'static str,
    pub(super) operation: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Registry {
    pub(super) registry: String,
}
