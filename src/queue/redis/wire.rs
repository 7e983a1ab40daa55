//! What goes to the scripts and what comes back, as this crate's values.

use std::collections::HashMap;

use jiff::Timestamp;
use redis::ScriptInvocation;
use serde::Deserialize;

use crate::{
    model::RowId,
    queue::{
        Asked, Claim, Delay, Ending, Error, Job, JobId, Millis, Order, Part, Progress, Record, State, job::VERSION,
        millis, time,
    },
};

/// A job that a worker has just got: id, job, attempts, number of the claim, first order, and what later orders added.
pub(super) type Got = (String, String, u32, u64, Millis, u64, Vec<u64>);

/// What is known about a job: id, fields, what later orders added, and for a run how many parts have not ended.
pub(super) type View = (String, HashMap<String, String>, Vec<u64>, u64);

/// Adds an order to the arguments of a script.
pub(super) fn push_order(script: &mut ScriptInvocation<'_>, order: &Order) -> Result<(), Error> {
    let id = JobId::new(Timestamp::now());
    let job = &order.job;
    let recorder = job.recorder(&id);
    let body = |job: &Job| json(job, "enqueue");
    script.arg(id.as_str()).arg(job.key()).arg(body(job)?);
    script.arg(job.work.config().map(|config| config.to_string()).unwrap_or_default());
    script.arg(job.run.as_ref().map_or("", JobId::as_str));
    script.arg(recorder.as_ref().map(Job::key).unwrap_or_default());
    script.arg(recorder.as_ref().map(body).transpose()?.unwrap_or_default());
    let (delay, wait, longest) = match order.delay {
        Delay::None => ("none", 0, 0),
        Delay::For(wait) => ("for", millis(wait), millis(wait)),
        Delay::Debounce { quiet, longest } => ("debounce", millis(quiet.min(longest)), millis(longest)),
    };
    script.arg(delay).arg(wait).arg(longest);
    let additions = job.work.additions();
    script.arg(additions.len());
    for id in additions {
        script.arg(id.0);
    }
    Ok(())
}

/// Adds an ending to the arguments of a script.
pub(super) fn push_ending(script: &mut ScriptInvocation<'_>, ending: &Ending) -> Result<(), Error> {
    match ending {
        Ending::Done { result, part, then } => {
            let part = part.as_ref().map(|part| json(part, "settle")).transpose()?;
            let part = part.map(|part| format!("f{part}")).unwrap_or_default();
            script.arg("done").arg(json(result, "settle")?).arg(part).arg(then.len());
            for order in then {
                push_order(script, order)?;
            }
        }
        Ending::Again { wait } => drop(script.arg("again").arg(millis(*wait))),
        Ending::Failed { error, retry } => drop(script.arg("failed").arg(error).arg(retry.map_or(-1, millis))),
        Ending::Cancelled => drop(script.arg("cancelled")),
        Ending::HandedBack => drop(script.arg("handed-back")),
    }
    Ok(())
}

pub(super) fn json(value: &impl serde::Serialize, operation: &'static str) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Foreign { operation, source: Some(error) })
}

/// The job of a message, or why it is not understood.
pub(super) fn understand(body: &str, more: &[u64]) -> Result<Job, String> {
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

/// A claim, or the number of one whose job is not understood, with the reason.
pub(super) fn claim(got: Got) -> Result<Result<Claim, (JobId, u64, String)>, Error> {
    let (id, body, attempt, fence, created, turn, more) = got;
    let id = job_id(&id, "claim")?;
    Ok(match understand(&body, &more) {
        Ok(job) => Ok(Claim { id, job, attempt, fence, created: time(created), turn }),
        Err(reason) => Err((id, fence, reason)),
    })
}

pub(super) fn job_id(text: &str, operation: &'static str) -> Result<JobId, Error> {
    JobId::parse(text).ok_or(Error::Foreign { operation, source: None })
}

pub(super) fn record(view: View, operation: &'static str) -> Result<Record, Error> {
    let (id, mut fields, more, open) = view;
    let foreign = |source| Error::Foreign { operation, source };
    let number = |name: &str| fields.get(name).and_then(|text| text.parse::<Millis>().ok());
    let count = |name: &str| number(name).and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
    let state = fields.get("state").and_then(|name| state(name)).ok_or(foreign(None))?;
    let read = fields.get("progress").map(|text| serde_json::from_str(text)).transpose();
    let progress = match state {
        State::Spread => {
            let total = count("total");
            Progress { done: total.saturating_sub(open), total, phase: "parts".to_owned() }
        }
        State::Delayed
        | State::Parked
        | State::Ready
        | State::Running
        | State::Done
        | State::Cancelled
        | State::Dead => read.map_err(|error| foreign(Some(error)))?.unwrap_or_default(),
    };
    let result = fields.get("result").map(|text| serde_json::from_str(text)).transpose();
    Ok(Record {
        id: job_id(&id, operation)?,
        job: fields.get("body").and_then(|body| understand(body, &more).ok()),
        state,
        attempts: u32::try_from(count("attempts")).unwrap_or(u32::MAX),
        created: time(number("created").unwrap_or_default()),
        due: number("due").map(time),
        started: number("started").map(time),
        ended: number("ended").map(time),
        progress,
        version: count("version"),
        result: result.map_err(|error| foreign(Some(error)))?,
        error: fields.remove("error"),
        worker: fields.remove("worker"),
    })
}

fn state(text: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| state.name() == text)
}

/// What became of a cancellation or a retry: a word, or the state that does not allow it.
pub(super) fn asked(answer: &str, operation: &'static str) -> Result<Asked, Error> {
    match answer {
        "taken" => Ok(Asked::Taken),
        "unknown" => Ok(Asked::Unknown),
        other => state(other).map(Asked::Unfit).ok_or(Error::Foreign { operation, source: None }),
    }
}

/// The parts of a run: each is a number that grows, and what it ended with, marked as found or as an error.
pub(super) fn parts(written: HashMap<String, String>) -> Result<Vec<Part>, Error> {
    let mut parts = written.values().map(|text| part(text)).collect::<Result<Vec<_>, Error>>()?;
    parts.sort_by_key(|(number, _)| *number);
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

fn part(text: &str) -> Result<(u64, Part), Error> {
    let foreign = |source| Error::Foreign { operation: "parts", source };
    let (number, what) = text.split_once(' ').ok_or(foreign(None))?;
    let number = number.parse().map_err(|_| foreign(None))?;
    match what.split_at_checked(1) {
        Some(("f", found)) => {
            let found = serde_json::from_str(found).map_err(|error| foreign(Some(error)))?;
            Ok((number, Part::Found(found)))
        }
        Some(("e", error)) => Ok((number, Part::Failed(error.to_owned()))),
        Some(_) | None => Err(foreign(None)),
    }
}
