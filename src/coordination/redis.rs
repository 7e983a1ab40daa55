//! The facts in Redis, for any number of replicas.
//!
//! | key | kind | holds | leaves when |
//! |---|---|---|---|
//! | `lease:NAME` | string | the owner of a lease | its time is over |
//! | `cursors` | hash | where somebody stands | never |
//! | `syncs:CONFIG` | hash | `run`: the last sync that ended, `asked`: when the schedule last queued it | never |
//! | `seen:CHANGE` | string | until when it had been made, in microseconds | after [`SEEN_FOR`] |
//! | `delivered:DELIVERY` | string | nothing | after [`DELIVERED_FOR`] |
//! | `answer:REQUEST` | hash | fingerprint of a request, the answer, and the bytes that it counts for | its time is over |
//! | `answers:USER` | sorted set | the answers of a user, as `BYTES:REQUEST`, by the time they are forgotten | all are |
//! | `plans` | hash | the plans that are kept, as JSON by their ids | their parts are gone |
//! | `plan:ID:NUMBER` | string | a part of a plan | its time is over, or its user has too many |
//! | `limit:NAME` | string | the rate of a registry instance, as JSON | after [`RATE_FOR`] without a request |
//! | `present` | sorted set | processes by when they last registered | after [`PRESENT_FOR`] |

use std::{sync::LazyLock, time::Duration};

use jiff::Timestamp;
use redis::{Cmd, ExistenceCheck, SetExpiry, SetOptions};
use serde::Serialize;
use serde_json::json;

use super::{
    kept_plan::{KeptPlan, PlanQuota},
    known_answer::{AnswerKey, KnownAnswer, Quota},
    lifetimes::{DELIVERED_FOR, PARTS_WAIT_FOR, PRESENT_FOR, RATE_FOR, RESERVED_FOR, SEEN_FOR},
    syncs::{Asked, LastRun, Syncs},
};
use crate::{
    config,
    model::RowId,
    rate::Rate,
    redis_client::{Client, Error, Script, json, millis},
};

macro_rules! scripts {
    ($($name:ident: $file:literal;)+) => {$(
        static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new($file, include_str!(concat!("lua/", $file, ".lua"))));
    )+};
}

scripts! {
    ACQUIRE_LEASE: "acquire_lease";
    REMEMBER_CHANGES: "remember_changes";
    RECALL_ANSWER: "recall_answer";
    REMEMBER_ANSWER: "remember_answer";
    FORGET_ANSWER: "forget_answer";
    KEEP_PLAN: "keep_plan";
    LIST_PLANS: "list_plans";
    REPLACE_RATE: "replace_rate";
    REGISTER_PRESENCE: "register_presence";
}

/// The facts.
#[derive(Debug, Clone)]
pub struct InRedis(Client);

impl InRedis {
    pub(super) fn open(settings: &config::Queue) -> Result<Self, Error> {
        Client::open(settings).map(Self)
    }

    pub(super) async fn acquire_lease(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, Error> {
        self.0.run(&ACQUIRE_LEASE, &json!({ "name": name, "owner": owner, "ttl": millis(ttl).max(1) })).await
    }

    pub(super) async fn lease_holder(&self, name: &str) -> Result<Option<String>, Error> {
        self.0.ask("lease_holder", &Cmd::get(self.0.key(&format!("lease:{name}")))).await
    }

    pub(super) async fn cursor(&self, name: &str) -> Result<Option<String>, Error> {
        self.0.ask("cursor", &Cmd::hget(self.0.key("cursors"), name)).await
    }

    pub(super) async fn set_cursor(&self, name: &str, value: &str) -> Result<(), Error> {
        self.0.ask("set_cursor", &Cmd::hset(self.0.key("cursors"), name, value)).await
    }

    fn seen(&self, change: &str) -> String {
        self.0.key(&format!("seen:{change}"))
    }

    fn syncs_key(&self, config: RowId) -> String {
        self.0.key(&format!("syncs:{config}"))
    }

    pub(super) async fn syncs(&self, config: RowId) -> Result<Syncs, Error> {
        let fields = Cmd::hmget(self.syncs_key(config), &["run", "asked"]);
        let (run, asked): (Option<String>, Option<String>) = self.0.ask("syncs", &fields).await?;
        // What another version wrote and nobody can read is as good as nothing.
        let run = run.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Syncs { run, asked: asked.and_then(|text| serde_json::from_str(&text).ok()) })
    }

    pub(super) async fn sync_ended(&self, config: RowId, run: &LastRun) -> Result<(), Error> {
        self.set_sync("sync_ended", config, ("run", run)).await
    }

    pub(super) async fn sync_asked(&self, config: RowId, asked: Asked) -> Result<(), Error> {
        self.set_sync("sync_asked", config, ("asked", &asked)).await
    }

    async fn set_sync(
        &self,
        operation: &'static str,
        config: RowId,
        (field, value): (&str, &impl Serialize),
    ) -> Result<(), Error> {
        self.0.ask(operation, &Cmd::hset(self.syncs_key(config), field, json(value, operation)?)).await
    }

    pub(super) async fn remember_changes(&self, changes: &[(String, Timestamp)]) -> Result<(), Error> {
        // Lua has no integers of this size.
        let changes: Vec<_> =
            changes.iter().map(|(change, made)| (change, made.as_microsecond().to_string())).collect();
        self.0.run(&REMEMBER_CHANGES, &json!({ "changes": changes, "ttl": millis(SEEN_FOR) })).await
    }

    pub(super) async fn unseen_changes(&self, changes: &[(String, Timestamp)]) -> Result<Vec<bool>, Error> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = changes.iter().map(|(change, _)| self.seen(change)).collect();
        let seen: Vec<Option<String>> = self.0.ask("unseen_changes", &Cmd::mget(keys)).await?;
        // A key without a time is of an older version, and says no more than that the change was seen.
        let unseen = |(seen, (_, made)): (Option<String>, &(String, Timestamp))| {
            seen.is_none_or(|seen| seen.parse::<i64>().is_ok_and(|seen| seen < made.as_microsecond()))
        };
        Ok(seen.into_iter().zip(changes).map(unseen).collect())
    }

    fn delivered(&self, delivery: &str) -> String {
        self.0.key(&format!("delivered:{delivery}"))
    }

    pub(super) async fn remember_delivery(&self, delivery: &str) -> Result<bool, Error> {
        let expiry = SetExpiry::EX(DELIVERED_FOR.as_secs());
        let new = SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(expiry);
        let set = Cmd::set_options(self.delivered(delivery), "", new);
        let done: Option<String> = self.0.ask("remember_delivery", &set).await?;
        Ok(done.is_some())
    }

    pub(super) async fn forget_delivery(&self, delivery: &str) -> Result<(), Error> {
        self.0.ask("forget_delivery", &Cmd::del(self.delivered(delivery))).await
    }

    pub(super) async fn recall_answer(
        &self,
        AnswerKey { user, request }: &AnswerKey,
        fingerprint: &str,
        quota: &Quota,
    ) -> Result<KnownAnswer, Error> {
        let foreign = || Error::Foreign { operation: "recall_answer", source: None };
        let ttl = millis(RESERVED_FOR);
        let asked = json!({
            "user": user, "request": request, "fingerprint": fingerprint, "quota": quota, "ttl": ttl,
        });
        let known: Vec<String> = self.0.run(&RECALL_ANSWER, &asked).await?;
        match known.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["reserved"] => Ok(KnownAnswer::Reserved),
            ["in-progress"] => Ok(KnownAnswer::InProgress),
            ["other-request"] => Ok(KnownAnswer::OtherRequest),
            ["answer", answer] => Ok(KnownAnswer::Answer((*answer).to_owned())),
            ["no-room", wait] => {
                let wait = wait.parse().map_err(|_| foreign())?;
                Ok(KnownAnswer::NoRoom { wait: Duration::from_millis(wait) })
            }
            _ => Err(foreign()),
        }
    }

    pub(super) async fn remember_answer(
        &self,
        AnswerKey { user, request }: &AnswerKey,
        fingerprint: &str,
        answer: &str,
        ttl: Duration,
    ) -> Result<(), Error> {
        let ttl = millis(ttl).max(1);
        let kept = json!({
            "user": user, "request": request, "fingerprint": fingerprint, "answer": answer, "ttl": ttl,
        });
        self.0.run(&REMEMBER_ANSWER, &kept).await
    }

    pub(super) async fn forget_answer(&self, AnswerKey { user, request }: &AnswerKey) -> Result<(), Error> {
        self.0.run(&FORGET_ANSWER, &json!({ "user": user, "request": request })).await
    }

    fn part(&self, plan: &str, number: usize) -> String {
        self.0.key(&format!("plan:{plan}:{number}"))
    }

    pub(super) async fn add_plan_part(&self, plan: &str, number: usize, part: &[u8]) -> Result<(), Error> {
        self.0.ask("add_plan_part", &Cmd::set_ex(self.part(plan, number), part, PARTS_WAIT_FOR.as_secs())).await
    }

    pub(super) async fn keep_plan(&self, plan: &KeptPlan, quota: PlanQuota) -> Result<(), Error> {
        let argument = json!({
            "id": plan.id,
            "user": plan.user,
            "parts": plan.parts,
            "bytes": plan.bytes,
            "plan": json(plan, "keep_plan")?,
            "most_plans": quota.plans,
            "most_bytes": quota.bytes,
            "ttl": millis(quota.ttl).max(1),
        });
        self.0.run(&KEEP_PLAN, &argument).await
    }

    pub(super) async fn plans(&self) -> Result<Vec<KeptPlan>, Error> {
        let plans: Vec<String> = self.0.run(&LIST_PLANS, &json!({})).await?;
        let foreign = |error| Error::Foreign { operation: "plans", source: Some(error) };
        plans.iter().map(|plan| serde_json::from_str(plan).map_err(foreign)).collect()
    }

    pub(super) async fn plan_part(&self, plan: &str, number: usize) -> Result<Option<Vec<u8>>, Error> {
        self.0.ask("plan_part", &Cmd::get(self.part(plan, number))).await
    }

    /// Reads the rate, changes it and writes it back, until nobody else has written it in between.
    pub(super) async fn change_rate<T>(
        &self,
        instance: &str,
        change: impl Fn(&mut Rate, Duration) -> T,
    ) -> Result<T, Error> {
        let replace = async |becomes: Option<(&str, &str)>| {
            let ttl = millis(RATE_FOR);
            let (was, becomes) = becomes.unzip();
            let argument = json!({ "instance": instance, "was": was, "becomes": becomes, "ttl": ttl });
            self.0.run::<(bool, u64, String)>(&REPLACE_RATE, &argument).await
        };
        let (_, mut micros, mut was) = replace(None).await?;
        loop {
            // What another build wrote in another form is forgotten.
            let before: Rate = serde_json::from_str(&was).unwrap_or_default();
            let mut after = before.clone();
            let result = change(&mut after, Duration::from_micros(micros));
            if after == before {
                return Ok(result);
            }
            let (replaced, now, is) = replace(Some((&was, &json(&after, "replace_rate")?))).await?;
            if replaced {
                return Ok(result);
            }
            (micros, was) = (now, is);
        }
    }

    pub(super) async fn register_presence(&self, process: &str) -> Result<u32, Error> {
        self.0.run(&REGISTER_PRESENCE, &json!({ "process": process, "ttl": millis(PRESENT_FOR) })).await
    }
}
