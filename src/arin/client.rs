//! The clients of all configs, what they share, and the allow list in front of it.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use reqwest::retry;
use secrecy::SecretString;

use super::{
    convert, dependents,
    error::{Error, ErrorKind, Fault},
    exchange::Exchange,
    rate_limit::{RateLimit, SharedLimit},
    request::Request,
    ticket::{self, Ticket, TicketFilter},
    transport::{Key, Transport},
    whois::{Outages, Whois},
    write::{Call, Document, Receipt, Unwritten},
};
use crate::{
    config::{self, RegistryUrl, UnfitUrl},
    http_client,
    model::{Customer, CustomerHandle, Instance, Net, NetBlock, NetHandle, Org, OrgHandle, Poc, PocHandle},
    outbound::{self, excerpt::presentable_url},
    retry::Policy,
    telemetry::metrics::{Metrics, Upstream},
    tls::Trust,
};

/// The connections, and a rate limit for each registry instance, which all configs there share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pool {
    settings: Arc<config::Arin>,
    http: outbound::client::Client,
    rate_limits: Arc<Mutex<BTreeMap<Instance, Arc<RateLimit>>>>,
    outages: Outages,
    shared_limit: Option<Arc<dyn SharedLimit>>,
    metrics: Arc<Metrics>,
}

impl Pool {
    /// Makes a pool whose metrics nobody reads; nothing is sent yet.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(settings: &config::Arin) -> Result<Self, Error> {
        let http = http(settings).map_err(ErrorKind::Setup)?;
        Ok(Self {
            http: outbound::client::Client::new(http, Upstream::Arin, settings.max_body_bytes),
            settings: Arc::new(settings.clone()),
            rate_limits: Arc::default(),
            outages: Outages::default(),
            shared_limit: None,
            metrics: Arc::default(),
        })
    }

    /// Returns the pool, which keeps to a limit together with other processes for the clients it makes from now on.
    #[must_use]
    pub fn sharing(self, limit: Arc<dyn SharedLimit>, metrics: Arc<Metrics>) -> Self {
        Self { http: self.http.measured(Arc::clone(&metrics)), shared_limit: Some(limit), metrics, ..self }
    }

    /// Makes the client for a config: `api_url` is the part before `/rest`, with or without a trailing slash; empty
    /// means ARIN's production. Nothing is sent yet.
    ///
    /// # Errors
    /// When the URL is not on the allow list, or the key cannot be sent at all.
    pub fn client(&self, api_url: &str, key: SecretString) -> Result<Client, Error> {
        let base = self.allowed(api_url)?;
        let key = Key::new(&key, self.settings.auth_at(&base)).ok_or(ErrorKind::UnusableKey)?;
        let exchange = self.exchange(&base, self.rate_limit(Instance::of(base.as_url())));
        Ok(Client { transport: Arc::new(Transport { exchange, key }) })
    }

    /// Makes the client of the public listing that belongs to the registry instance of a config's `api_url`. It has no API
    /// key, and its requests are counted from zero. `None` where there is no listing to ask, or none is to be asked.
    #[must_use]
    pub fn listing(&self, api_url: &str) -> Option<Whois> {
        let base = self.settings.listing_at(&self.allowed(api_url).ok()?)?;
        let exchange = self.exchange(&base, self.listing_rate_limit(Instance::of_listing(base.as_url())));
        Some(Whois::new(exchange, self.outages.clone()))
    }

    /// Returns the registry instance that a config's `api_url` names, or `None` for one that no key may be sent to.
    #[must_use]
    pub fn instance(&self, api_url: &str) -> Option<Instance> {
        self.allowed(api_url).ok().map(|base| Instance::of(base.as_url()))
    }

    /// Returns how many requests a second may go to the registry instance that a config's `api_url` names, by all processes
    /// that share its limit; `None` for any number, or where no key may be sent to.
    pub async fn per_second(&self, api_url: &str) -> Option<f64> {
        let instance = self.instance(api_url)?;
        self.rate_limit(instance).per_second().await
    }

    fn allowed(&self, api_url: &str) -> Result<RegistryUrl, Error> {
        let text = match api_url.trim() {
            "" => Instance::PRODUCTION,
            other => other,
        };
        let listed = |base: &RegistryUrl| self.settings.allowed_base_urls.contains(base);
        let refused = match text.parse() {
            Ok(base) if listed(&base) => return Ok(base),
            Err(UnfitUrl::NotEncrypted) => ErrorKind::NotEncrypted,
            Ok(_) | Err(UnfitUrl::NotHttp | UnfitUrl::Credentials | UnfitUrl::Query) => ErrorKind::NotAllowed,
        };
        Err(refused(presentable_url(text)).into())
    }

    fn exchange(&self, base: &RegistryUrl, rate_limit: Arc<RateLimit>) -> Exchange {
        let config::Arin { retry_count: count, retry_backoff: backoff, .. } = *self.settings;
        let (http, base) = (self.http.counting(), base.as_url().clone());
        Exchange { http, rate_limit, base, retries: Policy { count, backoff } }
    }

    fn rate_limit(&self, instance: Instance) -> Arc<RateLimit> {
        self.rate_limit_of(instance, &self.settings)
    }

    fn listing_rate_limit(&self, instance: Instance) -> Arc<RateLimit> {
        let requests_per_second = self.settings.whois_requests_per_second;
        self.rate_limit_of(instance, &config::Arin { requests_per_second, ..config::Arin::clone(&self.settings) })
    }

    fn rate_limit_of(&self, instance: Instance, settings: &config::Arin) -> Arc<RateLimit> {
        let Self { shared_limit, metrics, .. } = self;
        let new = || Arc::new(RateLimit::new(instance.clone(), settings, shared_limit.clone(), Arc::clone(metrics)));
        let mut rate_limits = self.rate_limits.lock();
        rate_limits.entry(instance.clone()).or_insert_with(new).clone()
    }
}

/// Asks one registry instance with one API key. Cheap to clone; clones count their requests together.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) transport: Arc<Transport>,
}

impl Client {
    /// Returns the registry instance that is asked.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.transport.exchange.rate_limit.instance
    }

    /// Returns the number of requests sent so far, retries included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.transport.exchange.http.requests()
    }

    /// Returns the organization, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// When ARIN could not be asked, refused, or answered something that is no organization.
    pub async fn org(&self, handle: &OrgHandle) -> Result<Option<Org>, Error> {
        self.transport.call(&Request::org(handle), |root, _| Ok(convert::org(root)?)).await
    }

    /// Returns the point of contact, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn poc(&self, handle: &PocHandle) -> Result<Option<Poc>, Error> {
        self.transport.call(&Request::poc(handle), |root, _| Ok(convert::poc(root)?)).await
    }

    /// Returns the customer, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn customer(&self, handle: &CustomerHandle) -> Result<Option<Customer>, Error> {
        self.transport.call(&Request::customer(handle), |root, _| Ok(convert::customer(root)?)).await
    }

    /// Returns the net, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn net(&self, handle: &NetHandle) -> Result<Option<Net>, Error> {
        self.transport.call(&Request::net(handle), |root, _| Ok(convert::net(root)?)).await
    }

    /// Returns the most specific net for the range. `None` says that the range has no registration of its own; the net
    /// that covers it may come back as well, so compare its range with the one asked for.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn most_specific_net(&self, range: NetBlock) -> Result<Option<Net>, Error> {
        self.transport.call(&Request::most_specific_net(range), |root, _| Ok(convert::net(root)?)).await
    }

    /// Returns the net that the range lies in or would be cut from, whether it has a registration of its own or not.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn parent_net(&self, range: NetBlock) -> Result<Option<Net>, Error> {
        self.transport.call(&Request::parent_net(range), |root, _| Ok(convert::net(root)?)).await
    }

    /// Returns the net as ARIN has it, to be changed and sent back, or `None` when ARIN has none of that handle.
    ///
    /// # Errors
    /// As [`Client::org`], and when something in it would not come back the same.
    pub async fn net_document(&self, handle: &NetHandle) -> Result<Option<Document>, Error> {
        self.transport.call(&Request::net(handle), |_, body| Ok(Document::read(body)?)).await
    }

    /// Returns the customer likewise.
    ///
    /// # Errors
    /// As [`Client::net_document`].
    pub async fn customer_document(&self, handle: &CustomerHandle) -> Result<Option<Document>, Error> {
        self.transport.call(&Request::customer(handle), |_, body| Ok(Document::read(body)?)).await
    }

    /// Returns the ticket, or `None` when ARIN has none of that number any more.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn ticket(&self, number: &str) -> Result<Option<Ticket>, Error> {
        self.transport.call(&Request::ticket(number), |root, _| Ok(ticket::ticket(root)?)).await
    }

    /// Returns the tickets that fit, of all that the person of the API key may see.
    ///
    /// # Errors
    /// As [`Client::org`]. A list that ARIN says it does not have is no empty one.
    pub async fn tickets(&self, filter: &TicketFilter) -> Result<Vec<Ticket>, Error> {
        let request = Request::tickets(filter);
        let tickets = self.transport.call(&request, |root, _| Ok(ticket::tickets(root)?)).await?;
        tickets.ok_or_else(|| Error::of(request, ErrorKind::Refused(Fault::absence())))
    }

    /// Returns the delegations of reverse DNS that go with the net when it is removed: their names, with name servers. A
    /// net that is not there has none.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn delegations(&self, net: &NetHandle) -> Result<Vec<String>, Error> {
        let found = self.transport.call(&Request::delegations(net), |root, _| Ok(dependents::delegations(root)?)).await;
        found.map(Option::unwrap_or_default)
    }

    /// Returns the routes in the routing registry for the net: their prefixes and origins.
    ///
    /// # Errors
    /// As [`Client::org`].
    pub async fn routes(&self, net: &NetHandle) -> Result<Vec<String>, Error> {
        let found = self.transport.call(&Request::routes(net), |root, _| Ok(dependents::routes(root)?)).await;
        match found {
            // So the routing registry of the test environment says that it has none.
            Err(Error { kind: ErrorKind::Refused(fault), .. })
                if (fault.status, fault.code.as_deref()) == (404, Some("E_UNSPECIFIED")) =>
            {
                Ok(Vec::new())
            }
            found => found.map(Option::unwrap_or_default),
        }
    }

    /// Sends a call that changes something. It is sent once, whatever comes of it.
    ///
    /// # Errors
    /// When it is not known to be done, which is one of three different things.
    pub async fn write(&self, call: &Call) -> Result<Receipt, Unwritten> {
        self.transport.write(call).await
    }
}

/// Makes the HTTP client, which keeps its connections. What is not encrypted stays on this machine, so that no proxy
/// sees a key.
fn http(settings: &config::Arin) -> Result<reqwest::Client, http_client::Error> {
    // A sandbox on plain HTTP must also run where no certificates are installed.
    let mut urls = settings.allowed_base_urls.iter().chain(&settings.whois_url);
    let encrypted = urls.any(|url| url.as_url().scheme() == "https");
    http_client::build(Trust::of(settings.ca_file.as_deref(), encrypted), &settings.proxy, |builder| {
        outbound::client::asking_for("application/xml", settings.timeout, builder)
            // What is sent is counted, and a change must not be sent twice.
            .retry(retry::never())
            .connect_timeout(settings.connect_timeout)
            .pool_max_idle_per_host(settings.max_in_flight)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arin::fixtures::settings;

    fn pool() -> Pool {
        let allowed = [Instance::PRODUCTION, "https://reg.ote.arin.net/", "http://127.0.0.1:8080/arin/"];
        let allowed_base_urls = allowed.map(|url| url.parse().unwrap()).into();
        Pool::new(&config::Arin { allowed_base_urls, ..settings() }).unwrap()
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
            ("http://127.0.0.1:8080/arin", "arin@http://127.0.0.1:8080/arin"),
        ] {
            assert_eq!(instance(url).unwrap(), name, "{url}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for url in [
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
            assert!(matches!(instance(url), Err(Error { kind: ErrorKind::NotAllowed(_), .. })), "{url}");
        }
    }

    #[test]
    fn a_key_is_not_sent_over_plain_http_whatever_is_listed() {
        let error = instance("http://user:secret@reg.arin.net/?x").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        insta::assert_snapshot!(instance("http://reg.arin.net").unwrap_err(), @"`http://reg.arin.net` is not encrypted, so no API key is sent there; write https in the API URL of the RIR config (http is for this machine only)");
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
            assert!(matches!(error.kind, ErrorKind::UnusableKey), "{key}");
        }
    }

    #[test]
    fn configs_at_one_instance_share_its_rate_limit() {
        let pool = pool();
        let rate_limit = |url: &str| pool.rate_limit(Instance::of(&url.parse().unwrap()));
        assert!(Arc::ptr_eq(&rate_limit(Instance::PRODUCTION), &rate_limit("https://reg.arin.net/")));
        assert!(!Arc::ptr_eq(&rate_limit(Instance::PRODUCTION), &rate_limit(Instance::OTE)));
    }

    #[tokio::test]
    async fn the_listing_has_a_rate_limit_of_its_own_that_configs_share() {
        let settings = config::Arin { requests_per_second: 10, whois_requests_per_second: 2, ..settings() };
        let pool = Pool { settings: Arc::new(settings), ..pool() };
        let listing = || pool.listing_rate_limit(Instance::of_listing(&Instance::LISTING.parse().unwrap()));
        assert!(Arc::ptr_eq(&listing(), &listing()));
        let registry = pool.rate_limit(Instance::of(&Instance::PRODUCTION.parse().unwrap()));
        assert_eq!((listing().per_second().await, registry.per_second().await), (Some(2.0), Some(10.0)));
    }
}
