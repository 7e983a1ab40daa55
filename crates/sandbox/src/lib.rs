//! Stand-ins for ARIN, NetBox and a routing registry, for the demo and the tests.
//!
//! They speak real HTTP on a loopback port, the registry NRTM, too. They write and read their XML and JSON by themselves and share no codec
//! with the clients, so that a mistake in a client cannot agree with itself here. A [`world::World`] describes what
//! they serve.

mod call;
pub mod irr;
mod limit;
mod line;
pub mod netbox;
mod populate;
pub mod regrws;
mod served;
mod server;
mod spoilt;
pub mod whois;
pub mod world;

pub use call::Call;
pub use limit::{Count, Counted, Limit, RetryAfter};
pub use populate::populate;
pub use served::Editing;
pub use server::StartError;

/// The HTTP client of the tests, which follows no redirect. It wants a TLS provider although nothing here is encrypted.
#[cfg(test)]
fn http_client() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(clippy::disallowed_methods, reason = "the program's own clients are not for the tests")]
    let builder = reqwest::Client::builder();
    builder.redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}
