//! Judges the whole plan anew, and brings the rows in line with it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    assess::{Assessment, RangeHealth, assess},
    health::{Level, Verdict},
    own_routes::OwnRoutes,
    read::read,
    record::{RowChanges, health_changes, route_changes},
    witnesses::Witnesses,
};
use crate::{
    config::Settings,
    irr::store::{Store, StoreError},
    netbox::{self, Client, HealthRow, NotTaken, RouteRow, RoutingRow},
    retry::Retry,
};

/// What is judged with.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Context {
    pub netbox: Client,
    pub store: Store,
    pub own: OwnRoutes,
    pub settings: Arc<Settings>,
    /// Cancelled when nothing more is to be written.
    pub stop: CancellationToken,
    /// The time by which it is judged.
    pub now: Timestamp,
    /// The name of the run, for NetBox's change log.
    pub run: String,
}

/// What was judged, and by what.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct Judged {
    pub assessment: Assessment,
    pub witnesses: Witnesses,
}

/// The name of the cursor in which it is kept how the last refresh went.
pub const LAST_JUDGED: &str = "routing";

/// How the last refresh went, for whoever reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LastJudged {
    pub at: Timestamp,
    pub tally: Tally,
}

/// How many ranges have each verdict and each level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    verdicts: BTreeMap<Verdict, u64>,
    levels: BTreeMap<Level, u64>,
}

/// What a refresh came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Refreshed {
    pub tally: Tally,
    /// How many rows are new.
    pub created: usize,
    /// How many changed in some other way than by being removed.
    pub changed: usize,
    /// How many are about something that is gone.
    pub removed: usize,
}

/// Something that could not be judged, or not be recorded. What was on record before is still there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// NetBox was not bootstrapped by this version.
    #[error("NetBox has no place for the health of prefixes yet; run `rir-sidecar bootstrap --routing`")]
    NoTypes(#[source] netbox::Error),
    /// NetBox could not be read.
    #[error("could not read who announces what")]
    Read(#[source] netbox::Error),
    /// The mirrors could not be read.
    #[error("could not read what routing registries say")]
    Store(#[from] StoreError),
    /// NetBox did not take some rows.
    #[error(transparent)]
    Write(#[from] NotTaken),
}

impl Error {
    /// Returns whether trying again helps.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NoTypes(_) => Retry::Never,
            Self::Read(error) => error.retry(),
            Self::Store(error) => error.retry(),
            Self::Write(error) => error.retry(),
        }
    }

    fn reading(error: netbox::Error) -> Self {
        if error.is_not_found() { Self::NoTypes(error) } else { Self::Read(error) }
    }
}

/// Judges the whole plan, and writes nothing.
///
/// # Errors
/// When NetBox or the mirrors cannot be read.
pub async fn check(ctx: &Context) -> Result<Judged, Error> {
    let plan = read(&ctx.netbox, &ctx.settings).await.map_err(Error::reading)?;
    let witnesses = Witnesses::read((&ctx.store, &ctx.own), &ctx.settings, &plan.space, ctx.now).await?;
    let assessment = assess(&plan, &witnesses.testimony(&ctx.settings.routing.prefer));
    Ok(Judged { assessment, witnesses })
}

/// Judges the whole plan, and records what changed.
///
/// # Errors
/// When NetBox or the mirrors cannot be read, or NetBox does not take a row.
pub async fn refresh(ctx: &Context) -> Result<Refreshed, Error> {
    let judged = check(ctx).await?;
    let (healths, routes, asns) = tokio::try_join!(
        ctx.netbox.routing_rows::<HealthRow>(),
        ctx.netbox.routing_rows::<RouteRow>(),
        ctx.netbox.asn_rows()
    )
    .map_err(Error::reading)?;
    let (assessment, silent) = (&judged.assessment, judged.witnesses.silent());
    let routes = route_changes(assessment, &silent, &asns, &routes);
    let healths = health_changes(assessment, &silent, &healths);
    let refreshed = Refreshed {
        tally: Tally::of(&assessment.ranges),
        created: routes.drafts.len().saturating_add(healths.drafts.len()),
        changed: routes.changed().saturating_add(healths.changed()),
        removed: routes.removed.saturating_add(healths.removed),
    };
    write::<RouteRow>(ctx, routes).await?;
    write::<HealthRow>(ctx, healths).await?;
    Ok(refreshed)
}

async fn write<T: RoutingRow>(ctx: &Context, changes: RowChanges) -> Result<(), Error> {
    let RowChanges { drafts, patches, .. } = changes;
    let keys: Vec<String> =
        patches.iter().map(|patch| &patch.key).chain(drafts.iter().map(|it| &it.key)).cloned().collect();
    let message = format!("rir-sidecar routing {}", ctx.run);
    let writer = ctx.netbox.writer(T::SLUG, &message).linking(T::LINKS).until(&ctx.stop);
    let mut outcomes = writer.update(patches).await;
    outcomes.extend(writer.create(drafts).await.into_iter().map(|created| created.map(drop)));
    Ok(NotTaken::any(keys, outcomes.into_iter())?)
}

impl Tally {
    /// Counts what was judged.
    #[must_use]
    pub fn of<'a>(ranges: impl IntoIterator<Item = &'a RangeHealth>) -> Self {
        let mut tally = Self::default();
        for judged in ranges {
            tally.count(judged.health.verdict, judged.health.level);
        }
        tally
    }

    /// Counts a range.
    pub fn count(&mut self, verdict: Verdict, level: Level) {
        let one_more = |count: &mut u64| *count = count.saturating_add(1);
        one_more(self.verdicts.entry(verdict).or_default());
        one_more(self.levels.entry(level).or_default());
    }

    /// Returns how many ranges have a verdict.
    #[must_use]
    pub fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// Returns how many ranges have a level.
    #[must_use]
    pub fn level(&self, level: Level) -> u64 {
        self.levels.get(&level).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ranges: u64 = self.levels.values().sum();
        let (danger, warning) = (self.level(Level::Danger), self.level(Level::Warning));
        let word = if ranges == 1 { "range" } else { "ranges" };
        write!(f, "{ranges} {word}, {danger} in danger, {warning} to be put right")
    }
}

impl Refreshed {
    /// Returns it as the result of a job.
    #[must_use]
    pub fn json(&self) -> Value {
        let verdicts: BTreeMap<&str, u64> =
            self.tally.verdicts.iter().map(|(verdict, count)| (verdict.name(), *count)).collect();
        json!({
            "verdicts": verdicts,
            "danger": self.tally.level(Level::Danger),
            "warning": self.tally.level(Level::Warning),
            "created": self.created,
            "changed": self.changed,
            "removed": self.removed,
        })
    }
}
