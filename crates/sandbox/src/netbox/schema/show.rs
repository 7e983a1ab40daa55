//! Custom object types as `custom-object-types/` answers them.

use axum::http::Method;
use serde_json::{Value, json};

use crate::netbox::{call::Call, object_type::ObjectType, page::page, reply::Reply, store::Store};

/// Answers the list, in the order of ids.
pub(in crate::netbox) fn list(store: &Store, call: &Call) -> Reply {
    let slugs = call.query.all("slug");
    let fits = |object_type: &&ObjectType| slugs.is_empty() || slugs.contains(&object_type.slug.as_str());
    let mut types: Vec<&ObjectType> = store.types.values().filter(fits).collect();
    types.sort_by_key(|object_type| object_type.id);
    page(call, types, |object_type| Some(show(object_type)))
}

/// Sets the display expression of a type, which is kept and not evaluated here. Nothing else can be changed this way.
pub(in crate::netbox) fn set_display(store: &mut Store, call: &Call, id: u64) -> Reply {
    let Some(object_type) = store.types.values_mut().find(|object_type| object_type.id == id) else {
        return Reply::not_found();
    };
    if call.method != Method::PATCH {
        return Reply::not_allowed(call.method.as_str());
    }
    if let Some(display) = call.body.as_ref().and_then(|body| body.get("display_expression")) {
        object_type.attributes.insert("display_expression".to_owned(), display.clone());
    }
    Reply::ok(show(object_type))
}

fn show(object_type: &ObjectType) -> Value {
    json!({
        "id": object_type.id,
        "name": object_type.text("name"),
        "slug": object_type.slug,
        "version": object_type.text("version"),
        "verbose_name": object_type.text("verbose_name"),
        "display_expression": object_type.text("display_expression"),
        "object_type_name": object_type.object_type(),
    })
}
