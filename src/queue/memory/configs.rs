//! Configs: one job at a time is at work at each; those that came meanwhile wait in line. In the place of its config, a
//! preview has its user.

use std::collections::VecDeque;

use super::jobs::Jobs;
use crate::{
    model::RowId,
    queue::{
        job::{JobId, Workplace},
        limits::Millis,
    },
};

impl Jobs {
    pub(super) fn active(&self, at: Workplace<'_>) -> Option<JobId> {
        self.at_work.get(&at.to_string()).cloned()
    }

    pub(super) fn held(&self, now: Millis, config: RowId) -> Option<JobId> {
        self.active(config.into()).filter(|id| self.all.get(id).is_some_and(|entry| entry.lease > now))
    }

    fn alone_at(&self, id: &JobId) -> Option<String> {
        self.all.get(id)?.job.alone_at().map(|place| place.to_string())
    }

    /// Hands a job its config, or puts it in line for it. Returns whether the job may run.
    pub(super) fn take_config(&mut self, now: Millis, id: &JobId) -> bool {
        let Some(config) = self.alone_at(id) else { return true };
        let line = self.lines.entry(config.clone()).or_default();
        if self.at_work.get(&config).is_some_and(|holder| holder != id) {
            if !line.contains(id) {
                line.push_back(id.clone());
            }
            self.put_off(now, id, self.limits.busy_config_delay);
            return false;
        }
        line.retain(|waiting| waiting != id);
        self.at_work.insert(config, id.clone());
        true
    }

    /// Frees the config of a job that stops running.
    pub(super) fn release_config(&mut self, now: Millis, id: &JobId) {
        let Some(config) = self.alone_at(id).filter(|config| self.at_work.get(config) == Some(id)) else { return };
        self.at_work.remove(&config);
        self.call_next(now, &config);
    }

    /// Takes a job that was cancelled out of the line. It may have been called just now.
    pub(super) fn leave_line(&mut self, now: Millis, id: &JobId) {
        let Some(config) = self.alone_at(id) else { return };
        let Some(line) = self.lines.get_mut(&config) else { return };
        if let Some(place) = line.iter().position(|waiting| waiting == id) {
            line.remove(place);
            self.call_next(now, &config);
        }
    }

    /// Calls the first in line, if the config is free.
    fn call_next(&mut self, now: Millis, config: &str) {
        if self.at_work.contains_key(config) {
            return;
        }
        if let Some(next) = self.lines.get(config).and_then(VecDeque::front).cloned() {
            self.bring_forward(now, &next);
        }
        if self.lines.get(config).is_some_and(VecDeque::is_empty) {
            self.lines.remove(config);
        }
    }
}
