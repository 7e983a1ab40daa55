//! Web workers that keep an older form of a type, as NetBox's do after its types were changed.
//!
//! Requests come to the workers in turn. Saving a type tells all of them that what they have of it is out of date, and
//! the next request about its objects brings the worker that takes it up to date.

use serde_json::{Map, Value};

use super::{call::Call, model::PLUGIN, reply::Reply, store::Store};

/// Something that a worker has wrong about a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldForm {
    /// The number of the worker, from 0.
    pub worker: usize,
    /// Slug of the type.
    pub slug: String,
    /// What is wrong.
    pub flaw: Flaw,
    /// True once the type was saved after that.
    pub(super) outdated: bool,
}

/// The ways in which a worker has a type wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It does not know this field: what is sent for it is passed over, and no answer has it.
    Lacks(String),
    /// It takes no object that there is for this link: one that is sent is a 500.
    Refuses(String),
}

impl OldForm {
    /// A worker that has something wrong about a type.
    #[must_use]
    pub fn new(worker: usize, slug: &str, flaw: Flaw) -> Self {
        Self { worker, slug: slug.to_owned(), flaw, outdated: false }
    }
}

/// Returns the slug of the type that a request saves.
pub(super) fn saved(store: &Store, call: &Call) -> Option<String> {
    let id = call.path.strip_prefix("/api/")?.strip_prefix(PLUGIN)?.strip_prefix("/custom-object-types/")?;
    let id: u64 = id.trim_end_matches('/').parse().ok()?;
    store.types.values().find(|object_type| object_type.id == id).map(|object_type| object_type.slug.clone())
}

/// Takes note of a request to a worker, and returns what that worker has wrong about the type that it is about.
pub(super) fn flaws(forms: &mut Vec<OldForm>, worker: usize, call: &Call, saved: Option<&str>) -> Vec<Flaw> {
    for form in forms.iter_mut().filter(|form| Some(form.slug.as_str()) == saved) {
        form.outdated = true;
    }
    let about = |form: &OldForm| call.path.starts_with(&format!("/api/{PLUGIN}/{}/", form.slug));
    forms.retain(|form| !(form.worker == worker && form.outdated && about(form)));
    forms.iter().filter(|form| form.worker == worker && about(form)).map(|form| form.flaw.clone()).collect()
}

impl Call {
    /// Returns the request as a worker with these flaws reads it, or its answer if it cannot.
    pub(super) fn read_with(mut self, flaws: &[Flaw]) -> Result<Self, Reply> {
        let rows = match &mut self.body {
            Some(Value::Array(rows)) => rows.as_mut_slice(),
            Some(row) => std::slice::from_mut(row),
            None => &mut [],
        };
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            for flaw in flaws {
                match flaw {
                    Flaw::Lacks(field) => drop(row.remove(field)),
                    Flaw::Refuses(field) if row.get(field).is_some_and(|link| !link.is_null()) => {
                        let error = format!(
                            "Cannot assign \"<Table1Model: X>\": \"Table2Model.{field}\" must be a \"Table1Model\" instance."
                        );
                        return Err(Reply::exception("ValueError", &error));
                    }
                    Flaw::Refuses(_) => {}
                }
            }
        }
        Ok(self)
    }
}

/// Takes what a worker with these flaws does not know out of an answer.
pub(super) fn forget(body: &mut Value, flaws: &[Flaw]) {
    let lacks = |name: &str| flaws.iter().any(|flaw| matches!(flaw, Flaw::Lacks(field) if field == name));
    let forget = |members: &mut Map<String, Value>| members.retain(|name, _| !lacks(name));
    if let Some(fields) = body.pointer_mut("/actions/POST").and_then(Value::as_object_mut) {
        forget(fields);
    }
    let rows = if body.get("results").is_some() { body.get_mut("results") } else { Some(body) };
    match rows {
        Some(Value::Array(rows)) => rows.iter_mut().filter_map(Value::as_object_mut).for_each(forget),
        Some(Value::Object(row)) => forget(row),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {}
    }
}
