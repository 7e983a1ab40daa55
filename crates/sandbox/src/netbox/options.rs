//! The behaviour of a server, and the tokens it knows from the start.

use std::time::Duration;

use super::{users::User, worker::OldForm};

/// The v2 token of the superuser, sent as `Authorization: Bearer …`.
pub const TOKEN: &str = "nbt_sandbox00001.0123456789abcdefghijklmnopqrstuvwxyzABCD";

/// The v1 token of the superuser, sent as `Authorization: Token …`.
pub const TOKEN_V1: &str = "0123456789abcdef0123456789abcdef01234567";

/// The name of the superuser.
pub(super) const SUPERUSER: &str = "sandbox";

/// The behaviour of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Users who may do some things.
    pub users: Vec<User>,
    /// The time that every answer is held back.
    pub latency: Duration,
    /// True if custom objects can be written in bulk; the plugin before 0.7 answers an array with 405 or 400.
    pub bulk: bool,
    /// True if a duplicate of a unique field is refused with 400 and the name of the field, instead of a bare 500.
    pub names_duplicates: bool,
    /// The number of web workers, which take requests in turn.
    pub workers: usize,
    /// What some of them have wrong about types.
    pub old_forms: Vec<OldForm>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            latency: Duration::ZERO,
            bulk: true,
            names_duplicates: false,
            workers: 1,
            old_forms: Vec::new(),
        }
    }
}
