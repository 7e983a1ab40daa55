//! Judges anew, and brings what is on record in line with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    address_plan::AddressPlan,
    finding::day,
    judge::{Figures, Judgement, judge},
    kind::Level,
    read::{deletions, histories, read},
    record::{Changes, Comparison, OnRecord, Reach},
    registrations::Registrations,
    tally::Tally,
};
use crate::{
    config::Settings,
    model::{Config, Instance, RowId, Scope},
    netbox::{
        self, FindingFilter, FindingRow, NotTaken, Patch, Refusal,
        findings::{Linked, OPEN},
        schema,
    },
    retry::Retry,
};

/// How many times it is judged with more of the change log at the most. What is wanted after that is left unread.
const MOST_ROUNDS: usize = 4;

/// What a refresh works with.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Context {
    pub netbox: netbox::Client,
    pub settings: Arc<Settings>,
    /// The registry instance of each config that has one.
    pub instances: BTreeMap<RowId, Instance>,
    /// Cancelled when nothing more is to be written.
    pub stop: CancellationToken,
    /// The time by which it is judged.
    pub now: Timestamp,
    /// The name of the run, for NetBox's change log.
    pub run: String,
}

/// What a refresh came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Refreshed {
    /// The findings of the config that are open now.
    pub tally: Tally,
    /// How many findings are new.
    pub created: usize,
    /// How many changed in some other way than by being resolved.
    pub changed: usize,
    /// How many do not hold any more.
    pub resolved: usize,
    /// How much was judged; `None` if only a part of the config was.
    pub figures: Option<Figures>,
}

/// A refresh that failed. What was on record before is still there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// NetBox was not bootstrapped by this version.
    #[error("NetBox has no place for findings yet; run `rir-sidecar bootstrap`")]
    NoTypes(#[source] netbox::Error),
    /// NetBox could not be read.
    #[error("could not read what the findings are judged by")]
    Read(#[source] netbox::Error),
    /// NetBox did not take some rows.
    #[error(transparent)]
    Write(#[from] NotTaken),
    /// NetBox did not take the time of the judgement.
    #[error("could not record with the RIR config when it was judged")]
    Record(#[source] Refusal),
}

impl Error {
    /// Returns whether trying again helps.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NoTypes(_) => Retry::Never,
            Self::Read(error) => error.retry(),
            Self::Write(error) => error.retry(),
            Self::Record(why) => why.retry(),
        }
    }

    fn reading(error: netbox::Error) -> Self {
        if error.is_not_found() { Self::NoTypes(error) } else { Self::Read(error) }
    }
}

impl Refreshed {
    /// Returns it as a part of a job's result.
    #[must_use]
    pub fn json(&self) -> Value {
        let level = |level| self.tally.level(level);
        json!({
            "alerts": level(Level::Alert),
            "notices": level(Level::Notice),
            "infos": level(Level::Info),
            "overdue": self.tally.overdue,
            "created": self.created,
            "changed": self.changed,
            "resolved": self.resolved,
        })
    }
}

/// Judges what a sync of this scope may have touched, and records the findings of the config that are in it. All
/// configs at one registry instance are judged together, as each may hold what another one plans.
///
/// # Errors
/// When NetBox cannot be read, or does not take a row.
pub async fn refresh(ctx: &Context, config: &Config, scope: &Scope) -> Result<Refreshed, Error> {
    let reading = read(&ctx.netbox, &ctx.instances, &ctx.settings, scope);
    let filter = FindingFilter::default();
    let (sides, rows) = tokio::try_join!(reading, ctx.netbox.finding_rows(&filter)).map_err(Error::reading)?;
    let (mut plan, registrations) = sides;
    plan.first_seen = first_seen(&rows);
    let reach = reach(scope, &plan, &registrations);
    let on_record = OnRecord { config: config.id, rows: &rows, reach: &reach, now: ctx.now };
    let judged = judge_all(ctx, &mut plan, &registrations, on_record).await.map_err(Error::reading)?;
    // What is written first may be a finding for each prefix: nothing else has to be held meanwhile.
    drop((plan, registrations));
    let (judgement, comparison) = judged;
    let (mut tally, today) = (Tally::default(), day(ctx.now));
    let changes = comparison.changes(&judgement.undecided, |row| tally.count(row, today));
    let (created, changed, resolved) = (changes.created(), changes.changed(), changes.resolved());
    let whole = reach == Reach::Whole;
    let figures = whole.then(|| judgement.figures.get(&config.id).cloned().unwrap_or_default());
    drop(judgement);
    write(ctx, &changes).await?;
    if whole {
        note_time(ctx, config).await?;
    }
    Ok(Refreshed { tally, created, changed, resolved, figures })
}

/// Judges, and judges again with what the change log tells of the prefixes for which that matters.
async fn judge_all<'a>(
    ctx: &Context,
    plan: &mut AddressPlan,
    registrations: &Registrations,
    on_record: OnRecord<'a>,
) -> Result<(Judgement, Comparison<'a>), netbox::Error> {
    let mut rounds = 0..MOST_ROUNDS;
    loop {
        let mut comparison = Comparison::with(on_record);
        let found = &mut |finding| comparison.take(finding);
        let judgement = judge((plan, registrations), &ctx.settings.findings, ctx.now, found);
        let unread = |prefix: &RowId| !plan.histories.contains_key(prefix);
        let wanted: BTreeSet<RowId> = judgement.wanted_histories.iter().copied().filter(unread).collect();
        let wants_deletions = judgement.wants_deletions && plan.deletions.is_none();
        if (wanted.is_empty() && !wants_deletions) || rounds.next().is_none() {
            return Ok((judgement, comparison));
        }
        // There may be as many findings as prefixes, and they are made anew.
        drop((judgement, comparison));
        if !wanted.is_empty() {
            plan.histories.extend(histories(&ctx.netbox, &wanted).await?);
        }
        if wants_deletions {
            plan.deletions = Some(deletions(&ctx.netbox).await?);
        }
    }
}

/// Returns since when each open finding is on record.
fn first_seen(rows: &[FindingRow]) -> BTreeMap<crate::model::Key, Timestamp> {
    rows.iter().filter(|row| row.state == OPEN).filter_map(|row| Some((row.key.clone(), row.since?))).collect()
}

fn reach(scope: &Scope, plan: &AddressPlan, registrations: &Registrations) -> Reach {
    let ranges: Vec<IpNet> = match scope {
        Scope::Config => return Reach::Whole,
        Scope::Aggregate(id) => {
            plan.aggregates.iter().filter(|aggregate| aggregate.id == *id).map(|aggregate| aggregate.prefix).collect()
        }
        Scope::Prefixes(ids) => {
            plan.prefixes.iter().filter(|prefix| ids.contains(&prefix.id)).map(|prefix| prefix.prefix).collect()
        }
    };
    Reach::inside(ranges, registrations)
}

async fn write(ctx: &Context, changes: &Changes<'_>) -> Result<(), Error> {
    let message = change_message(ctx);
    // What these lead to may be deleted at any time.
    let links = Linked::ALL.map(Linked::name);
    let writer = ctx.netbox.writer(schema::FINDING, &message).linking(&links).until(&ctx.stop);
    // What is resolved leaves before what is new comes: a reader in between sees no finding twice.
    let updated = writer.update(changes.patches()).await;
    let created = writer.create(changes.drafts()).await;
    let mut outcomes: Vec<Result<(), Refusal>> = created.into_iter().map(|created| created.map(drop)).collect();
    outcomes.extend(updated);
    Ok(NotTaken::any(changes.keys(), outcomes.into_iter())?)
}

/// Records with the config that it was judged as a whole.
async fn note_time(ctx: &Context, config: &Config) -> Result<(), Error> {
    let mut body = netbox::Row::new();
    body.insert("judged".to_owned(), ctx.now.to_string().into());
    let patch = Patch { id: config.id, key: config.name.clone(), body };
    let message = change_message(ctx);
    let results = ctx.netbox.writer(schema::CONFIG, &message).update(vec![patch]).await;
    results.into_iter().collect::<Result<Vec<()>, _>>().map(drop).map_err(Error::Record)
}

/// Returns the line of NetBox's change log for what a refresh wrote.
fn change_message(ctx: &Context) -> String {
    format!("rir-sidecar findings {}", ctx.run)
}
