//! The steps of the queue as calls of scripts.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use redis::{Cmd, FromRedisValue};
use serde::Serialize;
use serde_json::Value;

use super::{scripts, wire};
use crate::{
    config,
    model::RowId,
    queue::{
        claim::{Claim, Ending, Noted, Settled, Signal},
        job::{JobId, Workplace},
        limits::Limits,
        order::{Enqueued, Order},
        record::{Asked, Figures, Filter, Progress, Record, State},
    },
    redis_client::{Client, Error, Script, json},
};

/// Limits how many jobs one step of a list looks at.
const PAGE: usize = 200;

/// The queue in Redis.
#[derive(Debug, Clone)]
pub struct InRedis {
    pub(super) connections: Arc<Connections>,
}

#[derive(Debug)]
pub(super) struct Connections {
    pub(super) redis: Client,
    /// The connection at which one task at a time waits for messages.
    pub(super) waiting: tokio::sync::Mutex<Client>,
    /// When this process last had idle workers forgotten.
    pub(super) cleaned: Mutex<Option<Instant>>,
    /// The calls for jobs until now.
    pub(super) calls: AtomicU64,
    /// When this process last looked for what Redis has lost, and where it goes on.
    pub(super) looked_at: Mutex<(Option<Instant>, wire::Place)>,
    pub(super) limits: Limits,
}

impl InRedis {
    /// Prepares the connections; they are made when they are needed.
    pub(in crate::queue) fn open(settings: &config::Queue) -> Result<Self, Error> {
        let connections = Connections {
            redis: Client::open(settings)?,
            waiting: tokio::sync::Mutex::new(Client::open(settings)?),
            cleaned: Mutex::default(),
            calls: AtomicU64::new(0),
            looked_at: Mutex::default(),
            limits: Limits::of(settings),
        };
        Ok(Self { connections: Arc::new(connections) })
    }

    pub(super) async fn run<T: FromRedisValue>(&self, script: &Script, step: &impl Serialize) -> Result<T, Error> {
        self.connections.redis.run(script, &wire::Argument { limits: &self.connections.limits, step }).await
    }

    pub(in crate::queue) async fn enqueue(&self, orders: &[Order]) -> Result<Vec<Enqueued>, Error> {
        let orders = wire::Orders { orders: wire::orders(orders)? };
        // The limits are no concern of an order, and each field that is read costs time.
        let enqueued: Vec<(String, bool)> = self.connections.redis.run(&scripts::ENQUEUE, &orders).await?;
        let read = |(job, coalesced): (String, bool)| Ok(Enqueued { job: wire::job_id(&job, "enqueue")?, coalesced });
        enqueued.into_iter().map(read).collect()
    }

    pub(in crate::queue) async fn find(&self, id: &JobId) -> Result<Option<Record>, Error> {
        let view: Option<wire::View> = self.run(&scripts::FIND, &wire::JobArgument::job(id)).await?;
        view.map(|view| wire::record(view, "find")).transpose()
    }

    pub(in crate::queue) async fn list(&self, filter: &Filter) -> Result<Vec<Record>, Error> {
        let mut found = Vec::new();
        let narrowed = filter.config.is_some() || filter.source.is_some() || filter.state.is_some();
        let mut page = wire::Page {
            state: filter.state.map(State::name),
            config: filter.config.map(|config| config.to_string()),
            alone_at: filter.source.as_ref().map(|source| Workplace::Mirror(source).to_string()),
            before: filter.before.as_ref().map(ToString::to_string),
            count: PAGE,
        };
        while found.len() < filter.limit {
            page.count = if narrowed { PAGE } else { PAGE.min(filter.limit - found.len()) };
            let (last, views): (String, Vec<wire::View>) = self.run(&scripts::LIST, &page).await?;
            for view in views {
                found.push(wire::record(view, "list")?);
            }
            if last.is_empty() {
                break;
            }
            page.before = Some(last);
        }
        found.truncate(filter.limit);
        Ok(found)
    }

    pub(in crate::queue) async fn active(&self, at: Workplace<'_>) -> Result<Option<JobId>, Error> {
        let redis = &self.connections.redis;
        let job: Option<String> = redis.ask("active", &Cmd::hget(redis.key("at-work"), at.to_string())).await?;
        job.map(|job| wire::job_id(&job, "active")).transpose()
    }

    pub(in crate::queue) async fn held(&self, config: RowId) -> Result<Option<JobId>, Error> {
        let job: Option<String> = self.run(&scripts::HELD, &wire::AtConfig { config: config.to_string() }).await?;
        job.map(|job| wire::job_id(&job, "held")).transpose()
    }

    pub(in crate::queue) async fn cancel(&self, id: &JobId, by: &str) -> Result<Asked, Error> {
        let argument = wire::JobArgument { by: Some(by), ..wire::JobArgument::job(id) };
        let answer: String = self.run(&scripts::CANCEL, &argument).await?;
        wire::asked(&answer, "cancel")
    }

    pub(in crate::queue) async fn retry(&self, id: &JobId, by: &str, owner: Option<&str>) -> Result<Asked, Error> {
        let mut argument = wire::JobArgument { by: Some(by), ..wire::JobArgument::job(id) };
        if let Some(owner) = owner {
            let Some(record) = self.find(id).await? else { return Ok(Asked::Unknown) };
            let Some(job) = record.job else { return Ok(Asked::Unfit(record.state)) };
            // The work of a job that is over never changes, and whose it was does not matter any more.
            argument.owned = Some(wire::OwnedJob::of(&job.taken_over_by(owner))?);
        }
        let answer: String = self.run(&scripts::RETRY, &argument).await?;
        wire::asked(&answer, "retry")
    }

    pub(in crate::queue) async fn figures(&self) -> Result<Figures, Error> {
        let (delayed, parked, ready, running, dead, oldest) = self.run(&scripts::COUNT, &()).await?;
        let jobs = [
            (State::Delayed, delayed),
            (State::Parked, parked),
            (State::Ready, ready),
            (State::Running, running),
            (State::Dead, dead),
        ];
        Ok(Figures { jobs: jobs.into(), oldest_ready: Duration::from_millis(oldest) })
    }

    pub(in crate::queue) async fn ping(&self) -> Result<(), Error> {
        // A server may answer and yet refuse to write: a replica, or one whose disk or memory is full.
        let redis = &self.connections.redis;
        redis.ask("ping", &Cmd::pset_ex(redis.key("taken"), "", 1000)).await
    }

    pub(in crate::queue) async fn heartbeat(
        &self,
        claim: &Claim,
        worker: &str,
        progress: &Progress,
    ) -> Result<Signal, Error> {
        let progress = Some(json(progress, "heartbeat")?);
        let argument = wire::JobArgument { progress, ..wire::JobArgument::claim(claim, worker) };
        self.beat(&argument).await.map(|noted| noted.signal)
    }

    pub(in crate::queue) async fn note(&self, claim: &Claim, worker: &str, note: &Value) -> Result<Noted, Error> {
        let note = Some(json(note, "note")?);
        self.beat(&wire::JobArgument { note, ..wire::JobArgument::claim(claim, worker) }).await
    }

    async fn beat(&self, argument: &wire::JobArgument<'_>) -> Result<Noted, Error> {
        let (signal, others_wait): (String, bool) = self.run(&scripts::HEARTBEAT, argument).await?;
        Ok(Noted { signal: wire::signal(&signal)?, others_wait })
    }

    pub(in crate::queue) async fn notes(&self, id: &JobId) -> Result<Vec<Value>, Error> {
        let redis = &self.connections.redis;
        let notes: Vec<String> = redis.ask("notes", &Cmd::lrange(redis.key(&format!("notes:{id}")), 0, -1)).await?;
        notes.iter().map(|note| wire::read(note, "notes")).collect()
    }

    pub(in crate::queue) async fn settle(&self, claim: &Claim, ending: Ending) -> Result<Settled, Error> {
        let taken: bool = self.run(&scripts::SETTLE, &wire::End::of(claim, &ending)?).await?;
        Ok(if taken { Settled::Taken } else { Settled::Lost })
    }
}
