//! The queue in Redis, 6.2 or newer, for any number of replicas.
//!
//! All keys begin with `{prefix}:`. The braces put them into one slot of a Cluster, so that each step can be one script:
//! nothing comes between its parts, and a job is never in two places or in none. The scripts take the time from Redis.
//!
//! | key | kind | holds | leaves when |
//! |---|---|---|---|
//! | `ready` | stream, group `workers` | a message for each job that is ready or running | the claim ends |
//! | `delayed` | sorted set | jobs by the time they are due | due, or cancelled |
//! | `job:ID` | hash | all about one job | over for `queue.keep`, dead for four times that |
//! | `more:ID` | set | what later orders added to a job | with the job |
//! | `heads` | hash | for each key, the job that has it; equal ones are parked behind it, in a row | the last one ends |
//! | `writers` | hash | for each config, the run at work, and its job that runs | the run ends |
//! | `turns`, `lines` | hash | for each config, how many jobs of it were claimed, and how many had to wait | never |
//! | `line:CONFIG` | sorted set | jobs that wait for a config, in the order in which they came | claimed, or over |
//! | `open:ID` | set | parts of a run that have not ended | they end |
//! | `parts:ID` | hash | what the others ended with | with the first job of the run |
//! | `jobs` | sorted set | all jobs by age, for lists | forgotten |
//! | `parked`, `spread`, `dead` | set | the jobs in that state, to be counted | the state changes |
//! | `over` | sorted set | jobs that are over, by the time they are forgotten; at most [`KEPT`] | forgotten |
//! | `letters` | stream | dead letters: job, key, body, error | retried, cancelled or forgotten |
//! | `cursors` | hash | where somebody stands | never |
//! | `lease:NAME` | string | who has a lease | its time is over |
//! | `heard:HINT` | string | nothing | after [`HEARD`] |
//! | `answer:KEY` | hash | fingerprint of a request, and the answer | its time is over |
//! | `turn:NAME`, `pause:NAME` | string | times of a registry instance | past |
//! | `present` | sorted set | processes by when they last said so | after [`PRESENT`](super::PRESENT) |
//! | `taken` | string | nothing | a second after somebody asked whether Redis takes writes |
//!
//! A claim is one script, too: it reads the stream and marks the jobs as running in one step. What is idle in the group
//! for longer than the lease is taken over by the same script; signs of life begin that time anew. While there is nothing
//! to claim, one task of each process waits at the stream, without taking anything from it.
//!
//! What was accepted is as durable as Redis is told to be: `appendonly yes` at least.

mod claiming;
mod link;
mod scripts;
mod shared;
mod wire;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use redis::{FromRedisValue, RedisError, RedisResult, Script, ScriptInvocation};

use self::link::Link;
use super::{Asked, BUSY, Error, Figures, Filter, HEARD, JobId, KEPT, Order, Part, Record, State, Ticket, millis};
use crate::{config, model::RowId};

/// Jobs that one step of a list looks at.
const PAGE: usize = 200;

/// The queue in Redis.
#[derive(Debug, Clone)]
pub struct Queue {
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    link: Link,
    /// Where one task at a time waits for messages.
    waiting: tokio::sync::Mutex<Link>,
    /// When consumers were last tidied up by this process.
    tidied: Mutex<Option<Instant>>,
    /// `{prefix}:`
    keys: String,
    settings: config::Queue,
}

impl Queue {
    /// Prepares the connections; they are made when they are needed.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub async fn open(settings: &config::Queue) -> Result<Self, Error> {
        crate::tls::choose_provider();
        let link = || Link::prepare(settings).map_err(Error::Address);
        let inside = Inside {
            link: link()?,
            waiting: tokio::sync::Mutex::new(link()?),
            tidied: Mutex::default(),
            keys: format!("{{{}}}:", settings.prefix),
            settings: settings.clone(),
        };
        Ok(Self { inside: Arc::new(inside) })
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.inside.keys)
    }

    /// A script to which the settings say nothing.
    fn script<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        script.key(&self.inside.keys)
    }

    /// A script that moves jobs.
    fn moving<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        let settings = &self.inside.settings;
        let mut script = self.script(script);
        script.arg(millis(settings.keep)).arg(settings.max_attempts).arg(millis(settings.lease));
        script.arg(millis(BUSY)).arg(KEPT);
        script
    }

    async fn run<T: FromRedisValue>(&self, operation: &'static str, script: &ScriptInvocation<'_>) -> Result<T, Error> {
        let mut link = self.inside.link.clone();
        in_time(operation, script.invoke_async(&mut link)).await
    }

    async fn ask<T: FromRedisValue>(&self, operation: &'static str, command: &redis::Cmd) -> Result<T, Error> {
        let mut link = self.inside.link.clone();
        in_time(operation, command.query_async(&mut link)).await
    }
}

/// Waits for an answer, but not for long.
async fn in_time<T>(operation: &'static str, answer: impl Future<Output = RedisResult<T>>) -> Result<T, Error> {
    let late = |_| Err(RedisError::from(io::Error::from(io::ErrorKind::TimedOut)));
    let answer = tokio::time::timeout(link::ANSWER, answer).await.unwrap_or_else(late);
    answer.map_err(|source| Error::Redis { operation, source })
}

/// As [`super::Queue`] says.
#[expect(missing_docs, reason = "the enum over the queues says it")]
#[expect(clippy::missing_errors_doc, reason = "the enum over the queues says it")]
impl Queue {
    pub async fn enqueue(&self, orders: &[Order], heard: Option<&str>) -> Result<Vec<Ticket>, Error> {
        let mut script = self.moving(&scripts::ENQUEUE);
        script.arg(heard.unwrap_or_default()).arg(millis(HEARD)).arg(orders.len());
        for order in orders {
            wire::push_order(&mut script, order)?;
        }
        let tickets: Vec<(String, bool)> = self.run("enqueue", &script).await?;
        let ticket = |(job, coalesced): (String, bool)| Ok(Ticket { job: wire::job_id(&job, "enqueue")?, coalesced });
        tickets.into_iter().map(ticket).collect()
    }

    pub async fn find(&self, id: &JobId) -> Result<Option<Record>, Error> {
        let view: Option<wire::View> = self.run("find", self.script(&scripts::FIND).arg(id.as_str())).await?;
        view.map(|view| wire::record(view, "find")).transpose()
    }

    pub async fn list(&self, filter: &Filter) -> Result<Vec<Record>, Error> {
        let mut found = Vec::new();
        let mut before = filter.before.as_ref().map(ToString::to_string).unwrap_or_default();
        while found.len() < filter.limit {
            let left = filter.limit - found.len();
            let count = if filter.config.is_some() || filter.state.is_some() { PAGE } else { PAGE.min(left) };
            let (last, views) = self.page(filter, &before, count).await?;
            for view in views {
                found.push(wire::record(view, "list")?);
            }
            if last.is_empty() {
                break;
            }
            before = last;
        }
        found.truncate(filter.limit);
        Ok(found)
    }

    /// What fits among the next jobs of a list, and the last one looked at.
    async fn page(&self, filter: &Filter, before: &str, count: usize) -> Result<(String, Vec<wire::View>), Error> {
        let mut script = self.script(&scripts::LIST);
        script.arg(filter.state.map_or("", State::name));
        script.arg(filter.config.map(|config| config.to_string()).unwrap_or_default()).arg(before).arg(count);
        self.run("list", &script).await
    }

    pub async fn active(&self, config: RowId) -> Result<Option<JobId>, Error> {
        let command = redis::Cmd::hget(self.key("writers"), config.0);
        let writer: Option<String> = self.ask("active", &command).await?;
        let run = writer.as_deref().and_then(|writer| writer.split(' ').next());
        run.map(|run| wire::job_id(run, "active")).transpose()
    }

    pub async fn cancel(&self, id: &JobId) -> Result<Asked, Error> {
        let answer: String = self.run("cancel", self.moving(&scripts::CANCEL).arg(id.as_str())).await?;
        wire::asked(&answer, "cancel")
    }

    pub async fn retry(&self, id: &JobId) -> Result<Asked, Error> {
        let answer: String = self.run("retry", self.moving(&scripts::RETRY).arg(id.as_str())).await?;
        wire::asked(&answer, "retry")
    }

    pub async fn figures(&self) -> Result<Figures, Error> {
        let (delayed, parked, ready, running, spread, dead, oldest) =
            self.run("figures", &self.script(&scripts::FIGURES)).await?;
        let jobs = [
            (State::Delayed, delayed),
            (State::Parked, parked),
            (State::Ready, ready),
            (State::Running, running),
            (State::Spread, spread),
            (State::Dead, dead),
        ];
        Ok(Figures { jobs: jobs.into(), oldest_ready: Duration::from_millis(oldest) })
    }

    pub async fn ping(&self) -> Result<(), Error> {
        // A server may answer and yet refuse to write: a replica, or one whose disk or memory is full.
        self.ask("ping", &redis::Cmd::pset_ex(self.key("taken"), "", 1000)).await
    }

    pub async fn parts(&self, run: &JobId) -> Result<Vec<Part>, Error> {
        let command = redis::Cmd::hgetall(self.key(&format!("parts:{run}")));
        let written: HashMap<String, String> = self.ask("parts", &command).await?;
        wire::parts(written)
    }
}
