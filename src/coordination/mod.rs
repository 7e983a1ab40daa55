//! The facts that replicas share besides jobs, each with a life of its own.
//!
//! | fact | lives | says |
//! |---|---|---|
//! | lease | as long as its owner renews it | which replica acts as the scheduler, and who syncs a config by hand |
//! | cursor | for ever | how far somebody has read |
//! | syncs | for ever | when a config was last synced, and when the schedule last asked for that |
//! | seen change | two hours | that jobs were queued for a change in NetBox, and until when it had been made |
//! | delivery | a quarter of an hour | that a webhook was taken |
//! | answer | as long as is asked for | how a request with an idempotency key was answered; a user has a quota of them |
//! | plan | as long as is asked for | what a preview found, in parts; at most so much for each user |
//! | rate | a day after the last request | how many requests may go to a registry, and when the next one may |
//! | presence | half a minute | how many processes are alive |
//!
//! [`Coordination`] is in Redis for any number of replicas, or in the process for a single one. Both behave the same;
//! one suite of tests holds them to it. Nothing here is needed to keep a promise about jobs: a fact that is lost costs
//! work that is done twice.

mod kept_plan;
mod known_answer;
mod lifetimes;
mod memory;
mod redis;
mod syncs;

use std::time::Duration;

use jiff::Timestamp;

pub use crate::redis_client::Error;
use crate::{config, model::RowId, rate::Rate};
pub use kept_plan::{KeptPlan, PlanQuota};
pub use known_answer::{AnswerKey, KnownAnswer, Quota};
use memory::InMemory;
use redis::InRedis;
pub use syncs::{Asked, LastRun, Syncs};

/// Returns the name of the lease that a sync of a config by hand takes. Jobs of the config wait meanwhile.
#[must_use]
pub fn lease_by_hand(config: RowId) -> String {
    format!("by-hand:{config}")
}

/// The facts that replicas share.
#[derive(Debug, Clone)]
pub enum Coordination {
    /// In this process; a restart loses them.
    Memory(InMemory),
    /// In Redis.
    Redis(InRedis),
}

macro_rules! each {
    ($self:ident, $facts:ident => $call:expr) => {
        match $self {
            Coordination::Memory($facts) => Ok($call),
            Coordination::Redis($facts) => $call.await,
        }
    };
}

/// Each method fails when Redis does not do it, and opening when its address cannot be used.
#[expect(clippy::missing_errors_doc, reason = "the sentence above says it for all")]
impl Coordination {
    /// Opens what the settings of the queue name. With Redis this does not wait for it to answer.
    pub async fn open(settings: &config::Queue) -> Result<Self, Error> {
        if settings.url.is_empty() {
            return Ok(Self::in_memory());
        }
        InRedis::open(settings).map(Self::Redis)
    }

    /// Keeps the facts in this process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::Memory(InMemory::default())
    }

    /// Takes or keeps a lease by name for `ttl`. Returns whether `owner` has it now.
    pub async fn acquire_lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, Error> {
        each!(self, facts => facts.acquire_lease(name, owner, ttl))
    }

    /// Gives a lease back before its time, if `owner` has it.
    pub async fn release_lease(&self, name: &str, owner: &str) -> Result<(), Error> {
        // Keeping it for no time leaves it to others, and does nothing to a lease that somebody else has.
        self.acquire_lease(name, owner, Duration::ZERO).await.map(drop)
    }

    /// Returns who has a lease; `None` when nobody does.
    pub async fn lease_holder(&self, name: &str) -> Result<Option<String>, Error> {
        each!(self, facts => facts.lease_holder(name))
    }

    /// Returns where somebody last stood.
    pub async fn cursor(&self, name: &str) -> Result<Option<String>, Error> {
        each!(self, facts => facts.cursor(name))
    }

    /// Keeps where somebody stands now.
    pub async fn set_cursor(&self, name: &str, value: &str) -> Result<(), Error> {
        each!(self, facts => facts.set_cursor(name, value))
    }

    /// Returns what is known of the syncs of a config.
    pub async fn syncs(&self, config: RowId) -> Result<Syncs, Error> {
        each!(self, facts => facts.syncs(config))
    }

    /// Remembers that a sync of all of a config has ended.
    pub async fn sync_ended(&self, config: RowId, run: &LastRun) -> Result<(), Error> {
        each!(self, facts => facts.sync_ended(config, run))
    }

    /// Remembers that the schedule has queued a config.
    pub async fn sync_asked(&self, config: RowId, asked: Asked) -> Result<(), Error> {
        each!(self, facts => facts.sync_asked(config, asked))
    }

    /// Remembers for two hours that jobs were queued for these changes, each made at that time or earlier.
    pub async fn remember_changes(&self, changes: &[(String, Timestamp)]) -> Result<(), Error> {
        each!(self, facts => facts.remember_changes(changes))
    }

    /// Returns for each change whether it is not remembered as made at that time or later. The merge of a NetBox branch
    /// makes a change once more, under the same name.
    pub async fn unseen_changes(&self, changes: &[(String, Timestamp)]) -> Result<Vec<bool>, Error> {
        each!(self, facts => facts.unseen_changes(changes))
    }

    /// Remembers that a webhook was taken. Returns false if it was taken before.
    pub async fn remember_delivery(&self, delivery: &str) -> Result<bool, Error> {
        each!(self, facts => facts.remember_delivery(delivery))
    }

    /// Forgets a webhook, because nothing was done.
    pub async fn forget_delivery(&self, delivery: &str) -> Result<(), Error> {
        each!(self, facts => facts.forget_delivery(delivery))
    }

    /// Looks up the answer to the request with this fingerprint. [`Reserved`](KnownAnswer::Reserved) holds for a minute,
    /// and is had within the user's quota only.
    pub async fn recall_answer(&self, key: &AnswerKey, fingerprint: &str, quota: &Quota) -> Result<KnownAnswer, Error> {
        each!(self, facts => facts.recall_answer(key, fingerprint, quota))
    }

    /// Keeps an answer for `ttl`. Its place has to be reserved before, which is what keeps to the quota.
    pub async fn remember_answer(
        &self,
        key: &AnswerKey,
        fingerprint: &str,
        answer: &str,
        ttl: Duration,
    ) -> Result<(), Error> {
        each!(self, facts => facts.remember_answer(key, fingerprint, answer, ttl))
    }

    /// Frees the place of an answer, because nothing was done.
    pub async fn forget_answer(&self, key: &AnswerKey) -> Result<(), Error> {
        each!(self, facts => facts.forget_answer(key))
    }

    /// Takes a part of a plan, by its number from 0, for ten minutes: until then [`Coordination::keep_plan`] has to follow.
    pub async fn add_plan_part(&self, plan: &str, number: usize, part: &[u8]) -> Result<(), Error> {
        each!(self, facts => facts.add_plan_part(plan, number, part))
    }

    /// Keeps a plan whose parts were added. What is too much for its user makes the user's oldest plans give way.
    pub async fn keep_plan(&self, plan: &KeptPlan, quota: PlanQuota) -> Result<(), Error> {
        each!(self, facts => facts.keep_plan(plan, quota))
    }

    /// Returns the plans that are kept, the newest first.
    pub async fn plans(&self) -> Result<Vec<KeptPlan>, Error> {
        let mut plans = each!(self, facts => facts.plans())?;
        plans.sort_by(|a, b| (b.made, &b.id).cmp(&(a.made, &a.id)));
        Ok(plans)
    }

    /// Returns a part of a plan; `None` when it is not kept any more.
    pub async fn plan_part(&self, plan: &str, number: usize) -> Result<Option<Vec<u8>>, Error> {
        each!(self, facts => facts.plan_part(plan, number))
    }

    /// Changes the rate at which all replicas together may send requests to a registry instance, in one step that no
    /// other comes between; `change` gets the time, too, and may be called more than once until that succeeds.
    pub async fn change_rate<T>(
        &self,
        instance: &str,
        change: impl Fn(&mut Rate, Duration) -> T + Send + Sync,
    ) -> Result<T, Error> {
        each!(self, facts => facts.change_rate(instance, change))
    }

    /// Registers a process as alive, and returns how many registered within the last half minute.
    pub async fn register_presence(&self, process: &str) -> Result<u32, Error> {
        each!(self, facts => facts.register_presence(process))
    }
}
