//! Files in TOML that may hold secrets: a mistake in one is told without showing the line that it is in, nor the value that
//! is wrong.

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
        Mistake { line, problem: without_value(error.message()) }
    })
}

/// Returns what a reader says of a wrong value without the value: it may be a secret in the wrong place.
fn without_value(told: &str) -> String {
    let kinds = ["invalid type: ", "invalid value: "].iter();
    let parts = kinds.filter_map(|kind| Some((kind, told.strip_prefix(kind)?.rsplit_once(", expected ")?))).next();
    let Some((kind, (value, expected))) = parts else { return told.to_owned() };
    let what = value.split(['"', '`']).next().unwrap_or_default().trim_end();
    format!("{kind}{what}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_told_by_its_kind() {
        for (told, shown) in [
            (
                r#"invalid type: string "API-1, expected a map", expected a sequence"#,
                "invalid type: string, expected a sequence",
            ),
            ("invalid value: integer `1234`, expected a file", "invalid value: integer, expected a file"),
            ("invalid type: sequence, expected a string", "invalid type: sequence, expected a string"),
            ("unknown field `api_kee`, expected `api_key`", "unknown field `api_kee`, expected `api_key`"),
        ] {
            assert_eq!(without_value(told), shown);
        }
    }
}
