//! The caller of a request, and their permissions.

use axum::http::Method;
use serde_json::json;

use super::{
    call::Call,
    model::PLUGIN,
    options::{Options, SUPERUSER, TOKEN, TOKEN_V1},
    page::page,
    reply::Reply,
    store::Store,
    users::{Action, TokenLimit, User},
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
    /// Returns their NetBox user name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Superuser => SUPERUSER,
            Self::User(user) => &user.name,
        }
    }

    /// Returns whether they may add objects to a list.
    pub(super) fn may_add(&self, list: &str) -> bool {
        match self {
            Self::Superuser => true,
            Self::User(user) => user.may(list, Action::Add),
        }
    }

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
    let Some(user) = options.users.iter().find(|user| user.token == token) else {
        return Err(Reply::forbidden(match token.strip_prefix("nbt_") {
            Some(v2) if v2.contains('.') => "Invalid v2 token",
            Some(_) => "Invalid authorization header: Could not parse key from v2 token.",
            None => "Invalid v1 token",
        }));
    };
    match user.limit {
        Some(TokenLimit::Disabled) => Err(Reply::forbidden("Token disabled")),
        Some(TokenLimit::Expired) => Err(Reply::forbidden("Token expired")),
        Some(TokenLimit::OtherAddresses) => {
            Err(Reply::forbidden("Source IP 127.0.0.1 is not permitted to authenticate using this token."))
        }
        Some(TokenLimit::ReadOnly) | None => Ok(Caller::User(user.clone())),
    }
}

/// Answers with the tokens that a caller sees: all for a superuser, else their own.
pub(super) fn tokens(options: &Options, call: &Call, caller: &Caller) -> Reply {
    let shown = |user: &&User| match caller {
        Caller::Superuser => true,
        Caller::User(caller) => caller.name == user.name,
    };
    let superusers = [TOKEN, TOKEN_V1].map(|token| User {
        name: SUPERUSER.to_owned(),
        token: token.to_owned(),
        grants: Vec::new(),
        limit: None,
    });
    let all = superusers.iter().filter(|_| *caller == Caller::Superuser).chain(options.users.iter().filter(shown));
    let wanted = all.filter(|user| call.query.last("user").is_none_or(|name| name == user.name));
    page(call, wanted.collect(), |user| {
        let key = user.token.strip_prefix("nbt_").and_then(|token| token.split('.').next());
        Some(json!({
            "version": if key.is_some() { 2 } else { 1 },
            "key": key,
            "user": { "username": user.name },
            "enabled": user.limit != Some(TokenLimit::Disabled),
            "write_enabled": user.limit != Some(TokenLimit::ReadOnly),
        }))
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
    if user.limit == Some(TokenLimit::ReadOnly) && call.method != Method::GET {
        return Some(denied("to perform this action."));
    }
    let single = path.rsplit_once('/').filter(|(_, id)| id.parse::<u64>().is_ok());
    let list = single.map_or(path, |(list, _)| list);
    if store.table(list).is_some() || (call.method == Method::GET && is_only_shown(list)) {
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

/// Returns whether it is a list that is no table of objects here, but is seen with a permission as one.
fn is_only_shown(list: &str) -> bool {
    list == "core/object-changes" || list.strip_prefix(PLUGIN) == Some("/custom-object-types")
}

fn denied(what: &str) -> Reply {
    Reply::forbidden(format!("You do not have permission {what}"))
}
