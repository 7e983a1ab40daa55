//! The errors of a tick.

use crate::{netbox, queue, supervise::Panicked};

/// A tick, or a part of one, that failed. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("could not read NetBox")]
    NetBox(#[from] netbox::Error),
    #[error("could not queue jobs")]
    Queue(#[from] queue::Error),
    #[error(transparent)]
    Panicked(#[from] Panicked),
}
