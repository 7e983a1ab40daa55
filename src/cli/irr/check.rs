//! `rir-sidecar irr check`: whether the world will accept what is announced, judged now.

use comfy_table::{Cell, Color};
use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::{
        exit::{AnyError, ExitStatus},
        output,
        process_name::process_name,
    },
    config::Settings,
    http::{HealthView, WitnessView},
    irr::store::Store,
    netbox::Client,
    routing::{
        Context, Error, Freshness, Judged, Level, OwnRoutes, RangeHealth, RpkiState, Tally, Witness, Witnesses, check,
    },
};

/// The prefixes to check.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(in crate::cli) struct Args {
    /// Prefixes and aggregates of NetBox; all without any
    #[arg(value_name = "PREFIX")]
    prefixes: Vec<IpNet>,
    /// Show only those that are at least as urgent
    #[arg(long, default_value = "none", value_parser = level())]
    level: Level,
}

const EXIT_CODES: &str = "Exit codes: 0 nothing is in danger, 1 NetBox or Redis cannot be asked now, 2 wrong usage or settings, or \
                          what no retry mends, 3 one of the prefixes is in danger";

fn level() -> impl clap::builder::TypedValueParser<Value = Level> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    let named = |name: String| Level::ALL.into_iter().find(|level| level.name() == name).unwrap_or(Level::None);
    PossibleValuesParser::new(Level::ALL.map(Level::name)).map(named)
}

/// Judges, and writes nothing.
pub(in crate::cli) async fn run(
    args: Args,
    store: Store,
    settings: Settings,
    form: output::Format,
) -> Result<ExitStatus, AnyError> {
    let ctx = Context {
        netbox: Client::new(&settings.netbox)?,
        store,
        own: OwnRoutes::default(),
        settings: settings.into(),
        stop: CancellationToken::new(),
        now: Timestamp::now(),
        run: process_name(),
    };
    let judged = match check(&ctx).await {
        Ok(judged) => judged,
        Err(Error::Store(error)) => return Err(error.into()),
        Err(error) => return Ok(ExitStatus::failed(error.retry()).because(&error)),
    };
    let Judged { assessment, witnesses } = judged;
    let all = assessment.ranges;
    let asked: Vec<IpNet> = args.prefixes.iter().map(IpNet::trunc).collect();
    let unknown: Vec<&IpNet> = asked.iter().filter(|asked| !all.iter().any(|judged| judged.range == **asked)).collect();
    if !unknown.is_empty() {
        for range in unknown {
            output::err(&format!(
                "error: NetBox does not have {range} inside an aggregate of public space; `rir-sidecar irr lookup PREFIX` says \
                 what registries have about it"
            ));
        }
        return Ok(ExitStatus::Misused);
    }
    let mut ranges: Vec<&RangeHealth> =
        all.iter().filter(|judged| asked.is_empty() || asked.contains(&judged.range)).collect();
    let tally = Tally::of(ranges.iter().copied());
    ranges.retain(|judged| judged.health.level >= args.level);
    // The most urgent ones first; those of one level stay in address order.
    ranges.sort_by_key(|judged| std::cmp::Reverse(judged.health.level));
    match form {
        output::Format::Text => output::out(&text(&ranges, &witnesses, &tally)),
        output::Format::Json => {
            let told = json!({
                "ranges": ranges.iter().map(|judged| HealthView::of(judged)).collect::<Vec<_>>(),
                "sources": witnesses.all().map(WitnessView::from).collect::<Vec<_>>(),
            });
            output::out(&serde_json::to_string_pretty(&told)?);
        }
    }
    Ok(if tally.level(Level::Danger) > 0 { ExitStatus::SomeFailed } else { ExitStatus::Done })
}

fn text(ranges: &[&RangeHealth], witnesses: &Witnesses, tally: &Tally) -> String {
    let heading = witnesses.all().map(source).collect::<Vec<_>>().join("\n");
    if ranges.is_empty() {
        return format!("{heading}\n\n{tally}");
    }
    let table = table(ranges.iter().copied());
    format!("{heading}\n\n{table}\n{tally}")
}

/// Draws how ranges stand.
pub(in crate::cli) fn table<'a>(ranges: impl IntoIterator<Item = &'a RangeHealth>) -> String {
    let header = ["level", "range", "registries, RPKI", "origins", "next step"];
    output::table(&header, ranges.into_iter().map(cells).collect(), header.len())
}

/// Says as of when a source is known.
fn source(witness: &Witness) -> String {
    let name = &witness.name;
    let as_of = witness.as_of.map(|at| format!("{at:.0}")).unwrap_or_default();
    match witness.freshness {
        Freshness::Fresh => format!("{name}: as of {as_of}"),
        Freshness::Old(_) => format!("{name}: too old to judge by, as of {as_of}"),
        Freshness::Refused => format!("{name}: not judged by, as it suddenly had too little in it"),
        Freshness::Never => format!("{name}: was never read"),
    }
}

fn cells(judged: &RangeHealth) -> Vec<Cell> {
    let health = &judged.health;
    let level = Cell::new(health.level);
    vec![
        match color(health.level) {
            Some(color) => level.fg(color),
            None => level,
        },
        Cell::new(judged.range),
        Cell::new(format!("{}\n{}", health.verdict, rpki(health.rpki))),
        Cell::new(origins(judged)),
        Cell::new(&health.advice),
    ]
}

/// Says what RPKI says, if it says anything.
fn rpki(state: RpkiState) -> &'static str {
    match state {
        RpkiState::Unknown | RpkiState::NoOrigin => "",
        RpkiState::Valid
        | RpkiState::NotFound
        | RpkiState::InvalidLength
        | RpkiState::InvalidOrigin
        | RpkiState::InvalidBoth
        | RpkiState::Stale => state.name(),
    }
}

/// Says who is expected and who was found.
fn origins(judged: &RangeHealth) -> String {
    let (expected, found) = (judged.expected_origins(), judged.found());
    let expected = if expected.is_empty() { String::new() } else { format!("expected {expected}") };
    let found = if found.is_empty() { String::new() } else { format!("found {found}") };
    [expected, found].into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn color(level: Level) -> Option<Color> {
    match level {
        Level::Danger => Some(Color::Red),
        Level::Warning => Some(Color::Yellow),
        Level::Info => Some(Color::Blue),
        Level::Ok => Some(Color::Green),
        Level::None => None,
    }
}
