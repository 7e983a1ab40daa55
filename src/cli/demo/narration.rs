//! What the demo says.

use crate::cli::output;

/// Begins a chapter.
pub(super) fn title(text: &str) {
    output::out(&format!("\n== {text}"));
}

/// Says something in it.
pub(super) fn say(text: &str) {
    output::out(text);
}
