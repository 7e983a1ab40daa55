//! The sweep: makes up for lost webhooks.
//!
//! NetBox sends a webhook once, even if it cannot be delivered; its change log keeps everything. A sweep reads the log
//! page by page, from where the last one said that all was done up to changes that are `sweep.settle` old, and queues
//! those that no webhook reported. Changes that were seen are known by their keys, so that none is queued twice.
//!
//! It stands in the log by the ids of rows ([`Position`]), and notes where after each page: whoever goes on, goes on from
//! there. A tick reads so many pages at the most, so that a long log takes several.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::{debug, info, warn};

use super::error::Error;
use crate::{
    intake::{self, Following},
    model::{Config, RowId},
    netbox::{
        CLOCK_TOLERANCE,
        changes::{Change, ChangeLog, ChangePage, LogEnd},
    },
    queue::{Order, Trigger},
    services::Services,
    telemetry::traces,
};

/// The name of the cursor.
const CURSOR: &str = "sweep";
/// The pages that are read in one tick at the most.
const PAGES_IN_A_TICK: usize = 20;
/// Orders that are queued in one step: a long one holds up everybody.
const ORDERS_IN_A_STEP: usize = 100;
/// The time that the first sweep looks back when no config was synced yet.
const FIRST_SWEEP_REACH: SignedDuration = SignedDuration::from_hours(1);
/// The age from which a row counts as the last of its time. A row of the change log has the id and the time of the change,
/// but can be read only when NetBox commits it, which is minutes later for a large import.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);

/// The sweeps of one process.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The end of the last one. `None` while one is under way, or before the first.
    ended: Option<Instant>,
    /// NetBox's clock and ours were found to differ.
    clocks_differ: bool,
}

/// The place of the sweep in NetBox's change log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// All rows up to this one are done, and none can come up any more.
    done: RowId,
    /// The sweep under way has read the rows up to this one; between two sweeps it is the same as `done`.
    read: RowId,
}

/// The times that decide what becomes of a row.
#[derive(Debug, Clone, Copy)]
struct Horizon {
    /// The webhook of a change up to this time has come, or it is lost.
    settled: Timestamp,
    /// Whatever NetBox changed up to this time can be read by now.
    complete: Timestamp,
}

impl Sweep {
    /// Returns whether there is something to read now.
    pub(super) fn is_due(&self, interval: Duration) -> bool {
        !interval.is_zero() && self.ended.is_none_or(|ended| ended.elapsed() >= interval)
    }

    /// Reads the change log on, and queues what was missed. Leaves the rest to the next tick when there is much.
    pub(super) async fn go_on(&mut self, services: &Services, configs: &[Config]) -> Result<(), Error> {
        self.ended = None;
        let log = services.netbox.change_log().await?;
        let end = log.end().await?;
        let now = end.clock.unwrap_or_else(Timestamp::now);
        self.compare_clocks(now);
        let horizon = Horizon::at(now, services.settings.sweep.settle);
        let from = first_begin(configs, horizon.settled);
        let Some(mut position) = begin(services, &log, end, from).await? else {
            self.ended = Some(Instant::now());
            return Ok(());
        };
        for _ in 0..PAGES_IN_A_TICK {
            let page = log.after(position.read).await?;
            let (next, changes, ends) = advance(position, page, horizon);
            let recovered = recover(services, changes, next.done).await?;
            position = if ends { Position { read: next.done, ..next } } else { next };
            services.coordination.set_cursor(CURSOR, &position.written()).await?;
            if recovered > 0 {
                services.metrics.swept(recovered);
                info!(changes = recovered, "queued {recovered} changes in NetBox that no webhook had reported");
            }
            if ends {
                self.ended = Some(Instant::now());
                return Ok(());
            }
        }
        debug!(row = %position.read, "the change log goes on; so does the sweep at the next tick");
        Ok(())
    }

    /// Warns, once, that NetBox's clock and ours differ: then nobody can tell when a config was last synced.
    fn compare_clocks(&mut self, netbox: Timestamp) {
        let ahead = netbox.duration_since(Timestamp::now());
        let differ = ahead.abs() > CLOCK_TOLERANCE;
        if differ && !self.clocks_differ {
            let (seconds, way) = (ahead.as_secs(), if ahead.is_negative() { "behind" } else { "ahead of" });
            let apart = seconds.unsigned_abs();
            warn!(seconds, "NetBox's clock is {apart} s {way} the one here; set both by the same time server");
        }
        self.clocks_differ = differ;
    }
}

impl Position {
    fn at(row: RowId) -> Self {
        Self { done: row, read: row }
    }

    /// Reads a cursor; `None` for one that another version wrote.
    fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn written(self) -> String {
        serde_json::json!(self).to_string()
    }
}

impl Horizon {
    fn at(now: Timestamp, settle: Duration) -> Self {
        let settled = now.checked_sub(settle).unwrap_or(Timestamp::MIN);
        Self { settled, complete: settled.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN) }
    }
}

/// Returns where to read on: where the last sweep stood, or else before the first row since `from`. `None` when there is
/// no such row.
async fn begin(services: &Services, log: &ChangeLog, end: LogEnd, from: Timestamp) -> Result<Option<Position>, Error> {
    let cursor = services.coordination.cursor(CURSOR).await?;
    if let Some(position) = cursor.as_deref().and_then(Position::read) {
        if end.newest.is_none_or(|newest| newest >= position.read) {
            return Ok(Some(position));
        }
        let (row, newest) = (position.read, end.newest);
        warn!(
            %row, ?newest, %from,
            "NetBox's change log ends before the row that was read last; was NetBox restored from a backup? Reading it anew"
        );
    }
    let first = log.first_since(from).await?;
    Ok(first.map(|row| Position::at(RowId(row.0.saturating_sub(1)))))
}

/// Decides what follows from a page: the new position, the changes to look at, and whether the sweep ends here.
fn advance(before: Position, page: ChangePage, horizon: Horizon) -> (Position, Vec<(RowId, Change)>, bool) {
    let is_settled = |change: &Change| change.time.is_some_and(|time| time <= horizon.settled);
    let settled = page.changes.iter().take_while(|(_, change)| is_settled(change)).count();
    let unsettled = settled < page.changes.len();
    let changes: Vec<(RowId, Change)> = page.changes.into_iter().take(settled).collect();
    let is_complete = |change: &Change| change.time.is_some_and(|time| time <= horizon.complete);
    // As soon as one row may not be the last of its time, those behind it are read again.
    let complete = changes.iter().take_while(|(_, change)| before.done == before.read && is_complete(change)).count();
    let read = if unsettled { changes.last().map(|(row, _)| *row) } else { page.last };
    let read = read.unwrap_or(before.read);
    let done = match complete {
        _ if before.done != before.read => before.done,
        all if all == changes.len() => read,
        some => changes.get(..some).and_then(<[_]>::last).map_or(before.done, |(row, _)| *row),
    };
    (Position { done, read }, changes, unsettled || page.ends)
}

/// Queues the jobs for changes that no webhook reported, and remembers those behind the row `done`, which will be read
/// again. Returns how many were queued.
async fn recover(services: &Services, changes: Vec<(RowId, Change)>, done: RowId) -> Result<usize, Error> {
    let key = |change: &Change| (change.key(), change.time.unwrap_or(Timestamp::MIN));
    let keys: Vec<(String, Timestamp)> = changes.iter().map(|(_, change)| key(change)).collect();
    let unseen = services.coordination.unseen_changes(&keys).await?;
    let (mut orders, mut recovered, mut seen) = (BTreeMap::new(), 0, Vec::new());
    for (((row, change), key), _) in changes.into_iter().zip(keys).zip(unseen).filter(|(_, unseen)| *unseen) {
        match intake::orders(&change, Trigger::Sweep, &Following::of(&services.settings)) {
            Ok(more) => {
                more.into_iter().for_each(|order| add(&mut orders, order));
                recovered += 1;
                seen.extend((row > done).then_some(key));
            }
            Err(ignored) => debug!(key = key.0, "ignored: {ignored}"),
        }
    }
    let orders: Vec<Order> = orders.into_values().collect();
    for some in orders.chunks(ORDERS_IN_A_STEP) {
        services.queue.enqueue(some).await?;
    }
    if !seen.is_empty() {
        services.coordination.remember_changes(&seen).await?;
    }
    Ok(recovered)
}

/// Adds an order to those of other keys, or to the one of the same key.
fn add(orders: &mut BTreeMap<String, Order>, mut order: Order) {
    let key = order.job.key();
    if let Some(before) = orders.get_mut(&key) {
        before.job.work.absorb(order.job.work.additions());
        return;
    }
    order.job.traceparent = traces::current();
    orders.insert(key, order);
}

/// Returns where the first sweep begins: at the oldest last sync of an active config, which saw everything before it. One
/// that is said to be in the future saw nothing.
fn first_begin(configs: &[Config], until: Timestamp) -> Timestamp {
    let oldest = configs.iter().filter(|config| config.is_active).filter_map(|config| config.last_sync).min();
    let oldest = oldest.filter(|oldest| *oldest <= until);
    oldest.or_else(|| until.checked_sub(FIRST_SWEEP_REACH).ok()).unwrap_or(until)
}
