//! The caller of a request, and their permissions.

use axum::http::Method;
use serde_json::json;

use super::{
    call::Call,
    model::PLUGIN,
    options::{Options, SUPERUSER, TOKEN, TOKEN_V1},
    reply::Reply,
    store::Store,
    users::{Action, User},
};

/// The caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// May do everything.
    Superuser,
    /// May do what they are granted.
    User(User),
}

impl Caller {
    /// Returns whether a request of this kind may be about this object.
    pub(super) fn reaches(&self, list: &str, method: &Method, id: u64) -> bool {
        match self {
            Self::Superuser => true,
            Self::User(user) => user.reaches(list, Action::of(method), id),
        }
    }
}

/// Returns whose token it is. The word before it does not matter, as long as it is one of two.
pub(super) fn caller(options: &Options, call: &Call) -> Result<Caller, Reply> {
    let words = call.authorization.as_deref().and_then(|header| header.split_once(' '));
    let known = |word: &str| ["token", "bearer"].iter().any(|known| word.eq_ignore_ascii_case(known));
    let Some((_, token)) = words.filter(|(word, _)| known(word)) else {
        return Err(Reply::forbidden("Authentication credentials were not provided."));
    };
    if [TOKEN, TOKEN_V1].contains(&token) {
        return Ok(Caller::Superuser);
    }
    let user = options.users.iter().find(|user| user.token == token);
    user.cloned().map(Caller::User).ok_or_else(|| {
        Reply::forbidden(match token.strip_prefix("nbt_") {
            Some(v2) if v2.contains('.') => "Invalid v2 token",
            Some(_) => "Invalid authorization header: Could not parse key from v2 token.",
            None => "Invalid v1 token",
        })
    })
}

/// Answers `authentication-check`. A superuser's permissions are not listed, as on a real one.
pub(super) fn whoami(caller: &Caller) -> Reply {
    let (id, name) = match caller {
        Caller::Superuser => (1, SUPERUSER),
        Caller::User(user) => (2, user.name.as_str()),
    };
    Reply::ok(json!({ "id": id, "display": name, "username": name, "is_active": true, "permissions": [] }))
}

/// Returns the answer to a caller who may not do it.
pub(super) fn refusal(store: &Store, call: &Call, caller: &Caller, path: &str) -> Option<Reply> {
    let Caller::User(user) = caller else { return None };
    let single = path.rsplit_once('/').filter(|(_, id)| id.parse::<u64>().is_ok());
    let list = single.map_or(path, |(list, _)| list);
    if store.table(list).is_some() {
        let may = user.may(list, Action::of(&call.method));
        return (!may).then(|| denied("to perform this action."));
    }
    Some(match path.strip_prefix(PLUGIN) {
        Some("/schema/apply") => {
            denied("to apply a schema document. Both add and change permissions on CustomObjectType are required.")
        }
        Some(_) if list != format!("{PLUGIN}/custom-object-types") => Reply::not_found(),
        Some(_) | None => denied("to perform this action."),
    })
}

fn denied(what: &str) -> Reply {
    Reply::forbidden(format!("You do not have permission {what}"))
}
