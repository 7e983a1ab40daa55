//! ARIN's API keys: each belongs to a user and a config. A run uses one of them.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    secret_file::{UnusableFile, read_private, read_secret},
    toml_text::{Mistake, table},
};

/// The API keys of a keys file, in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keyring {
    keys: Vec<ApiKey>,
}

/// One person's API key for one config.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Name of the RIR config.
    pub config: String,
    /// The NetBox user whose key it is.
    pub user: String,
    /// The key itself.
    pub secret: SecretString,
}

/// A keys file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidKeys {
    /// It, or a file that it names, cannot be used.
    #[error("the keys file {}", .0.display())]
    File(PathBuf, #[source] UnusableFile),
    /// It is not a TOML file of `[[key]]` tables. The cause names the line, but never its content.
    #[error("the keys file {} cannot be understood near line {line}: {problem}", path.display())]
    #[expect(missing_docs, reason = "the names say it")]
    Syntax { path: PathBuf, line: usize, problem: String },
    /// The table of this config and user lacks a key or has two.
    #[error("key for config {0:?} and user {1:?}: give exactly one of `api_key` and `api_key_file`")]
    OneSource(String, String),
    /// Two tables are for this config and user.
    #[error("two keys for config {0:?} and user {1:?}; remove one")]
    Twice(String, String),
}

/// There is no key that a run may use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// The user has none for this config.
    #[error("user {user:?} has no API key for config {config:?}; add one to the keys file (keys.file)")]
    #[expect(missing_docs, reason = "the names say it")]
    OfUser { config: String, user: String },
    /// Nobody has one for this config.
    #[error("there is no API key for config {config:?}; add a [[key]] table for it to the keys file (keys.file)")]
    #[expect(missing_docs, reason = "the names say it")]
    OfAnybody { config: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    key: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    config: String,
    user: String,
    api_key: Option<SecretString>,
    api_key_file: Option<PathBuf>,
}

impl PartialEq for ApiKey {
    fn eq(&self, other: &Self) -> bool {
        let Self { config, user, secret } = self;
        *config == other.config && *user == other.user && secret.expose_secret() == other.secret.expose_secret()
    }
}

impl Keyring {
    /// Reads a keys file.
    ///
    /// # Errors
    /// When it cannot be read or understood, or is open to others.
    pub fn load(path: &Path) -> Result<Self, InvalidKeys> {
        let text = read_private(path).map_err(|error| InvalidKeys::File(path.to_owned(), error))?;
        let document: Document = table(&text).map_err(|Mistake { line, problem }| {
            let path = path.to_owned();
            InvalidKeys::Syntax { path, line, problem }
        })?;
        let mut keys: Vec<ApiKey> = Vec::new();
        for table in document.key {
            let key = table.read()?;
            if keys.iter().any(|other| other.config == key.config && other.user == key.user) {
                return Err(InvalidKeys::Twice(key.config, key.user));
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// Makes a keyring of one key, as for a demonstration.
    #[must_use]
    pub fn of_one(config: &str, user: &str, secret: SecretString) -> Self {
        Self { keys: vec![ApiKey { config: config.to_owned(), user: user.to_owned(), secret }] }
    }

    /// Adds a key.
    #[must_use]
    pub fn and(mut self, config: &str, user: &str, secret: SecretString) -> Self {
        self.keys.push(ApiKey { config: config.to_owned(), user: user.to_owned(), secret });
        self
    }

    /// Chooses the key that a run of `config` uses: that of the user who asks; for a run that nobody asked for, that of
    /// the user whose key was used last, else the first.
    ///
    /// # Errors
    /// When there is none; a user who asks never gets somebody else's.
    pub fn choose(&self, config: &str, asks: Option<&str>, used_last: Option<&str>) -> Result<&ApiKey, NoKey> {
        let mut ours = self.of(config);
        let of_user = |user: &str| self.of(config).find(|key| key.user == user);
        match asks {
            Some(user) => {
                of_user(user).ok_or_else(|| NoKey::OfUser { config: config.to_owned(), user: user.to_owned() })
            }
            None => used_last
                .and_then(of_user)
                .or_else(|| ours.next())
                .ok_or_else(|| NoKey::OfAnybody { config: config.to_owned() }),
        }
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the names of the configs that there are keys for, in the file's order.
    pub fn configs(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.config.as_str())
    }

    /// Returns the keys for a config, in the file's order.
    pub fn of(&self, config: &str) -> impl Iterator<Item = &ApiKey> {
        self.keys.iter().filter(move |key| key.config == config)
    }
}

impl Table {
    fn read(self) -> Result<ApiKey, InvalidKeys> {
        let Self { config, user, api_key, api_key_file } = self;
        let secret = match (api_key, api_key_file) {
            (Some(key), None) => key,
            (None, Some(path)) => read_secret(&path).map_err(|error| InvalidKeys::File(path, error))?,
            (Some(_), Some(_)) | (None, None) => return Err(InvalidKeys::OneSource(config, user)),
        };
        Ok(ApiKey { config, user, secret })
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str, mode: u32) -> tempfile::NamedTempFile {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    fn table(config: &str, user: &str) -> String {
        format!("[[key]]\nconfig = \"{config}\"\nuser = \"{user}\"\napi_key = \"API-{user}\"\n")
    }

    fn ring(tables: &[(&str, &str)]) -> Keyring {
        let text: String = tables.iter().map(|(config, user)| table(config, user)).collect();
        Keyring::load(file(&text, 0o600).path()).unwrap()
    }

    #[test]
    fn a_file_everybody_can_read_is_refused() {
        let error = Keyring::load(file(&table("A", "ann"), 0o644).path()).unwrap_err();
        assert!(matches!(error, InvalidKeys::File(_, UnusableFile::Exposed(_))));
        assert!(Keyring::load(file(&table("A", "ann"), 0o640).path()).is_ok());
    }

    #[test]
    fn who_asks_gets_their_own_key_or_none() {
        let ring = ring(&[("A", "ann"), ("A", "bob")]);
        assert_eq!(ring.choose("A", Some("bob"), Some("ann")).unwrap().user, "bob");
        assert_eq!(
            ring.choose("A", Some("eve"), None).unwrap_err(),
            NoKey::OfUser { config: "A".into(), user: "eve".into() }
        );
    }

    #[test]
    fn a_run_nobody_asked_for_uses_the_last_key_or_else_the_first() {
        let ring = ring(&[("B", "zoe"), ("A", "ann"), ("A", "bob")]);
        assert_eq!(ring.choose("A", None, Some("bob")).unwrap().user, "bob");
        assert_eq!(ring.choose("A", None, Some("gone")).unwrap().user, "ann");
        assert_eq!(ring.choose("C", None, None).unwrap_err(), NoKey::OfAnybody { config: "C".into() });
    }

    #[test]
    fn a_mistake_in_the_file_is_named_without_showing_the_key() {
        let text = format!("{}api_kee = \"API-SECRET\"\n", table("A", "ann"));
        let error = Keyring::load(file(&text, 0o600).path()).unwrap_err();
        assert!(matches!(error, InvalidKeys::Syntax { line: 5, .. }), "{error}");
        assert!(!error.to_string().contains("SECRET") && !format!("{error:?}").contains("SECRET"));
    }

    #[test]
    fn a_key_may_stand_in_a_file_of_its_own() {
        let secret = file("API-X\n", 0o600);
        let text = format!("[[key]]\nconfig = \"A\"\nuser = \"ann\"\napi_key_file = {:?}\n", secret.path());
        let ring = Keyring::load(file(&text, 0o600).path()).unwrap();
        assert_eq!(ring.choose("A", None, None).unwrap().secret.expose_secret(), "API-X");
    }

    #[test]
    fn two_keys_for_one_user_are_refused() {
        let text = table("A", "ann") + &table("A", "ann");
        assert!(matches!(Keyring::load(file(&text, 0o600).path()), Err(InvalidKeys::Twice { .. })));
    }
}
