//! How claims end, and what persons ask for.

use serde_json::Value;

use super::{entry::Due, jobs::Jobs};
use crate::queue::{Asked, Claim, Ending, JobId, Millis, Order, Part, Progress, Settled, State, millis};

/// What a job is left with when it is over.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) state: State,
    pub(super) result: Option<Value>,
    pub(super) error: Option<String>,
    /// For the run it is a part of.
    pub(super) part: Option<Part>,
}

impl Outcome {
    fn done(result: Value, part: Option<Value>) -> Self {
        Self { state: State::Done, result: Some(result), error: None, part: part.map(Part::Found) }
    }

    pub(super) fn dead(error: String) -> Self {
        Self { state: State::Dead, result: None, error: Some(error.clone()), part: Some(Part::Failed(error)) }
    }

    pub(super) fn cancelled(error: Option<String>) -> Self {
        Self { state: State::Cancelled, result: None, error, part: Some(Part::Failed("cancelled".to_owned())) }
    }
}

impl Jobs {
    pub(super) fn settle(&mut self, now: Millis, claim: &Claim, ending: Ending) -> Settled {
        let Some((attempts, cancelled)) = self.claimed(claim).map(|entry| (entry.attempts, entry.cancelled)) else {
            return Settled::Lost;
        };
        let id = &claim.id;
        self.running.retain(|running| running != id);
        match ending {
            Ending::Done { result, part, then } => self.end(now, id, Outcome::done(result, part), &then),
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

    /// Ends a job that ran. One that begins a run stays until the run is over.
    pub(super) fn end(&mut self, now: Millis, id: &JobId, outcome: Outcome, then: &[Order]) {
        let Some(entry) = self.all.get(id) else { return };
        let begins_run = entry.job.work.begins_run();
        if begins_run {
            self.begin_run(id, &outcome);
        }
        for order in then {
            self.enqueue(now, order);
        }
        if begins_run {
            self.end_part(now, id, id, outcome.part);
        } else {
            self.conclude(now, id, outcome);
        }
        self.stop_writing(now, id);
    }

    /// Ends a job that is not understood. That was no attempt.
    pub(super) fn refuse(&mut self, now: Millis, id: &JobId) {
        let Some(entry) = self.all.get_mut(id) else { return };
        entry.attempts -= 1;
        let error = format!("not understood: version {} of a job", entry.job.v);
        self.running.retain(|running| running != id);
        self.conclude(now, id, Outcome::dead(error));
        self.stop_writing(now, id);
    }

    fn fail(&mut self, now: Millis, id: &JobId, error: String, wait: Millis) {
        if let Some(entry) = self.all.get_mut(id) {
            entry.error = Some(error);
        }
        self.put_off(now, id, wait);
        self.stop_writing(now, id);
    }

    fn give_back(&mut self, now: Millis, id: &JobId, wait: Millis) {
        if let Some(entry) = self.all.get_mut(id) {
            entry.attempts = entry.attempts.saturating_sub(1);
        }
        self.put_off(now, id, wait);
        self.stop_writing(now, id);
    }

    /// Ends a job for good, and whatever waited for that.
    pub(super) fn conclude(&mut self, now: Millis, id: &JobId, outcome: Outcome) {
        let Some(entry) = self.all.get_mut(id) else { return };
        entry.ended = Some(now);
        entry.error = outcome.error.or(entry.error.take());
        entry.result = outcome.result;
        let run = entry.run.clone().filter(|run| run != id);
        self.turn_to(id, outcome.state);
        let keep = if outcome.state == State::Dead { self.limits.keep.saturating_mul(4) } else { self.limits.keep };
        self.over.insert((now.saturating_add(keep), id.clone()));
        if let Some(run) = run {
            self.end_part(now, &run, id, outcome.part);
            self.end_run(now, &run, id);
        }
        self.give_key_on(now, id);
    }

    pub(super) fn cancel(&mut self, now: Millis, id: &JobId) -> Asked {
        let Some(entry) = self.all.get_mut(id) else { return Asked::Unknown };
        match entry.state {
            State::Delayed | State::Parked | State::Ready => self.cancel_waiting(now, id),
            State::Dead => {
                self.over.retain(|(_, over)| over != id);
                self.conclude(now, id, Outcome::cancelled(None));
            }
            State::Running => self.ask_to_stop(id),
            State::Spread => {
                self.ask_to_stop(id);
                self.cancel_parts(now, id);
            }
            state @ (State::Done | State::Cancelled) => return Asked::Unfit(state),
        }
        Asked::Taken
    }

    pub(super) fn cancel_waiting(&mut self, now: Millis, id: &JobId) {
        self.take_away(id);
        self.conclude(now, id, Outcome::cancelled(None));
    }

    pub(super) fn ask_to_stop(&mut self, id: &JobId) {
        if let Some(entry) = self.all.get_mut(id) {
            entry.cancelled = true;
            entry.version += 1;
        }
    }

    pub(super) fn retry(&mut self, now: Millis, id: &JobId) -> Asked {
        let Some(entry) = self.all.get_mut(id) else { return Asked::Unknown };
        if !matches!(entry.state, State::Dead | State::Cancelled) {
            return Asked::Unfit(entry.state);
        }
        (entry.attempts, entry.cancelled, entry.ended, entry.result, entry.run) = (0, false, None, None, None);
        entry.progress = Progress::default();
        entry.due = Some(Due { at: now, latest: Some(now) });
        self.over.retain(|(_, over)| over != id);
        self.join(id);
        self.line_up(now, id);
        Asked::Taken
    }
}
