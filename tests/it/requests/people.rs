//! People with tokens and permissions of their own: in the in-memory NetBox past HTTP, in a real one over its REST
//! interface.

use rir_sandbox::netbox::{Action, Grant};
use rir_sidecar::netbox::schema;
use serde_json::{Value, json};

use crate::scene::{Scene, custom};

/// Lists that are only read, each with what a real NetBox calls its objects where permissions are given.
const READ: [(&str, &str); 10] = [
    ("ipam/aggregates", "ipam.aggregate"),
    ("ipam/prefixes", "ipam.prefix"),
    ("ipam/vrfs", "ipam.vrf"),
    ("tenancy/tenants", "tenancy.tenant"),
    ("tenancy/tenant-groups", "tenancy.tenantgroup"),
    ("dcim/sites", "dcim.site"),
    ("dcim/locations", "dcim.location"),
    ("extras/tags", "extras.tag"),
    ("core/object-changes", "core.objectchange"),
    ("plugins/custom-objects/custom-object-types", "netbox_custom_objects.customobjecttype"),
];

/// Somebody with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) token: String,
}

/// Makes somebody who may do all that the service may.
pub(crate) async fn may_approve(scene: &Scene, name: &str) -> Person {
    with(scene, name, &[Action::View, Action::Add, Action::Change]).await
}

/// Makes somebody who may do this with change requests, and with everything else what the service may.
pub(crate) async fn with(scene: &Scene, name: &str, actions: &[Action]) -> Person {
    let grant = (!actions.is_empty()).then(|| Grant::new(&custom(schema::CHANGE_REQUEST), actions));
    granted(scene, name, grant.as_slice()).await
}

/// Makes somebody who may do this, and with everything but change requests what the service may.
pub(super) async fn granted(scene: &Scene, name: &str, more: &[Grant]) -> Person {
    let read = READ.map(|(list, _)| Grant::new(list, &[Action::View]));
    let ours = schema::TYPES.into_iter().filter(|slug| *slug != schema::CHANGE_REQUEST);
    let ours = ours.map(|slug| Grant::new(&custom(slug), &[Action::View, Action::Add, Action::Change, Action::Delete]));
    made(scene, name, read.into_iter().chain(ours).chain(more.iter().cloned()).collect()).await
}

async fn made(scene: &Scene, name: &str, grants: Vec<Grant>) -> Person {
    match &scene.netbox.server {
        Some(server) => Person { name: name.to_owned(), token: server.add_user(name, grants) },
        None => in_a_real_one(scene, name, &grants).await,
    }
}

/// A real NetBox keeps its users from one test to the next: their names are made unlike.
async fn in_a_real_one(scene: &Scene, name: &str, grants: &[Grant]) -> Person {
    let name = format!("{name}-{:08x}", fastrand::u32(..));
    let password = format!("Xy-{:032x}", fastrand::u128(..));
    let user = scene.add("users/users", json!([{ "username": name, "password": password }])).await[0];
    for (number, grant) in grants.iter().enumerate() {
        let actions: Vec<&str> = grant.actions.iter().copied().map(Action::name).collect();
        let permission = json!([{
            "name": format!("{name}-{number}"), "object_types": [object_type(scene, &grant.list).await],
            "actions": actions, "users": [user],
        }]);
        scene.add("users/permissions", permission).await;
    }
    Person { name, token: token(scene, user).await }
}

async fn object_type(scene: &Scene, list: &str) -> String {
    if let Some((_, name)) = READ.iter().find(|(read, _)| *read == list) {
        return (*name).to_owned();
    }
    let slug = list.rsplit('/').next().unwrap();
    let query = format!("slug={slug}&fields=object_type_name");
    let types = scene.list("plugins/custom-objects/custom-object-types", &query).await;
    types[0]["object_type_name"].as_str().unwrap().to_owned()
}

async fn token(scene: &Scene, user: u64) -> String {
    let request = reqwest::Client::new().post(format!("{}/api/users/tokens/", scene.netbox.url));
    let request = request.bearer_auth(&scene.netbox.token).header("content-type", "application/json");
    let answer = request.body(json!({ "user": user, "version": 2 }).to_string()).send().await.unwrap();
    let token: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    format!("nbt_{}.{}", token["key"].as_str().unwrap(), token["token"].as_str().unwrap())
}
