//! Reads the objects of a dump, on a thread that may wait.

use std::collections::BTreeSet;

use tokio::sync::mpsc::Sender;

use super::error::UpdateError;
use crate::irr::{
    dump::{DumpText, Receipt, failure_of},
    rejects::Rejects,
    rpsl::{Checked, Class, Object, Paragraph, Paragraphs, check},
    source::SourceName,
};

/// So many batches of objects wait to be written while more are read.
pub(super) const AHEAD: usize = 4;
/// The objects of a batch: about 300 KB.
pub(super) const BATCH: usize = 1000;

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    /// What came.
    pub(super) receipt: Receipt,
    /// What was left out.
    pub(super) rejects: Rejects,
}

/// Reads a dump to its end, and sends its objects on.
pub(super) fn read_dump(
    text: DumpText,
    source: &SourceName,
    wanted: Option<&BTreeSet<Class>>,
    objects: &Sender<Vec<Object>>,
) -> Result<Read, UpdateError> {
    let mut paragraphs = Paragraphs::new(text);
    let (mut rejects, mut batch) = (Rejects::default(), Vec::with_capacity(BATCH));
    while let Some(paragraph) = paragraphs.next_paragraph().map_err(failure_of)? {
        let text = match paragraph {
            Paragraph::Text(text) => text,
            Paragraph::TooLong { begins, bytes } => {
                rejects.count("too-long", || {
                    format!("the object that begins with {begins:?} has {bytes} bytes, and is left out")
                });
                continue;
            }
        };
        match check(text, source, wanted) {
            Checked::Taken(object) => batch.push(object),
            Checked::Rejected(rejected) => rejects.add(&rejected),
            Checked::Unwanted(_) | Checked::Leftover => {}
        }
        if batch.len() == BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            // Nobody writes any more: the run has failed already.
            objects.blocking_send(full).map_err(|_| UpdateError::Overtaken)?;
        }
    }
    objects.blocking_send(batch).map_err(|_| UpdateError::Overtaken)?;
    Ok(Read { receipt: paragraphs.into_inner().finish()?, rejects })
}
