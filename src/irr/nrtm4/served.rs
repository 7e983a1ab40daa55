//! Files as they are served: their hash is that of the packed bytes.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::hex;

/// The SHA-256 of a file as it is served; its text is 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Hash(pub [u8; 32]);

/// Reads a file as it is served, and keeps account of its hash.
pub(super) struct Served<R> {
    from: R,
    digest: Sha256,
}

impl<R> Served<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, digest: Sha256::new() }
    }

    /// Returns the hash of what was read.
    pub(super) fn hash(&self) -> Sha256Hash {
        Sha256Hash(self.digest.clone().finalize().into())
    }
}

impl<R: BufRead> BufRead for Served<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.from.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What is consumed is what was filled, so that this cannot fail.
        if let Ok(bytes) = self.from.fill_buf() {
            self.digest.update(bytes.get(..amount).unwrap_or(bytes));
        }
        self.from.consume(amount);
    }
}

impl<R: BufRead> Read for Served<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl Sha256Hash {
    /// Returns the hash of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hex digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text.as_bytes()).filter(|_| text.len() == 64)?;
        bytes.try_into().ok().map(Self)
    }
}

impl TryFrom<String> for Sha256Hash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text).ok_or("a hash is 64 hex digits")
    }
}

impl From<Sha256Hash> for String {
    fn from(hash: Sha256Hash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for Sha256Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Sha256Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
