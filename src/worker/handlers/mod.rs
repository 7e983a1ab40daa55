//! Does a job of each kind.
//!
//! | file | kinds |
//! |---|---|
//! | `sync` | a run of one config: all of it, an aggregate, prefixes |
//! | `plan` | what a sync of a config would write |
//! | `findings` | what is to be put right, judged anew by what is recorded |
//! | `requests` | what is to be changed at the registry: sent, looked for, followed |
//! | `irr` | the mirror of a routing registry, brought up to date |
//! | `routing` | whether the world will accept what is announced, judged anew |
//! | `fan_out` | an aggregate or prefixes of which it is not known yet which configs they concern |

mod ending;
mod fan_out;
mod findings;
pub(super) mod irr;
mod plan;
mod requests;
mod routing;
mod sync;

use super::task::Task;
use crate::{
    model::{Resource, Scope},
    queue::{Ending, Work},
};

/// Does a job, and returns how it ended.
pub(super) async fn perform(task: &Task) -> Ending {
    let done = match &task.claim.job.work {
        Work::SyncConfig { config, resources } => {
            sync::sync(task, *config, (Scope::Config, resources.clone()), None).await
        }
        Work::SyncAggregate { config: Some(config), aggregate } => {
            sync::sync(task, *config, (Scope::Aggregate(*aggregate), Resource::all()), None).await
        }
        Work::SyncPrefix { config: Some(config), prefixes } => {
            sync::sync(task, *config, (Scope::Prefixes(prefixes.clone()), Resource::all()), None).await
        }
        Work::ApplyPlan { config, resources, plan } => {
            sync::sync(task, *config, (Scope::Config, resources.clone()), Some(plan)).await
        }
        Work::PlanConfig { config, resources } => plan::plan(task, *config, resources).await,
        Work::Findings { config } => findings::judge(task, *config).await,
        Work::Requests { config } => requests::go_on(task, *config).await,
        Work::UpdateIrr { source } => irr::update(task, source).await,
        Work::Routing {} => routing::judge(task).await,
        Work::SyncAggregate { config: None, aggregate } => fan_out::aggregate(task, *aggregate).await,
        Work::SyncPrefix { config: None, prefixes } => fan_out::prefixes(task, prefixes).await,
    };
    done.unwrap_or_else(|failed| failed.into_ending(task))
}
