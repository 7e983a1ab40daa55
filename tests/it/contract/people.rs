//! Users who may do some things, made for one case: in the in-memory NetBox past HTTP, in a real one over its REST
//! interface.

use rir_sandbox::netbox::{Action, Grant, TokenLimit};
use serde_json::json;

use super::Target;

const USERS: &str = "/api/users/users/";
const PERMISSIONS: &str = "/api/users/permissions/";
const TOKENS: &str = "/api/users/tokens/";

/// A user.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) token: String,
    /// The ids of the user and of the token in a real NetBox.
    id: u64,
    token_id: u64,
}

impl Target {
    /// Makes a user with permissions on lists.
    pub(super) async fn person(&self, grants: &[(&str, Grant)]) -> Person {
        let name = format!("person-{}-{:04x}", self.run, fastrand::u16(..));
        if let Some(server) = &self.server {
            let token = server.add_user(&name, grants.iter().map(|(_, grant)| grant.clone()).collect());
            return Person { name, token, id: 0, token_id: 0 };
        }
        let password = format!("Xy-{:032x}", fastrand::u128(..));
        let id = self.made(USERS, json!({ "username": name, "password": password })).await;
        for (number, (list, grant)) in grants.iter().enumerate() {
            let actions: Vec<&str> = grant.actions.iter().copied().map(Action::name).collect();
            let constraints = grant.ids.as_ref().map(|ids| json!({ "id__in": ids }));
            let object_types = [self.object_type(list).await];
            let name = format!("{name}-{number}");
            let permission = json!({
                "name": name, "object_types": object_types, "actions": actions, "constraints": constraints,
                "users": [id],
            });
            self.made(PERMISSIONS, permission).await;
        }
        let token = self.post(TOKENS, json!({ "user": id, "version": 2 })).await.expect(201);
        let (key, secret) = (token["key"].as_str().unwrap(), token["token"].as_str().unwrap());
        let token_id = token["id"].as_u64().unwrap();
        Person { name, token: format!("nbt_{key}.{secret}"), id, token_id }
    }

    /// Restricts a user's token in this way only.
    pub(super) async fn limit(&self, person: &Person, limit: Option<TokenLimit>) {
        if let Some(server) = &self.server {
            assert!(server.limit_token(&person.name, limit));
            return;
        }
        let is = |wanted| limit == Some(wanted);
        let fields = json!({
            "enabled": !is(TokenLimit::Disabled),
            "expires": is(TokenLimit::Expired).then_some("2020-01-01T00:00:00Z"),
            "allowed_ips": if is(TokenLimit::OtherAddresses) { json!(["192.0.2.0/24"]) } else { json!([]) },
            "write_enabled": !is(TokenLimit::ReadOnly),
        });
        self.patch(&format!("{TOKENS}{}/", person.token_id), fields).await.expect(200);
    }

    /// Removes a user with their tokens.
    pub(super) async fn dismiss(&self, person: &Person) {
        match &self.server {
            Some(server) => assert!(server.remove_user(&person.name)),
            None => drop(self.delete(&format!("{USERS}{}/", person.id), None).await.expect(204)),
        }
    }
}
