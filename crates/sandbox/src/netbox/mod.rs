//! An in-memory NetBox: the REST subset the sidecar uses, with its measured quirks.
//!
//! It speaks real HTTP on a loopback port, keeps account of what it was asked ([`Requests`]) and fails on demand
//! ([`Rule`], [`Fault`]). The contract suite under `tests/` runs against it and against a real NetBox alike, so that it
//! cannot drift from what it stands in for. What no client sends is not there.
//!
//! Custom object types come from `schema/apply` as on a real NetBox; none is built in. There is one user who may do
//! everything, and those that are added ([`User`]).

use std::time::Duration;

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

mod access;
mod bulk;
mod call;
mod endpoint;
mod fault;
mod field;
mod filter;
mod memory;
mod model;
mod object_type;
mod objects;
mod options;
mod page;
mod render;
mod reply;
mod requests;
mod route;
mod rule;
mod schema;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod users;
mod value;
mod worker;
mod write;

use crate::server::{Shared, StartError, lock, loopback};
pub use fault::Fault;
use memory::NetBox;
pub use options::{Options, TOKEN, TOKEN_V1};
pub use requests::{Request, Requests};
pub use rule::Rule;
pub use users::{Action, Grant, TokenLimit, User};
pub use worker::{Flaw, OldForm};

/// A running in-memory NetBox.
pub type Server = crate::server::Server<NetBox>;

impl Server {
    /// Starts a server on a free loopback port, in the current Tokio runtime.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let netbox = NetBox { store: store::Store::new(), taken: 0 };
        Self::serve(loopback(0), Shared::new(netbox, (), options, CancellationToken::new())).await
    }

    /// Adds a user and returns their token.
    pub fn add_user(&self, name: &str, grants: Vec<Grant>) -> String {
        let mut options = lock(&self.shared.options);
        let number = options.users.len() + 10;
        let token = format!("nbt_sandbox{number:05}.0123456789abcdefghijklmnopqrstuvwxyzABCD");
        options.users.push(User { name: name.to_owned(), token: token.clone(), grants, limit: None });
        token
    }

    /// Restricts a user's token, or lifts the restriction. Returns whether they were there.
    pub fn limit_token(&self, name: &str, limit: Option<TokenLimit>) -> bool {
        let mut options = lock(&self.shared.options);
        let user = options.users.iter_mut().find(|user| user.name == name);
        user.map(|user| user.limit = limit).is_some()
    }

    /// Takes a user's token away. Returns whether they were there.
    pub fn remove_user(&self, name: &str) -> bool {
        let mut options = lock(&self.shared.options);
        let before = options.users.len();
        options.users.retain(|user| user.name != name);
        options.users.len() < before
    }

    /// Adds a RIR and returns its id; its slug is the name in lower case with dashes.
    pub fn add_rir(&self, name: &str) -> u64 {
        self.add(model::RIRS, json!({ "name": name, "slug": name.to_lowercase().replace(' ', "-") }))
    }

    /// Adds a tenant and returns its id; its slug is the name in lower case with dashes.
    pub fn add_tenant(&self, name: &str) -> u64 {
        self.add(model::TENANTS, json!({ "name": name, "slug": name.to_lowercase().replace(' ', "-") }))
    }

    /// Adds an active prefix of a tenant to the global table, and returns its id.
    pub fn assign_prefix(&self, prefix: IpNet, tenant: u64) -> u64 {
        self.add(model::PREFIXES, json!({ "prefix": prefix.to_string(), "vrf": null, "tenant": tenant }))
    }

    /// Adds a VRF and returns its id.
    pub fn add_vrf(&self, name: &str) -> u64 {
        self.add(model::VRFS, json!({ "name": name }))
    }

    /// Adds an aggregate of a RIR and returns its id.
    pub fn add_aggregate(&self, prefix: IpNet, rir: u64) -> u64 {
        self.add(model::AGGREGATES, json!({ "prefix": prefix.to_string(), "rir": rir }))
    }

    /// Adds a prefix to a VRF, or to the global table, and returns its id.
    pub fn add_prefix(&self, prefix: IpNet, vrf: Option<u64>) -> u64 {
        self.add(model::PREFIXES, json!({ "prefix": prefix.to_string(), "vrf": vrf }))
    }

    /// Adds an object of NetBox's own to a list such as `tenancy/tenants`, unchecked, and returns its id; `None` when
    /// there is no such list. Links are ids, selections bare values.
    pub fn add_object(&self, list: &str, values: Map<String, Value>) -> Option<u64> {
        write::seed(&mut lock(&self.shared.system).store, list, values)
    }

    /// Adds a custom object, unchecked, and returns its id; `None` when there is no such type.
    /// Links are ids, selections bare values.
    pub fn add_row(&self, slug: &str, values: Map<String, Value>) -> Option<u64> {
        write::seed(&mut lock(&self.shared.system).store, &format!("{}/{slug}", model::PLUGIN), values)
    }

    /// Lets the next request that writes have the id of another one, as the merge of a branch does.
    pub fn repeat_request(&self, id: &str) {
        lock(&self.shared.system).store.next_request = Some(id.to_owned());
    }

    /// Makes all changes in the change log older.
    pub fn age_changes(&self, by: Duration) {
        lock(&self.shared.system).store.age(by.try_into().unwrap_or(SignedDuration::MAX));
    }

    /// Gives the changes of an object (`ipam.prefix`), in the order they were made, other times.
    pub fn date_changes(&self, object_type: &str, id: u64, times: &[Timestamp]) {
        lock(&self.shared.system).store.date_changes(object_type, id, times);
    }

    /// Gives an object of a list (`ipam/prefixes`) other times of creation and of its last change.
    pub fn date_object(&self, list: &str, id: u64, created: Timestamp, updated: Timestamp) {
        lock(&self.shared.system).store.date_object(list, id, created, updated);
    }

    /// Takes the changes that were made before a time out of the change log, as NetBox's housekeeping does.
    pub fn forget_changes(&self, before: Timestamp) {
        lock(&self.shared.system).store.forget_changes(before);
    }

    /// Sets the clock ahead of that of this machine, or back.
    pub fn set_clock(&self, ahead: SignedDuration) {
        lock(&self.shared.system).store.set_clock(ahead);
    }

    fn add(&self, endpoint: &str, values: Value) -> u64 {
        let store = &mut lock(&self.shared.system).store;
        write::seed(store, endpoint, model::object(values)).unwrap_or_default()
    }
}
