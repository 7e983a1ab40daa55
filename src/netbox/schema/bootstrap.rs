//! Creates and migrates our types in NetBox.
//!
//! A plan is made by asking, and applying it does nothing else: choice sets first, as fields name them, then all types in
//! one request, then links and names of objects. A request for each type would leave most of NetBox's workers with
//! classes that do not fit together. Applying a plan twice, or after an interruption, does the rest of it.

use std::fmt;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    diff::TypeDiff,
    document::Document,
    extras::{self, Upsert},
};
use crate::netbox::{
    client::{CUSTOM_OBJECTS, Client},
    error::{Error, ErrorKind},
    row::{Row, id_of},
};

/// The oldest NetBox with all that is needed.
const NETBOX: [u64; 3] = [4, 5, 2];
/// The oldest plugin with portable schemas.
const PLUGIN: [u64; 3] = [0, 5, 0];

/// The changes by which NetBox gets our types; its `Display` is a diff.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapPlan {
    document: Document,
    choice_sets: Vec<Upsert>,
    types: Vec<TypeDiff>,
    displays: Vec<String>,
    links: Vec<Upsert>,
}

impl BootstrapPlan {
    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.choice_sets.is_empty() && self.types.is_empty() && self.displays.is_empty() && self.links.is_empty()
    }

    /// Returns the changes that would lose data, one a line; empty text if there are none.
    #[must_use]
    pub fn destructive(&self) -> String {
        self.types.iter().flat_map(TypeDiff::destructive).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for BootstrapPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing to do");
        }
        self.choice_sets.iter().try_for_each(|change| writeln!(f, "{change}"))?;
        self.types.iter().try_for_each(|diff| diff.fmt(f))?;
        self.displays.iter().try_for_each(|slug| writeln!(f, "~ names of objects of type {slug}"))?;
        self.links.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

/// Something that NetBox lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The thing that is lacking.
    pub problem: String,
    /// The way to put it right.
    pub remedy: String,
}

/// Returns what NetBox lacks: a version that is new enough, or the plugin in one.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn requirements(client: &Client) -> Result<Vec<Unmet>, Error> {
    let status = client.status().await?;
    let mut unmet = Vec::new();
    if version(&status.netbox) < NETBOX {
        let problem = format!("NetBox is version {}", status.netbox);
        unmet.push(Unmet { problem, remedy: "upgrade it to 4.5.2 or newer".to_owned() });
    }
    let remedy = "install netboxlabs-netbox-custom-objects 0.5.1 or newer and add netbox_custom_objects to PLUGINS";
    let problem = match status.custom_objects() {
        None => Some("NetBox has no Custom Objects plugin".to_owned()),
        Some(plugin) if version(plugin) < PLUGIN => Some(format!("the Custom Objects plugin is version {plugin}")),
        Some(_) => None,
    };
    unmet.extend(problem.map(|problem| Unmet { problem, remedy: remedy.to_owned() }));
    Ok(unmet)
}

/// Returns the first three numbers of a version, which may have more to it (`4.7.3-Docker-3.4.0`, `4.6.0-beta1`).
fn version(text: &str) -> [u64; 3] {
    let mut numbers = text.trim_start_matches('v').split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
    std::array::from_fn(|_| numbers.next().flatten().unwrap_or(0))
}

/// Compares NetBox with a document; writes nothing.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn plan(client: &Client, document: &Document) -> Result<BootstrapPlan, Error> {
    let types = client.list(&extras::types_path(), &[]).await?;
    let diffs = preview(client, &document.schema(|_| true)).await?;
    let displays = extras::displays(document, &types).map(|(spec, _)| spec.slug.clone());
    Ok(BootstrapPlan {
        choice_sets: extras::choice_sets(client, document).await?,
        types: diffs.into_iter().filter(|diff| !diff.is_empty()).collect(),
        displays: displays.collect(),
        links: extras::links(client, document, &types).await?,
        document: document.clone(),
    })
}

async fn preview(client: &Client, schema: &Value) -> Result<Vec<TypeDiff>, Error> {
    #[derive(Deserialize)]
    struct Preview {
        diffs: Vec<TypeDiff>,
    }
    let path = format!("{CUSTOM_OBJECTS}schema/preview/");
    let preview: Preview =
        client.transport.send(Method::POST, &path, schema).await?.found()?.decode("a schema's diff")?;
    Ok(preview.diffs)
}

/// Does what the plan says, and returns a line for each thing that was done.
///
/// # Errors
/// [`ErrorKind::Destructive`] before anything is written, unless that is allowed; else when NetBox refuses.
pub async fn apply(client: &Client, plan: &BootstrapPlan, allow_destructive: bool) -> Result<Vec<String>, Error> {
    let changes = plan.destructive();
    if !changes.is_empty() && !allow_destructive {
        return Err(ErrorKind::Destructive(changes).into());
    }
    let mut done = Vec::new();
    for change in &plan.choice_sets {
        done.push(make(client, change, &[]).await?);
    }
    if !plan.types.is_empty() {
        migrate(client, plan, allow_destructive).await?;
        let word = |diff: &TypeDiff| if diff.is_new { "created" } else { "changed" };
        done.extend(plan.types.iter().map(|diff| format!("{} type {}", word(diff), diff.slug)));
    }
    // Only now do all types exist, under the names NetBox gave them.
    let types = client.list(&extras::types_path(), &[]).await?;
    for (spec, display) in extras::displays(&plan.document, &types) {
        done.extend(name_objects(client, &types, &spec.slug, display).await?);
    }
    for change in &plan.links {
        done.push(make(client, change, &types).await?);
    }
    Ok(done)
}

async fn migrate(client: &Client, plan: &BootstrapPlan, destroy: bool) -> Result<(), Error> {
    let path = format!("{CUSTOM_OBJECTS}schema/apply/");
    let changes = |slug: &str| plan.types.iter().any(|diff| diff.slug == slug);
    let body = json!({ "schema": plan.document.schema(changes), "allow_destructive": destroy });
    client.transport.send(Method::POST, &path, &body).await?.found()?;
    Ok(())
}

/// Writes a choice set or a custom link.
pub(super) async fn make(client: &Client, change: &Upsert, types: &[Row]) -> Result<String, Error> {
    let mut body = change.body.clone();
    if let (Some(slug), Some(body)) = (&change.attach_to, body.as_object_mut()) {
        let Some(name) = extras::named(types, "slug", slug).and_then(extras::object_type) else {
            return Err(Error::reading(extras::types_path(), ErrorKind::NotFound));
        };
        body.insert("object_types".to_owned(), json!([name]));
    }
    let (method, path) = match change.id {
        None => (Method::POST, change.list.to_owned()),
        Some(id) => (Method::PATCH, format!("{}{id}/", change.list)),
    };
    client.transport.send(method, &path, &body).await?.found()?;
    Ok(format!("{} {}", if change.id.is_some() { "changed" } else { "created" }, change.what))
}

async fn name_objects(client: &Client, types: &[Row], slug: &str, display: &str) -> Result<Option<String>, Error> {
    let Some(id) = extras::named(types, "slug", slug).and_then(id_of) else { return Ok(None) };
    let path = format!("{}{id}/", extras::types_path());
    client.transport.send(Method::PATCH, &path, &json!({ "display_expression": display })).await?.found()?;
    Ok(Some(format!("set the names of objects of type {slug}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        for (text, numbers) in [("4.7.3", [4, 7, 3]), ("v4.10.0-Docker-3.4.0", [4, 10, 0]), ("4.6-beta1", [4, 6, 0])] {
            assert_eq!(version(text), numbers, "{text}");
        }
    }
}
