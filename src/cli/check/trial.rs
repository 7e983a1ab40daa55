//! What was tried, and what came of it, for people and for programs.

use serde_json::{Value, json};

use crate::cli::output;

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
}

pub(super) fn trouble(problem: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble { problem: problem.into(), remedy: remedy.into() }
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

    pub(super) fn add(&mut self, what: impl Into<String>, result: Result<String, Trouble>) {
        self.push(what, result.map_or_else(Outcome::Failed, Outcome::Ok));
    }

    fn push(&mut self, what: impl Into<String>, outcome: Outcome) {
        self.0.push(Trial { what: what.into(), outcome });
    }

    /// Returns whether nothing failed.
    pub(super) fn are_good(&self) -> bool {
        self.0.iter().all(|trial| !matches!(trial.outcome, Outcome::Failed(_)))
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
        let result = if self.are_good() { "ok" } else { "failed" };
        json!({ "result": result, "trials": self.0.iter().map(trial).collect::<Vec<_>>() })
    }
}

impl Outcome {
    fn told(&self) -> (&'static str, &str, Option<&str>) {
        match self {
            Self::Ok(found) => ("ok", found, None),
            Self::Note(Trouble { problem, remedy }) => ("note", problem, Some(remedy)),
            Self::Failed(Trouble { problem, remedy }) => ("FAILED", problem, Some(remedy)),
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
        assert!(trials.are_good());
        assert_eq!(trials.document()["result"], "ok");
        trials.failed("token", "may only read", "let it write");
        assert!(!trials.are_good());
        assert_eq!(
            trials.document()["trials"][2],
            json!({ "tried": "token", "result": "failed", "found": "may only read", "remedy": "let it write" })
        );
        assert!(trials.table().contains("note"));
    }
}
