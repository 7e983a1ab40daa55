//! The documents that the registry sent, word for word.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The largest document that is kept, in bytes. Fifty of them are one request to NetBox, which takes 2.5 MiB at the most.
const MAX_BYTES: usize = 32 * 1024;

/// A payload as received, elements as objects, with the digest that tells it from any other.
///
/// It is kept as text, which takes a fraction of the memory of a tree. The digest is made once. The document may be
/// dropped when it has been written; the digest stays. Of a document that is larger than anybody reads the digest is kept
/// alone, with a note in the document's place.
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
        let digest = digest(&text);
        let text = if text.len() > MAX_BYTES { too_large(text.len()) } else { text };
        Self { digest, text: text.into() }
    }

    /// Takes the digest alone, of a document that is in NetBox already.
    #[must_use]
    pub fn recorded(digest: &str) -> Self {
        Self { text: Box::default(), digest: digest.to_owned() }
    }

    /// Returns whether the document is at hand, too.
    #[must_use]
    pub fn has_document(&self) -> bool {
        !self.text.is_empty()
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

/// Returns the note that stands for a document of so many bytes.
fn too_large(bytes: usize) -> String {
    let note =
        format!("The document has {bytes} bytes, and {MAX_BYTES} are kept at the most; ask the registry for it.");
    json!({ "#omitted": note }).to_string()
}

/// Returns half of a SHA-256 in hex: enough to tell any two contents apart.
#[must_use]
pub fn digest(content: &str) -> String {
    Sha256::digest(content.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_too_large_is_a_note_and_keeps_its_digest() {
        let payload = |length: usize| Payload::new(&Value::String("x".repeat(length)));
        let (kept, omitted) = (payload(MAX_BYTES - 2), payload(MAX_BYTES - 1));
        assert_eq!(kept.json().as_str().map(str::len), Some(MAX_BYTES - 2));
        insta::assert_snapshot!(omitted.json(), @r##"{"#omitted":"The document has 32769 bytes, and 32768 are kept at the most; ask the registry for it."}"##);
        assert_ne!(omitted.digest(), payload(MAX_BYTES).digest());
    }
}
