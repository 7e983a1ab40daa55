//! Our types in a NetBox, made by the program's own client.

use std::collections::BTreeMap;

use rir_sidecar::{
    config,
    netbox::{
        Client,
        schema::{self, Document},
    },
};

/// Creates our types in the NetBox at this URL.
pub(crate) async fn bootstrap(url: &str, token: &str) {
    let set = [("URL", url), ("TOKEN", token)];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__NETBOX__{name}"), value.to_owned()));
    let settings = config::load_from(None, &BTreeMap::from(set)).unwrap();
    let client = Client::new(&settings.netbox).unwrap();
    let plan = schema::plan(&client, Document::current()).await.unwrap();
    schema::apply(&client, &plan, false).await.unwrap();
}
