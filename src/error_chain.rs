//! An error with its causes, for a line of a log or an answer.
//!
//! Every error is logged as `error = %error_chain(&error)`: an error that is logged by itself loses its causes, in JSON even as
//! a `dyn Error`. A test looks for other ways.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Told(&'static str, #[source] Option<Box<Told>>);

    fn chain(texts: &[&'static str]) -> String {
        let error = texts.iter().rev().fold(None, |cause, text| Some(Box::new(Told(text, cause))));
        error_chain(&*error.unwrap())
    }

    #[test]
    fn causes_follow_and_none_is_told_twice() {
        assert_eq!(chain(&["no connection"]), "no connection");
        assert_eq!(chain(&["cannot ask", "no connection", "refused"]), "cannot ask: no connection: refused");
        assert_eq!(chain(&["cannot ask: refused", "refused"]), "cannot ask: refused");
    }
}
