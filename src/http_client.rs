//! HTTP clients: the one place that makes them. Leaf: anyone may use it.
//!
//! None of them follows a redirect, as a key or token would go along. None goes through a proxy unless a setting says
//! so, and never one to this machine itself: what `HTTP_PROXY` and the like name is left to [`crate::config`].

use reqwest::{ClientBuilder, NoProxy, redirect};
use secrecy::ExposeSecret;

use crate::{
    config::Proxy,
    tls::{self, Trust},
};

/// This machine, which is never asked through a proxy.
const THIS_MACHINE: &str = "localhost, 127.0.0.0/8, ::1";

/// The reasons why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Certificates cannot be checked.
    #[error(transparent)]
    Trust(#[from] tls::Error),
    /// The settings contradict each other.
    #[error("the HTTP client cannot be set up")]
    Setup(#[from] reqwest::Error),
}

/// Makes a client that takes these certificates and goes through this proxy; `configure` does the rest.
pub(crate) fn build(
    trust: Trust<'_>,
    proxy: &Proxy,
    configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<reqwest::Client, Error> {
    #[expect(clippy::disallowed_methods, reason = "here they are made")]
    let builder = reqwest::Client::builder();
    let builder = builder
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .tls_backend_preconfigured(trust.client_config()?)
        // Else the variables of the environment would hold.
        .no_proxy();
    let builder = rules(proxy)?.into_iter().fold(builder, ClientBuilder::proxy);
    Ok(configure(builder).build()?)
}

/// Returns what goes through which proxy.
fn rules(proxy: &Proxy) -> reqwest::Result<Vec<reqwest::Proxy>> {
    let except = |exempt: &str| NoProxy::from_string(&format!("{THIS_MACHINE}, {exempt}"));
    match proxy {
        Proxy::None => Ok(Vec::new()),
        Proxy::At(url) => Ok(vec![reqwest::Proxy::all(url.as_url().clone())?.no_proxy(except(""))]),
        Proxy::Environment(variables) => {
            let http = variables.http.iter().map(|url| reqwest::Proxy::http(url.expose_secret()));
            let https = variables.https.iter().map(|url| reqwest::Proxy::https(url.expose_secret()));
            let exempt = |rule: reqwest::Proxy| rule.no_proxy(except(&variables.exempt));
            http.chain(https).map(|rule| rule.map(exempt)).collect()
        }
    }
}
