//! A writer, and the circumstances that all its batches share.

use std::fmt;

use tokio_util::sync::CancellationToken;

use crate::netbox::client::Client;

/// Writes rows of one custom object type; made by [`Client::writer`].
#[derive(Clone, Copy)]
pub struct Writer<'a> {
    pub(super) client: &'a Client,
    pub(super) slug: &'a str,
    pub(super) message: &'a str,
    pub(super) keep: &'a [&'a str],
    pub(super) stop: Option<&'a CancellationToken>,
    pub(super) progress: Option<&'a (dyn Fn(usize) + Sync)>,
}

impl<'a> Writer<'a> {
    /// Never overwrites these fields of a row that turns out to exist: links, and fields that belong to the operator.
    #[must_use]
    pub fn keeping(self, keep: &'a [&'a str]) -> Self {
        Self { keep, ..self }
    }

    /// Sends nothing more once `stop` is cancelled; the batches under way end.
    #[must_use]
    pub fn until(self, stop: &'a CancellationToken) -> Self {
        Self { stop: Some(stop), ..self }
    }

    /// Tells how many more rows are settled, whatever their outcome, each time some are.
    #[must_use]
    pub fn counting(self, progress: &'a (dyn Fn(usize) + Sync)) -> Self {
        Self { progress: Some(progress), ..self }
    }
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("slug", &self.slug).field("message", &self.message).finish_non_exhaustive()
    }
}

impl Client {
    /// Returns a writer of rows of one of our custom object types; `message` goes to NetBox's change log with each row.
    #[must_use]
    pub fn writer<'a>(&'a self, slug: &'a str, message: &'a str) -> Writer<'a> {
        Writer { client: self, slug, message, keep: &[], stop: None, progress: None }
    }
}
