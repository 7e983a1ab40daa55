//! The documents that the registry sent, word for word.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A payload as received, elements as objects, with the digest that tells it from any other.
///
/// It is kept as text, which takes a fraction of the memory of a tree. The digest is made once. The document may be
/// dropped when it has been written; the digest stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    text: Box<str>,
    digest: String,
}

impl Default for Payload {
    fn default() -> Self {
        Self::new(&Value::Null)
    }
}

impl Payload {
    /// Takes a document.
    #[must_use]
    pub fn new(json: &Value) -> Self {
        let text = json.to_string();
        Self { digest: digest(&text), text: text.into() }
    }

    /// Returns the document; null once it was dropped.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Returns the [`digest`] of the document.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Drops the document, which takes most of the memory of a registered object.
    pub fn drop_document(&mut self) {
        self.text = Box::default();
    }
}

/// Returns half of a SHA-256 in hex: enough to tell any two contents apart.
#[must_use]
pub fn digest(content: &str) -> String {
    Sha256::digest(content.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
