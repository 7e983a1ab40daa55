//! A run for the list of VRPs that a validator writes: a source of which there is a dump alone.
//!
//! Nothing shows at once that a validator has stopped: it goes on to serve the list that it made last, and says each time that it
//! has not changed. So a list counts only for as long after it was made as the settings say. Is that over, the list is asked for
//! as a whole, as that of a validator that found nothing new has not changed either (the `ETag` of Routinator stays the same),
//! but tells that it was made anew.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{
    Mirror, Updated,
    decide::{Beginning, decide},
    error::UpdateError,
    fingerprint::Fingerprint,
    intake::Intake,
};
use crate::{
    config::IrrSource,
    irr::{
        dump::{DumpText, Fetched, Location, failure_of},
        rejects::Rejects,
        roa::{NoVrpList, greatest, read_vrps},
        source::SourceName,
        store::{Notes, SourceState},
    },
};

/// A list that was read to its end.
struct List {
    fingerprint: Fingerprint,
    /// When it was made, as far as anybody says so.
    generated: Option<Timestamp>,
    /// What was left out of it; `None` if it is the list that was taken last, of which nothing is handed on.
    rejects: Option<Rejects>,
}

impl Mirror {
    /// Takes the list of VRPs, if it is another one than the last.
    pub(super) async fn update_vrps(
        &self,
        source: &IrrSource,
        state: &SourceState,
        progress: &impl Fn(u64),
    ) -> Result<Updated, UpdateError> {
        let is_forced = decide(source, state) == Beginning::Import;
        let known = Fingerprint::noted(&state.notes).filter(|_| !is_forced);
        let is_young = check_age(state.notes.generated, source.max_age).is_ok();
        let validators = known.as_ref().filter(|_| is_young).map(|known| known.validators.clone()).unwrap_or_default();
        let locations: Vec<Location> = source.dumps.iter().map(|url| url.as_str().parse()).collect::<Result<_, _>>()?;
        let Fetched::Coming(download) = self.fetcher.fetch(&locations, &validators).await? else {
            return self.nothing_new(source, state).await;
        };
        let (name, max_age, known) = (source.name.clone(), source.max_age, known.map(|known| known.sha256));
        let read = move |intake| read_list(download.text(), known.as_deref(), max_age, (&name, intake));
        let (import, list) = self.fill(source, state, progress, read).await?;
        let Some(rejected) = list.rejects else {
            import.discard().await?;
            let notes = Notes { generated: list.generated, ..state.notes.clone() };
            return self.nothing_new(source, &SourceState { notes, ..state.clone() }).await;
        };
        let (imported, generated) = (Some(list.fingerprint.note()), list.generated);
        self.switch(source, state, import, None, Notes { imported, generated, rejected, ..Notes::default() }).await
    }
}

/// Reads a list to its end, and hands its VRPs on if it is young enough, and not the one with the hashes that are known. They wait
/// until then, 24 bytes each.
fn read_list(
    mut text: DumpText,
    known: Option<&[String]>,
    max_age: Option<Duration>,
    (name, mut intake): (&SourceName, Intake),
) -> Result<List, UpdateError> {
    let (now, mut vrps) = (Timestamp::now(), Vec::new());
    let made = read_vrps(&mut text, now, |entry| match entry {
        Ok(vrp) => vrps.push(vrp),
        Err(rejected) => intake.reject(&rejected),
    });
    let made = made.map_err(|error| match error {
        NoVrpList::Read(error) => UpdateError::Dump(failure_of(error)),
        NoVrpList::Malformed(_) | NoVrpList::Outsized(_) => UpdateError::VrpList(error),
    })?;
    let receipt = text.finish()?;
    // Whoever does not say when a list was made may say when its file was.
    let made = made.or_else(|| receipt.files.iter().find_map(|file| file.validators.modified()));
    // A clock that is ahead must not make a list younger than any.
    let generated = made.map(|made| made.min(now));
    check_age(generated, max_age)?;
    let fingerprint = Fingerprint::of(&receipt, false);
    if known == Some(fingerprint.sha256.as_slice()) {
        return Ok(List { fingerprint, generated, rejects: None });
    }
    for vrp in greatest(vrps) {
        intake.take(&vrp.text(name))?;
    }
    Ok(List { fingerprint, generated, rejects: Some(intake.end()?) })
}

/// Refuses a list that was made too long ago.
fn check_age(made: Option<Timestamp>, most: Option<Duration>) -> Result<(), UpdateError> {
    let (Some(made), Some(most)) = (made, most) else { return Ok(()) };
    let age = Timestamp::now().duration_since(made);
    if age <= SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX) {
        return Ok(());
    }
    Err(UpdateError::OldVrpList { made, most })
}
