//! Small facts that replicas would share.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::time::Instant;

use crate::queue::{HEARD, Millis, PRESENT, RESERVED, Remembered, millis};

/// Leases, cursors, hints, answers, turns and presence.
#[derive(Debug, Default)]
pub(super) struct Shared {
    leases: BTreeMap<String, (String, Millis)>,
    cursors: BTreeMap<String, String>,
    /// Hints and until when they are remembered; and the same by time.
    heard: BTreeMap<String, Millis>,
    heard_until: BTreeSet<(Millis, String)>,
    answers: BTreeMap<String, Answered>,
    turns: BTreeMap<String, Instant>,
    pauses: BTreeMap<String, Instant>,
    present: BTreeMap<String, Millis>,
}

#[derive(Debug)]
struct Answered {
    fingerprint: String,
    answer: Option<String>,
    until: Millis,
}

impl Shared {
    pub(super) fn hold(&mut self, now: Millis, name: &str, owner: &str, ttl: Duration) -> bool {
        self.leases.retain(|_, (_, until)| *until > now);
        let (holder, until) = self.leases.entry(name.to_owned()).or_insert_with(|| (owner.to_owned(), now));
        if holder != owner {
            return false;
        }
        *until = now.saturating_add(millis(ttl));
        true
    }

    pub(super) fn cursor(&self, name: &str) -> Option<String> {
        self.cursors.get(name).cloned()
    }

    pub(super) fn set_cursor(&mut self, name: &str, value: &str) {
        self.cursors.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn hear(&mut self, now: Millis, hint: &str) {
        self.forget_hints(now);
        let until = now.saturating_add(millis(HEARD));
        if let Some(before) = self.heard.insert(hint.to_owned(), until) {
            self.heard_until.remove(&(before, hint.to_owned()));
        }
        self.heard_until.insert((until, hint.to_owned()));
    }

    fn forget_hints(&mut self, now: Millis) {
        while let Some((until, hint)) = self.heard_until.first().cloned()
            && until <= now
        {
            self.heard_until.pop_first();
            self.heard.remove(&hint);
        }
    }

    pub(super) fn unheard(&mut self, now: Millis, hints: &[String]) -> Vec<bool> {
        self.forget_hints(now);
        hints.iter().map(|hint| !self.heard.contains_key(hint)).collect()
    }

    pub(super) fn recall(&mut self, now: Millis, key: &str, fingerprint: &str) -> Remembered {
        self.answers.retain(|_, answered| answered.until > now);
        let Some(answered) = self.answers.get(key) else {
            let until = now.saturating_add(millis(RESERVED));
            let reserved = Answered { fingerprint: fingerprint.to_owned(), answer: None, until };
            self.answers.insert(key.to_owned(), reserved);
            return Remembered::New;
        };
        match &answered.answer {
            _ if answered.fingerprint != fingerprint => Remembered::Other,
            None => Remembered::Busy,
            Some(answer) => Remembered::Answer(answer.clone()),
        }
    }

    pub(super) fn remember(&mut self, now: Millis, key: &str, fingerprint: &str, answer: &str, ttl: Duration) {
        let until = now.saturating_add(millis(ttl));
        let answered = Answered { fingerprint: fingerprint.to_owned(), answer: Some(answer.to_owned()), until };
        self.answers.insert(key.to_owned(), answered);
    }

    pub(super) fn forget(&mut self, key: &str) {
        self.answers.remove(key);
    }

    /// The generic cell rate algorithm: `turns` holds when the next turn would be due if all came evenly; as many as the
    /// burst may come before it.
    pub(super) fn turn(&mut self, now: Instant, instance: &str, per_second: u32, burst: u32) -> Duration {
        let paused = self.pauses.get(instance).map_or(Duration::ZERO, |until| until.duration_since(now));
        if !paused.is_zero() || per_second == 0 {
            return paused;
        }
        let apart = Duration::from_secs(1) / per_second;
        let even = self.turns.get(instance).copied().unwrap_or(now).max(now);
        let wait = even.duration_since(now).saturating_sub(apart * (burst.max(1) - 1));
        if wait.is_zero() {
            self.turns.insert(instance.to_owned(), even + apart);
        }
        wait
    }

    pub(super) fn pause(&mut self, now: Instant, instance: &str, pause: Duration) {
        let until = self.pauses.entry(instance.to_owned()).or_insert(now);
        *until = now.checked_add(pause).unwrap_or(*until).max(*until);
    }

    pub(super) fn attend(&mut self, now: Millis, worker: &str) -> u32 {
        self.present.insert(worker.to_owned(), now);
        self.present.retain(|_, seen| seen.saturating_add(millis(PRESENT)) > now);
        u32::try_from(self.present.len()).unwrap_or(u32::MAX)
    }
}
