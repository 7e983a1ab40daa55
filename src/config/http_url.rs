//! URLs in settings. None of them holds a secret, so each may be shown.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};
use url::{Host, Url};

/// An `http` or `https` URL with a host, and without user name, password, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpUrl(Url);

/// A base URL that ARIN's API keys may be sent to: encrypted, or on this machine. It ends without a slash, so that equal
/// ones are written alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryUrl(Url);

/// The reasons why a text is not such a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitUrl {
    /// It is something else.
    #[error("is not an http or https URL")]
    NotHttp,
    /// It shows a secret to whoever sees it: in logs, errors and lists of processes.
    #[error("holds a user name or password")]
    Credentials,
    /// Paths are added to it, so nothing may come behind its own.
    #[error("goes on with a query or fragment; leave away what begins with `?` or `#`")]
    Query,
    /// Whoever sits on the way would read the API key, or answer in the registry's place.
    #[error(
        "is not encrypted, so that others could read what is sent, an API key too, or forge answers; write https (http is \
         for this machine only)"
    )]
    NotEncrypted,
}

impl HttpUrl {
    /// Returns it as a URL that may be built upon.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl RegistryUrl {
    /// Returns it as a URL that may be built upon.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for HttpUrl {
    type Err = UnfitUrl;

    fn from_str(text: &str) -> Result<Self, UnfitUrl> {
        // A base URL has no use for this character, and a password that is not encoded could stand in the path.
        if text.contains('@') {
            return Err(UnfitUrl::Credentials);
        }
        let url = Url::parse(text).map_err(|_| UnfitUrl::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(UnfitUrl::NotHttp);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(UnfitUrl::Query);
        }
        Ok(Self(url))
    }
}

impl FromStr for RegistryUrl {
    type Err = UnfitUrl;

    fn from_str(text: &str) -> Result<Self, UnfitUrl> {
        let HttpUrl(mut url) = text.parse()?;
        if url.scheme() == "http" && !is_this_machine(&url) {
            return Err(UnfitUrl::NotEncrypted);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

/// Returns whether a URL leads to this machine itself.
pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RegistryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl<'de> Deserialize<'de> for HttpUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|unfit| D::Error::custom(describe(&text, unfit)))
    }
}

impl<'de> Deserialize<'de> for RegistryUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|unfit| D::Error::custom(describe(&text, unfit)))
    }
}

/// Says what is wrong with a text that should be a URL, without what is secret in it.
pub(super) fn describe(text: &str, unfit: UnfitUrl) -> String {
    format!("`{}` {unfit}", presentable_url(text))
}

/// Returns a URL, or what somebody took for one, without credentials, query and fragment.
#[must_use]
pub fn presentable_url(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    // What stands before the last one may all be a password that is not encoded.
    let public = rest.rsplit('@').next().unwrap_or_default();
    let public = public.split(['?', '#']).next().unwrap_or_default();
    let known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if known { format!("{scheme}://{public}") } else { public.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(text: &str) -> Result<String, UnfitUrl> {
        text.parse::<HttpUrl>().map(|url| url.to_string())
    }

    fn registry(text: &str) -> Result<String, UnfitUrl> {
        text.parse::<RegistryUrl>().map(|url| url.to_string())
    }

    #[test]
    fn a_url_with_a_secret_in_it_is_none() {
        for text in [
            "https://user:secret@netbox.example.net/",
            "https://secret@netbox.example.net/",
            "https://user:sec/ret@netbox.example.net/",
            "user:secret@netbox.example.net",
        ] {
            assert_eq!(http(text), Err(UnfitUrl::Credentials), "{text}");
            assert_eq!(registry(text), Err(UnfitUrl::Credentials), "{text}");
        }
        assert_eq!(http("https://netbox.example.net/?token=secret"), Err(UnfitUrl::Query));
        assert_eq!(http("https://netbox.example.net/#secret"), Err(UnfitUrl::Query));
    }

    #[test]
    fn what_is_no_http_url_is_none() {
        for text in ["", "netbox.test", "netbox.test:8000", "ftp://netbox.test/", "http://", "file:///etc/passwd"] {
            assert_eq!(http(text), Err(UnfitUrl::NotHttp), "{text}");
        }
    }

    #[test]
    fn keys_go_over_plain_http_on_this_machine_only() {
        for text in ["http://127.0.0.1:8080", "http://127.1.2.3", "http://[::1]:8080", "http://localhost:1/arin"] {
            assert_eq!(registry(text).as_deref(), Ok(text));
        }
        for text in [
            "http://reg.arin.net",
            "http://arin-sandbox:8081",
            "http://10.0.0.1",
            "http://[2001:db8::1]",
            "http://localhost.example.net",
            "http://0.0.0.0",
        ] {
            assert_eq!(registry(text), Err(UnfitUrl::NotEncrypted), "{text}");
        }
    }

    #[test]
    fn equal_base_urls_are_written_alike() {
        for text in ["https://reg.arin.net", "https://REG.arin.net:443/", "https://reg.arin.net//"] {
            assert_eq!(registry(text).as_deref(), Ok("https://reg.arin.net"));
        }
        assert_eq!(registry("https://gateway.example.net/arin/").as_deref(), Ok("https://gateway.example.net/arin"));
    }

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        for (text, shown) in [
            ("https://user:secret@netbox.example.net/a?token=secret#x", "https://netbox.example.net/a"),
            ("https://user:sec/ret@netbox.example.net/a", "https://netbox.example.net/a"),
            ("user:secret@netbox.example.net", "netbox.example.net"),
            ("//user:secret@netbox.example.net/x?apikey=secret", "netbox.example.net/x"),
            ("https://netbox.example.net/a", "https://netbox.example.net/a"),
            ("netbox.test", "netbox.test"),
            ("secret://netbox.test", "netbox.test"),
        ] {
            assert_eq!(presentable_url(text), shown, "{text}");
        }
    }
}
