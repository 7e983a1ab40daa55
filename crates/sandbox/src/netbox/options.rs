//! How a server behaves from the start.

use std::time::Duration;

use super::User;

/// A v2 token the server accepts by default, sent as `Authorization: Bearer …`.
pub const TOKEN: &str = "nbt_sandbox00001.0123456789abcdefghijklmnopqrstuvwxyzABCD";

/// A v1 token the server accepts by default, sent as `Authorization: Token …`.
pub const TOKEN_V1: &str = "0123456789abcdef0123456789abcdef01234567";

/// A v2 token of a user without any permission.
pub const READER_TOKEN: &str = "nbt_sandbox00002.0123456789abcdefghijklmnopqrstuvwxyzABCD";

/// How a server behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The v2 token of the superuser.
    pub token: String,
    /// The v1 token of the superuser.
    pub token_v1: String,
    /// The name of the superuser.
    pub username: String,
    /// The v2 token of a user without any permission, whose name is `reader`.
    pub reader_token: String,
    /// Users who may do some things.
    pub users: Vec<User>,
    /// The most objects in one page, whatever `limit` asks for.
    pub max_page_size: usize,
    /// How long every answer is held back.
    pub latency: Duration,
    /// Whether custom objects can be written in bulk; the plugin before 0.7 answers an array with 405 or 400.
    pub bulk: bool,
    /// What `/api/status/` says NetBox is.
    pub netbox_version: String,
    /// What `/api/status/` says the Custom Objects plugin is; `None` as if it were not installed.
    pub plugin_version: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            token: TOKEN.to_owned(),
            token_v1: TOKEN_V1.to_owned(),
            username: "sandbox".to_owned(),
            reader_token: READER_TOKEN.to_owned(),
            users: Vec::new(),
            max_page_size: 1000,
            latency: Duration::ZERO,
            bulk: true,
            netbox_version: "4.7.3".to_owned(),
            plugin_version: Some("0.7.1".to_owned()),
        }
    }
}
