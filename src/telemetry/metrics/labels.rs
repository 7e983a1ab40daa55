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

/// Makes sets of labels.
macro_rules! label_sets {
    ($($name:ident { $($label:ident: $value:ty),+ })+) => {
        $(
            #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
            pub(super) struct $name {
                $(pub(super) $label: $value,)+
            }
        )+
    };
}

label_sets! {
    Answered { method: String, route: String, status: u16 }
    Route { method: String, route: String }
    Outcome { result: &'static str }
    State { state: &'static str }
    Kind { kind: &'static str }
    Ended { kind: &'static str, result: &'static str }
    Change { object_type: &'static str, action: &'static str }
    Config { config: String }
    Asked { upstream: &'static str, operation: String, status: String }
    Operation { upstream: &'static str, operation: String }
    Registry { registry: String }
}
