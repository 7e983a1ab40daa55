//! The arguments of `rir-sidecar requests`.

use clap::{Subcommand, builder::PossibleValuesParser};

use crate::{
    cli::output::Format,
    requests::{Operation, State},
};

/// What to do, and the form of the output.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    pub(super) action: RequestAction,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text", global = true)]
    pub(super) output: Format,
}

const EXIT_CODES: &str = "Exit codes: 0 it was done, 1 NetBox or ARIN cannot be asked now, 2 wrong usage or settings, or what \
                          no retry mends, as a refused approval, 3 some did not go through: something is missing or \
                          blocked, ARIN refused, or it is not known what became of it";

#[derive(Debug, Subcommand)]
pub(super) enum RequestAction {
    /// Draft and check what would be sent, and keep it for somebody to approve
    Prepare(Prepare),
    /// List change requests
    List {
        /// Only these [default: all]
        #[arg(value_name = "ID")]
        ids: Vec<u64>,
        #[command(flatten)]
        whoever: Whoever,
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
        #[command(flatten)]
        whoever: Whoever,
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
        /// Only these [default: all]
        #[arg(value_name = "ID")]
        ids: Vec<u64>,
        #[command(flatten)]
        whoever: Whoever,
    },
}

/// What to ask for.
#[derive(Debug, clap::Args)]
pub(super) struct Prepare {
    #[command(flatten)]
    pub(super) subject: Subject,
    /// What to ask ARIN for [default: what settles the matter]
    #[arg(long, value_parser = operations())]
    pub(super) operation: Option<String>,
    /// The organization that gets the net
    #[arg(long, value_name = "HANDLE")]
    pub(super) org: Option<String>,
    /// Set an element by ARIN's name for it, as in city=Montreal; may be given several times
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(super) fields: Vec<String>,
    /// The RIR config
    #[arg(long, value_name = "NAME")]
    pub(super) config_name: String,
    /// Who asks: a NetBox user with an API key for the config
    #[arg(long, value_name = "NAME")]
    pub(super) user: String,
    /// Show it, and keep nothing
    #[arg(long)]
    pub(super) plan_only: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Subject {
    /// A prefix, by CIDR or by its id in NetBox
    #[arg(long, value_name = "PREFIX")]
    pub(super) prefix: Option<String>,
    /// A registered net
    #[arg(long, value_name = "HANDLE")]
    pub(super) network: Option<String>,
    /// A customer
    #[arg(long, value_name = "HANDLE")]
    pub(super) customer: Option<String>,
    /// What settles a finding, by its id in NetBox
    #[arg(long, value_name = "ID")]
    pub(super) finding: Option<u64>,
    /// All prefixes of an aggregate that should be registered and are not
    #[arg(long, value_name = "PREFIX")]
    pub(super) aggregate: Option<String>,
    /// An earlier request, by its id in NetBox; with `--operation register-again`
    #[arg(long, value_name = "ID")]
    pub(super) request: Option<u64>,
}

/// Who calls a command that anybody may call.
#[derive(Debug, clap::Args)]
pub(super) struct Whoever {
    /// Your NetBox user name; it changes nothing here
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
}

/// Requests, and who does something with them.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    #[arg(required = true, value_name = "ID")]
    pub(super) ids: Vec<u64>,
    /// Your NetBox user name; netbox.token has to be your own
    #[arg(long, value_name = "NAME")]
    pub(super) user: String,
}

/// Asks for the registration that an earlier request has ended.
const REGISTER_AGAIN: &str = "register-again";

fn operations() -> PossibleValuesParser {
    PossibleValuesParser::new(Operation::ALL.map(Operation::name).into_iter().chain([REGISTER_AGAIN]))
}

fn states() -> PossibleValuesParser {
    PossibleValuesParser::new(State::ALL.map(State::name))
}
