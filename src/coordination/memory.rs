//! The facts in this process: for one replica. Nothing here waits or fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::{
    kept_plan::{KeptPlan, PlanQuota},
    known_answer::{AnswerKey, KnownAnswer, Quota},
    lifetimes::{DELIVERED_FOR, PARTS_WAIT_FOR, PRESENT_FOR, RESERVED_FOR, SEEN_FOR},
    syncs::{Asked, LastRun, Syncs},
};
use crate::rate::Rate;
use crate::{deadline::after, model::RowId};

/// The facts.
#[derive(Debug, Clone, Default)]
pub struct InMemory(Arc<Mutex<Facts>>);

#[derive(Debug, Default)]
struct Facts {
    leases: BTreeMap<String, (String, Instant)>,
    cursors: BTreeMap<String, String>,
    syncs: BTreeMap<RowId, Syncs>,
    /// Changes, and until when they had been made.
    seen: Remembered<Timestamp>,
    delivered: Remembered<()>,
    /// Answers by the name of their request.
    answers: BTreeMap<String, KeptAnswer>,
    plans: BTreeMap<String, PlanInParts>,
    rates: BTreeMap<String, Rate>,
    /// The moment from which the time of rates is counted.
    begun: Option<Instant>,
    present: BTreeMap<String, Instant>,
}

#[derive(Debug)]
struct KeptAnswer {
    user: String,
    fingerprint: String,
    answer: Option<String>,
    /// The bytes that it counts for: those of the answer, or of the largest while there is none.
    bytes: usize,
    until: Instant,
}

/// A plan, or those parts of it that were added so far.
#[derive(Debug)]
struct PlanInParts {
    parts: BTreeMap<usize, Vec<u8>>,
    plan: Option<KeptPlan>,
    until: Instant,
}

/// Words, each with a value and until when it is remembered; and the same by time.
#[derive(Debug, Default)]
struct Remembered<T> {
    words: BTreeMap<String, (T, Instant)>,
    by_time: BTreeSet<(Instant, String)>,
}

impl<T> Remembered<T> {
    /// Forgets what is past.
    fn tidy(&mut self) -> &mut Self {
        let now = Instant::now();
        while let Some((until, word)) = self.by_time.first().cloned()
            && until <= now
        {
            self.by_time.pop_first();
            self.words.remove(&word);
        }
        self
    }

    /// Remembers a word. Returns whether it is new.
    fn insert(&mut self, word: &str, value: T, ttl: Duration) -> bool {
        let is_new = !self.remove(word);
        let until = after(ttl);
        self.words.insert(word.to_owned(), (value, until));
        self.by_time.insert((until, word.to_owned()));
        is_new
    }

    /// Forgets a word. Returns whether it was remembered.
    fn remove(&mut self, word: &str) -> bool {
        let known = self.words.remove(word);
        known.is_some_and(|(_, until)| self.by_time.remove(&(until, word.to_owned())))
    }
}

impl Facts {
    /// Returns how long a user who asks for one more answer has to wait for room; `None` when there is room.
    fn wait_for_room(&self, user: &str, quota: &Quota, now: Instant) -> Option<Duration> {
        let theirs = self.answers.values().filter(|kept| kept.user == user);
        let (mut answers, mut bytes, mut next) = (0, 0_usize, None);
        for kept in theirs {
            (answers, bytes) = (answers + 1, bytes.saturating_add(kept.bytes));
            next = Some(next.map_or(kept.until, |next: Instant| next.min(kept.until)));
        }
        let wait = next.map_or(Duration::ZERO, |next| next.duration_since(now));
        (!quota.has_room(answers, bytes)).then_some(wait)
    }
}

impl InMemory {
    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock()
    }

    pub(super) fn acquire_lease(&self, name: &str, owner: &str, ttl: Duration) -> bool {
        let (mut facts, now) = (self.facts(), Instant::now());
        facts.leases.retain(|_, (_, until)| *until > now);
        let (holder, until) = facts.leases.entry(name.to_owned()).or_insert_with(|| (owner.to_owned(), now));
        let is_ours = holder == owner;
        if is_ours {
            *until = after(ttl);
        }
        is_ours
    }

    pub(super) fn lease_holder(&self, name: &str) -> Option<String> {
        let (facts, now) = (self.facts(), Instant::now());
        facts.leases.get(name).filter(|(_, until)| *until > now).map(|(holder, _)| holder.clone())
    }

    pub(super) fn cursor(&self, name: &str) -> Option<String> {
        self.facts().cursors.get(name).cloned()
    }

    pub(super) fn set_cursor(&self, name: &str, value: &str) {
        self.facts().cursors.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn syncs(&self, config: RowId) -> Syncs {
        self.facts().syncs.get(&config).cloned().unwrap_or_default()
    }

    pub(super) fn sync_ended(&self, config: RowId, run: &LastRun) {
        self.facts().syncs.entry(config).or_default().run = Some(run.clone());
    }

    pub(super) fn sync_asked(&self, config: RowId, asked: Asked) {
        self.facts().syncs.entry(config).or_default().asked = Some(asked);
    }

    pub(super) fn remember_changes(&self, changes: &[(String, Timestamp)]) {
        let mut facts = self.facts();
        let seen = facts.seen.tidy();
        for (change, made) in changes {
            seen.insert(change, *made, SEEN_FOR);
        }
    }

    pub(super) fn unseen_changes(&self, changes: &[(String, Timestamp)]) -> Vec<bool> {
        let mut facts = self.facts();
        let seen = &facts.seen.tidy().words;
        let unseen = |(change, made): &(String, Timestamp)| seen.get(change).is_none_or(|(seen, _)| seen < made);
        changes.iter().map(unseen).collect()
    }

    pub(super) fn remember_delivery(&self, delivery: &str) -> bool {
        let mut facts = self.facts();
        let delivered = facts.delivered.tidy();
        !delivered.words.contains_key(delivery) && delivered.insert(delivery, (), DELIVERED_FOR)
    }

    pub(super) fn forget_delivery(&self, delivery: &str) {
        self.facts().delivered.remove(delivery);
    }

    pub(super) fn recall_answer(&self, key: &AnswerKey, fingerprint: &str, quota: &Quota) -> KnownAnswer {
        let (mut facts, now) = (self.facts(), Instant::now());
        facts.answers.retain(|_, kept| kept.until > now);
        if let Some(kept) = facts.answers.get(&key.request) {
            return match &kept.answer {
                _ if kept.fingerprint != fingerprint => KnownAnswer::OtherRequest,
                None => KnownAnswer::InProgress,
                Some(answer) => KnownAnswer::Answer(answer.clone()),
            };
        }
        if let Some(wait) = facts.wait_for_room(&key.user, quota, now) {
            return KnownAnswer::NoRoom { wait };
        }
        let (user, fingerprint) = (key.user.clone(), fingerprint.to_owned());
        let reserved = KeptAnswer { user, fingerprint, answer: None, bytes: quota.largest, until: after(RESERVED_FOR) };
        facts.answers.insert(key.request.clone(), reserved);
        KnownAnswer::Reserved
    }

    pub(super) fn remember_answer(&self, key: &AnswerKey, fingerprint: &str, answer: &str, ttl: Duration) {
        let (user, fingerprint) = (key.user.clone(), fingerprint.to_owned());
        let (answer, bytes) = (Some(answer.to_owned()), answer.len());
        let kept = KeptAnswer { user, fingerprint, answer, bytes, until: after(ttl) };
        self.facts().answers.insert(key.request.clone(), kept);
    }

    pub(super) fn forget_answer(&self, key: &AnswerKey) {
        self.facts().answers.remove(&key.request);
    }

    pub(super) fn add_plan_part(&self, plan: &str, number: usize, part: &[u8]) {
        let (mut facts, until) = (self.facts(), after(PARTS_WAIT_FOR));
        let empty = || PlanInParts { parts: BTreeMap::new(), plan: None, until };
        let plan = facts.plans.entry(plan.to_owned()).or_insert_with(empty);
        plan.parts.insert(number, part.to_vec());
        plan.until = until;
    }

    pub(super) fn keep_plan(&self, plan: &KeptPlan, quota: PlanQuota) {
        let (mut facts, now) = (self.facts(), Instant::now());
        facts.plans.retain(|_, kept| kept.until > now);
        let others = facts.plans.iter().rev().filter(|(id, _)| **id != plan.id);
        let mine = others.filter_map(|(_, kept)| kept.plan.as_ref()).filter(|other| other.user == plan.user);
        let (mut plans, mut bytes) = (1, plan.bytes);
        let mut too_many = Vec::new();
        for other in mine {
            plans += 1;
            bytes += other.bytes;
            if plans > quota.plans || bytes > quota.bytes {
                too_many.push(other.id.clone());
            }
        }
        for id in too_many {
            facts.plans.remove(&id);
        }
        if let Some(kept) = facts.plans.get_mut(&plan.id) {
            kept.plan = Some(plan.clone());
            kept.until = after(quota.ttl);
        }
    }

    pub(super) fn plans(&self) -> Vec<KeptPlan> {
        let (mut facts, now) = (self.facts(), Instant::now());
        facts.plans.retain(|_, kept| kept.until > now);
        facts.plans.values().filter_map(|kept| kept.plan.clone()).collect()
    }

    pub(super) fn plan_part(&self, plan: &str, number: usize) -> Option<Vec<u8>> {
        let (mut facts, now) = (self.facts(), Instant::now());
        facts.plans.retain(|_, kept| kept.until > now);
        facts.plans.get(plan)?.parts.get(&number).cloned()
    }

    pub(super) fn change_rate<T>(&self, instance: &str, change: impl Fn(&mut Rate, Duration) -> T) -> T {
        let (mut facts, now) = (self.facts(), Instant::now());
        let begun = *facts.begun.get_or_insert(now);
        change(facts.rates.entry(instance.to_owned()).or_default(), now.duration_since(begun))
    }

    pub(super) fn register_presence(&self, process: &str) -> u32 {
        let (mut facts, now) = (self.facts(), Instant::now());
        facts.present.insert(process.to_owned(), after(PRESENT_FOR));
        facts.present.retain(|_, until| *until > now);
        u32::try_from(facts.present.len()).unwrap_or(u32::MAX)
    }
}
