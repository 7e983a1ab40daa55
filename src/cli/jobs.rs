//! `rir-sidecar jobs`: shows the queue, and retries or cancels jobs.

use jiff::Timestamp;
use serde::Serialize;

use super::{exit::ExitStatus, output};
use crate::{
    config::Settings,
    http::JobView,
    model::{RowId, SourceName},
    queue::{Asked, Error, Filter, Job, JobId, Queue, Record, State, Work},
};

/// Who cancelled or retried a job from here. No NetBox user has a space in their name.
const COMMAND_LINE: &str = "command line";

/// The options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text", global = true)]
    output: output::Format,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List jobs, the newest first
    List {
        /// Only those in this state
        #[arg(long, value_enum)]
        state: Option<State>,
        /// Only those of the RIR config with this id in NetBox
        #[arg(long, value_name = "ID")]
        config_id: Option<u64>,
        /// Only those of this source of a routing registry
        #[arg(long, value_name = "SOURCE")]
        source: Option<SourceName>,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: usize,
    },
    /// Show one job with everything that is known of it
    Show {
        #[arg(value_parser = id)]
        id: JobId,
    },
    /// Give a dead or cancelled job a new life
    Retry {
        #[arg(value_parser = id)]
        id: JobId,
        /// Make it the job of this NetBox user, and use their API key and no other; needed if somebody asked for it
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Cancel a job; one that runs comes to an end soon
    Cancel {
        #[arg(value_parser = id)]
        id: JobId,
    },
}

fn id(text: &str) -> Result<JobId, String> {
    JobId::parse(text).ok_or_else(|| "an id is 24 hex digits, as `rir-sidecar jobs list` shows it".into())
}

pub(super) async fn run(args: Args, settings: Settings) -> ExitStatus {
    if settings.queue.url.is_empty() {
        output::err(
            "error: queue.url is not set, and jobs in a process cannot be seen from outside; set it to where Redis is",
        );
        return ExitStatus::Misused;
    }
    let done = async {
        let queue = Queue::open(&settings.queue).await?;
        match args.action {
            Action::List { state, config_id, source, limit } => {
                let filter = Filter { state, config: config_id.map(RowId), source, before: None, limit };
                let jobs = queue.list(&filter).await?;
                Ok(match args.output {
                    output::Format::Text => {
                        output::out(&table(&jobs));
                        ExitStatus::Done
                    }
                    output::Format::Json => print(&jobs.into_iter().map(JobView::from).collect::<Vec<_>>()),
                })
            }
            Action::Show { id } => Ok(match queue.find(&id).await? {
                Some(job) => match args.output {
                    output::Format::Text => {
                        output::out(&details(&job));
                        ExitStatus::Done
                    }
                    output::Format::Json => print(&JobView::from(job)),
                },
                None => unknown(&id),
            }),
            Action::Retry { id, user } => retry(&queue, &id, user.as_deref()).await,
            Action::Cancel { id } => Ok(answer(queue.cancel(&id, COMMAND_LINE).await?, &id, "cancelled")),
        }
    };
    done.await.unwrap_or_else(|error: Error| ExitStatus::failed(error.retry()).because(&error))
}

/// Retries a job. One that somebody asked for would use their API key again, which has to be said.
async fn retry(queue: &Queue, id: &JobId, user: Option<&str>) -> Result<ExitStatus, Error> {
    let record = queue.find(id).await?;
    let asked_by = record.as_ref().and_then(|record| record.job.as_ref()).and_then(Job::asked_by);
    if let (Some(asked_by), None) = (asked_by, user) {
        output::err(&format!(
            "error: {asked_by} asked for {id}, with their API key; name the NetBox user whose job it is to be: --user NAME"
        ));
        return Ok(ExitStatus::Misused);
    }
    Ok(answer(queue.retry(id, COMMAND_LINE, user).await?, id, "queued again"))
}

fn answer(asked: Asked, id: &JobId, done: &str) -> ExitStatus {
    match asked {
        Asked::Taken => {
            output::out(&format!("{id}: {done}"));
            ExitStatus::Done
        }
        Asked::Unknown => unknown(id),
        Asked::Unfit(state) => {
            output::err(&format!("error: {id} is {state}, so there is nothing to do"));
            ExitStatus::Failed
        }
    }
}

fn unknown(id: &JobId) -> ExitStatus {
    output::err(&format!("error: there is no job {id}; those that are over are forgotten after queue.keep"));
    ExitStatus::Misused
}

/// Prints the answer that the HTTP API would give.
fn print(view: &impl Serialize) -> ExitStatus {
    match serde_json::to_string_pretty(view) {
        Ok(text) => {
            output::out(&text);
            ExitStatus::Done
        }
        Err(error) => ExitStatus::Failed.because(&error),
    }
}

/// Describes one job: a line for each thing that is known, and for each aggregate of its run.
fn details(job: &Record) -> String {
    let work = job.job.as_ref();
    let trigger = |job: &Job| format!("{:?}", job.trigger).to_lowercase();
    let asked = work.map(|job| format!("{} by {}", trigger(job), job.user.as_deref().unwrap_or("nobody")));
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let known = [
        ("job", Some(kind(job))),
        ("config", work.and_then(|job| job.work.config()).map(|id| id.to_string())),
        ("state", Some(job.state.to_string())),
        ("attempts", Some(job.attempts.to_string())),
        ("asked for", asked),
        ("cancelled", job.cancelled_by.as_ref().map(|by| format!("by {by}"))),
        ("retried", job.retried_by.as_ref().map(|by| format!("by {by}"))),
        ("created", time(Some(job.created))),
        ("due", time(job.due)),
        ("started", time(job.started)),
        ("ended", time(job.ended)),
        ("phase", Some(job.progress.phase.clone()).filter(|phase| !phase.is_empty())),
        ("error", job.error.clone()),
        ("result", job.result.as_ref().map(ToString::to_string)),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some(format!("{name:>10}  {}", value?)));
    let aggregates = job.progress.aggregates.iter().map(|line| format!("            {line}"));
    let lines: Vec<String> = std::iter::once(job.id.to_string()).chain(known).chain(aggregates).collect();
    lines.join("\n")
}

fn table(jobs: &[Record]) -> String {
    if jobs.is_empty() {
        return "no jobs".into();
    }
    let row = |job: &Record| {
        let config = job.job.as_ref().and_then(|job| job.work.config()).map(|id| id.to_string());
        let (id, attempts) = (job.id.to_string(), job.attempts.to_string());
        vec![id, kind(job), config.unwrap_or_default(), job.state.to_string(), attempts, age(job.created), outcome(job)]
    };
    let header = ["id", "job", "config", "state", "attempts", "age", "outcome"];
    output::table(&header, jobs.iter().map(row).collect(), header.len())
}

/// Returns the kind of a job's work, and whether it asks ARIN for everything.
fn kind(job: &Record) -> String {
    match &job.job {
        Some(Job { work: Work::UpdateIrr { source }, .. }) => format!("update-irr {source}"),
        Some(Job { work, full: true, .. }) => format!("{} (full)", work.name()),
        Some(Job { work, full: false, .. }) => work.name().to_owned(),
        None => "?".to_owned(),
    }
}

/// Returns whole seconds, minutes, hours or days, which is enough to tell an old job from a new one.
fn age(since: Timestamp) -> String {
    let seconds = Timestamp::now().duration_since(since).as_secs().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn outcome(job: &Record) -> String {
    let result = || job.result.as_ref()?.get("result")?.as_str().map(str::to_owned);
    if matches!(job.state, State::Dead | State::Delayed) {
        return job.error.clone().unwrap_or_default();
    }
    if job.state == State::Running {
        return match (job.progress.done, job.progress.total) {
            (0, 0) => String::new(),
            (done, 0) => format!("{done} so far"),
            (done, total) => format!("{done} of {total}"),
        };
    }
    if job.state == State::Done { result().unwrap_or_default() } else { String::new() }
}
