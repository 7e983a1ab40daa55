//! Files in TOML that may hold secrets: a mistake in one is told without showing the line that it is in.

use serde::de::DeserializeOwned;

/// A mistake in a text.
pub(super) struct Mistake {
    pub(super) line: usize,
    pub(super) problem: String,
}

/// Reads a text.
pub(super) fn table<T: DeserializeOwned>(text: &str) -> Result<T, Mistake> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        Mistake { line, problem: error.message().to_owned() }
    })
}
