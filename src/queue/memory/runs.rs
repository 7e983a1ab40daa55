//! Runs of several parts, and who writes for a config.

use super::{
    ending::Outcome,
    entry::{Due, Entry, Spread},
    jobs::Jobs,
};
use crate::{
    model::RowId,
    queue::{BUSY, Delay, JobId, Millis, Part, State, millis, time},
};

/// The run that writes for a config, and its job that runs.
#[derive(Debug)]
pub(super) struct Writer {
    run: JobId,
    job: Option<JobId>,
}

/// Writers.
impl Jobs {
    pub(super) fn active(&self, config: RowId) -> Option<JobId> {
        self.writers.get(&config).map(|writer| writer.run.clone())
    }

    /// The number of a job's claim at its config, if it may run now: no other run is at work there, and no other job of its
    /// own run. Else it stands in line.
    pub(super) fn begin_writing(&mut self, now: Millis, id: &JobId) -> Option<u64> {
        let Some((config, run)) = self.writes_as(id) else { return Some(0) };
        let writer = self.writers.entry(config).or_insert_with(|| Writer { run: run.clone(), job: None });
        if writer.run != run || writer.job.as_ref().is_some_and(|job| job != id) {
            self.stand_in_line(now, id, config);
            return None;
        }
        writer.job = Some(id.clone());
        self.lines.entry(config).or_default().retain(|waiting| waiting != id);
        let turn = self.turns.entry(config).or_default();
        *turn += 1;
        Some(*turn)
    }

    /// Has a job wait until it is called, or for a while if nobody calls it; the longer the line is, the longer.
    fn stand_in_line(&mut self, now: Millis, id: &JobId, config: RowId) {
        let line = self.lines.entry(config).or_default();
        if !line.contains(id) {
            line.push(id.clone());
        }
        let tens = u32::try_from(line.len().div_ceil(10)).unwrap_or(u32::MAX);
        self.put_off(now, id, millis(BUSY * tens.min(30)));
    }

    /// Lets the next one write: of the same run if that goes on, else of any.
    pub(super) fn stop_writing(&mut self, now: Millis, id: &JobId) {
        let Some((config, run)) = self.writes_as(id) else { return };
        let goes_on = self.all.get(&run).is_some_and(|first| first.state == State::Spread);
        let Some(writer) = self.writers.get_mut(&config).filter(|writer| writer.job.as_ref() == Some(id)) else {
            return;
        };
        writer.job = None;
        if goes_on {
            self.call_next(now, config, Some(&run));
        } else {
            self.writers.remove(&config);
            self.call_next(now, config, None);
        }
    }

    /// Calls the first in line for a config, of a run if that goes on, else of any.
    fn call_next(&mut self, now: Millis, config: RowId, run: Option<&JobId>) {
        let Some(line) = self.lines.get_mut(&config) else { return };
        let all = &self.all;
        line.retain(|id| all.get(id).is_some_and(|entry| matches!(entry.state, State::Delayed | State::Ready)));
        let fits = |id: &&JobId| match run {
            None => true,
            Some(run) => all.get(*id).is_some_and(|entry| entry.run.as_ref() == Some(run)),
        };
        if let Some(next) = line.iter().find(fits).cloned() {
            self.bring_forward(now, &next);
        }
    }

    /// The config a job writes for, and the run it does that in; a job that is part of no run is one by itself.
    fn writes_as(&self, id: &JobId) -> Option<(RowId, JobId)> {
        let entry = self.all.get(id)?;
        Some((entry.job.work.config()?, entry.run.clone().unwrap_or_else(|| id.clone())))
    }
}

/// Runs.
impl Jobs {
    /// Begins a run with the job that has just ended as its first part.
    pub(super) fn begin_run(&mut self, id: &JobId, outcome: &Outcome) {
        let Some(entry) = self.all.get_mut(id) else { return };
        entry.error = outcome.error.clone().or(entry.error.take());
        entry.run = Some(id.clone());
        entry.spread = Spread { fate: Some(outcome.state), total: 1, ..Spread::default() };
        entry.spread.open.insert(id.clone());
        self.turn_to(id, State::Spread);
    }

    /// Makes a job a part of the run it names, if that still takes parts.
    pub(super) fn join(&mut self, id: &JobId) {
        let Some(run) = self.all.get(id).and_then(|entry| entry.job.run.clone()) else { return };
        let Some(first) = self.all.get_mut(&run) else { return };
        if first.state != State::Spread || first.spread.recorder.is_some() {
            return;
        }
        first.spread.open.insert(id.clone());
        // A part that gets a new life was counted before.
        if first.spread.parts.remove(id).is_none() {
            first.spread.total += 1;
        }
        first.version += 1;
        if let Some(entry) = self.all.get_mut(id) {
            entry.run = Some(run);
        }
    }

    /// Takes note of the end of a part; when it was the last one, the run is recorded.
    pub(super) fn end_part(&mut self, now: Millis, run: &JobId, id: &JobId, part: Option<Part>) {
        let Some(first) = self.all.get_mut(run) else { return };
        if !first.spread.open.remove(id) {
            return;
        }
        first.version += 1;
        if let Some(part) = part {
            first.spread.parts.insert(id.clone(), (first.version, part));
        }
        if first.spread.open.is_empty() {
            self.record_run(now, run);
        }
    }

    fn record_run(&mut self, now: Millis, run: &JobId) {
        let Some(first) = self.all.get_mut(run) else { return };
        let Some(job) = first.job.recorder(run) else { return };
        let id = JobId::new(time(now));
        first.spread.recorder = Some(id.clone());
        let key = job.key();
        let mut entry = Entry::new(now, job, key, Due::first(now, Delay::None));
        entry.run = Some(run.clone());
        self.all.insert(id.clone(), entry);
        self.line_up(now, &id);
    }

    /// Ends a run if the job that has just ended is the one that records it.
    pub(super) fn end_run(&mut self, now: Millis, run: &JobId, recorder: &JobId) {
        let Some(ended) = self.all.get(recorder) else { return };
        let (state, result, error) = (ended.state, ended.result.clone(), ended.error.clone());
        let Some(first) = self.all.get(run).filter(|first| first.spread.recorder.as_ref() == Some(recorder)) else {
            return;
        };
        if first.state != State::Spread {
            return;
        }
        let state = match first.spread.fate {
            _ if first.cancelled => State::Cancelled,
            Some(State::Done) | None => state,
            Some(fate) => fate,
        };
        let error = first.error.clone().or(error);
        let config = first.job.work.config();
        self.conclude(now, run, Outcome { state, result, error, part: None });
        if let Some(config) = config {
            self.writers.remove(&config);
            self.call_next(now, config, None);
        }
    }

    /// Cancels the parts of a run: those that wait are over at once, the one that runs is told.
    pub(super) fn cancel_parts(&mut self, now: Millis, run: &JobId) {
        let open = self.all.get(run).map(|first| first.spread.open.clone()).unwrap_or_default();
        for id in open {
            match self.all.get(&id).map(|part| part.state) {
                Some(State::Delayed | State::Parked | State::Ready) => self.cancel_waiting(now, &id),
                Some(State::Running) => self.ask_to_stop(&id),
                Some(State::Spread | State::Done | State::Cancelled | State::Dead) | None => {}
            }
        }
    }

    pub(super) fn parts(&self, run: &JobId) -> Vec<Part> {
        let Some(first) = self.all.get(run) else { return Vec::new() };
        let mut parts: Vec<_> = first.spread.parts.values().collect();
        parts.sort_by_key(|(number, _)| *number);
        parts.into_iter().map(|(_, part)| part.clone()).collect()
    }
}
