//! Both queues do the same: chance moves, played on both.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use proptest::{prelude::*, sample::Index, test_runner::TestRunner};
use rir_sidecar::queue::{
    Claim, Claimant, Delay, Ending, Filter, Job, JobId, Order, Queue, Record, State, job::VERSION,
};
use serde_json::json;

use super::{
    audit::Keys,
    bench::{Bench, aggregate, failed, free, full, prefixes, preview, progress, secs, whole},
};

const HOUR: Duration = Duration::from_secs(3600);
/// A job whose config is busy waits for half a minute: a game that takes longer proves nothing.
const LONGEST: Duration = Duration::from_secs(20);

/// One move.
#[derive(Debug, Clone)]
enum Move {
    Order(u8, bool),
    Claim(usize),
    /// By a worker that says what it holds: all that it was given but the last.
    ClaimAgain(usize),
    Heartbeat(Index, u64),
    Note(Index, u64),
    Settle(Index, End),
    Cancel(Index),
    /// With true it becomes somebody else's.
    Retry(Index, bool),
}

#[derive(Debug, Clone, Copy)]
enum End {
    Done,
    Followed(u8),
    Failed,
    FailedForNow(bool),
    Again(bool),
    Cancelled,
    HandedBack,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        4 => Just(End::Done),
        4 => (0..14_u8).prop_map(End::Followed),
        1 => Just(End::Failed),
        2 => any::<bool>().prop_map(End::FailedForNow),
        1 => any::<bool>().prop_map(End::Again),
        1 => Just(End::Cancelled),
        1 => Just(End::HandedBack),
    ]
}

fn one_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        6 => (0..14_u8, any::<bool>()).prop_map(|(job, delay)| Move::Order(job, delay)),
        5 => (1..4_usize).prop_map(Move::Claim),
        1 => (1..4_usize).prop_map(Move::ClaimAgain),
        1 => (any::<Index>(), 0..3_u64).prop_map(|(claim, done)| Move::Heartbeat(claim, done)),
        4 => (any::<Index>(), 0..9_u64).prop_map(|(claim, note)| Move::Note(claim, note)),
        7 => (any::<Index>(), end()).prop_map(|(claim, end)| Move::Settle(claim, end)),
        2 => any::<Index>().prop_map(Move::Cancel),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(job, owned)| Move::Retry(job, owned)),
    ]
}

fn job(number: u8) -> Job {
    match number {
        0 | 1 => free(u64::from(number)),
        2 | 3 => prefixes([u64::from(number)]),
        4 | 5 => aggregate(1, u64::from(number)),
        6 => Job { v: VERSION + 1, ..free(9) },
        9 | 10 => preview(u64::from(number), "ann"),
        11 => preview(9, "bob"),
        12 => full(aggregate(1, 4)),
        13 => full(prefixes([13])),
        other => whole(u64::from(other)),
    }
}

/// A queue, and what has come of it so far in the order of the game.
struct Table {
    queue: Queue,
    ids: Vec<JobId>,
    claims: Vec<Claim>,
    /// All records as they were before the last move.
    before: HashMap<JobId, Record>,
}

impl Table {
    fn new(queue: Queue) -> Self {
        Self { queue, ids: Vec::new(), claims: Vec::new(), before: HashMap::new() }
    }

    /// The place of an id in the game.
    fn place(&mut self, id: &JobId) -> usize {
        self.ids.iter().position(|known| known == id).unwrap_or_else(|| {
            self.ids.push(id.clone());
            self.ids.len() - 1
        })
    }

    /// Makes a move; what came of it.
    async fn play(&mut self, step: &Move) -> String {
        let queue = self.queue.clone();
        let came = match step {
            Move::Order(number, delayed) => {
                let delay = if *delayed { Delay::For(HOUR) } else { Delay::None };
                let tickets = queue.enqueue(&[Order { job: job(*number), delay }]).await.unwrap();
                format!("{} {}", self.place(&tickets[0].job), tickets[0].coalesced)
            }
            Move::Claim(most) => self.claim("w".into(), *most).await,
            Move::ClaimAgain(most) => {
                let mut holds: Vec<JobId> = self.running().cloned().collect();
                holds.pop();
                self.claim(Claimant { name: "w", holds: Some(&holds) }, *most).await
            }
            Move::Heartbeat(index, done) => match self.claims.get(index.index(self.claims.len().max(1))) {
                Some(claim) => format!("{:?}", queue.heartbeat(claim, "w", &progress(*done, 2, "p")).await.unwrap()),
                None => String::new(),
            },
            Move::Note(index, number) => match self.claims.get(index.index(self.claims.len().max(1))) {
                Some(claim) => format!("{:?}", queue.note(claim, "w", &json!(number)).await.unwrap()),
                None => String::new(),
            },
            Move::Settle(index, end) => match self.claims.get(index.index(self.claims.len().max(1))) {
                Some(claim) => format!("{:?}", queue.settle(claim, ending(*end)).await.unwrap()),
                None => String::new(),
            },
            Move::Cancel(index) => match self.ids.get(index.index(self.ids.len().max(1))) {
                Some(id) => format!("{:?}", queue.cancel(id, "ann").await.unwrap()),
                None => String::new(),
            },
            Move::Retry(index, owned) => match self.ids.get(index.index(self.ids.len().max(1))) {
                Some(id) => format!("{:?}", queue.retry(id, "bob", owned.then_some("bob")).await.unwrap()),
                None => String::new(),
            },
        };
        self.versions_grow().await;
        format!("{came} {:?}", queue.figures().await.unwrap().jobs)
    }

    /// The jobs that run, in the order of the game.
    fn running(&self) -> impl Iterator<Item = &JobId> {
        self.ids.iter().filter(|id| self.before.get(id).is_some_and(|record| record.state == State::Running))
    }

    async fn claim(&mut self, claimant: Claimant<'_>, most: usize) -> String {
        let mut came = String::new();
        for claim in self.queue.clone().claim(claimant, most, Duration::ZERO).await.unwrap() {
            let place = self.place(&claim.id);
            came += &format!("{place} {:?} {} {} {}; ", claim.job.work, claim.job.full, claim.attempt, claim.fence);
            self.claims.push(claim);
        }
        came
    }

    /// Checks that whatever has changed has a higher version.
    async fn versions_grow(&mut self) {
        let all = self.queue.list(&Filter { limit: 1000, ..Filter::default() }).await.unwrap();
        let now: HashMap<JobId, Record> = all.into_iter().map(|record| (record.id.clone(), record)).collect();
        for (id, before) in &self.before {
            let now = &now[id];
            assert!(now == before || now.version > before.version, "{before:?} became {now:?}");
        }
        self.before = now;
    }

    /// All that can be seen at the end.
    async fn seen(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        for id in self.ids.clone() {
            let record = self.queue.find(&id).await.unwrap().unwrap();
            let work = record.job.as_ref().map(|job| (&job.work, job.full, &job.user, job.trigger));
            let persons = (record.cancelled_by, record.retried_by);
            let times = [record.due, record.started, record.ended].map(|time| time.is_some());
            let rest = (record.state, record.attempts, record.progress, record.error, record.result);
            let notes = self.queue.notes(&id).await.unwrap();
            seen.push(format!("{work:?} {persons:?} {rest:?} {times:?} {:?} {notes:?}", record.worker));
        }
        for config in [1, 7, 8] {
            let active = self.queue.active(rir_sidecar::model::RowId(config)).await.unwrap();
            seen.push(format!("{config}: {:?}", active.map(|id| self.place(&id))));
        }
        let all = self.queue.list(&Filter { limit: 1000, ..Filter::default() }).await.unwrap();
        let mut states: HashMap<State, u32> = HashMap::new();
        for record in all {
            *states.entry(record.state).or_default() += 1;
        }
        seen.extend(State::ALL.map(|state| format!("{state:?}: {:?}", states.get(&state))));
        seen
    }
}

fn ending(end: End) -> Ending {
    let wait = |later: bool| if later { HOUR } else { Duration::ZERO };
    let done = |count| Ending::Done {
        result: json!(count),
        then: (0..count).map(|number| super::bench::now(job(number))).collect(),
    };
    match end {
        End::Done => done(0),
        End::Followed(count) => done(count),
        End::Failed => failed("boom: no", None),
        End::FailedForNow(later) => failed("boom: not now", Some(wait(later))),
        End::Again(later) => Ending::Again { wait: wait(later) },
        End::Cancelled => Ending::Cancelled,
        End::HandedBack => Ending::HandedBack,
    }
}

async fn play(moves: Vec<Move>) -> Result<(), TestCaseError> {
    let long = |settings: &mut rir_sidecar::config::Queue| settings.lease = secs(3600);
    let bench = Bench::redis().await.with(long).await;
    let mut memory = Table::new(Bench::memory().with(long).await.queue);
    let mut redis = Table::new(bench.queue.clone());
    let begun = Instant::now();
    for (number, step) in moves.iter().enumerate() {
        let (here, there) = tokio::join!(memory.play(step), redis.play(step));
        if begun.elapsed() > LONGEST {
            return Ok(());
        }
        prop_assert_eq!(here, there, "move {}: {:?}", number, step);
    }
    prop_assert_eq!(memory.seen().await, redis.seen().await);
    Keys::of(&bench.settings).await.audit().await;
    Ok(())
}

#[test]
fn chance_moves_come_to_the_same_in_memory_and_in_redis() {
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let games = prop::collection::vec(one_move(), 1..50);
    TestRunner::new(config).run(&games, |moves| runtime.block_on(play(moves))).unwrap();
}
