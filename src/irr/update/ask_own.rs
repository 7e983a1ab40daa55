//! A run of a source that is asked instead of mirrored: its route objects about the operator's own space, and no others.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use sha2::{Digest, Sha256};

use super::{Did, Mirror, UpdateError, Updated, guard};
use crate::{
    config::IrrSource,
    hex,
    irr::{
        rejects::Rejects,
        rpsl::{Checked, Class, Object, ObjectFault, ObjectKey, Paragraph, Paragraphs, Rejected, check},
        source::SourceName,
        store::{Notes, SourceState},
        whois::{self, WhoisError},
    },
    model::Ranges,
};

impl Mirror {
    /// Asks the registry of a source about ranges, none of which lies in another one, and keeps what it has about them: an
    /// answer takes the place of the one before as a whole. Without any range it does nothing. Tells `progress` how many
    /// objects have come, now and then.
    ///
    /// # Errors
    /// As [`Mirror::update`].
    pub async fn ask_own(
        &self,
        source: &IrrSource,
        own: &[IpNet],
        progress: impl Fn(u64),
    ) -> Result<Updated, UpdateError> {
        if own.is_empty() {
            return Ok(Updated { did: Did::NothingToAsk, serial: None, rejects: Rejects::default() });
        }
        let state = self.store.state(&source.name).await?;
        self.noting_trouble(source, self.ask(source, &state, own, &progress)).await
    }

    async fn ask(
        &self,
        source: &IrrSource,
        state: &SourceState,
        own: &[IpNet],
        progress: &impl Fn(u64),
    ) -> Result<Updated, UpdateError> {
        let mut answers = Answers::of(&source.name);
        let take = |range: &IpNet, text: &[u8]| {
            answers.take(range, text)?;
            progress(u64::try_from(answers.objects.len()).unwrap_or(u64::MAX));
            Ok(())
        };
        whois::ask(&source.upstream(), &source.name, own, &self.limits, take).await?;
        let Answers { objects, rejects, .. } = answers;
        let (imported, asked) = (Some(fingerprint(&objects)), own.to_vec());
        let is_asked_anew = state.wants_reload() || state.shrink_is_accepted();
        if state.holding.is_some() && state.notes.imported == imported && !is_asked_anew {
            let notes = Notes { asked, rejected: rejects, ..state.notes.clone() };
            return self.nothing_new(source, &SourceState { notes, ..state.clone() }).await;
        }
        let held = self.held_about(&source.name, state, own).await?;
        if let Some(shrink) = guard::shrink(source, state, held, u64::try_from(objects.len()).unwrap_or(u64::MAX)) {
            return Err(UpdateError::Shrunk(shrink));
        }
        let mut import = self.store.import(&source.name, state.basis()).await?;
        for (key, text) in objects {
            import.push(&Object { key, text }).await?;
        }
        let notes = Notes { imported, asked, rejected: rejects, ..Notes::default() };
        self.finish(source, state, import, None, notes).await
    }

    /// Counts the objects that are held about ranges. Those about others are no longer asked for, and not missed.
    async fn held_about(&self, name: &SourceName, state: &SourceState, ranges: &[IpNet]) -> Result<u64, UpdateError> {
        if state.notes.asked == ranges {
            return Ok(state.holding.as_ref().map_or(0, |holding| holding.objects));
        }
        let Some(mut objects) = self.store.objects(name).await? else { return Ok(0) };
        let mut held: u64 = 0;
        let space: Ranges = ranges.iter().copied().collect();
        while let Some(some) = objects.next_of(|key| key.touches(&space)).await? {
            held = held.saturating_add(u64::try_from(some.len()).unwrap_or(u64::MAX));
        }
        Ok(held)
    }
}

/// The objects of answers.
struct Answers<'a> {
    source: &'a SourceName,
    wanted: BTreeSet<Class>,
    objects: BTreeMap<ObjectKey, String>,
    rejects: Rejects,
    /// The texts that were left out already: one around several ranges comes with each of them.
    left_out: BTreeSet<String>,
}

impl<'a> Answers<'a> {
    fn of(source: &'a SourceName) -> Self {
        let wanted = BTreeSet::from([Class::Route, Class::Route6]);
        Self { source, wanted, objects: BTreeMap::new(), rejects: Rejects::default(), left_out: BTreeSet::new() }
    }

    /// Takes the answer to the question about a range.
    fn take(&mut self, range: &IpNet, text: &[u8]) -> Result<(), WhoisError> {
        let mut paragraphs = Paragraphs::new(text);
        // There is nothing to wait for, and nothing that could break.
        while let Ok(Some(paragraph)) = paragraphs.next_paragraph() {
            let (text, checked) = match paragraph {
                Paragraph::Text(text) => (text, check(text, self.source, Some(&self.wanted))),
                Paragraph::TooLong { begins, bytes } => {
                    (begins, Checked::Rejected(Rejected::new(begins, None, ObjectFault::TooLong { bytes })))
                }
            };
            match checked {
                Checked::Taken(object) => self.keep(range, object)?,
                Checked::Rejected(rejected) => {
                    if self.left_out.insert(text.to_owned()) {
                        self.rejects.add(&rejected);
                    }
                }
                Checked::Unwanted(_) | Checked::Leftover => {}
            }
        }
        Ok(())
    }

    /// Keeps an object, which has to be about what was asked.
    fn keep(&mut self, range: &IpNet, object: Object) -> Result<(), WhoisError> {
        match object.key.prefix() {
            Some(found) if !Ranges::from_iter([*range]).touches(&found) => {
                Err(WhoisError::OtherSpace { asked: *range, found })
            }
            Some(_) | None => {
                self.objects.insert(object.key, object.text);
                Ok(())
            }
        }
    }
}

/// Returns what tells objects from others: servers have no order for them.
fn fingerprint(objects: &BTreeMap<ObjectKey, String>) -> String {
    let mut digest = Sha256::new();
    for text in objects.values() {
        digest.update(text);
        digest.update("\n");
    }
    hex::encode(&digest.finalize())
}
