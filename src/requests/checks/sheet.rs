//! Checks as they are written down.

use super::super::change::{Check, Verdict};

pub(super) fn passed(name: &str, reason: impl Into<String>) -> Check {
    written(name, Verdict::Passed, reason)
}

pub(super) fn look(name: &str, reason: impl Into<String>) -> Check {
    written(name, Verdict::Look, reason)
}

pub(super) fn blocked(name: &str, reason: impl Into<String>) -> Check {
    written(name, Verdict::Blocked, reason)
}

fn written(name: &str, verdict: Verdict, reason: impl Into<String>) -> Check {
    Check { name: name.to_owned(), verdict, reason: reason.into() }
}
