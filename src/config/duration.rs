//! Durations as people write them: `2s`, `500ms`, `90 days`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// Reads a duration with its unit.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    humantime::parse_duration(&text)
        .map_err(|cause| D::Error::custom(format!("`{text}` is not a duration such as `2s` or `90days`: {cause}")))
}
