//! The check of callers: NetBox users by their tokens, NetBox itself by its signature.

pub(super) mod call_limit;
pub(super) mod caller;
pub(super) mod netbox_questions;
pub(super) mod token_guess_limit;
pub(super) mod users;
pub(super) mod webhook_signature;
