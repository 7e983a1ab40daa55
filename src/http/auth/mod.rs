//! The check of callers: NetBox users by their tokens, NetBox itself by its signature.

pub(super) mod caller;
pub(super) mod token_guess_limit;
pub(super) mod users;
pub(super) mod webhook_signature;
