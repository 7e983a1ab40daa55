//! One run: brings the mirror of a source up to date.
//!
//! A run begins with what is held ([`decide`]) and either takes a dump or asks for the changes since. What it fetches it
//! checks as a whole before anything is written; what is written names what it stands on. So a run that fails, or is
//! killed, leaves what was there before, and notes why.
//!
//! A source that is asked instead of mirrored ([`Mirror::ask_own`]) is kept in the same way, with the objects about the
//! operator's own space alone.

mod ask_own;
mod decide;
mod error;
mod fingerprint;
mod guard;
mod intake;
mod nrtm4;
mod vrps;

use std::{cmp::Ordering, fmt};

pub use decide::{Beginning, decide};
pub use error::UpdateError;
pub use guard::Shrink;
use jiff::Timestamp;

use super::{
    dump::{FetchLimits, Fetched, Fetcher, Location},
    journal::Change,
    nrtm3::{self, AskLimits, Question, Reply},
    rejects::Rejects,
    source::Serial,
    store::{Holding, Import, Notes, SourceState, Store, Written, needs_compaction},
};
use crate::{
    config::{IrrSource, Settings, SourceKind},
    error_chain::error_chain,
    http_client,
};
use fingerprint::Fingerprint;
use intake::{Intake, read_dump, wanted};

/// Updates mirrors.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// Where sources are kept.
    pub store: Store,
    /// Fetches dumps and serial files.
    pub fetcher: Fetcher,
    /// What an answer over NRTM may take, or a whois server's answers.
    pub limits: AskLimits,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// What it did.
    pub did: Did,
    /// The newest serial now; `None` for a source that tells none.
    pub serial: Option<Serial>,
    /// The objects that were left out.
    pub rejects: Rejects,
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// Nothing: the upstream has nothing new.
    Nothing,
    /// It took a dump with so many objects.
    Imported(u64),
    /// It took so many changes.
    Followed(u64),
    /// It asked, and took an answer with so many objects.
    Answered(u64),
    /// Nothing: there is no space to ask about.
    NothingToAsk,
}

impl Did {
    /// All names that [`Did::name`] returns.
    pub const NAMES: [&str; 5] = ["unchanged", "imported", "followed", "answered", "nothing-to-ask"];

    /// Returns what it is called in results and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "unchanged",
            Self::Imported(_) => "imported",
            Self::Followed(_) => "followed",
            Self::Answered(_) => "answered",
            Self::NothingToAsk => "nothing-to-ask",
        }
    }
}

impl fmt::Display for Updated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.did {
            Did::Nothing => f.write_str("nothing new")?,
            Did::Imported(1) => f.write_str("took a dump with 1 object")?,
            Did::Imported(objects) => write!(f, "took a dump with {objects} objects")?,
            Did::Followed(1) => f.write_str("took 1 change")?,
            Did::Followed(changes) => write!(f, "took {changes} changes")?,
            Did::Answered(1) => f.write_str("took an answer with 1 object")?,
            Did::Answered(objects) => write!(f, "took an answer with {objects} objects")?,
            Did::NothingToAsk => f.write_str(
                "nothing to ask about: NetBox has no aggregate of an RIR that is not private, and irr.own_space lists none",
            )?,
        }
        if let Some(serial) = self.serial {
            write!(f, ", serial {serial}")?;
        }
        match self.rejects.total() {
            0 => Ok(()),
            1 => f.write_str(", 1 object left out"),
            rejected => write!(f, ", {rejected} objects left out"),
        }
    }
}

impl Mirror {
    /// Makes one that keeps sources here, and fetches them with the certificates and the proxy of the registries.
    ///
    /// # Errors
    /// When certificates cannot be checked, or the proxy is not to be used.
    pub fn new(store: Store, settings: &Settings) -> Result<Self, http_client::Error> {
        let sources = &settings.irr.source;
        let urls = sources.iter().flat_map(|source| source.dumps.iter().chain(&source.serial_url).chain(&source.index));
        let encrypted = urls.into_iter().any(|url| url.scheme() == "https");
        let (ca_file, proxy) = (settings.arin.ca_file.as_deref(), &settings.arin.proxy);
        let fetcher = Fetcher::new(ca_file, proxy, encrypted, FetchLimits::default())?;
        Ok(Self { store, fetcher, limits: AskLimits::default() })
    }

    /// Brings a source that is mirrored up to date. Tells `progress` how many objects it has read of a dump, now and then.
    ///
    /// # Errors
    /// When the upstream does not give what it should, or the store does not answer. What was held before is still there,
    /// and what went wrong is noted with the source.
    pub async fn update(&self, source: &IrrSource, progress: impl Fn(u64)) -> Result<Updated, UpdateError> {
        let state = self.store.state(&source.name).await?;
        self.noting_trouble(source, self.run(source, &state, &progress)).await
    }

    /// Notes with the source why a run of it failed.
    async fn noting_trouble(
        &self,
        source: &IrrSource,
        run: impl Future<Output = Result<Updated, UpdateError>>,
    ) -> Result<Updated, UpdateError> {
        match run.await {
            Err(error) if !error.is_ours() => {
                self.note_trouble(source, &error).await?;
                Err(error)
            }
            done => done,
        }
    }

    async fn run(
        &self,
        source: &IrrSource,
        state: &SourceState,
        progress: &impl Fn(u64),
    ) -> Result<Updated, UpdateError> {
        if source.kind == SourceKind::Rpki {
            return self.update_vrps(source, state, progress).await;
        }
        if source.index.is_some() {
            return self.update_by_index(source, state, progress).await;
        }
        let imported = match decide(source, state) {
            Beginning::Follow(holding) => return self.follow(source, state, &holding).await,
            Beginning::Import => self.import(source, state, true, progress).await?,
            Beginning::ImportIfNewer => self.import(source, state, false, progress).await?,
        };
        if source.nrtm.is_none() {
            return Ok(imported);
        }
        // A dump is some hours old; the changes since are there already.
        let state = self.store.state(&source.name).await?;
        let Some(holding) = state.holding.clone() else { return Ok(imported) };
        let followed = self.follow(source, &state, &holding).await?;
        Ok(Updated { serial: followed.serial, rejects: imported.rejects.and(followed.rejects), ..imported })
    }

    /// Takes a dump; one that is not forced only if it is another one.
    async fn import(
        &self,
        source: &IrrSource,
        state: &SourceState,
        forced: bool,
        progress: &impl Fn(u64),
    ) -> Result<Updated, UpdateError> {
        // The serial comes first: a dump that is newer than it only has changes that come a second time.
        let serial = match &source.serial_url {
            Some(url) => Some(self.fetcher.serial(&url.as_str().parse()?).await?),
            None => None,
        };
        let held = state.holding.as_ref().and_then(|holding| holding.serial);
        if let (false, Some(theirs), Some(ours)) = (forced, serial, held) {
            if theirs < ours {
                return Err(UpdateError::BeganAgain { ours, theirs });
            }
            if theirs == ours {
                return self.nothing_new(source, state).await;
            }
        }
        let before = Fingerprint::noted(&state.notes);
        let known = before.as_ref().filter(|_| !forced);
        let locations: Vec<Location> = source.dumps.iter().map(|url| url.as_str().parse()).collect::<Result<_, _>>()?;
        let validators = known.map(|known| known.validators.clone()).unwrap_or_default();
        let Fetched::Coming(download) = self.fetcher.fetch(&locations, &validators).await? else {
            return self.nothing_new(source, state).await;
        };
        let read = move |intake| read_dump(download.text(), intake);
        let (import, (fingerprint, rejects)) = self.fill(source, state, progress, read).await?;
        if known.is_some_and(|known| known.sha256 == fingerprint.sha256) {
            import.discard().await?;
            return self.nothing_new(source, state).await;
        }
        // A registry may give that up, which a person has to say by a reload.
        let was_marked = before.is_some_and(|before| before.is_marked);
        if was_marked && !fingerprint.is_marked && !state.wants_reload() {
            import.discard().await?;
            return Err(UpdateError::NoMark);
        }
        let notes = Notes { imported: Some(fingerprint.note()), rejected: rejects, ..Notes::default() };
        self.switch(source, state, import, serial, notes).await
    }

    /// Fills an import with what is read on a thread that may wait.
    async fn fill<T: Send + 'static>(
        &self,
        source: &IrrSource,
        state: &SourceState,
        progress: &impl Fn(u64),
        read: impl FnOnce(Intake) -> Result<T, UpdateError> + Send + 'static,
    ) -> Result<(Import, T), UpdateError> {
        let mut import = self.store.import(&source.name, state.basis()).await?;
        let (intake, mut batches) = Intake::of(source);
        let reading = tokio::task::spawn_blocking(move || read(intake));
        while let Some(batch) = batches.recv().await {
            for object in &batch {
                import.push(object).await?;
            }
            progress(import.objects());
        }
        let read = reading.await.map_err(UpdateError::Broken)??;
        Ok((import, read))
    }

    /// Makes an import what the source is, unless it has too few objects.
    async fn switch(
        &self,
        source: &IrrSource,
        state: &SourceState,
        import: Import,
        serial: Option<Serial>,
        notes: Notes,
    ) -> Result<Updated, UpdateError> {
        let objects = import.objects();
        let held = state.holding.as_ref().map_or(0, |holding| holding.objects);
        if let Some(shrink) = guard::shrink(source, state, held, objects) {
            import.discard().await?;
            return Err(UpdateError::Shrunk(shrink));
        }
        self.finish(source, state, import, serial, notes).await
    }

    /// Makes an import what the source is.
    async fn finish(
        &self,
        source: &IrrSource,
        state: &SourceState,
        import: Import,
        serial: Option<Serial>,
        notes: Notes,
    ) -> Result<Updated, UpdateError> {
        let objects = import.objects();
        let (now, rejects) = (Timestamp::now(), notes.rejected.clone());
        let notes = Notes { checked: Some(now), changed: Some(now), reloads_done: state.reloads_asked, ..notes };
        written(import.finish(serial, notes, now).await?)?;
        let did = match source.kind {
            SourceKind::Mirror | SourceKind::Rpki => Did::Imported(objects),
            SourceKind::Query => Did::Answered(objects),
        };
        Ok(Updated { did, serial, rejects })
    }

    /// Takes changes up to a serial, with what is noted of them. Returns how many they are.
    async fn append(
        &self,
        source: &IrrSource,
        state: &SourceState,
        (changes, newest): (&[Change], Serial),
        rejects: &Rejects,
        notes: Notes,
    ) -> Result<u64, UpdateError> {
        let now = Timestamp::now();
        let changed = if changes.is_empty() { notes.changed } else { Some(now) };
        let rejected = notes.rejected.clone().and(rejects.clone());
        let notes = Notes { checked: Some(now), changed, rejected, trouble: None, ..notes };
        written(self.store.append(&source.name, state.basis(), changes, newest, &notes).await?)?;
        Ok(u64::try_from(changes.len()).unwrap_or(u64::MAX))
    }

    /// Asks for the changes since what is held, and takes them.
    async fn follow(&self, source: &IrrSource, state: &SourceState, holding: &Holding) -> Result<Updated, UpdateError> {
        let ours = holding.serial.ok_or(UpdateError::NoSerial)?;
        let (Some(server), Some(first)) = (&source.nrtm, ours.next()) else { return Err(UpdateError::NoSerial) };
        let question = Question { source: source.name.clone(), version: source.nrtm_version(), first, last: None };
        let reply = nrtm3::ask(&server.to_string(), &question, wanted(source).as_ref(), &self.limits).await?;
        let answer = match reply {
            // An upstream that was loaded anew answers so, too, whatever it has now.
            Reply::NothingKept => {
                self.compare_serials(source, ours).await?;
                return self.nothing_new(source, state).await;
            }
            Reply::NothingNewer => {
                self.compact_if_needed(source).await?;
                return self.nothing_new(source, state).await;
            }
            Reply::Changes(answer) => answer,
        };
        let rejects = Rejects::of_changes(&answer.rejected);
        let changes = (answer.changes.as_slice(), answer.last);
        let count = self.append(source, state, changes, &rejects, state.notes.clone()).await?;
        self.compact_if_needed(source).await?;
        Ok(Updated { did: Did::Followed(count), serial: Some(answer.last), rejects })
    }

    /// Checks that the registry's serial is the one that is held.
    async fn compare_serials(&self, source: &IrrSource, ours: Serial) -> Result<(), UpdateError> {
        let Some(url) = &source.serial_url else { return Ok(()) };
        let theirs = self.fetcher.serial(&url.as_str().parse()?).await?;
        match theirs.cmp(&ours) {
            Ordering::Less => Err(UpdateError::BeganAgain { ours, theirs }),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(UpdateError::JournalGone { ours, theirs }),
        }
    }

    async fn compact_if_needed(&self, source: &IrrSource) -> Result<(), UpdateError> {
        let (state, now) = (self.store.state(&source.name).await?, Timestamp::now());
        if state.holding.as_ref().is_some_and(|holding| needs_compaction(holding, now)) {
            written(self.store.compact(&source.name, state.basis(), source.journal_keep(), now).await?)?;
        }
        Ok(())
    }

    async fn nothing_new(&self, source: &IrrSource, state: &SourceState) -> Result<Updated, UpdateError> {
        let now = self.store.state(&source.name).await?;
        let notes = Notes { checked: Some(Timestamp::now()), trouble: None, refused: None, ..state.notes.clone() };
        written(self.store.note(&source.name, now.basis(), &notes).await?)?;
        let serial = now.holding.and_then(|holding| holding.serial);
        Ok(Updated { did: Did::Nothing, serial, rejects: Rejects::default() })
    }

    /// Notes why a run failed. What the run itself has written before is kept.
    async fn note_trouble(&self, source: &IrrSource, error: &UpdateError) -> Result<(), UpdateError> {
        let state = self.store.state(&source.name).await?;
        let (mut notes, now) = (state.notes.clone(), Timestamp::now());
        if let UpdateError::Shrunk(shrink) = error {
            notes.refused = Some(shrink.refused(state.notes.refused.as_ref(), now));
        }
        notes.fail(error_chain(error), error.unusable(), now);
        // Whoever has changed the source meanwhile knows better.
        let _: Written = self.store.note(&source.name, state.basis(), &notes).await?;
        Ok(())
    }
}

fn written(written: Written) -> Result<(), UpdateError> {
    match written {
        Written::Done => Ok(()),
        Written::Stale => Err(UpdateError::Overtaken),
    }
}
