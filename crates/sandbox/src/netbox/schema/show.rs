//! Custom object types as `custom-object-types/` answers them.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::document::{ObjectType, default_of, text};
use crate::netbox::{
    call::Call,
    model::PLUGIN,
    page::{Page, Selection},
    render,
    reply::Reply,
    store::Store,
};

/// Answers the list, in the order of names.
pub(in crate::netbox) fn list(store: &Store, call: &Call, max_page_size: usize) -> Reply {
    let asked = |name: &str, value: &str| {
        let values = call.query.all(name);
        values.is_empty() || values.contains(&value)
    };
    let fits = |object_type: &&ObjectType| {
        asked("slug", &object_type.slug)
            && asked("name", object_type.text("name"))
            && asked("id", &object_type.id.to_string())
    };
    let mut types: Vec<&ObjectType> = store.types.values().filter(fits).collect();
    types.sort_by_key(|object_type| object_type.text("name"));
    match Page::of(call, types.iter().map(|object_type| object_type.id).collect(), max_page_size) {
        Err(errors) => Reply::invalid(errors),
        Ok(page) => {
            let selection = Selection::of(call);
            let shown = types.iter().filter(|object_type| page.ids.contains(&object_type.id));
            let shown = shown.map(|object_type| show(object_type, &call.base, &selection)).collect();
            Reply::ok(page.answer(shown))
        }
    }
}

/// Answers one type, changes how its objects are named, or deletes it with all its objects.
pub(in crate::netbox) fn single(store: &mut Store, call: &Call, id: u64) -> Reply {
    let Some(object_type) = store.types.values().find(|object_type| object_type.id == id).cloned() else {
        return Reply::not_found("No CustomObjectType matches the given query.");
    };
    let endpoint = format!("{PLUGIN}/{}", object_type.slug);
    let needed = || {
        let others = store.tables().filter(|table| table.model.endpoint != endpoint);
        others.flat_map(|table| &table.model.fields).any(|field| field.target() == Some(&endpoint))
    };
    match &call.method {
        &Method::PATCH => rename(store, call, object_type),
        &Method::GET => Reply::ok(show(&object_type, &call.base, &Selection::of(call))),
        // What a real one then does was not measured.
        &Method::DELETE if needed() => Reply::detail(StatusCode::NOT_IMPLEMENTED, "Fields of other types point at it."),
        &Method::DELETE => {
            store.remove_table(&endpoint);
            store.types.remove(&object_type.slug);
            Reply::no_content()
        }
        method => Reply::not_allowed(method.as_str()),
    }
}

/// Sets the display expression, which is kept and not evaluated here. Nothing else can be changed this way.
fn rename(store: &mut Store, call: &Call, mut object_type: ObjectType) -> Reply {
    if let Ok(Some(Value::Object(body))) = &call.body
        && let Some(display) = body.get("display_expression")
    {
        object_type.attributes.insert("display_expression".to_owned(), display.clone());
    }
    let shown = show(&object_type, &call.base, &Selection::of(call));
    store.types.insert(object_type.slug.clone(), object_type);
    Reply::ok(shown)
}

fn show(object_type: &ObjectType, base: &str, selection: &Selection) -> Value {
    let id = object_type.id;
    let all = json!({
        "id": id,
        "url": format!("{base}/api/plugins/custom-objects/custom-object-types/{id}/"),
        "name": object_type.text("name"),
        "slug": object_type.slug,
        "version": object_type.text("version"),
        "verbose_name": object_type.text("verbose_name"),
        "verbose_name_plural": object_type.text("verbose_name_plural"),
        "group_name": object_type.text("group_name"),
        "description": object_type.text("description"),
        "display_expression": object_type.text("display_expression"),
        "config_context_enabled": false,
        "tags": [],
        "created": render::time(object_type.created),
        "last_updated": render::time(object_type.updated),
        "object_type_name": object_type.object_type(),
        "table_model_name": format!("Table{id}Model"),
        "schema_document": { "schema_version": "1", "types": [object_type.definition()] },
        "fields": object_type.fields.iter().map(field).collect::<Vec<_>>(),
    });
    let brief = |name: &str| ["id", "url", "name", "slug", "description"].contains(&name);
    let members = super::super::model::object(all).into_iter();
    Value::Object(members.filter(|(name, _)| selection.has(name, brief(name))).collect())
}

/// A field, with all attributes a document may leave out.
fn field(definition: &Map<String, Value>) -> Value {
    const ALL: [&str; 21] = [
        "name",
        "type",
        "label",
        "description",
        "group_name",
        "primary",
        "required",
        "unique",
        "default",
        "weight",
        "search_weight",
        "filter_logic",
        "ui_visible",
        "ui_editable",
        "is_cloneable",
        "deprecated",
        "deprecated_since",
        "scheduled_removal",
        "validation_regex",
        "validation_minimum",
        "validation_maximum",
    ];
    let value = |name: &str| definition.get(name).cloned().unwrap_or_else(|| default_of(name));
    let mut shown: Map<String, Value> = ALL.iter().map(|name| ((*name).to_owned(), value(name))).collect();
    shown.insert("schema_id".to_owned(), definition.get("id").cloned().unwrap_or(Value::Null));
    let related = text(definition, "related_object_type").split_once('/');
    let related = related.map(|(app, model)| json!({ "app_label": app, "model": model }));
    shown.insert("related_object_type".to_owned(), related.unwrap_or(Value::Null));
    let choice_set = definition.get("choice_set").map(|name| json!({ "name": name, "display": name }));
    shown.insert("choice_set".to_owned(), choice_set.unwrap_or(Value::Null));
    Value::Object(shown)
}
