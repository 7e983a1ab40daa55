//! What the clients of all configs share, and the allow list in front of it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::SecretString;
use url::Url;

use super::{Client, Error, SharedLimit, throttle::Throttle, transport, transport::Transport};
use crate::{config, model::Instance, telemetry::metrics::Metrics};

/// The connections, and a throttle for each registry instance, so that several configs share its limits. Cheap to clone.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

struct Shared {
    settings: config::Arin,
    http: reqwest::Client,
    allowed: Vec<Url>,
    throttles: Mutex<BTreeMap<Instance, Arc<Throttle>>>,
    limit: Option<Arc<dyn SharedLimit>>,
    metrics: Arc<Metrics>,
}

impl Pool {
    /// Makes a pool with these settings, whose figures nobody asks for; nothing is sent yet.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(settings: &config::Arin) -> Result<Self, Error> {
        Self::make(settings, None, Arc::default())
    }

    /// Makes a pool that keeps to a limit together with other processes, and counts what it does.
    ///
    /// # Errors
    /// As [`Pool::new`].
    pub fn sharing(settings: &config::Arin, limit: Arc<dyn SharedLimit>, metrics: Arc<Metrics>) -> Result<Self, Error> {
        Self::make(settings, Some(limit), metrics)
    }

    fn make(
        settings: &config::Arin,
        limit: Option<Arc<dyn SharedLimit>>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Error> {
        Ok(Self(Arc::new(Shared {
            http: transport::http(settings)?,
            allowed: settings.allowed_base_urls.iter().cloned().map(without_trailing_slash).collect(),
            settings: settings.clone(),
            throttles: Mutex::default(),
            limit,
            metrics,
        })))
    }

    /// Makes the client for a config: `api_url` is the part before `/rest`, with or without a trailing slash; empty means
    /// ARIN's production. Nothing is sent yet.
    ///
    /// # Errors
    /// When the URL is not on the allow list, or the key cannot be sent at all.
    pub fn client(&self, api_url: &str, key: SecretString) -> Result<Client, Error> {
        let base = self.allowed(api_url)?;
        let throttle = self.throttle(Instance::of(&base));
        let (http, metrics) = (self.0.http.clone(), Arc::clone(&self.0.metrics));
        let transport = Transport::new(&self.0.settings, http, throttle, base, key, metrics)?;
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
        base.filter(|base| self.0.allowed.contains(base)).ok_or_else(|| Error::NotAllowed { url: presentable(text) })
    }

    fn throttle(&self, instance: Instance) -> Arc<Throttle> {
        let mut throttles = self.0.throttles.lock().unwrap_or_else(PoisonError::into_inner);
        let Shared { settings, limit, metrics, .. } = &*self.0;
        let new = || Arc::new(Throttle::new(instance.clone(), settings, limit.clone(), Arc::clone(metrics)));
        throttles.entry(instance.clone()).or_insert_with(new).clone()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("settings", &self.0.settings).finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        let allowed = [Instance::PRODUCTION, "https://reg.ote.arin.net/", "http://127.0.0.1:8080/arin/"];
        let allowed_base_urls = allowed.map(|url| url.parse().unwrap()).into();
        Pool::new(&config::Arin { allowed_base_urls, ..super::super::tests::settings() }).unwrap()
    }

    fn instance(api_url: &str) -> Result<String, Error> {
        pool().client(api_url, SecretString::from("API-KEY")).map(|client| client.instance().to_string())
    }

    #[test]
    fn a_listed_url_is_taken_with_or_without_a_slash() {
        for (url, name) in [
            ("", "arin"),
            (" https://reg.arin.net ", "arin"),
            ("https://REG.arin.net:443/", "arin"),
            ("https://reg.ote.arin.net", "arin-ote"),
            ("http://127.0.0.1:8080/arin", "arin@127.0.0.1:8080"),
        ] {
            assert_eq!(instance(url).unwrap(), name, "{url}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for url in [
            "http://reg.arin.net",
            "https://reg.arin.net.example.net",
            "https://reg.arin.net:8443",
            "https://reg.arin.net/rest",
            "https://user@reg.arin.net",
            "https://reg.arin.net/?x",
            "https://reg.arin.net/#x",
            "http://127.0.0.1:8080",
            "reg.arin.net",
            "file:///etc",
            "data:x",
        ] {
            assert!(matches!(instance(url), Err(Error::NotAllowed { .. })), "{url}");
        }
    }

    #[test]
    fn a_refusal_names_the_url_and_the_setting_but_no_credentials() {
        insta::assert_snapshot!(instance("https://user:secret@arin.example.net/x?apikey=API-KEY").unwrap_err(), @"`https://arin.example.net/x` is not listed in arin.allowed_base_urls, so no API key is sent there; correct the API URL of the RIR config (the part before /rest), or add it to that setting");
        insta::assert_snapshot!(instance("//user:secret@arin.example.net/x?apikey=API-KEY").unwrap_err(), @"`arin.example.net/x` is not listed in arin.allowed_base_urls, so no API key is sent there; correct the API URL of the RIR config (the part before /rest), or add it to that setting");
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_refused() {
        for key in ["", "  ", "API KEY", "API-\nKEY", "API-KÉY"] {
            let error = pool().client("", SecretString::from(key)).unwrap_err();
            assert!(matches!(error, Error::UnusableKey), "{key}");
        }
    }

    #[test]
    fn configs_at_one_instance_share_its_throttle() {
        let pool = pool();
        let throttle = |url: &str| pool.throttle(Instance::of(&url.parse().unwrap()));
        assert!(Arc::ptr_eq(&throttle(Instance::PRODUCTION), &throttle("https://reg.arin.net/")));
        assert!(!Arc::ptr_eq(&throttle(Instance::PRODUCTION), &throttle(Instance::OTE)));
    }
}
