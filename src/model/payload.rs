//! What the registry sent, word for word.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A payload as received, elements as objects, with the digest that tells it from any other.
///
/// The digest is made once. The document may be dropped when it has been written; the digest stays.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    json: Value,
    digest: String,
}

impl Default for Payload {
    fn default() -> Self {
        Self::new(Value::Null)
    }
}

impl Payload {
    /// Takes a document.
    #[must_use]
    pub fn new(json: Value) -> Self {
        Self { digest: digest(&json.to_string()), json }
    }

    /// The document; null once it was dropped.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The [`digest`] of the document.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Drops the document, which takes most of the memory of a registered object.
    pub fn drop_document(&mut self) {
        self.json = Value::Null;
    }
}

/// Returns half of a SHA-256 in hex: enough to tell any two contents apart.
#[must_use]
pub fn digest(content: &str) -> String {
    Sha256::digest(content.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
