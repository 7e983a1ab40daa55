//! The endings of jobs that did not get as far as a run, or have none.

use std::error::Error;

use serde_json::{Value, json};

use crate::{
    error_chain::error_chain,
    netbox,
    queue::{self, Ending},
    retry::Retry,
    sync::kept_plan::BadPart,
    worker::task::Task,
};

/// A reason for which a job could not be done.
pub(super) struct Failed {
    error: String,
    may_pass: bool,
}

impl Failed {
    pub(super) fn of(error: &dyn Error, retry: Retry) -> Self {
        Self { error: error_chain(error), may_pass: retry != Retry::Never }
    }

    pub(super) fn into_ending(self, task: &Task) -> Ending {
        let attempt = task.claim.attempt;
        let retry = (self.may_pass && !task.is_last(attempt)).then(|| task.backoff(attempt));
        Ending::Failed { error: self.error, retry }
    }
}

impl From<netbox::Error> for Failed {
    fn from(error: netbox::Error) -> Self {
        Self::of(&error, error.retry())
    }
}

impl From<BadPart> for Failed {
    fn from(error: BadPart) -> Self {
        Self::of(&error, Retry::Never)
    }
}

impl From<queue::Error> for Failed {
    fn from(error: queue::Error) -> Self {
        Self::of(&error, Retry::Backoff)
    }
}

/// Ends a job that is done.
pub(super) fn done(result: Value) -> Ending {
    Ending::Done { result, then: Vec::new() }
}

/// Ends a job of which nothing is left to do, as its subject was deleted meanwhile.
pub(super) fn gone(what: &str) -> Ending {
    done(json!({ "result": "skipped", "reason": format!("the {what} is gone") }))
}
