//! Where a mirror stands.

use serde::{Deserialize, Serialize};

use super::{decide::Local, key::Keys};

/// Where a mirror stands: what it noted at the last run that it took something from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The keys that it trusts.
    pub keys: Keys,
    /// What it has, and remembers of the last index.
    pub local: Local,
}
