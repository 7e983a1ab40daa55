//! Creates and migrates our types in NetBox.

use std::fmt;

use super::super::{Client, Error};
use super::Document;

/// What has to be done so that NetBox has our types; its `Display` is a diff.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapPlan {}

impl BootstrapPlan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        true
    }

    /// What would lose data.
    #[must_use]
    pub fn destructive(&self) -> Destructive {
        Destructive(Vec::new())
    }
}

impl fmt::Display for BootstrapPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing to do")
    }
}

/// Changes that lose data, one a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destructive(pub Vec<String>);

impl fmt::Display for Destructive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// One thing that was done, a line for the person who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done(pub String);

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something NetBox lacks, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// What is lacking.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

/// Tells what NetBox lacks: a version new enough, the plugin. Empty when all is well.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn requirements(client: &Client) -> Result<Vec<Unmet>, Error> {
    let _ = client;
    Ok(Vec::new())
}

/// Compares NetBox with a document; writes nothing.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn plan(client: &Client, document: &Document) -> Result<BootstrapPlan, Error> {
    let _ = (client, document);
    Ok(BootstrapPlan {})
}

/// Does what the plan says, and tells it line by line.
///
/// # Errors
/// [`Error::Destructive`] before anything is written, unless that is allowed; else when NetBox refuses.
pub async fn apply(client: &Client, plan: &BootstrapPlan, allow_destructive: bool) -> Result<Vec<Done>, Error> {
    let _ = (client, plan, allow_destructive);
    Ok(Vec::new())
}
