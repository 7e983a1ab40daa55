//! Words of commands that a person is told to run. Leaf: anyone who shows a command may use it.

use std::borrow::Cow;

/// Returns a text so that a shell takes it as one word and runs nothing of it, whoever wrote it. A text with a NUL, which
/// no command can be given and NetBox does not keep, becomes the empty word.
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    shlex::try_quote(text).unwrap_or(Cow::Borrowed("''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_sees_one_word_whatever_the_text_is() {
        for text in ["plain", "two words", "O'Hare; rm -rf /", "$(id) `id` \"x\"", "-x", "", "a\nb", "\\", "é!"] {
            let told = Command::new("sh").arg("-c").arg(format!("printf %s {}", shell_word(text))).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&told.stdout), text);
        }
        assert_eq!(shell_word("a\0b"), "''");
    }
}
