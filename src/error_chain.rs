//! An error with its causes, for a line of a log or an answer.

use std::error::Error;

/// Returns the error's text followed by those of its causes, on one line. A cause that the text before it ends with
/// already is not repeated.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
