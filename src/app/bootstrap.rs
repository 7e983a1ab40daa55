//! `rir-sidecar bootstrap`

use super::{Outcome, complain, show};
use crate::{
    config::Settings,
    netbox::{
        self, Client,
        schema::{self, Document},
    },
};

/// Measured on plugin 0.7.1: a worker process that saw a type before it changed may answer writes with 500 from then on.
const RESTART: &str = "Restart NetBox's web workers now (systemctl restart netbox, or the container): a worker may keep the old \
                       form of a type, and then fails over every write to it.";

/// What to do about the custom object types.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would change, and stop
    #[arg(long)]
    plan_only: bool,
    /// Go ahead even if fields or types, and what they hold, are removed
    #[arg(long)]
    allow_destructive: bool,
}

/// Runs the command.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let client = match Client::new(&settings.netbox) {
        Ok(client) => client,
        Err(error) => return complain(&error, Outcome::Misused),
    };
    match steps(&args, &client).await {
        Ok(outcome) => outcome,
        Err(error) => complain(&error, Outcome::Failed),
    }
}

async fn steps(args: &Args, client: &Client) -> Result<Outcome, netbox::Error> {
    let unmet = schema::requirements(client).await?;
    if !unmet.is_empty() {
        unmet.iter().for_each(|unmet| show::err(&format!("error: {}: {}", unmet.problem, unmet.remedy)));
        return Ok(Outcome::Failed);
    }
    let plan = schema::plan(client, &Document::current()).await?;
    if plan.is_empty() {
        show::out("NetBox has everything already; nothing to do");
        return Ok(Outcome::Done);
    }
    show::out(&plan.to_string());
    if args.plan_only {
        return Ok(Outcome::Done);
    }
    for done in schema::apply(client, &plan, args.allow_destructive).await? {
        show::out(&done.to_string());
    }
    show::out(RESTART);
    Ok(Outcome::Done)
}
