//! Reading from a real NetBox.

use reqwest::Method;
use rir_sidecar::{
    model::RowId,
    netbox::{Client, Draft, Permission, id_of, objects_path, schema::ADDRESS},
};
use serde_json::json;

use super::netbox::{bootstrapped, client, rest, row, settings, unique, url, variable};

async fn addresses(client: &Client, word: &str, count: usize) -> Vec<RowId> {
    let draft = |number: usize| {
        let key = format!("{word}:{number}");
        Draft { body: row(json!({"key": key, "city": word})), key }
    };
    let result = client.writer(ADDRESS, "lab").create((0..count).map(draft).collect::<Vec<_>>()).await;
    result.into_iter().map(|outcome| outcome.unwrap().id).collect()
}

#[tokio::test]
async fn a_list_of_many_pages_has_each_row_once() {
    let (client, word) = (bootstrapped().await, unique());
    let mut ids = addresses(&client, &word, 7).await;
    ids.sort_unstable();
    for page_size in [1, 2, 3, 6, 7, 8] {
        let mut settings = settings(&url());
        settings.page_size = page_size;
        let paged = Client::new(&settings).unwrap();
        let rows = paged.list(&objects_path(ADDRESS), &[("city", &word), ("fields", "id,key")]).await.unwrap();
        assert_eq!(rows.iter().filter_map(id_of).collect::<Vec<_>>(), ids, "pages of {page_size}");
    }
}

#[tokio::test]
async fn a_page_larger_than_netbox_gives_is_no_problem() {
    let mut settings = settings(&url());
    settings.page_size = 5000;
    let rows = Client::new(&settings).unwrap().list("/api/extras/custom-field-choice-sets/", &[]).await.unwrap();
    assert!(!rows.is_empty());
}

#[tokio::test]
async fn v1_and_v2_tokens_belong_to_the_same_user() {
    for token in ["RIR_LAB_NETBOX_TOKEN", "RIR_LAB_NETBOX_TOKEN_V1"] {
        let mut settings = settings(&url());
        settings.token = variable(token).as_str().into();
        let user = Client::new(&settings).unwrap().whoami().await.unwrap();
        assert_eq!(user.name, variable("RIR_LAB_NETBOX_USER"));
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused_without_being_shown() {
    let mut settings = settings(&url());
    settings.token = "nbt_wrong.token".into();
    let error = Client::new(&settings).unwrap().whoami().await.unwrap_err();
    assert!(error.is_forbidden());
    assert!(!format!("{error:?}").contains("wrong"));
}

#[tokio::test]
async fn the_versions_are_told() {
    let status = client().status().await.unwrap();
    assert!(status.netbox.starts_with("4."));
    assert!(status.custom_objects().is_some());
}

#[tokio::test]
async fn what_is_not_there_is_none_and_what_is_no_list_an_error() {
    let client = bootstrapped().await;
    assert_eq!(client.get(&format!("{}999999999/", objects_path(ADDRESS))).await.unwrap(), None);
    let error = client.list(&objects_path("no-such-type"), &[]).await.unwrap_err();
    assert!(error.is_not_found());
}

#[tokio::test]
async fn permissions_are_found_without_writing() {
    let admin = bootstrapped().await;
    let mut settings = settings(&url());
    settings.token = variable("RIR_LAB_READER_TOKEN").as_str().into();
    let reader = Client::new(&settings).unwrap();
    for permission in [Permission::View, Permission::Add, Permission::Change, Permission::Delete] {
        for path in [objects_path(ADDRESS), "/api/ipam/prefixes/".to_owned()] {
            assert!(admin.may(&path, permission).await.unwrap(), "{permission:?} {path}");
            assert!(!reader.may(&path, permission).await.unwrap(), "{permission:?} {path}");
        }
    }
}

#[tokio::test]
async fn links_to_what_netbox_deletes_fall_to_null() {
    let (client, word) = (bootstrapped().await, unique());
    let site = rest(Method::POST, "/api/dcim/sites/", Some(json!({"name": word, "slug": word}))).await;
    let body = row(json!({"key": word, "site": site["id"]}));
    let created = client.writer(ADDRESS, "lab").create(vec![Draft { key: word.clone(), body }]).await;
    rest(Method::DELETE, &format!("/api/dcim/sites/{}/", site["id"]), None).await;
    let path = format!("{}{}/", objects_path(ADDRESS), created[0].as_ref().unwrap().id);
    assert_eq!(client.get(&path).await.unwrap().unwrap().get("site"), Some(&json!(null)));
}
