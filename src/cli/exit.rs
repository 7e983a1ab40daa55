//! The ways in which a command ends, and their exit codes.

use std::{error::Error, process::ExitCode};

use super::output;
use crate::{error_chain::error_chain, retry::Retry};

/// Any error that ends a command.
pub(super) type AnyError = Box<dyn Error + Send + Sync>;

/// The end of a command; a later one weighs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ExitStatus {
    Done,
    SomeFailed,
    /// It may be otherwise the next time.
    Failed,
    /// It will be the same until somebody changes the command, the settings, or what NetBox has and allows.
    Misused,
    Interrupted,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Done => Self::SUCCESS,
            ExitStatus::Failed => Self::from(1),
            ExitStatus::Misused => Self::from(2),
            ExitStatus::SomeFailed => Self::from(3),
            ExitStatus::Interrupted => Self::from(130),
        }
    }
}

impl ExitStatus {
    /// Returns how a command ends that failed, told apart by whether running it again may help.
    pub(super) fn failed(retry: Retry) -> Self {
        match retry {
            Retry::Never => Self::Misused,
            Retry::Backoff | Retry::After(_) => Self::Failed,
        }
    }

    /// Prints the error that led to this end, with its causes.
    pub(super) fn because(self, error: &dyn Error) -> Self {
        output::err(&format!("error: {}", error_chain(error)));
        self
    }
}
