//! The real NetBox of the lab, for tests.

use std::{env, fs::File, path::PathBuf, time::Duration};

use reqwest::Method;
use rir_sidecar::{
    config,
    netbox::{
        Client, Row,
        schema::{self, Document},
    },
};
use serde_json::Value;

/// A variable the lab sets. Without the lab a test fails: it must not look as if it had run.
pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set; start the lab with tests/lab/lab.sh"))
}

/// Base URL of the lab's NetBox.
pub(crate) fn url() -> String {
    variable("RIR_LAB_NETBOX_URL")
}

/// Settings for a NetBox at `url` with the lab's token.
pub(crate) fn settings(url: &str) -> config::Netbox {
    config::Netbox {
        url: url.parse().unwrap(),
        token: variable("RIR_LAB_NETBOX_TOKEN").as_str().into(),
        token_file: None,
        ca_file: None,
        proxy: config::Proxy::None,
        page_size: 1000,
        batch_size: 50,
        writes_in_flight: 2,
        timeout: Duration::from_secs(60),
    }
}

/// A client of the lab's NetBox.
pub(crate) fn client() -> Client {
    Client::new(&settings(&url())).unwrap()
}

/// A client of the lab's NetBox, which has our types.
pub(crate) async fn bootstrapped() -> Client {
    let client = client();
    let _alone = alone();
    let plan = schema::plan(&client, Document::current()).await.unwrap();
    schema::apply(&client, &plan, false).await.unwrap();
    client
}

/// Waits until no other test, in this process or another, changes the lab's types.
pub(crate) fn alone() -> File {
    let folder = env::var_os("RIR_LAB_DIR").map_or_else(env::temp_dir, PathBuf::from);
    let file = File::create(folder.join("schema.lock")).unwrap();
    file.lock().unwrap();
    file
}

/// A word no other test uses.
pub(crate) fn unique() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("t{}n{}", std::process::id(), now.as_nanos())
}

/// One request to the lab's NetBox, past our own client.
pub(crate) async fn rest(method: Method, path: &str, body: Option<Value>) -> Value {
    drop(rustls::crypto::ring::default_provider().install_default());
    let request = reqwest::Client::new().request(method.clone(), format!("{}{path}", url()));
    let request = request.header("Authorization", format!("Bearer {}", variable("RIR_LAB_NETBOX_TOKEN")));
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
        None => request,
    };
    let reply = request.send().await.unwrap();
    let (status, text) = (reply.status(), reply.text().await.unwrap());
    assert!(status.is_success(), "{method} {path}: {status}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// An object literal as a row.
pub(crate) fn row(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            panic!("{other} is not an object")
        }
    }
}
