//! `rir-sidecar check`: tries everything that a sync and the service need, and says what to do about each failure. It writes
//! nothing.

mod findings;
mod listing;
mod netbox;
mod registries;
mod requests;
mod routing;
mod service;
mod trial;
mod webhook;

use super::{
    exit::ExitStatus,
    output::{self, Format},
};
use crate::{config::Settings, netbox::Client};
use trial::Trials;

/// The parts that are tried, and the form of the output.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only read the settings and the files that they name, and tell all that is wrong with them; nobody is asked
    #[arg(long, conflicts_with = "output")]
    pub(super) settings_only: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text")]
    output: Format,
}

pub(super) async fn run(args: Args, settings: Settings) -> ExitStatus {
    let trials = trials(&settings).await;
    match args.output {
        Format::Text => output::out(&trials.table()),
        Format::Json => output::out(&format!("{:#}", trials.document())),
    }
    trials.status()
}

async fn trials(settings: &Settings) -> Trials {
    let mut trials = Trials::default();
    let keys = registries::keys(settings, &mut trials);
    requests::are_set_up(&settings.requests, keys.as_ref(), &mut trials);
    match Client::new(&settings.netbox) {
        Ok(client) => {
            if netbox::answers(&client, settings, &mut trials).await {
                netbox::clocks_agree(&client, &mut trials);
                if netbox::all_is_permitted(&client, settings, &mut trials).await {
                    netbox::workers_know_the_types(&client, &mut trials).await;
                    findings::are_set_up(&client, &settings.findings, &mut trials).await;
                    if !settings.irr.source.is_empty() {
                        routing::is_set_up(&client, &mut trials).await;
                    }
                }
                registries::answer(&client, settings, keys.as_ref(), &mut trials).await;
                webhook::arrives(&client, &settings.webhook, &mut trials).await;
            }
        }
        Err(error) => {
            trials.failed_of("NetBox client", (&error, error.retry()), "correct the [netbox] settings");
        }
    }
    service::queue_answers(settings, &mut trials).await;
    service::address_is_free(settings, &mut trials);
    service::collector_answers(settings, &mut trials).await;
    trials
}
