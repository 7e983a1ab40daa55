//! `rir-sidecar irr`: looks at the mirrors of routing registries, updates, reloads and exports them, and judges by them. So it
//! does with sources that are asked.

pub(super) mod check;
mod lookup;

use std::{
    cell::Cell,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use super::{
    exit::{AnyError, ExitStatus},
    output,
};
use crate::{
    config::{IrrSource, Settings, SourceKind},
    error_chain::error_chain,
    http::{SourceView, running_job},
    irr::{
        store::{Store, StoreError},
        update::{Mirror, UpdateError, Updated},
    },
    model::SourceName,
    netbox,
    queue::{Delay, Job, Order, Queue, Trigger, Work},
    routing::own_space,
};

/// The progress of an update is told each time that so many more objects were read.
const TOLD_EACH: u64 = 100_000;

/// The options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Verb,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text", global = true)]
    output: output::Format,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show each source: its serial, its objects, and what is the matter with it
    Status,
    /// Bring a source up to date now, in this process
    Update {
        #[arg(value_name = "SOURCE")]
        source: SourceName,
    },
    /// Have a source taken anew by the service, from its dump or by asking; its journal is dropped
    Reload {
        #[arg(value_name = "SOURCE")]
        source: SourceName,
    },
    /// Write the objects of a source as a dump
    Export {
        #[arg(value_name = "SOURCE")]
        source: SourceName,
        /// Where to, packed if the name ends in .gz; standard output without it
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Judge whether the world will accept what is announced, by what NetBox and the sources say now
    Check(check::Args),
    /// Show what the sources have about a prefix, around it and inside it
    Lookup(lookup::Args),
    /// Take the dump or answer that was refused because it has too few objects
    AcceptShrink {
        #[arg(value_name = "SOURCE")]
        source: SourceName,
    },
}

pub(super) async fn run(args: Args, settings: Settings) -> ExitStatus {
    let judges = matches!(args.action, Verb::Check(_) | Verb::Lookup(_));
    if settings.queue.url.is_empty() && !judges {
        output::err(
            "error: queue.url is not set, and mirrors in a process cannot be seen from outside; set it to where Redis is",
        );
        return ExitStatus::Misused;
    }
    let form = args.output;
    let done = async {
        let mirror = Mirror::new(Store::open(&settings.queue)?, &settings)?;
        if settings.queue.url.is_empty() {
            read_all(&mirror, &settings).await?;
        }
        let known = |name: &SourceName| settings.irr.known(name);
        match args.action {
            Verb::Check(args) => check::run(args, mirror.store.clone(), settings.clone(), form).await,
            Verb::Lookup(args) => lookup::run(args, &mirror.store, &settings, form).await,
            Verb::Status => status(&mirror.store, &settings, form).await,
            Verb::Update { source } => update(&mirror, &settings, known(&source)?, form).await,
            Verb::Reload { source } => reload(&mirror.store, &settings, known(&source)?).await,
            Verb::Export { source, file } => export(&mirror.store, known(&source)?, file.as_deref()).await,
            Verb::AcceptShrink { source } => accept_shrink(&mirror.store, &settings, known(&source)?).await,
        }
    };
    done.await.unwrap_or_else(|error: AnyError| {
        let retry = match (error.downcast_ref::<StoreError>(), error.downcast_ref::<netbox::Error>()) {
            (Some(of_store), _) => of_store.retry(),
            (None, Some(of_netbox)) => of_netbox.retry(),
            (None, None) => return ExitStatus::Misused.because(&*error),
        };
        ExitStatus::failed(retry).because(&*error)
    })
}

/// Reads all sources into this process: there is no Redis in which a service keeps them. What does not come is told, and
/// nothing is judged then.
async fn read_all(mirror: &Mirror, settings: &Settings) -> Result<(), AnyError> {
    for source in &settings.irr.source {
        match updated(mirror, settings, source).await? {
            Ok(updated) => output::err(&format!("{}: {updated}", source.name)),
            Err(error) => output::err(&format!("{}: {}", source.name, error_chain(&error))),
        }
    }
    Ok(())
}

/// Describes a source in a row of the table.
fn row(view: &SourceView) -> Vec<String> {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let said = match (view.objects_read, &view.trouble, view.checked) {
        (Some(read), _, _) if read > 0 => format!("{read} objects read so far"),
        (_, Some(trouble), _) => trouble.clone(),
        (_, None, None) => "was not looked at yet".to_owned(),
        (_, None, Some(_)) if view.reload_asked => "will be reloaded".to_owned(),
        (_, None, Some(_)) => "up to date".to_owned(),
    };
    let checked = view.checked.map(|at| format!("{at:.0}")).unwrap_or_default();
    let serial = number(view.serial.map(|serial| serial.0));
    vec![view.name.to_string(), serial, number(view.objects), number(Some(view.rejected.total())), checked, said]
}

/// Shows all sources. Ends with 3 if something is the matter with one.
async fn status(store: &Store, settings: &Settings, form: output::Format) -> Result<ExitStatus, AnyError> {
    let queue = Queue::open(&settings.queue).await?;
    let mut views = Vec::new();
    for source in &settings.irr.source {
        let state = store.state(&source.name).await?;
        views.push(SourceView::new(source, state, running_job(&queue, &source.name).await?));
    }
    match form {
        output::Format::Json => output::out(&serde_json::to_string_pretty(&views)?),
        output::Format::Text if views.is_empty() => {
            output::out("no sources; write a table [[irr.source]] for each into the settings");
        }
        output::Format::Text => {
            let header = ["source", "serial", "objects", "left out", "asked", "state"];
            output::out(&output::table(&header, views.iter().map(row).collect(), header.len()));
        }
    }
    let is_well = views.iter().all(|view| view.trouble.is_none());
    Ok(if is_well { ExitStatus::Done } else { ExitStatus::SomeFailed })
}

/// Brings a source up to date in this process, and tells how far that is.
async fn updated(
    mirror: &Mirror,
    settings: &Settings,
    source: &IrrSource,
) -> Result<Result<Updated, UpdateError>, netbox::Error> {
    let name = &source.name;
    let told = Cell::new(0);
    let progress = |objects| {
        if objects / TOLD_EACH > told.replace(objects / TOLD_EACH) {
            output::err(&format!("{name}: {objects} objects read"));
        }
    };
    Ok(match source.kind {
        SourceKind::Mirror | SourceKind::Rpki => mirror.update(source, progress).await,
        SourceKind::Query => {
            let own = own_space(&netbox::Client::new(&settings.netbox)?, settings).await?;
            mirror.ask_own(source, &own, progress).await
        }
    })
}

async fn update(
    mirror: &Mirror,
    settings: &Settings,
    source: &IrrSource,
    form: output::Format,
) -> Result<ExitStatus, AnyError> {
    let name = &source.name;
    match updated(mirror, settings, source).await? {
        Ok(updated) => {
            match form {
                output::Format::Text => {
                    output::out(&format!("{name}: {updated}"));
                    updated.rejects.examples.iter().for_each(|example| output::err(&format!("  {example}")));
                }
                output::Format::Json => {
                    let told = json!({
                        "source": name, "result": updated.did.name(), "serial": updated.serial, "rejected": updated.rejects,
                    });
                    output::out(&serde_json::to_string_pretty(&told)?);
                }
            }
            Ok(ExitStatus::Done)
        }
        Err(error) => Ok(ExitStatus::failed(error.retry()).because(&error)),
    }
}

/// Asks for a reload, which a run that is under way cannot lose.
async fn reload(store: &Store, settings: &Settings, source: &IrrSource) -> Result<ExitStatus, AnyError> {
    store.ask_reload(&source.name).await?;
    queue(settings, source).await?;
    let anew = match source.kind {
        SourceKind::Mirror => "takes the dump anew, and drops the journal",
        SourceKind::Rpki => "takes the list anew, though it is the same",
        SourceKind::Query => "asks anew, and takes the answer though it is the same",
    };
    output::out(&format!("{}: the service {anew}", source.name));
    Ok(ExitStatus::Done)
}

async fn accept_shrink(store: &Store, settings: &Settings, source: &IrrSource) -> Result<ExitStatus, AnyError> {
    let name = &source.name;
    Ok(match store.accept_shrink(name).await? {
        Some(shrink) => {
            queue(settings, source).await?;
            let unit = source.kind.unit();
            output::out(&format!("{name}: the service takes the {unit} with {} objects", shrink.objects));
            ExitStatus::Done
        }
        None => {
            let unit = source.kind.unit();
            output::err(&format!("error: no {unit} of {name} was refused, so there is nothing to accept"));
            ExitStatus::Misused
        }
    })
}

/// Has the service update a source at once.
async fn queue(settings: &Settings, source: &IrrSource) -> Result<(), AnyError> {
    let job = Job::new(Work::UpdateIrr { source: source.name.clone() }, Trigger::Api);
    Queue::open(&settings.queue).await?.enqueue(&[Order { job, delay: Delay::None }]).await?;
    Ok(())
}

/// Writes a dump: each object and an empty line, and `# EOF` at the end. A file appears when it is whole.
async fn export(store: &Store, source: &IrrSource, file: Option<&Path>) -> Result<ExitStatus, AnyError> {
    let name = &source.name;
    let Some(mut objects) = store.objects(name).await? else {
        output::err(&format!("error: nothing is held of {name} yet; update it first"));
        return Ok(ExitStatus::Failed);
    };
    let part = file.map(|file| {
        let mut part = file.as_os_str().to_owned();
        part.push(".part");
        PathBuf::from(part)
    });
    let packs = file.is_some_and(|file| file.extension().is_some_and(|extension| extension == "gz"));
    let mut sink = match &part {
        Some(part) if packs => {
            Sink::Packed(Box::new(GzEncoder::new(BufWriter::new(std::fs::File::create(part)?), Compression::default())))
        }
        Some(part) => Sink::Plain(Box::new(BufWriter::new(std::fs::File::create(part)?))),
        None => Sink::Plain(Box::new(BufWriter::new(io::stdout()))),
    };
    let mut count = 0_u64;
    while let Some(some) = objects.next().await? {
        for object in some {
            sink.write_all(format!("{}\n", object.text).as_bytes())?;
            count = count.saturating_add(1);
        }
    }
    sink.write_all(b"# EOF\n")?;
    sink.end()?;
    if let (Some(part), Some(file)) = (part, file) {
        std::fs::rename(&part, file)?;
        let serial = objects.holding().serial.map(|serial| format!(" at serial {serial}")).unwrap_or_default();
        output::err(&format!("{name}: {count} objects{serial} in {}", file.display()));
    }
    Ok(ExitStatus::Done)
}

/// Where an export goes.
enum Sink {
    Plain(Box<dyn Write + Send>),
    Packed(Box<GzEncoder<BufWriter<std::fs::File>>>),
}

impl Sink {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.write_all(bytes),
            Self::Packed(packed) => packed.write_all(bytes),
        }
    }

    /// Writes what is left. What a full disk does not take shows here at the latest.
    fn end(self) -> io::Result<()> {
        match self {
            Self::Plain(mut plain) => plain.flush(),
            Self::Packed(packed) => packed.finish()?.flush(),
        }
    }
}
