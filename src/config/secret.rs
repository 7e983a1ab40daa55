//! Secrets that may change while the process runs.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::RwLock;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use super::secret_file::{UnusableFile, read_secret};

/// A secret from a setting, or from a file, which is read again when it may have changed. Cheap to clone; clones change
/// together.
#[derive(Clone)]
pub struct Secret(Arc<Origin>);

struct Origin {
    file: Option<PathBuf>,
    /// The number of characters that it has to have.
    least: usize,
    held: RwLock<Held>,
}

/// The secret as it was read last, and how often it was another one before.
struct Held {
    secret: SecretString,
    version: u64,
}

impl Secret {
    /// Reads the secret from a file that holds nothing else, and at least so many characters.
    pub(super) fn from_file(path: &Path, least: usize) -> Result<Self, UnusableFile> {
        let secret = read(path, least)?;
        // What is no regular file, such as a pipe, tells its secret once.
        let file = path.is_file().then(|| path.to_owned());
        Ok(Self::new(file, least, secret))
    }

    fn new(file: Option<PathBuf>, least: usize, secret: SecretString) -> Self {
        Self(Arc::new(Origin { file, least, held: RwLock::new(Held { secret, version: 0 }) }))
    }

    /// Returns the secret of now.
    #[must_use]
    pub fn now(&self) -> SecretString {
        self.0.held.read().secret.clone()
    }

    /// Returns how often it was another one before.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.held.read().version
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length() == 0
    }

    /// Returns the number of its bytes, without space around it.
    pub(super) fn length(&self) -> usize {
        self.0.held.read().secret.expose_secret().trim().len()
    }

    /// Returns the file that it is read from, if that can be read again.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// Reads its file again, if it has one. Returns whether the secret is another one now.
    ///
    /// # Errors
    /// When the file cannot be used; the secret then stays as it was.
    pub fn read_again(&self) -> Result<bool, UnusableFile> {
        let Some(path) = &self.0.file else { return Ok(false) };
        let secret = read(path, self.0.least)?;
        let mut held = self.0.held.write();
        let changed = held.secret.expose_secret() != secret.expose_secret();
        if changed {
            *held = Held { secret, version: held.version.wrapping_add(1) };
        }
        Ok(changed)
    }

    /// Returns whether the secret is another one than that of `version`, after another look at its file. For whoever was
    /// refused with it; a file that cannot be used holds no other.
    #[must_use]
    pub fn is_newer_than(&self, version: u64) -> bool {
        self.version() != version || self.read_again().unwrap_or(false)
    }
}

fn read(path: &Path, least: usize) -> Result<SecretString, UnusableFile> {
    let secret = read_secret(path)?;
    if secret.expose_secret().len() < least { Err(UnusableFile::TooShort(least)) } else { Ok(secret) }
}

impl From<SecretString> for Secret {
    fn from(secret: SecretString) -> Self {
        Self::new(None, 0, secret)
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        SecretString::from(secret).into()
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        SecretString::from(secret).into()
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        SecretString::deserialize(from).map(Self::from)
    }
}

/// Shows where it comes from only.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("file", &self.0.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn text(secret: &Secret) -> String {
        secret.now().expose_secret().to_owned()
    }

    #[test]
    fn a_secret_in_a_file_changes_with_it_for_all_that_have_it() {
        let file = file("first\n");
        let secret = Secret::from_file(file.path(), 0).unwrap();
        let (other, version) = (secret.clone(), secret.version());
        assert!(!secret.read_again().unwrap());
        std::fs::write(file.path(), "second\n").unwrap();
        assert!(secret.is_newer_than(version));
        assert_eq!((text(&other), other.version()), ("second".to_owned(), 1));
        assert!(other.is_newer_than(version), "it was read already");
        assert!(!other.is_newer_than(1));
    }

    #[test]
    fn a_file_that_cannot_be_used_any_more_leaves_the_secret_as_it_was() {
        let file = file("long enough");
        let secret = Secret::from_file(file.path(), 8).unwrap();
        for bad in ["", "short"] {
            std::fs::write(file.path(), bad).unwrap();
            assert!(secret.read_again().is_err(), "{bad}");
            assert!(!secret.is_newer_than(0));
        }
        drop(file);
        assert!(matches!(secret.read_again(), Err(UnusableFile::Unreadable(_))));
        assert_eq!(text(&secret), "long enough");
    }

    #[test]
    fn a_secret_in_a_setting_stays() {
        let secret = Secret::from("given");
        assert!(!secret.read_again().unwrap() && secret.file().is_none());
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert!(!format!("{:?}", Secret::from("canary")).contains("canary"));
    }
}
