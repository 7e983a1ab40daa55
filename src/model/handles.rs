//! Names of things: the handles that ARIN gives out, the registry instance that a handle comes from, and the key that
//! tells the handles of two instances apart.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{Serialize, Serializer};
use url::{Position, Url};

/// A handle of nothing but space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a handle cannot be empty")]
pub struct EmptyHandle;

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = EmptyHandle;

            fn try_from(text: String) -> Result<Self, EmptyHandle> {
                Self::new(&text).ok_or(EmptyHandle)
            }
        }

        impl $name {
            /// Takes the handle as ARIN wrote it, without surrounding space and in upper case: ARIN's handles are
            /// case-insensitive and printed in upper case. `None` when nothing is left.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                let text = text.trim();
                (!text.is_empty()).then(|| Self(text.to_uppercase()))
            }

            /// Returns the handle as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

handle!(
    /// Handle of an organization, `EXAMPLE-1`.
    OrgHandle
);
handle!(
    /// Handle of a point of contact, `EXAMP-ARIN`.
    PocHandle
);
handle!(
    /// Handle of a customer, `C00000001`.
    CustomerHandle
);
handle!(
    /// Handle of a net, `NET-192-0-2-0-1`.
    NetHandle
);

/// One registry database: ARIN's production, its test environment, or another base URL an operator allowed.
///
/// Handles are unique inside one instance only. Base URLs that differ in scheme, host, port or path are different ones. It is cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance(Arc<str>);

impl Instance {
    /// Base URL of ARIN's production system.
    pub const PRODUCTION: &str = "https://reg.arin.net";
    /// Base URL of ARIN's operational test and evaluation environment.
    pub const OTE: &str = "https://reg.ote.arin.net";

    /// Base URL of the public listing of ARIN's production system.
    pub const LISTING: &str = "https://whois.arin.net/rest";
    /// Base URL of the public listing of the test environment.
    pub const OTE_LISTING: &str = "https://whois.ote.arin.net/rest";

    /// Names the instance behind a base URL: `arin`, `arin-ote`, or `arin@` and the URL for any other. `https` goes without
    /// saying, and so do a slash at the end and the usual port: `arin@host`, `arin@host:8443/path`, `arin@http://host`.
    #[must_use]
    pub fn of(base_url: &Url) -> Self {
        Self(match place(base_url).as_str() {
            "reg.arin.net" => "arin".into(),
            "reg.ote.arin.net" => "arin-ote".into(),
            place => format!("arin@{place}").into(),
        })
    }

    /// Names the public listing behind a base URL, whose requests are counted apart: `whois`, `whois-ote`, or `whois@` and
    /// the URL for any other, written as in [`Instance::of`].
    #[must_use]
    pub fn of_listing(base_url: &Url) -> Self {
        Self(match place(base_url).as_str() {
            "whois.arin.net/rest" => "whois".into(),
            "whois.ote.arin.net/rest" => "whois-ote".into(),
            place => format!("whois@{place}").into(),
        })
    }

    /// Returns the key of the object with this handle. What comes behind its last colon is the handle, in which a colon is
    /// written as `%3A`; so no other instance and handle have the same key.
    #[must_use]
    pub fn key(&self, handle: impl fmt::Display) -> Key {
        let handle = handle.to_string();
        let handle = if handle.contains([':', '%']) { handle.replace('%', "%25").replace(':', "%3A") } else { handle };
        Key(format!("{self}:{handle}").into())
    }
}

/// Returns a base URL in the form in which it is part of a name.
fn place(base_url: &Url) -> String {
    let place = base_url[Position::BeforeHost..Position::AfterPath].trim_end_matches('/');
    match base_url.scheme() {
        "https" => place.to_owned(),
        scheme => format!("{scheme}://{place}"),
    }
}

impl Serialize for Instance {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        json.serialize_str(&self.0)
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of a row in NetBox: `arin:NET-192-0-2-0-1`, or `address:` and a digest.
///
/// A hidden unique field holds it, so that two writers at once cannot make the same row twice. It is cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Takes a key as NetBox has it.
    #[must_use]
    pub fn recorded(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the handle, if the key belongs to `instance`.
    #[must_use]
    pub fn handle_at(&self, instance: &Instance) -> Option<Cow<'_, str>> {
        let (of, handle) = self.0.rsplit_once(':')?;
        let written = || match handle.contains('%') {
            true => Cow::Owned(handle.replace("%3A", ":").replace("%25", "%")),
            false => Cow::Borrowed(handle),
        };
        (of == &*instance.0).then(written)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        json.serialize_str(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn instance(url: &str) -> Instance {
        Instance::of(&Url::parse(url).unwrap())
    }

    #[test]
    fn production_and_test_rows_have_different_keys() {
        let keys = ["https://reg.arin.net/", "https://reg.ote.arin.net", "https://proxy.example.net:8443/"]
            .map(|url| instance(url).key("NET-1").to_string());
        assert_eq!(keys, ["arin:NET-1", "arin-ote:NET-1", "arin@proxy.example.net:8443:NET-1"]);
    }

    #[test]
    fn registries_behind_one_host_are_told_apart() {
        let urls = [
            "https://reg.arin.net",
            "http://reg.arin.net",
            "https://reg.arin.net:8443",
            "https://reg.arin.net/ote",
            "https://reg.arin.net/ote/2",
            "https://host",
            "http://host",
            "http://host:443",
            "https://host:80",
            "https://host:8080",
            "http://host:8080",
            "https://host/8080",
            "https://http/host",
            "https://[::1]",
            "https://[::1]:8080",
        ];
        let instances: std::collections::BTreeSet<Instance> = urls.iter().map(|url| instance(url)).collect();
        assert_eq!(instances.len(), urls.len(), "{instances:#?}");
    }

    #[test]
    fn the_same_registry_written_in_another_way_is_the_same_instance() {
        for (one, other) in [
            ("https://reg.arin.net", "https://REG.arin.net:443/"),
            ("http://host/arin", "HTTP://Host:80/arin//"),
            ("https://host", "https://user:secret@host/?query#fragment"),
        ] {
            assert_eq!(instance(one), instance(other));
        }
    }

    #[test]
    fn a_listing_has_a_name_of_its_own() {
        let named = |url: &str| Instance::of_listing(&Url::parse(url).unwrap()).to_string();
        assert_eq!([Instance::LISTING, Instance::OTE_LISTING].map(named), ["whois", "whois-ote"]);
        assert_eq!(named("http://127.0.0.1:8080/whois/rest"), "whois@http://127.0.0.1:8080/whois/rest");
    }

    #[test]
    fn a_key_gives_its_handle_to_its_own_instance_only() {
        let (production, ote) = (instance(Instance::PRODUCTION), instance(Instance::OTE));
        let key = production.key("NET-1");
        assert_eq!(key.handle_at(&production).as_deref(), Some("NET-1"));
        assert_eq!(key.handle_at(&ote), None);
        let port = instance("https://host:8080").key("NET-1");
        assert_eq!(port.handle_at(&instance("https://host")), None);
    }

    fn any_instance() -> impl Strategy<Value = Instance> {
        let host = prop::sample::select(vec!["host", "reg.arin.net", "reg.ote.arin.net", "[::1]", "http"]);
        let port = prop::sample::select(vec!["", ":80", ":443", ":8080"]);
        let path = prop::sample::select(vec!["", "/a", "/a/b", "/:8080", "/a:NET-1", "/a%3Ab", "//host"]);
        let scheme = prop::sample::select(vec!["http", "https"]);
        (scheme, host, port, path)
            .prop_map(|(scheme, host, port, path)| instance(&format!("{scheme}://{host}{port}{path}")))
    }

    proptest! {
        #[test]
        fn no_two_instances_and_handles_share_a_key(
            one in (any_instance(), "[A-Z0-9:%/@-]{1,8}"),
            other in (any_instance(), "[A-Z0-9:%/@-]{1,8}"),
        ) {
            let key = |(instance, handle): &(Instance, String)| instance.key(handle);
            let written = key(&one);
            prop_assert_eq!(written == key(&other), one == other);
            let read = written.handle_at(&one.0);
            prop_assert_eq!(read.as_deref(), Some(one.1.as_str()));
            prop_assert_eq!(written.handle_at(&other.0).is_some(), one.0 == other.0);
        }
    }

    #[test]
    fn an_empty_handle_is_no_handle() {
        assert_eq!(OrgHandle::new("  "), None);
        assert_eq!(OrgHandle::new(" example-1 ").unwrap().as_str(), "EXAMPLE-1");
    }
}
