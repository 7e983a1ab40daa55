//! Takes the objects of a dump or a snapshot: checks them on a thread that may wait, and hands them on in batches to whoever
//! writes them.

use std::collections::BTreeSet;

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::{error::UpdateError, fingerprint::Fingerprint};
use crate::{
    config::IrrSource,
    irr::{
        dump::{DumpText, failure_of},
        rejects::Rejects,
        rpsl::{Checked, Class, Object, ObjectFault, Paragraph, Paragraphs, Rejected, check},
        source::SourceName,
    },
};

/// So many batches of objects wait to be written while more are read.
const AHEAD: usize = 4;
/// The objects of a batch: about 300 KB.
const BATCH: usize = 1000;

/// What objects are handed to.
#[derive(Debug)]
pub(super) struct Intake {
    source: SourceName,
    wanted: Option<BTreeSet<Class>>,
    objects: Sender<Vec<Object>>,
    batch: Vec<Object>,
    rejects: Rejects,
}

impl Intake {
    /// Makes one for a source, and what its batches come out of.
    pub(super) fn of(source: &IrrSource) -> (Self, Receiver<Vec<Object>>) {
        let (objects, batches) = mpsc::channel(AHEAD);
        let (source, wanted) = (source.name.clone(), wanted(source));
        (Self { source, wanted, objects, batch: Vec::with_capacity(BATCH), rejects: Rejects::default() }, batches)
    }

    /// Checks an object and takes it, or counts why it is left out. May wait.
    pub(super) fn take(&mut self, text: &str) -> Result<(), UpdateError> {
        match check(text, &self.source, self.wanted.as_ref()) {
            Checked::Taken(object) => self.batch.push(object),
            Checked::Rejected(rejected) => self.rejects.add(&rejected),
            Checked::Unwanted(_) | Checked::Leftover => {}
        }
        if self.batch.len() < BATCH { Ok(()) } else { self.hand_on() }
    }

    /// Counts why something is left out that did not even become an object.
    pub(super) fn reject(&mut self, rejected: &Rejected) {
        self.rejects.add(rejected);
    }

    /// Hands on what is left, and returns what was left out.
    pub(super) fn end(mut self) -> Result<Rejects, UpdateError> {
        self.hand_on()?;
        Ok(self.rejects)
    }

    fn hand_on(&mut self) -> Result<(), UpdateError> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        // Nobody writes any more: the run has failed already.
        self.objects.blocking_send(batch).map_err(|_| UpdateError::Overtaken)
    }
}

/// Returns the classes that are mirrored; `None` for all of them.
pub(super) fn wanted(source: &IrrSource) -> Option<BTreeSet<Class>> {
    (!source.classes.is_empty()).then(|| source.classes.clone())
}

/// Reads a dump to its end; returns what tells it from others, and what was left out.
pub(super) fn read_dump(text: DumpText, mut intake: Intake) -> Result<(Fingerprint, Rejects), UpdateError> {
    let mut paragraphs = Paragraphs::new(text);
    while let Some(paragraph) = paragraphs.next_paragraph().map_err(failure_of)? {
        match paragraph {
            Paragraph::Text(text) => intake.take(text)?,
            Paragraph::TooLong { begins, bytes } => {
                intake.reject(&Rejected::new(begins, None, ObjectFault::TooLong { bytes }));
            }
        }
    }
    let is_marked = paragraphs.saw_eof();
    let receipt = paragraphs.into_inner().finish()?;
    Ok((Fingerprint::of(&receipt, is_marked), intake.end()?))
}
