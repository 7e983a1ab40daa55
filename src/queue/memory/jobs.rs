//! The state machine: orders, twins, time, claims and leases. It has no clock; each step is given the time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::entry::{Due, Entry, Outcome};
use crate::queue::{
    claim::{Claim, Claimant, Noted, Signal},
    job::JobId,
    limits::{Limits, Millis, timestamp},
    order::{Enqueued, Order},
    record::{Figures, Filter, Progress, Record, State},
};

/// All jobs and where they are.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) limits: Limits,
    pub(super) all: BTreeMap<JobId, Entry>,
    /// The job that has a key: each that is equal is parked behind it, in a row.
    pub(super) heads: BTreeMap<String, JobId>,
    pub(super) delayed: BTreeSet<(Millis, JobId)>,
    pub(super) ready: VecDeque<JobId>,
    pub(super) running: Vec<JobId>,
    /// The running job of each config that has one, and of each user who has a preview made.
    pub(super) at_work: BTreeMap<String, JobId>,
    /// Jobs that wait for one of these, in the order in which they came; delayed, or ready when they were called.
    pub(super) lines: BTreeMap<String, VecDeque<JobId>>,
    /// Jobs that are over, by the time they are forgotten.
    pub(super) over: BTreeSet<(Millis, JobId)>,
}

/// Orders.
impl Jobs {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            all: BTreeMap::new(),
            heads: BTreeMap::new(),
            delayed: BTreeSet::new(),
            ready: VecDeque::new(),
            running: Vec::new(),
            at_work: BTreeMap::new(),
            lines: BTreeMap::new(),
            over: BTreeSet::new(),
        }
    }

    pub(super) fn enqueue(&mut self, now: Millis, order: &Order) -> Enqueued {
        let key = order.job.key();
        if let Some(job) = self.waiting_twin(&key) {
            self.coalesce(now, &job, order);
            return Enqueued { job, coalesced: true };
        }
        let job = JobId::new(timestamp(now));
        let entry = Entry::new(now, order.job.clone(), key, Due::first(now, order.delay));
        self.all.insert(job.clone(), entry);
        self.line_up(now, &job);
        Enqueued { job, coalesced: false }
    }

    /// Returns the job that an order of this key becomes part of: the one that has the key unless it runs, else the one
    /// parked behind it.
    fn waiting_twin(&self, key: &str) -> Option<JobId> {
        let head = self.heads.get(key)?;
        let entry = self.all.get(head)?;
        if entry.state.waits() { Some(head.clone()) } else { entry.twin.clone() }
    }

    fn coalesce(&mut self, now: Millis, id: &JobId, order: &Order) {
        let Some(entry) = self.all.get_mut(id) else { return };
        entry.job.work.absorb(order.job.work.additions());
        entry.version += 1;
        // A job that is ready waits for no time any more.
        let Some(before) = entry.due else { return };
        entry.due = Some(before.and(now, order.delay));
        if entry.state == State::Delayed {
            self.delayed.remove(&(before.at, id.clone()));
            self.place(now, id);
        }
    }

    /// Hands a job its key, or parks it behind the last one that wants it.
    pub(super) fn line_up(&mut self, now: Millis, id: &JobId) {
        let Some(key) = self.all.get(id).map(|entry| entry.key.clone()) else { return };
        match self.last_in_line(&key) {
            None => {
                self.heads.insert(key, id.clone());
                self.place(now, id);
            }
            Some(last) => {
                if let Some(last) = self.all.get_mut(&last) {
                    last.twin = Some(id.clone());
                }
                self.set_state(id, State::Parked);
            }
        }
    }

    fn last_in_line(&self, key: &str) -> Option<JobId> {
        let mut last = self.heads.get(key)?;
        while let Some(next) = self.all.get(last).and_then(|entry| entry.twin.as_ref()) {
            last = next;
        }
        Some(last.clone())
    }

    /// Passes the key of a job that is over to the next in line.
    pub(super) fn pass_key_on(&mut self, now: Millis, id: &JobId) {
        let Some(entry) = self.all.get_mut(id) else { return };
        let (key, next) = (entry.key.clone(), entry.twin.take());
        if self.heads.get(&key) != Some(id) {
            return;
        }
        match next {
            None => drop(self.heads.remove(&key)),
            Some(next) => {
                self.heads.insert(key, next.clone());
                self.place(now, &next);
            }
        }
    }

    /// Takes a parked job out of its line.
    fn step_out(&mut self, id: &JobId) {
        let Some(after) = self.all.get_mut(id).map(|entry| entry.twin.take()) else { return };
        if let Some(before) = self.all.values_mut().find(|entry| entry.twin.as_ref() == Some(id)) {
            before.twin = after;
        }
    }

    /// Has a job that is delayed be ready.
    pub(super) fn bring_forward(&mut self, now: Millis, id: &JobId) {
        let Some(entry) = self.all.get_mut(id).filter(|entry| entry.state == State::Delayed) else { return };
        let Some(due) = entry.due.replace(Due { at: now, latest: None }) else { return };
        self.delayed.remove(&(due.at, id.clone()));
        self.place(now, id);
    }

    /// Puts a job where it waits: among the delayed ones, or the ready ones when it is due.
    fn place(&mut self, now: Millis, id: &JobId) {
        let Some(entry) = self.all.get_mut(id) else { return };
        match entry.due {
            Some(due) if due.at > now => {
                self.delayed.insert((due.at, id.clone()));
                self.set_state(id, State::Delayed);
            }
            Some(_) | None => {
                (entry.due, entry.ready) = (None, now);
                self.ready.push_back(id.clone());
                self.set_state(id, State::Ready);
            }
        }
    }

    /// Has a job wait for a time that no order set.
    pub(super) fn put_off(&mut self, now: Millis, id: &JobId, wait: Millis) {
        if let Some(entry) = self.all.get_mut(id) {
            entry.due = Some(Due { at: now.saturating_add(wait), latest: None });
        }
        self.place(now, id);
    }

    /// Takes a job away from where it waits.
    pub(super) fn take_away(&mut self, id: &JobId) {
        let Some(entry) = self.all.get_mut(id) else { return };
        let due = entry.due.take();
        match entry.state {
            State::Parked => self.step_out(id),
            State::Ready => self.ready.retain(|ready| ready != id),
            State::Delayed => drop(due.map(|due| self.delayed.remove(&(due.at, id.clone())))),
            State::Running | State::Done | State::Cancelled | State::Dead => {}
        }
    }

    pub(super) fn set_state(&mut self, id: &JobId, state: State) {
        if let Some(entry) = self.all.get_mut(id) {
            entry.state = state;
            entry.version += 1;
        }
    }
}

/// Claims.
impl Jobs {
    pub(super) fn claim(&mut self, now: Millis, worker: &Claimant<'_>, most: usize) -> Vec<Claim> {
        self.forget_old(now);
        self.promote(now);
        let mut claims = self.take_back(now, worker, most);
        claims.extend(self.take_over(now, worker, most.saturating_sub(claims.len())));
        while claims.len() < most
            && let Some(id) = self.ready.pop_front()
        {
            if worker.holds(&id) {
                self.put_off(now, &id, self.limits.held_delay);
            } else {
                claims.extend(self.start(now, worker.name, &id));
            }
        }
        claims
    }

    /// Returns the next time at which something happens by itself.
    pub(super) fn next_due(&self) -> Option<Millis> {
        let delayed = self.delayed.first().map(|(due, _)| *due);
        let leases = self.running.iter().filter_map(|id| self.all.get(id)).map(|entry| entry.lease);
        leases.chain(delayed).min()
    }

    fn promote(&mut self, now: Millis) {
        while let Some((due, id)) = self.delayed.first().cloned()
            && due <= now
        {
            self.delayed.pop_first();
            self.place(now, &id);
        }
    }

    /// Takes what this worker was given before and does not hold.
    fn take_back(&mut self, now: Millis, worker: &Claimant<'_>, most: usize) -> Vec<Claim> {
        if worker.holds.is_none() {
            return Vec::new();
        }
        self.take_from_workers(now, worker, most, |entry| entry.worker.as_deref() == Some(worker.name))
    }

    /// Takes the jobs of workers that sent no heartbeat.
    fn take_over(&mut self, now: Millis, worker: &Claimant<'_>, most: usize) -> Vec<Claim> {
        self.take_from_workers(now, worker, most, |entry| entry.lease <= now)
    }

    fn take_from_workers(
        &mut self,
        now: Millis,
        worker: &Claimant<'_>,
        most: usize,
        is_dropped: impl Fn(&Entry) -> bool,
    ) -> Vec<Claim> {
        let dropped = |id: &&JobId| self.all.get(*id).is_some_and(&is_dropped) && !worker.holds(id);
        let dropped: Vec<JobId> = self.running.iter().filter(dropped).take(most).cloned().collect();
        let mut claims = Vec::new();
        for id in dropped {
            self.running.retain(|running| *running != id);
            let Some(entry) = self.all.get(&id) else { continue };
            if entry.cancelled {
                self.end(now, &id, Outcome::cancelled(None), &[]);
            } else if entry.attempts >= self.limits.max_attempts {
                let error = format!("the worker died in attempt {} of {}", entry.attempts, self.limits.max_attempts);
                self.end(now, &id, Outcome::dead(error), &[]);
            } else {
                claims.extend(self.start(now, worker.name, &id));
            }
        }
        claims
    }

    fn start(&mut self, now: Millis, worker: &str, id: &JobId) -> Option<Claim> {
        let lease = now.saturating_add(self.limits.lease);
        if !self.take_config(now, id) {
            return None;
        }
        self.running.push(id.clone());
        self.set_state(id, State::Running);
        let entry = self.all.get_mut(id)?;
        (entry.begun, entry.fence) = (false, entry.fence + 1);
        (entry.lease, entry.started, entry.worker) = (lease, Some(now), Some(worker.to_owned()));
        if !entry.is_understood() {
            self.refuse(now, id);
            return None;
        }
        let job = entry.job.clone();
        let (attempt, fence, created) = (entry.attempts + 1, entry.fence, timestamp(entry.created));
        Some(Claim { id: id.clone(), job, attempt, fence, created })
    }

    pub(super) fn heartbeat(&mut self, now: Millis, claim: &Claim, progress: &Progress) -> Signal {
        let Some(entry) = self.renew(now, claim) else { return Signal::Lost };
        if entry.progress != *progress {
            entry.progress = progress.clone();
            entry.version += 1;
        }
        if entry.cancelled { Signal::Cancelled } else { Signal::Yours }
    }

    pub(super) fn note(&mut self, now: Millis, claim: &Claim, note: &Value) -> Noted {
        let Some(entry) = self.renew(now, claim) else { return Noted { signal: Signal::Lost, others_wait: false } };
        entry.notes.push(note.clone());
        if entry.attempts != 1 {
            entry.attempts = 1;
            entry.version += 1;
        }
        let signal = if entry.cancelled { Signal::Cancelled } else { Signal::Yours };
        let due = self.delayed.first().is_some_and(|(due, _)| *due <= now);
        Noted { signal, others_wait: due || !self.ready.is_empty() }
    }

    pub(super) fn notes(&self, id: &JobId) -> Vec<Value> {
        self.all.get(id).map(|entry| entry.notes.clone()).unwrap_or_default()
    }

    fn renew(&mut self, now: Millis, claim: &Claim) -> Option<&mut Entry> {
        let lease = now.saturating_add(self.limits.lease);
        let entry = self.claimed(claim)?;
        entry.begin();
        entry.lease = lease;
        Some(entry)
    }

    /// Returns the job of a claim, if it is still the claim's.
    pub(super) fn claimed(&mut self, claim: &Claim) -> Option<&mut Entry> {
        self.all.get_mut(&claim.id).filter(|entry| entry.state == State::Running && entry.fence == claim.fence)
    }
}

/// Looking at jobs.
impl Jobs {
    pub(super) fn find(&mut self, now: Millis, id: &JobId) -> Option<Record> {
        self.forget_old(now);
        self.all.get(id).map(|entry| entry.record(id))
    }

    pub(super) fn list(&mut self, now: Millis, filter: &Filter) -> Vec<Record> {
        self.forget_old(now);
        let fits = |(id, entry): &(&JobId, &Entry)| {
            filter.state.is_none_or(|state| entry.state == state)
                && filter.config.is_none_or(|config| entry.job.work.config() == Some(config))
                && filter.source.as_ref().is_none_or(|source| entry.job.work.source() == Some(source))
                && filter.before.as_ref().is_none_or(|before| *id < before)
        };
        self.all.iter().rev().filter(fits).take(filter.limit).map(|(id, entry)| entry.record(id)).collect()
    }

    pub(super) fn figures(&self, now: Millis) -> Figures {
        let counted = State::ALL.into_iter().filter(|state| !state.is_over() || *state == State::Dead);
        let mut figures = Figures { jobs: counted.map(|state| (state, 0)).collect(), ..Figures::default() };
        for entry in self.all.values() {
            figures.jobs.entry(entry.state).and_modify(|count| *count += 1);
        }
        let oldest = self.ready.front().and_then(|id| self.all.get(id)).map_or(0, |entry| now - entry.ready);
        figures.oldest_ready = std::time::Duration::from_millis(oldest.max(0).unsigned_abs());
        figures
    }

    /// Forgets jobs that have been over for long enough, and the oldest when they are too many.
    pub(super) fn forget_old(&mut self, now: Millis) {
        while let Some((until, id)) = self.over.first().cloned()
            && (until <= now || self.over.len() > self.limits.max_over)
        {
            self.over.pop_first();
            self.all.remove(&id);
        }
    }
}
