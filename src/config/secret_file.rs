//! Files that hold one secret.

use std::{io, path::Path};

use secrecy::SecretString;

/// Reads a secret from a file that holds nothing else; surrounding space is not part of it.
///
/// # Errors
/// When the file cannot be read or holds nothing.
pub(super) fn secret_file(path: &Path) -> io::Result<SecretString> {
    let text = std::fs::read_to_string(path)?;
    match text.trim() {
        "" => Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty")),
        secret => Ok(SecretString::from(secret)),
    }
}
