//! What the clients of all configs share, and the allow list in front of it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use url::Url;

use super::{Client, Error, throttle::Throttle, transport, transport::Transport};
use crate::{config, model::Instance};

/// The connections, and a throttle for each registry instance, so that several configs share its limits.
pub struct Pool {
    settings: config::Arin,
    http: reqwest::Client,
    allowed: Vec<Url>,
    throttles: Mutex<BTreeMap<Instance, Arc<Throttle>>>,
}

impl Pool {
    /// Makes a pool with these settings; nothing is sent yet.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(settings: &config::Arin) -> Result<Self, Error> {
        Ok(Self {
            http: transport::http(settings)?,
            allowed: settings.allowed_base_urls.iter().cloned().map(without_trailing_slash).collect(),
            settings: settings.clone(),
            throttles: Mutex::default(),
        })
    }

    /// Makes the client for a config: `api_url` is the part before `/rest`, with or without a trailing slash; empty means
    /// ARIN's production. Nothing is sent yet.
    ///
    /// # Errors
    /// When the URL is not on the allow list, or the key cannot be sent at all.
    pub fn client(&self, api_url: &str, key: SecretString) -> Result<Client, Error> {
        let base = self.allowed(api_url)?;
        let throttle = self.throttle(Instance::of(&base));
        let transport = Transport::new(&self.settings, self.http.clone(), throttle, base, key)?;
        Ok(Client { transport: Arc::new(transport) })
    }

    /// The registry instance that a config's `api_url` names, or `None` for one that no key may be sent to.
    #[must_use]
    pub fn instance(&self, api_url: &str) -> Option<Instance> {
        self.allowed(api_url).ok().map(|base| Instance::of(&base))
    }

    fn allowed(&self, api_url: &str) -> Result<Url, Error> {
        let text = match api_url.trim() {
            "" => Instance::PRODUCTION,
            other => other,
        };
        let base = Url::parse(text).map(without_trailing_slash).ok();
        base.filter(|base| self.allowed.contains(base)).ok_or_else(|| Error::NotAllowed { url: presentable(text) })
    }

    fn throttle(&self, instance: Instance) -> Arc<Throttle> {
        let mut throttles = self.throttles.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Throttle::new(instance.clone(), &self.settings));
        throttles.entry(instance.clone()).or_insert_with(new).clone()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// The form base URLs are compared in. Host case and default ports are settled by [`Url`] itself; a URL with credentials,
/// a query or a fragment keeps them, and so equals no clean one.
fn without_trailing_slash(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    url
}

/// A URL from outside as it may be shown: without credentials, query and fragment.
pub(super) fn presentable(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        let without_credentials = text.rsplit('@').next().unwrap_or_default();
        return without_credentials.split(['?', '#']).next().unwrap_or_default().to_owned();
    };
    url.set_query(None);
    url.set_fragment(None);
    if url.set_username("").and_then(|()| url.set_password(None)).is_err() {
        return format!("{}:", url.scheme());
    }
    url.to_string()
}
