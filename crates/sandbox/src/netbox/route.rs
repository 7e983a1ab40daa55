//! The paths, and the answer to each.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{
    access,
    call::Call,
    endpoint::Endpoint,
    model::{self, PLUGIN},
    objects,
    options::Options,
    page::page,
    render,
    reply::Reply,
    schema,
    store::{Entry, Store},
    value,
    write::RefusedValue,
};

/// Answers a request. `refused` is a field and a text no row may have.
pub(super) fn answer(store: &mut Store, options: &Options, call: &Call, refused: RefusedValue) -> Reply {
    store.names_duplicates = options.names_duplicates;
    let path = call.path.strip_prefix("/api/").and_then(|path| path.strip_suffix('/'));
    let Some(path) = path else { return Reply::no_page() };
    let caller = match access::caller(options, call) {
        Ok(caller) => caller,
        Err(reply) => return reply,
    };
    if call.method != Method::GET {
        store.begin_request(caller.name());
    }
    let plugin = path.strip_prefix(PLUGIN).map(|rest| rest.trim_start_matches('/'));
    match (path, plugin, &call.method) {
        ("status", _, &Method::GET) => status(),
        ("authentication-check", _, &Method::GET) => access::whoami(&caller),
        ("users/tokens", _, &Method::GET) => access::tokens(options, call, &caller),
        (_, Some("schema/preview"), &Method::POST) => schema::preview(store, call),
        (_, _, _) => {
            access::refusal(store, call, &caller, path).unwrap_or_else(|| match (path, plugin, &call.method) {
                ("core/object-changes", _, &Method::GET) => changes(store, call),
                (_, Some("schema/apply"), &Method::POST) => schema::apply(store, call),
                (_, Some("custom-object-types"), &Method::GET) => schema::list(store, call),
                (_, Some(plugin), _) => match plugin.strip_prefix("custom-object-types/") {
                    Some(id) => schema::set_display(store, call, id.parse().unwrap_or(0)),
                    None => {
                        of_objects(store, options.bulk, Endpoint { call, path, caller: &caller, refused: &refused })
                    }
                },
                (_, None, _) => of_objects(store, true, Endpoint { call, path, caller: &caller, refused: &refused }),
            })
        }
    }
}

fn of_objects(store: &mut Store, bulk: bool, endpoint: Endpoint<'_>) -> Reply {
    if store.table(endpoint.path).is_some() {
        if !bulk && endpoint.call.rows() > 0 && matches!(endpoint.call.body, Some(Value::Array(_))) {
            return Reply::not_allowed(endpoint.call.method.as_str());
        }
        return objects::list(store, &endpoint);
    }
    let object = endpoint.path.rsplit_once('/').and_then(|(list, id)| Some((list, id.parse().ok()?)));
    match object.filter(|(list, _)| store.table(list).is_some()) {
        Some((path, id)) => objects::single(store, &Endpoint { path, ..endpoint }, id),
        None if endpoint.path.starts_with(PLUGIN) => Reply::not_found(),
        None => Reply::no_page(),
    }
}

fn status() -> Reply {
    Reply::ok(json!({ "netbox-version": "4.7.3", "plugins": { "netbox_custom_objects": "0.7.1" } }))
}

/// Answers with the change log, newest first unless it is asked for the other way round.
fn changes(store: &Store, call: &Call) -> Reply {
    let (types, ids) = (call.query.all("changed_object_type"), call.query.all("changed_object_id"));
    let last = |name| call.query.last(name);
    let number = |name| last(name).and_then(|id| id.parse::<u64>().ok());
    let (after, before) = (number("id__gt"), number("id__lt"));
    let since = last("time_after").and_then(value::timestamp);
    let fits = |(id, entry): &(u64, &Entry)| {
        (types.is_empty() || types.contains(&entry.object_type.as_str()))
            && (ids.is_empty() || ids.iter().any(|wanted| *wanted == entry.id.to_string()))
            && last("action").is_none_or(|wanted| wanted == entry.action)
            && after.is_none_or(|after| *id > after)
            && before.is_none_or(|before| *id < before)
            && since.is_none_or(|since| entry.time >= since)
    };
    let mut entries: Vec<(u64, &Entry)> = (1..).zip(store.entries()).filter(fits).collect();
    // What was changed earlier has the smaller number.
    if !matches!(last("ordering"), Some("id" | "time")) {
        entries.reverse();
    }
    page(call, entries, |(id, entry)| Some(Value::Object(logged(call, id, entry))))
}

fn logged(call: &Call, id: u64, entry: &Entry) -> Map<String, Value> {
    let label = format!("{}d", render::capitalized(entry.action));
    let mut row = model::object(json!({
        "id": id,
        "time": render::time(entry.time),
        "user_name": entry.user,
        "request_id": entry.request,
        "action": { "value": entry.action, "label": label },
        "changed_object_type": entry.object_type,
        "changed_object_id": entry.id,
        "message": entry.message,
        "prechange_data": entry.before.clone().unwrap_or_default(),
        "postchange_data": entry.after.clone().unwrap_or_default(),
    }));
    row.retain(|name, _| call.wants(name));
    row
}
