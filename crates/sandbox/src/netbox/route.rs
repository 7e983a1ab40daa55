//! Which path is answered how.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    Options, access,
    call::Call,
    model::PLUGIN,
    objects::{self, Request},
    page::{Page, Selection},
    render,
    reply::{Reply, wrong},
    schema,
    store::{Entry, Store},
    write::Manner,
};

/// Answers a request. `refused` is a field and a text no row may have.
pub(super) fn answer(store: &mut Store, options: &Options, call: &Call, refused: Option<(String, String)>) -> Reply {
    let Some(path) = call.path.strip_prefix("/api/") else { return Reply::no_page() };
    let Some(path) = path.strip_suffix('/') else { return Reply::moved(format!("{}/", call.path)) };
    let caller = match access::caller(options, call) {
        Ok(caller) => caller,
        Err(reply) => return reply,
    };
    let plugin = path.strip_prefix(PLUGIN).map(|rest| rest.trim_start_matches('/'));
    match (path, plugin) {
        ("status", _) => reading(call, || status(options)),
        ("authentication-check", _) => reading(call, || access::whoami(options, call, &caller)),
        (_, Some(_)) if options.plugin_version.is_none() => Reply::no_page(),
        (_, Some("schema/preview")) => posting(call, |body| schema::preview(store, body)),
        (_, _) => access::told(store, call, &caller, path)
            .unwrap_or_else(|| of_the_permitted(store, options, call, refused, (&caller, path, plugin))),
    }
}

/// Answers what needs permissions. The path comes with who asks and what of it is below the plugin's.
fn of_the_permitted(
    store: &mut Store,
    options: &Options,
    call: &Call,
    refused: Option<(String, String)>,
    (caller, path, plugin): (&access::Caller, &str, Option<&str>),
) -> Reply {
    match (path, plugin) {
        ("core/object-changes", _) => reading(call, || changes(store, options, call)),
        (_, Some("schema/apply")) => posting(call, |body| schema::apply(store, body, &options.netbox_version)),
        (_, Some("custom-object-types")) => reading(call, || schema::list(store, call, options.max_page_size)),
        (path, plugin) => {
            if let Some(id) = plugin.and_then(|path| path.strip_prefix("custom-object-types/")?.parse().ok()) {
                return schema::single(store, call, id);
            }
            let manner = Manner { selection: Selection::of(call), refused, caller: caller.clone() };
            of_objects(store, options, call, &manner, path, plugin.is_some())
        }
    }
}

fn of_objects(store: &mut Store, options: &Options, call: &Call, manner: &Manner, path: &str, custom: bool) -> Reply {
    let version = &options.netbox_version;
    if store.table(path).is_some() {
        let arrays = call.rows() > 0 && matches!(call.body, Ok(Some(Value::Array(_))));
        if custom && arrays && !options.bulk {
            return Reply::not_allowed(call.method.as_str());
        }
        return objects::list(store, Request { call, endpoint: path, manner, version }, options.max_page_size);
    }
    let object = path.rsplit_once('/').and_then(|(endpoint, id)| Some((endpoint, id.parse().ok()?)));
    match object.filter(|(endpoint, _)| store.table(endpoint).is_some()) {
        Some((endpoint, id)) => objects::single(store, Request { call, endpoint, manner, version }, id),
        None if custom => Reply::not_found("Not found."),
        None => Reply::no_page(),
    }
}

fn reading(call: &Call, answer: impl FnOnce() -> Reply) -> Reply {
    if call.method == Method::GET { answer() } else { Reply::not_allowed(call.method.as_str()) }
}

fn posting(call: &Call, answer: impl FnOnce(&Value) -> Reply) -> Reply {
    match (&call.method, &call.body) {
        (&Method::POST, Ok(body)) => answer(body.as_ref().unwrap_or(&Value::Object(Map::new()))),
        (&Method::POST, Err(error)) => Reply::bad(format!("JSON parse error - {error}")),
        (method, _) => Reply::not_allowed(method.as_str()),
    }
}

fn status(options: &Options) -> Reply {
    let plugins = options.plugin_version.as_ref().map(|version| ("netbox_custom_objects", version));
    Reply::ok(json!({
        "django-version": "6.1.2",
        "hostname": "sandbox",
        "installed_apps": {},
        "netbox-version": options.netbox_version,
        "netbox-full-version": options.netbox_version,
        "plugins": plugins.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "python-version": "3.12.1",
        "rq-workers-running": 0,
    }))
}

/// The change log, newest first.
fn changes(store: &Store, options: &Options, call: &Call) -> Reply {
    let fits = |entry: &Entry| {
        let object_type = call.query.last("changed_object_type").is_none_or(|wanted| wanted == entry.object_type);
        let object = call.query.last("changed_object_id").is_none_or(|wanted| wanted == entry.change.id.to_string());
        object_type && object
    };
    let entries: Vec<(u64, &Entry)> = (1..).zip(store.entries()).filter(|(_, entry)| fits(entry)).collect();
    let ids = entries.iter().rev().map(|(id, _)| *id).collect();
    let page = match Page::of(call, ids, options.max_page_size) {
        Ok(page) => page,
        Err(errors) => return Reply::invalid(errors),
    };
    let selection = Selection::of(call);
    let shown = entries.iter().rev().filter(|(id, _)| page.ids.contains(id));
    let shown = shown.map(|(id, entry)| change(*id, entry, options, &selection)).collect();
    Reply::ok(page.answer(shown))
}

fn change(id: u64, entry: &Entry, options: &Options, selection: &Selection) -> Value {
    let label = format!("{}d", render::capitalized(entry.change.action));
    let all = json!({
        "id": id,
        "time": render::time(entry.time),
        "user_name": options.username,
        "action": { "value": entry.change.action, "label": label },
        "changed_object_type": entry.object_type,
        "changed_object_id": entry.change.id,
        "message": entry.change.message,
    });
    let members = super::model::object(all).into_iter();
    Value::Object(members.filter(|(name, _)| selection.has(name, name != "message")).collect())
}

/// What a client that asks for a fault with a bare status gets.
pub(super) fn fault(status: u16) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::json(status, json!({ "detail": wrong(status.canonical_reason().unwrap_or_default()) }))
}
