//! Does a job of each kind.
//!
//! | file | kinds |
//! |---|---|
//! | `sync` | a run of one config: all of it, an aggregate, prefixes |
//! | `fan_out` | an aggregate or prefixes of which it is not known yet which configs they concern |

mod fan_out;
mod sync;

use std::error::Error;

use serde_json::{Value, json};

use super::task::Task;
use crate::{
    error_chain::error_chain,
    model::{Resource, Scope},
    netbox, queue,
    queue::{Ending, JobId, Work},
    retry::Retry,
    sync::RunName,
};

/// Does a job, and returns how it ended.
pub(super) async fn perform(task: &Task) -> Ending {
    let done = match &task.claim.job.work {
        Work::SyncConfig { config, resources } => sync::sync(task, *config, (Scope::Config, resources.clone())).await,
        Work::SyncAggregate { config: Some(config), aggregate } => {
            sync::sync(task, *config, (Scope::Aggregate(*aggregate), Resource::all())).await
        }
        Work::SyncPrefix { config: Some(config), prefixes } => {
            sync::sync(task, *config, (Scope::Prefixes(prefixes.clone()), Resource::all())).await
        }
        Work::SyncAggregate { config: None, aggregate } => fan_out::aggregate(task, *aggregate).await,
        Work::SyncPrefix { config: None, prefixes } => fan_out::prefixes(task, prefixes).await,
    };
    done.unwrap_or_else(|failed| failed.into_ending(task))
}

/// Returns the name of the run that a job stands for, however often it is claimed; `None` for one that only makes others.
pub(super) fn run_name(task: &Task) -> Option<RunName> {
    task.claim.job.work.config()?;
    let id = &task.claim.id;
    // The log rows of each claim are told apart, as each counts its own.
    Some(RunName::new(id.created(), number(id), task.claim.fence.to_string()))
}

/// Returns the part of an id that is chance.
fn number(id: &JobId) -> u32 {
    u32::from_str_radix(id.as_str().get(16..).unwrap_or_default(), 16).unwrap_or_default()
}

/// A reason for which a job could not be done.
struct Failed {
    error: String,
    may_pass: bool,
}

impl Failed {
    fn of(error: &dyn Error, retry: Retry) -> Self {
        Self { error: error_chain(error), may_pass: retry != Retry::Never }
    }

    fn into_ending(self, task: &Task) -> Ending {
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

impl From<queue::Error> for Failed {
    fn from(error: queue::Error) -> Self {
        Self::of(&error, Retry::Backoff)
    }
}

/// Ends a job that is done.
fn done(result: Value) -> Ending {
    Ending::Done { result, then: Vec::new() }
}

/// Ends a job of which nothing is left to do, as its subject was deleted meanwhile.
fn gone(what: &str) -> Ending {
    done(json!({ "result": "skipped", "reason": format!("the {what} is gone") }))
}
