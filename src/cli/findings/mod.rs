//! `rir-sidecar findings`: lists where the address plan and the registry differ, as the last syncs recorded it.

mod csv;
mod list;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use clap::{ValueEnum, builder::PossibleValuesParser};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

#[cfg(feature = "demo")]
use super::exit::AnyError;
use super::{exit::ExitStatus, output};
use crate::{
    config::{self, Settings},
    findings::{
        Kind, Level, Sources,
        order::{counts, is_overdue, sort},
        sources,
    },
    http::FindingView,
    model::{Config, RowId},
    netbox::{self, Client, FindingFilter, FindingRow, findings::OPEN},
};
use list::List;

/// The findings to list, and the form of the output.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Only those of the RIR configs of these names [default: all]
    #[arg(long, num_args = 1.., value_name = "NAME")]
    config_name: Vec<String>,
    /// Only those of these kinds, such as overdue or customer-name; docs/findings.md explains each [default: all]
    #[arg(long, num_args = 1.., value_name = "KIND", value_parser = kinds(), hide_possible_values = true)]
    kind: Vec<String>,
    /// Only those of this level
    #[arg(long, value_parser = PossibleValuesParser::new(Level::ALL.map(Level::name)))]
    level: Option<String>,
    /// Also those that are resolved, and those that the operator has said to ignore
    #[arg(long)]
    all: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value = "table")]
    output: ListFormat,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing is overdue, 1 NetBox cannot be asked now, 2 wrong usage or settings, \
                          or what no retry mends, 3 a finding that is open and not ignored is overdue, also one that \
                          --kind or --level leaves out";

/// The form of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    /// A table with sentences, for people
    Table,
    /// A JSON array, for programs
    Json,
    /// A table for spreadsheets
    Csv,
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(Kind::ALL.map(Kind::name))
}

/// What NetBox has on record.
struct Recorded {
    /// The names of the chosen configs.
    configs: BTreeMap<RowId, String>,
    sources: BTreeMap<RowId, Sources>,
    /// The findings of these configs that are open, with `--all` those that are resolved, too, as people read them.
    rows: Vec<FindingRow>,
}

pub(super) async fn run(args: Args, settings: Settings) -> ExitStatus {
    let client = match Client::new(&settings.netbox) {
        Ok(client) => client,
        Err(error) => return ExitStatus::Misused.because(&error),
    };
    let recorded = match read(&args, &client).await {
        Ok(Ok(recorded)) => recorded,
        Ok(Err(sentence)) => {
            output::err(&format!("error: {sentence}"));
            return ExitStatus::Misused;
        }
        Err(error) => {
            let status = ExitStatus::failed(error.retry()).because(&error);
            if error.is_not_found() {
                output::err("NetBox has no findings yet: run `rir-sidecar bootstrap`, and then a sync");
            }
            return status;
        }
    };
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let overdue = recorded.rows.iter().any(|row| is_overdue(row, today));
    let list = recorded.list(&args, &settings.findings, today);
    match show(list, args.output) {
        Ok(()) if overdue => ExitStatus::SomeFailed,
        Ok(()) => ExitStatus::Done,
        Err(error) => ExitStatus::Failed.because(&error),
    }
}

/// Describes the open findings of these kinds, of all configs.
#[cfg(feature = "demo")]
pub(super) async fn of_kinds(kinds: &[Kind], client: &Client, policy: &config::Findings) -> Result<String, AnyError> {
    let kind = kinds.iter().map(|kind| kind.name().to_owned()).collect();
    let args = Args { config_name: Vec::new(), kind, level: None, all: false, output: ListFormat::Table };
    let recorded = read(&args, client).await??;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    Ok(text::list(&recorded.list(&args, policy, today)))
}

/// Reads what is on record; a sentence says which config there is not.
async fn read(args: &Args, client: &Client) -> Result<Result<Recorded, String>, netbox::Error> {
    let configs = match chosen(&client.configs().await?, &args.config_name) {
        Ok(configs) => configs,
        Err(sentence) => return Ok(Err(sentence)),
    };
    let filter = FindingFilter { config: None, state: (!args.all).then(|| OPEN.to_owned()) };
    let (rows, looks) = tokio::try_join!(client.finding_rows(&filter), client.looks_without_nets())?;
    let mut rows: Vec<FindingRow> =
        rows.into_iter().filter(|row| row.config.is_some_and(|config| configs.contains_key(&config))).collect();
    sort(&mut rows);
    Ok(Ok(Recorded { configs, sources: sources(&looks), rows }))
}

/// Returns the configs of these names, all if there are none.
fn chosen(configs: &[Config], names: &[String]) -> Result<BTreeMap<RowId, String>, String> {
    let known: BTreeSet<&str> = configs.iter().map(|config| config.name.as_str()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name.as_str())) {
        return Err(format!("NetBox has no RIR config {unknown:?}; it has {known:?}"));
    }
    let wanted = configs.iter().filter(|config| names.is_empty() || names.contains(&config.name));
    Ok(wanted.map(|config| (config.id, config.name.clone())).collect())
}

impl Recorded {
    /// Returns what is shown of it.
    fn list(self, args: &Args, policy: &config::Findings, today: Date) -> List {
        let wanted = |row: &FindingRow| {
            (args.kind.is_empty() || args.kind.iter().any(|kind| *kind == row.kind))
                && args.level.as_ref().is_none_or(|level| row.level == *level)
        };
        let of_these: Vec<FindingRow> = self.rows.into_iter().filter(wanted).collect();
        let (rows, hidden): (Vec<_>, Vec<_>) = of_these.into_iter().partition(|row| args.all || counts(row));
        let named = [&policy.own_tenants, &policy.own_tenant_groups];
        let own = named.iter().any(|slugs| slugs.is_some());
        let own = own.then(|| named.into_iter().flatten().flatten().cloned().collect());
        List { configs: self.configs, sources: self.sources, rows, ignored: hidden.len(), own, today }
    }
}

/// Prints the list. What a program does not read goes to standard error.
fn show(list: List, format: ListFormat) -> Result<(), serde_json::Error> {
    if format == ListFormat::Table {
        output::out(&text::list(&list));
        return Ok(());
    }
    output::err(&text::heading(&list));
    let configs = list.configs;
    let name = |row: &FindingRow| row.config.and_then(|config| configs.get(&config).cloned());
    let views = list.rows.into_iter().map(|row| {
        let name = name(&row);
        FindingView::new(row, name)
    });
    let views: Vec<FindingView> = views.collect();
    match format {
        ListFormat::Csv => output::out(&csv::document(&views)?),
        ListFormat::Table | ListFormat::Json => output::out(&serde_json::to_string_pretty(&views)?),
    }
    Ok(())
}
