//! The arguments of the scripts and their answers, as this crate's values.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    model::RowId,
    queue::{
        claim::{Claim, Ending, Signal},
        job::{Job, JobId, VERSION},
        limits::{Limits, Millis, millis, timestamp},
        order::{Delay, Order},
        record::{Asked, Record, State},
    },
    redis_client::{Error, json},
};

/// The argument of a script.
#[derive(Serialize)]
pub(super) struct Argument<'a, T> {
    pub(super) limits: &'a Limits,
    #[serde(flatten)]
    pub(super) step: &'a T,
}

/// The job or the claim that a step is about, and what else belongs to it.
#[derive(Default, Serialize)]
pub(super) struct JobArgument<'a> {
    pub(super) job: &'a str,
    pub(super) fence: u64,
    pub(super) worker: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) progress: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// The one who asks for a cancellation or a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owned: Option<OwnedJob>,
}

/// A job that has become somebody else's.
#[derive(Serialize)]
pub(super) struct OwnedJob {
    key: String,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    alone_at: Option<String>,
}

impl OwnedJob {
    pub(super) fn of(job: &Job) -> Result<Self, Error> {
        Ok(Self { key: job.key(), body: json(job, "retry")?, alone_at: place(job) })
    }
}

impl<'a> JobArgument<'a> {
    pub(super) fn job(id: &'a JobId) -> Self {
        Self { job: id.as_str(), ..Self::default() }
    }

    pub(super) fn claim(claim: &'a Claim, worker: &'a str) -> Self {
        Self { job: claim.id.as_str(), fence: claim.fence, worker, ..Self::default() }
    }
}

/// The config that a step is about.
#[derive(Serialize)]
pub(super) struct AtConfig {
    pub(super) config: String,
}

/// The part of a list that one step looks at.
#[derive(Serialize)]
pub(super) struct Page {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alone_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    pub(super) count: usize,
}

/// The jobs that one step of the repair looks at.
#[derive(Serialize)]
pub(super) struct LookAt {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) count: usize,
}

/// The place where the repair goes on; it begins with the newest job.
#[derive(Debug, Default, Clone, Serialize)]
pub(super) struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    /// The cursor of the keys of equal work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) heads: Option<String>,
    /// The cursor of the configs that have a running job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) configs: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Orders {
    pub(super) orders: Vec<WrittenOrder>,
}

/// An order. Ids are text, as Lua has no integers.
#[derive(Serialize)]
pub(super) struct WrittenOrder {
    id: JobId,
    key: String,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alone_at: Option<String>,
    delay: &'static str,
    wait: Millis,
    longest: Millis,
    additions: Vec<String>,
}

/// Writes where a job wants to be alone.
fn place(job: &Job) -> Option<String> {
    job.alone_at().map(|place| place.to_string())
}

pub(super) fn orders(orders: &[Order]) -> Result<Vec<WrittenOrder>, Error> {
    orders.iter().map(order).collect()
}

fn order(Order { job, delay }: &Order) -> Result<WrittenOrder, Error> {
    let (delay, wait, longest) = match *delay {
        Delay::None => ("none", 0, 0),
        Delay::For(wait) => ("for", millis(wait), millis(wait)),
        Delay::Debounce { quiet, longest } => ("debounce", millis(quiet.min(longest)), millis(longest)),
    };
    Ok(WrittenOrder {
        id: JobId::new(Timestamp::now()),
        key: job.key(),
        body: json(job, "enqueue")?,
        config: job.work.config().map(|config| config.to_string()),
        alone_at: place(job),
        delay,
        wait,
        longest,
        additions: job.work.additions().iter().map(ToString::to_string).collect(),
    })
}

/// The end of a claim.
#[derive(Default, Serialize)]
pub(super) struct End<'a> {
    job: &'a str,
    fence: u64,
    ending: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    orders: Vec<WrittenOrder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<Millis>,
}

impl<'a> End<'a> {
    pub(super) fn of(claim: &'a Claim, ending: &'a Ending) -> Result<Self, Error> {
        let end = Self { job: claim.id.as_str(), fence: claim.fence, ..Self::default() };
        Ok(match ending {
            Ending::Done { result, then } => {
                Self { ending: "done", result: Some(json(result, "settle")?), orders: orders(then)?, ..end }
            }
            Ending::Again { wait } => Self { ending: "put-back", wait: Some(millis(*wait)), ..end },
            Ending::Failed { error, retry } => {
                Self { ending: "failed", error: Some(error), wait: retry.map(millis), ..end }
            }
            Ending::Cancelled => Self { ending: "cancelled", ..end },
            Ending::HandedBack => Self { ending: "put-back", wait: Some(0), ..end },
        })
    }

    pub(super) fn refused(id: &'a JobId, fence: u64, reason: &'a str) -> Self {
        Self { job: id.as_str(), fence, ending: "refused", error: Some(reason), ..Self::default() }
    }
}

/// A job that a worker has just got: id, job, attempts, number of the claim, first order, and what later orders added.
pub(super) type Got = (String, String, u32, u64, Millis, Vec<u64>);

/// A job as it is kept: id, fields, and what later orders added.
pub(super) type View = (String, HashMap<String, String>, Vec<u64>);

/// Returns the job of a message, or the reason why it is not understood.
fn understand(body: &str, more: &[u64]) -> Result<Job, String> {
    #[derive(Deserialize)]
    struct Versioned {
        v: u32,
    }
    let refuse = |error: serde_json::Error| format!("not understood: {error}");
    let Versioned { v } = serde_json::from_str(body).map_err(refuse)?;
    if v > VERSION {
        return Err(format!("not understood: version {v} of a job"));
    }
    let mut job: Job = serde_json::from_str(body).map_err(refuse)?;
    job.work.absorb(more.iter().copied().map(RowId));
    Ok(job)
}

/// Returns a claim, or the number of one whose job is not understood, with the reason.
pub(super) fn claim(got: Got) -> Result<Result<Claim, (JobId, u64, String)>, Error> {
    let (id, body, attempt, fence, created, more) = got;
    let id = job_id(&id, "claim")?;
    Ok(match understand(&body, &more) {
        Ok(job) => Ok(Claim { id, job, attempt, fence, created: timestamp(created) }),
        Err(reason) => Err((id, fence, reason)),
    })
}

pub(super) fn job_id(text: &str, operation: &'static str) -> Result<JobId, Error> {
    JobId::parse(text).ok_or(Error::Foreign { operation, source: None })
}

pub(super) fn read<T: DeserializeOwned>(text: &str, operation: &'static str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Foreign { operation, source: Some(error) })
}

pub(super) fn record(view: View, operation: &'static str) -> Result<Record, Error> {
    let (id, mut fields, more) = view;
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<Millis>().ok());
    let count = |name: &str| number(name).and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
    let progress = fields.get("progress").map(|text| read(text, operation)).transpose()?;
    Ok(Record {
        id: job_id(&id, operation)?,
        job: fields.get("body").and_then(|body| understand(body, &more).ok()),
        state: state(fields.get("state").map_or("", String::as_str), operation)?,
        attempts: u32::try_from(count("attempts")).unwrap_or(u32::MAX),
        created: timestamp(number("created").unwrap_or_default()),
        due: number("due").map(timestamp),
        started: number("started").map(timestamp),
        ended: number("ended").map(timestamp),
        progress: progress.unwrap_or_default(),
        version: count("version"),
        result: fields.get("result").map(|text| read(text, operation)).transpose()?,
        error: fields.remove("error"),
        cancelled_by: fields.remove("cancelled_by"),
        retried_by: fields.remove("retried_by"),
        worker: fields.remove("worker"),
    })
}

fn state(text: &str, operation: &'static str) -> Result<State, Error> {
    State::ALL.into_iter().find(|state| state.name() == text).ok_or(Error::Foreign { operation, source: None })
}

/// Reads the answer to a heartbeat.
pub(super) fn signal(answer: &str) -> Result<Signal, Error> {
    match answer {
        "yours" => Ok(Signal::Yours),
        "cancelled" => Ok(Signal::Cancelled),
        "lost" => Ok(Signal::Lost),
        _ => Err(Error::Foreign { operation: "heartbeat", source: None }),
    }
}

/// Reads the answer to a cancellation or a retry: a word, or the state that does not allow it.
pub(super) fn asked(answer: &str, operation: &'static str) -> Result<Asked, Error> {
    match answer {
        "taken" => Ok(Asked::Taken),
        "unknown" => Ok(Asked::Unknown),
        other => state(other, operation).map(Asked::Unfit),
    }
}
