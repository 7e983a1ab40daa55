//! The paths, and the answer to each.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    access,
    call::Call,
    endpoint::Endpoint,
    model::PLUGIN,
    objects,
    options::{Options, SUPERUSER},
    page::page,
    render,
    reply::Reply,
    schema,
    store::{Entry, Store},
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

/// Answers with the change log, newest first.
fn changes(store: &Store, call: &Call) -> Reply {
    let fits = |(_, entry): &(u64, &Entry)| {
        let object_type = call.query.last("changed_object_type").is_none_or(|wanted| wanted == entry.object_type);
        object_type && call.query.last("changed_object_id").is_none_or(|wanted| wanted == entry.id.to_string())
    };
    let mut entries: Vec<(u64, &Entry)> = (1..).zip(store.entries()).filter(fits).collect();
    entries.reverse();
    page(call, entries, |(id, entry)| {
        let label = format!("{}d", render::capitalized(entry.action));
        Some(json!({
            "id": id,
            "time": render::time(entry.time),
            "user_name": SUPERUSER,
            "action": { "value": entry.action, "label": label },
            "changed_object_type": entry.object_type,
            "changed_object_id": entry.id,
            "message": entry.message,
        }))
    })
}
