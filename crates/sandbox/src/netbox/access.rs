//! Who asks, and what they may do.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    Options,
    call::Call,
    model::{self, PLUGIN},
    reply::Reply,
    store::Store,
    users::{Action, User},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// May do everything.
    Superuser,
    /// May do what they are granted.
    User(User),
}

impl Caller {
    /// Whether a request of this kind may be about this object.
    pub(super) fn reaches(&self, list: &str, call: &Call, id: u64) -> bool {
        match self {
            Self::Superuser => true,
            Self::User(user) => user.reaches(list, Action::of(&call.method), id),
        }
    }
}

/// Whose token it is. Which word stands before it does not matter, as long as it is one of two.
pub(super) fn caller(options: &Options, call: &Call) -> Result<Caller, Reply> {
    let words = call.authorization.as_deref().and_then(|header| header.split_once(' '));
    let known = |word: &str| ["token", "bearer"].iter().any(|known| word.eq_ignore_ascii_case(known));
    let Some((_, token)) = words.filter(|(word, _)| known(word)) else {
        return Err(Reply::forbidden("Authentication credentials were not provided."));
    };
    let reader = || User { name: "reader".to_owned(), token: token.to_owned(), grants: Vec::new() };
    let user = options.users.iter().find(|user| user.token == token);
    match token.strip_prefix("nbt_") {
        Some(_) if token == options.token => Ok(Caller::Superuser),
        None if token == options.token_v1 => Ok(Caller::Superuser),
        Some(_) if token == options.reader_token => Ok(Caller::User(reader())),
        Some(rest) => user.cloned().map(Caller::User).ok_or_else(|| unknown(rest)),
        None => Err(Reply::forbidden("Invalid v1 token")),
    }
}

/// What is told of a v2 token that nobody has.
fn unknown(token: &str) -> Reply {
    if token.contains('.') {
        Reply::forbidden("Invalid v2 token")
    } else {
        Reply::forbidden("Invalid authorization header: Could not parse key from v2 token.")
    }
}

/// Who asks. A superuser's permissions are not listed, as on a real one.
pub(super) fn whoami(options: &Options, call: &Call, caller: &Caller) -> Reply {
    let (id, name) = match caller {
        Caller::Superuser => (1, options.username.as_str()),
        Caller::User(user) => (2, user.name.as_str()),
    };
    Reply::ok(json!({
        "id": id,
        "url": format!("{}/api/users/users/{id}/", call.base),
        "display_url": format!("{}/users/users/{id}/", call.base),
        "display": name,
        "username": name,
        "first_name": "",
        "last_name": "",
        "email": "",
        "is_active": true,
        "date_joined": "2026-01-01T00:00:00Z",
        "last_login": null,
        "groups": [],
        "permissions": [],
    }))
}

/// What is told without looking further: what may be done, to `OPTIONS`, or that it may not be done.
pub(super) fn told(store: &Store, call: &Call, caller: &Caller, path: &str) -> Option<Reply> {
    let (list, action) = match path.rsplit_once('/') {
        Some((list, id)) if id.parse::<u64>().is_ok() => (list, "PUT"),
        Some(_) | None => (path, "POST"),
    };
    if call.method == Method::OPTIONS {
        return Some(abilities(store, caller, list, action));
    }
    match caller {
        Caller::Superuser => None,
        Caller::User(user) => refused(store, call, user, (path, list)),
    }
}

/// What a user is told who may not do it.
fn refused(store: &Store, call: &Call, user: &User, (path, list): (&str, &str)) -> Option<Reply> {
    let fixed = ["schema/apply", "custom-object-types"].map(|path| format!("{PLUGIN}/{path}"));
    if store.table(list).is_some() {
        let may = user.may(list, Action::of(&call.method));
        return (!may).then(|| denied("to perform this action."));
    }
    Some(if path.ends_with("schema/apply") {
        denied("to apply a schema document. Both add and change permissions on CustomObjectType are required.")
    } else if !path.starts_with(PLUGIN) || fixed.iter().any(|fixed| fixed == list) {
        denied("to perform this action.")
    } else {
        Reply::not_found("Not found.")
    })
}

fn denied(what: &str) -> Reply {
    Reply::forbidden(format!("You do not have permission {what}"))
}

/// What `OPTIONS` tells: the fields that may be written, if any may.
fn abilities(store: &Store, caller: &Caller, list: &str, action: &str) -> Reply {
    let Some(table) = store.table(list) else { return Reply::not_found("Not found.") };
    let field = |field: &super::field::Field| (field.name.clone(), json!({ "required": field.required }));
    let fields: Value = table.model.fields.iter().map(field).collect();
    let mut told = model::object(json!({ "name": table.model.title, "description": "" }));
    let needed = if action == "PUT" { Action::Change } else { Action::Add };
    let may = match caller {
        Caller::Superuser => true,
        Caller::User(user) => user.may(list, needed),
    };
    if may {
        told.insert("actions".to_owned(), json!({ action: fields }));
    }
    Reply::ok(Value::Object(told))
}
