//! Acting for somebody else, as the HTTP interface does to learn what a caller may see and change.

use rir_sidecar::{
    config,
    netbox::{needs, objects_path, schema},
};
use serde_json::json;

use super::netbox::{bootstrapped, rest, unique, variable};

#[tokio::test]
async fn a_client_acts_for_whoever_a_token_belongs_to() {
    let client = bootstrapped().await;
    let reader = client.acting_for(&variable("RIR_LAB_READER_TOKEN").into()).unwrap();
    assert_eq!(client.whoami().await.unwrap().name, "lab-admin");
    assert_eq!(reader.whoami().await.unwrap().name, "lab-reader");
    assert!(reader.config_rows().await.unwrap_err().is_forbidden());
    let nobody = client.acting_for(&"nbt_nobody.nothing".into()).unwrap();
    assert!(nobody.whoami().await.unwrap_err().is_forbidden());
}

#[tokio::test]
async fn whether_a_config_may_be_changed_is_found_out_without_changing_it() {
    let client = bootstrapped().await;
    let name = unique();
    let post = reqwest::Method::POST;
    let rir = rest(post.clone(), "/api/ipam/rirs/", Some(json!({ "name": name, "slug": name }))).await["id"].clone();
    let list = objects_path(schema::CONFIG);
    let config = json!({ "name": name, "rir": rir, "registry": "arin", "org_handle": "X-1" });
    let before = rest(post, &list, Some(config)).await;
    let path = format!("{list}{}/", before["id"]);
    assert!(client.may_change(&path).await.unwrap());
    assert!(!client.may_change(&format!("{list}99999999/")).await.unwrap());
    let reader = client.acting_for(&variable("RIR_LAB_READER_TOKEN").into()).unwrap();
    assert!(!reader.may_change(&path).await.unwrap());
    let after = rest(reqwest::Method::GET, &path, None).await;
    assert_eq!(after["last_updated"], before["last_updated"]);
    rest(reqwest::Method::DELETE, &path, None).await;
}

/// What `check` tries of permissions and of the webhook, for somebody who may do all and somebody who may do nothing.
#[tokio::test]
async fn each_permission_that_check_tries_is_one_of_netboxs() {
    let client = bootstrapped().await;
    let reader = client.acting_for(&variable("RIR_LAB_READER_TOKEN").into()).unwrap();
    let set = [
        ("NETBOX__URL", "http://netbox.test/"),
        ("NETBOX__TOKEN", "t"),
        ("FINDINGS__OWN_TENANT_GROUPS", "a"),
        ("FINDINGS__PUBLIC_VRFS", "a"),
        ("FINDINGS__OPT_OUT_TAG", "a"),
        ("REQUESTS__ENABLED", "true"),
        ("REQUESTS__SEAL", "0123456789abcdef0123456789abcdef"),
    ];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    let mut settings = config::load_from(None, &set.into()).unwrap();
    let source = "[[source]]\nname = 'TEST'\ndumps = ['file:///test.db']";
    settings.irr = toml::from_str(source).unwrap();
    for need in needs(true, &settings) {
        for permission in need.permissions {
            assert!(client.may(&need.path, *permission).await.unwrap(), "{permission} {}", need.path);
            assert!(!reader.may(&need.path, *permission).await.unwrap(), "{permission} {}", need.path);
        }
    }
    assert!(schema::installed(&reader).await.unwrap_err().is_forbidden());
    let apart = client.clock().unwrap().duration_since(jiff::Timestamp::now());
    assert!(apart.abs() < jiff::SignedDuration::from_secs(3), "{apart}");
}
