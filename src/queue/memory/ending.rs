//! The ends of claims, and what persons ask for.

use super::{
    entry::{Due, Outcome},
    jobs::Jobs,
};
use crate::queue::{
    claim::{Claim, Ending, Settled},
    job::JobId,
    limits::{Millis, millis},
    order::Order,
    record::{Asked, Progress, State},
};

impl Jobs {
    pub(super) fn settle(&mut self, now: Millis, claim: &Claim, ending: Ending) -> Settled {
        let Some(entry) = self.claimed(claim) else { return Settled::Lost };
        entry.begin();
        let (attempts, cancelled) = (entry.attempts, entry.cancelled);
        let id = &claim.id;
        self.running.retain(|running| running != id);
        match ending {
            Ending::Done { result, then } => self.end(now, id, Outcome::done(result), &then),
            Ending::Failed { error, retry: _ } if cancelled => self.end(now, id, Outcome::cancelled(Some(error)), &[]),
            Ending::Failed { error, retry: Some(wait) } if attempts < self.limits.max_attempts => {
                self.fail(now, id, error, millis(wait));
            }
            Ending::Failed { error, retry: _ } => self.end(now, id, Outcome::dead(error), &[]),
            Ending::Cancelled => self.end(now, id, Outcome::cancelled(None), &[]),
            Ending::Again { .. } | Ending::HandedBack if cancelled => self.end(now, id, Outcome::cancelled(None), &[]),
            Ending::Again { wait } => self.give_back(now, id, millis(wait)),
            Ending::HandedBack => self.give_back(now, id, 0),
        }
        Settled::Taken
    }

    /// Ends a job that ran.
    pub(super) fn end(&mut self, now: Millis, id: &JobId, outcome: Outcome, then: &[Order]) {
        for order in then {
            self.enqueue(now, order);
        }
        self.conclude(now, id, outcome);
        self.release_config(now, id);
    }

    /// Ends a job that is not understood. That was no attempt.
    pub(super) fn refuse(&mut self, now: Millis, id: &JobId) {
        let Some(entry) = self.all.get(id) else { return };
        let error = format!("not understood: version {} of a job", entry.job.v);
        self.running.retain(|running| running != id);
        self.end(now, id, Outcome::dead(error), &[]);
    }

    fn fail(&mut self, now: Millis, id: &JobId, error: String, wait: Millis) {
        if let Some(entry) = self.all.get_mut(id) {
            entry.error = Some(error);
        }
        self.put_back(now, id, wait);
    }

    fn give_back(&mut self, now: Millis, id: &JobId, wait: Millis) {
        if let Some(entry) = self.all.get_mut(id) {
            entry.attempts = entry.attempts.saturating_sub(1);
        }
        self.put_back(now, id, wait);
    }

    /// Puts a job back to where it waits. Those that wait for its config come first.
    fn put_back(&mut self, now: Millis, id: &JobId, wait: Millis) {
        self.release_config(now, id);
        self.put_off(now, id, wait);
    }

    /// Ends a job for good, and whatever waited for that.
    fn conclude(&mut self, now: Millis, id: &JobId, outcome: Outcome) {
        let Some(entry) = self.all.get_mut(id) else { return };
        entry.ended = Some(now);
        entry.error = outcome.error.or(entry.error.take());
        entry.result = outcome.result;
        entry.notes.clear();
        self.set_state(id, outcome.state);
        let keep = if outcome.state == State::Dead { self.limits.keep.saturating_mul(4) } else { self.limits.keep };
        self.over.insert((now.saturating_add(keep), id.clone()));
        self.pass_key_on(now, id);
    }

    pub(super) fn cancel(&mut self, now: Millis, id: &JobId, by: &str) -> Asked {
        let Some(entry) = self.all.get_mut(id) else { return Asked::Unknown };
        if matches!(entry.state, State::Done | State::Cancelled) {
            return Asked::Unfit(entry.state);
        }
        entry.cancelled_by = Some(by.to_owned());
        match entry.state {
            State::Delayed | State::Parked | State::Ready => {
                self.take_away(id);
                self.conclude(now, id, Outcome::cancelled(None));
                self.leave_line(now, id);
            }
            State::Dead => {
                self.over.retain(|(_, over)| over != id);
                self.conclude(now, id, Outcome::cancelled(None));
            }
            State::Running => {
                entry.cancelled = true;
                entry.version += 1;
            }
            State::Done | State::Cancelled => {}
        }
        Asked::Taken
    }

    pub(super) fn retry(&mut self, now: Millis, id: &JobId, by: &str, owner: Option<&str>) -> Asked {
        let Some(entry) = self.all.get_mut(id) else { return Asked::Unknown };
        if !matches!(entry.state, State::Dead | State::Cancelled) || (owner.is_some() && !entry.is_understood()) {
            return Asked::Unfit(entry.state);
        }
        if let Some(owner) = owner {
            entry.job = entry.job.clone().taken_over_by(owner);
            entry.key = entry.job.key();
        }
        (entry.attempts, entry.cancelled, entry.ended, entry.result) = (0, false, None, None);
        (entry.cancelled_by, entry.retried_by) = (None, Some(by.to_owned()));
        entry.progress = Progress::default();
        entry.due = Some(Due { at: now, latest: Some(now) });
        self.over.retain(|(_, over)| over != id);
        self.line_up(now, id);
        Asked::Taken
    }
}
