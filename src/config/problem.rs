//! Settings that cannot be used, each with a remedy.

use std::{fmt, io, path::PathBuf};

use config::ConfigError;

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// The file given with `--config` cannot be read.
    #[error("cannot read the configuration file {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    /// That file is not TOML. The line is named, but not shown, as it may hold a secret.
    #[error("the configuration file {} cannot be understood near line {line}: {problem}", path.display())]
    #[expect(missing_docs, reason = "the names say it")]
    Syntax { path: PathBuf, line: usize, problem: String },
    /// The layers cannot be put together.
    #[error("cannot read the configuration")]
    Layers(#[source] ConfigError),
    /// Keys or values that do not fit, all of them.
    #[error("the configuration cannot be used:\n{}", list(.0))]
    Problems(Vec<Problem>),
}

/// One thing wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting, `section.key`.
    pub key: String,
    /// The mistake, and what to do about it.
    pub remedy: String,
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { key: key.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.remedy)
    }
}

pub(super) fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("  {problem}")).collect::<Vec<_>>().join("\n")
}
