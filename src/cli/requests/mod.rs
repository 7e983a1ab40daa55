//! `rir-sidecar requests`: asks for changes at ARIN, has them approved, sends and follows them.
//!
//! Who approves or sends proves with their own NetBox token who they are: it has to be the one in the settings.

mod decide;
mod prepare;
mod progress;
mod text;

use clap::{Subcommand, builder::PossibleValuesParser};
use tokio_util::sync::CancellationToken;

use super::{
    exit::{AnyError, ExitStatus},
    output::{self, Format},
    services::{services, stop_on_signal},
};
use crate::{
    config::Settings,
    http::RequestView,
    model::{Config, RowId},
    netbox,
    requests::{ChangeRequest, Operation, State},
    services::Services,
    sync::Context,
};

/// What to do, and the form of the output.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text", global = true)]
    output: Format,
}

const EXIT_CODES: &str = "Exit codes: 0 it was done, 1 NetBox or ARIN cannot be asked now, 2 wrong usage or settings, or what \
                          no retry mends, as a refused approval, 3 some did not go through: something is missing or \
                          blocked, ARIN refused, or it is not known what became of it";

#[derive(Debug, Subcommand)]
enum Action {
    /// Draft and check what would be sent, and keep it for somebody to approve
    Prepare(Prepare),
    /// List change requests
    List {
        /// Only those of the RIR configs of these names [default: all]
        #[arg(long, num_args = 1.., value_name = "NAME")]
        config_name: Vec<String>,
        /// Only those in these states [default: those that are not over]
        #[arg(long, num_args = 1.., value_name = "STATE", value_parser = states())]
        state: Vec<String>,
        /// Also those that are over
        #[arg(long, conflicts_with = "state")]
        all: bool,
    },
    /// Show requests with everything that is sent, and everything that was checked
    Show {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<u64>,
    },
    /// Approve requests: they are then sent with your API key
    Approve {
        #[command(flatten)]
        asked: Asked,
        /// The digest of the one request that you approve, as `show` has it
        #[arg(long, value_name = "DIGEST")]
        digest: Option<String>,
    },
    /// Decide against requests
    Reject {
        #[command(flatten)]
        asked: Asked,
        /// Why, for whoever asked
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Take back requests that you have asked for
    Withdraw(Asked),
    /// Look at ARIN what became of requests that were not answered
    Look(Asked),
    /// Send requests that you have approved
    Submit(Asked),
    /// Send all that is approved, each with its approver's API key, look up what was not answered, and follow tickets once
    Run {
        /// Only those of the RIR configs of these names [default: all]
        #[arg(long, num_args = 1.., value_name = "NAME")]
        config_name: Vec<String>,
        /// Only those that this NetBox user has approved
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
}

/// What to ask for.
#[derive(Debug, clap::Args)]
struct Prepare {
    #[command(flatten)]
    subject: Subject,
    /// What to ask ARIN for [default: what settles the matter]
    #[arg(long, value_parser = operations())]
    operation: Option<String>,
    /// The organization that gets the net
    #[arg(long, value_name = "HANDLE")]
    org: Option<String>,
    /// Set an element by ARIN's name for it, as in city=Montreal; may be given several times
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// The RIR config
    #[arg(long, value_name = "NAME")]
    config_name: String,
    /// Who asks: a NetBox user with an API key for the config
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Show it, and keep nothing
    #[arg(long)]
    plan_only: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Subject {
    /// A prefix, by CIDR or by its id in NetBox
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// A registered net
    #[arg(long, value_name = "HANDLE")]
    network: Option<String>,
    /// A customer
    #[arg(long, value_name = "HANDLE")]
    customer: Option<String>,
    /// What settles a finding, by its id in NetBox
    #[arg(long, value_name = "ID")]
    finding: Option<u64>,
    /// All prefixes of an aggregate that should be registered and are not
    #[arg(long, value_name = "PREFIX")]
    aggregate: Option<String>,
    /// An earlier request, by its id in NetBox; with `--operation register-again`
    #[arg(long, value_name = "ID")]
    request: Option<u64>,
}

/// Requests, and who does something with them.
#[derive(Debug, clap::Args)]
struct Asked {
    #[arg(required = true, value_name = "ID")]
    ids: Vec<u64>,
    /// Your NetBox user name; netbox.token has to be your own
    #[arg(long, value_name = "NAME")]
    user: String,
}

/// Asks for the registration that an earlier request has ended.
const REGISTER_AGAIN: &str = "register-again";

fn operations() -> PossibleValuesParser {
    PossibleValuesParser::new(Operation::ALL.map(Operation::name).into_iter().chain([REGISTER_AGAIN]))
}

fn states() -> PossibleValuesParser {
    PossibleValuesParser::new(State::ALL.map(State::name))
}

/// What a command works with.
struct Means {
    ctx: Context,
    services: Services,
    configs: Vec<Config>,
    format: Format,
}

/// The end of a command that could not begin, or broke off.
type Ended = (AnyError, ExitStatus);

pub(super) async fn run(args: Args, settings: Settings) -> ExitStatus {
    let Args { action, output: format } = args;
    match perform(action, settings, format).await {
        Ok(status) => status,
        Err((error, status)) => status.because(&*error),
    }
}

async fn perform(action: Action, settings: Settings, format: Format) -> Result<ExitStatus, Ended> {
    let means = Means::new(settings, format).await?;
    match action {
        Action::Prepare(prepare) => prepare::run(&means, prepare).await,
        Action::List { config_name, state, all } => means.list(&config_name, &state, all).await,
        Action::Show { ids } => means.show(&ids).await,
        Action::Approve { asked, digest } => decide::approve(&means, &asked, digest.as_deref()).await,
        Action::Reject { asked, reason } => decide::reject(&means, &asked, &reason).await,
        Action::Withdraw(asked) => decide::withdraw(&means, &asked).await,
        Action::Look(asked) => progress::one_by_one(&means, &asked, progress::What::Look).await,
        Action::Submit(asked) => progress::one_by_one(&means, &asked, progress::What::Submit).await,
        Action::Run { config_name, user } => progress::all(&means, &config_name, user.as_deref()).await,
    }
}

impl Means {
    async fn new(settings: Settings, format: Format) -> Result<Self, Ended> {
        let misused = |error: AnyError| (error, ExitStatus::Misused);
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone());
        let (services, _) = services(settings, &stop).await.map_err(misused)?;
        let ctx = services.context(stop);
        let configs = ctx.netbox.configs().await.map_err(of_netbox)?;
        Ok(Self { ctx, services, configs, format })
    }

    /// Returns the configs of these names, all of them if there are none.
    fn chosen(&self, names: &[String]) -> Result<Vec<&Config>, Ended> {
        let config = |name: &String| {
            let known = || self.configs.iter().map(|config| config.name.as_str()).collect::<Vec<_>>();
            let found = self.configs.iter().find(|config| config.name == *name);
            found.ok_or_else(|| misused(format!("NetBox has no RIR config {name:?}; it has {:?}", known())))
        };
        if names.is_empty() { Ok(self.configs.iter().collect()) } else { names.iter().map(config).collect() }
    }

    fn config(&self, id: RowId) -> Option<&Config> {
        self.configs.iter().find(|config| config.id == id)
    }

    async fn list(&self, names: &[String], states: &[String], all: bool) -> Result<ExitStatus, Ended> {
        let configs: Vec<RowId> = self.chosen(names)?.into_iter().map(|config| config.id).collect();
        let open =
            || State::ALL.into_iter().filter(|state| all || state.is_open()).map(|state| state.name().to_owned());
        let states = if states.is_empty() { open().collect() } else { states.to_vec() };
        let filter = netbox::RequestFilter { states, ..netbox::RequestFilter::default() };
        let rows = self.ctx.netbox.whole_request_rows(&filter).await.map_err(of_netbox)?;
        let rows: Vec<_> =
            rows.into_iter().filter(|row| row.config.is_some_and(|config| configs.contains(&config))).collect();
        let views: Vec<RequestView> = rows.into_iter().map(RequestView::of_row).collect();
        self.print(&views, text::table)
    }

    async fn show(&self, ids: &[u64]) -> Result<ExitStatus, Ended> {
        let mut views = Vec::new();
        for id in ids {
            views.push(RequestView::from(&self.request(RowId(*id)).await?));
        }
        self.print(&views, text::details)
    }

    /// Reads one request.
    async fn request(&self, id: RowId) -> Result<ChangeRequest, Ended> {
        let row = self.ctx.netbox.request_row(id).await.map_err(of_netbox)?;
        let row = row.ok_or_else(|| misused(format!("there is no change request {id}")))?;
        row.try_into().map_err(|error: crate::requests::NotUnderstood| (error.into(), ExitStatus::Misused))
    }

    /// Prints requests as people or programs read them.
    fn print(&self, views: &[RequestView], text: fn(&[RequestView]) -> String) -> Result<ExitStatus, Ended> {
        match self.format {
            Format::Text => output::out(&text(views)),
            Format::Json => {
                let json = serde_json::to_string_pretty(views).map_err(|error| (error.into(), ExitStatus::Failed))?;
                output::out(&json);
            }
        }
        Ok(ExitStatus::Done)
    }
}

fn misused(sentence: String) -> Ended {
    (sentence.into(), ExitStatus::Misused)
}

fn of_netbox(error: netbox::Error) -> Ended {
    let status = ExitStatus::failed(error.retry());
    if error.is_not_found() {
        output::err("NetBox has no change requests yet: run `rir-sidecar bootstrap` first");
    }
    (error.into(), status)
}
