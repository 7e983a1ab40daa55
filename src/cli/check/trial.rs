//! What was tried, and what came of it, for people and for programs.

use std::error::Error;

use serde_json::{Value, json};

use crate::{
    cli::{exit::ExitStatus, output},
    error_chain::error_chain,
    retry::Retry,
};

/// The trials in their order.
#[derive(Default)]
pub(super) struct Trials(Vec<Trial>);

/// Something that was tried.
struct Trial {
    what: String,
    outcome: Outcome,
}

/// What came of a trial.
enum Outcome {
    Ok(String),
    /// Something that `serve` gets along without, or that cannot be seen from here.
    Note(Trouble),
    Failed(Trouble),
}

/// A problem, and what to do about it.
pub(super) struct Trouble {
    pub(super) problem: String,
    pub(super) remedy: String,
    /// Whether it may be otherwise the next time without anybody doing that.
    pub(super) retry: Retry,
}

/// Makes a problem that stays until somebody mends it.
pub(super) fn trouble(problem: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble { problem: problem.into(), remedy: remedy.into(), retry: Retry::Never }
}

/// Makes a problem of an error, which knows whether it may pass.
pub(super) fn trouble_of(error: &dyn Error, retry: Retry, remedy: impl Into<String>) -> Trouble {
    Trouble { retry, ..trouble(error_chain(error), remedy) }
}

impl Trials {
    pub(super) fn ok(&mut self, what: impl Into<String>, found: impl Into<String>) {
        self.push(what, Outcome::Ok(found.into()));
    }

    /// Adds something that is no failure, but has to be known.
    pub(super) fn note(&mut self, what: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) {
        self.push(what, Outcome::Note(trouble(problem, remedy)));
    }

    pub(super) fn failed(&mut self, what: impl Into<String>, problem: impl Into<String>, remedy: impl Into<String>) {
        self.add(what, Err(trouble(problem, remedy)));
    }

    /// Adds a failure of an error, which knows whether it may pass.
    pub(super) fn failed_of(
        &mut self,
        what: impl Into<String>,
        (error, retry): (&dyn Error, Retry),
        remedy: impl Into<String>,
    ) {
        self.add(what, Err(trouble_of(error, retry, remedy)));
    }

    pub(super) fn add(&mut self, what: impl Into<String>, result: Result<String, Trouble>) {
        self.push(what, result.map_or_else(Outcome::Failed, Outcome::Ok));
    }

    fn push(&mut self, what: impl Into<String>, outcome: Outcome) {
        self.0.push(Trial { what: what.into(), outcome });
    }

    /// Returns how the command ends: what stays until somebody mends it weighs more than what may pass.
    pub(super) fn status(&self) -> ExitStatus {
        let failed = self.0.iter().filter_map(|trial| match &trial.outcome {
            Outcome::Failed(trouble) => Some(ExitStatus::failed(trouble.retry)),
            Outcome::Ok(_) | Outcome::Note(_) => None,
        });
        failed.max().unwrap_or(ExitStatus::Done)
    }

    /// Draws a table with a line for each.
    pub(super) fn table(&self) -> String {
        let row = |Trial { what, outcome }: &Trial| {
            let (word, found, remedy) = outcome.told();
            let remedy = remedy.map(|remedy| format!("\n-> {remedy}"));
            vec![word.to_owned(), what.clone(), format!("{found}{}", remedy.unwrap_or_default())]
        };
        output::table(&["", "tried", "found"], self.0.iter().map(row).collect(), 3)
    }

    /// Returns the same for a program.
    pub(super) fn document(&self) -> Value {
        let trial = |Trial { what, outcome }: &Trial| {
            let (word, found, remedy) = outcome.told();
            json!({ "tried": what, "result": word.to_lowercase(), "found": found, "remedy": remedy })
        };
        let result = if self.status() == ExitStatus::Done { "ok" } else { "failed" };
        json!({ "result": result, "trials": self.0.iter().map(trial).collect::<Vec<_>>() })
    }
}

impl Outcome {
    fn told(&self) -> (&'static str, &str, Option<&str>) {
        match self {
            Self::Ok(found) => ("ok", found, None),
            Self::Note(Trouble { problem, remedy, .. }) => ("note", problem, Some(remedy)),
            Self::Failed(Trouble { problem, remedy, .. }) => ("FAILED", problem, Some(remedy)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_told_and_no_failure() {
        let mut trials = Trials::default();
        trials.ok("NetBox", "answers");
        trials.note("queue", "is not set", "set it");
        assert_eq!((trials.status(), &trials.document()["result"]), (ExitStatus::Done, &json!("ok")));
        trials.failed("token", "may only read", "let it write");
        assert_eq!(trials.document()["result"], "failed");
        assert_eq!(
            trials.document()["trials"][2],
            json!({ "tried": "token", "result": "failed", "found": "may only read", "remedy": "let it write" })
        );
        assert!(trials.table().contains("note"));
    }

    #[test]
    fn what_stays_until_somebody_mends_it_weighs_more_than_what_may_pass() {
        let mut trials = Trials::default();
        trials.failed_of("NetBox", (&std::fmt::Error, Retry::Backoff), "wait");
        assert_eq!(trials.status(), ExitStatus::Failed);
        trials.failed("keys file", "none is set", "write one");
        assert_eq!(trials.status(), ExitStatus::Misused);
        trials.failed_of("Redis", (&std::fmt::Error, Retry::Backoff), "wait");
        assert_eq!(trials.status(), ExitStatus::Misused);
    }
}
