//! Words from outside, made fit to be shown and recorded.

pub(crate) use crate::config::presentable_url;

/// Returns the beginning of a text on one line, at most `max_chars` characters long. NetBox, where it is recorded,
/// takes no control characters.
pub(crate) fn excerpt(text: &str, max_chars: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(char::is_control, "\u{fffd}");
    match line.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_between_characters() {
        assert_eq!(excerpt(&"ü".repeat(300), 200), format!("{}…", "ü".repeat(200)));
    }
}
