//! Names of things: the handles that ARIN gives out, the registry instance that a handle comes from, and the key that
//! tells the handles of two instances apart.

use std::fmt;

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
/// Handles are unique inside one instance only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Instance(String);

impl Instance {
    /// Base URL of ARIN's production system.
    pub const PRODUCTION: &str = "https://reg.arin.net";
    /// Base URL of ARIN's operational test and evaluation environment.
    pub const OTE: &str = "https://reg.ote.arin.net";

    /// Names the instance behind a base URL: `arin`, `arin-ote`, or `arin@host:port` for any other.
    #[must_use]
    pub fn of(base_url: &url::Url) -> Self {
        let production = ("reg.arin.net", "arin");
        let ote = ("reg.ote.arin.net", "arin-ote");
        let host = base_url.host_str().unwrap_or_default();
        let known = [production, ote].into_iter().find(|(name, _)| *name == host);
        Self(match (known, base_url.port()) {
            (Some((_, short)), None) => short.to_owned(),
            (_, Some(port)) => format!("arin@{host}:{port}"),
            (None, None) => format!("arin@{host}"),
        })
    }

    /// Returns the key of the object with this handle.
    #[must_use]
    pub fn key(&self, handle: impl fmt::Display) -> Key {
        Key(format!("{self}:{handle}"))
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of a row in NetBox: `arin:NET-192-0-2-0-1`, or `address:` and a digest.
///
/// A hidden unique field holds it, so that two writers at once cannot make the same row twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Key(String);

impl Key {
    /// Takes a key as NetBox has it.
    #[must_use]
    pub fn recorded(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the handle, if the key belongs to `instance`.
    #[must_use]
    pub fn handle_at(&self, instance: &Instance) -> Option<&str> {
        self.0.strip_prefix(&instance.0)?.strip_prefix(':')
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(url: &str) -> Instance {
        Instance::of(&url::Url::parse(url).unwrap())
    }

    #[test]
    fn production_and_test_rows_have_different_keys() {
        let keys = ["https://reg.arin.net/", "https://reg.ote.arin.net", "http://127.0.0.1:8080/"]
            .map(|url| instance(url).key("NET-1").to_string());
        assert_eq!(keys, ["arin:NET-1", "arin-ote:NET-1", "arin@127.0.0.1:8080:NET-1"]);
    }

    #[test]
    fn a_key_gives_its_handle_to_its_own_instance_only() {
        let (production, ote) = (instance(Instance::PRODUCTION), instance(Instance::OTE));
        let key = production.key("NET-1");
        assert_eq!(key.handle_at(&production), Some("NET-1"));
        assert_eq!(key.handle_at(&ote), None);
    }

    #[test]
    fn an_empty_handle_is_no_handle() {
        assert_eq!(OrgHandle::new("  "), None);
        assert_eq!(OrgHandle::new(" example-1 ").unwrap().as_str(), "EXAMPLE-1");
    }
}
