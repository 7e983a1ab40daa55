//! `rir-sidecar bootstrap`

use secrecy::ExposeSecret;
use url::Url;

use super::{Outcome, complain, show};
use crate::{
    config::Settings,
    netbox::{
        self, Client,
        schema::{
            self, BootstrapPlan, Document,
            hooks::{self, Hook, HookPlan},
        },
    },
};

/// Measured on plugin 0.7.1: a worker process that saw a type before it changed may answer writes with 500 from then on.
const RESTART: &str = "Restart NetBox's web workers now (systemctl restart netbox, or the container): a worker may keep the old \
                       form of a type, and then fails over every write to it.";

/// What to do about the custom object types, and the webhook.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show what would change, and stop
    #[arg(long)]
    plan_only: bool,
    /// Go ahead even if fields or types, and what they hold, are removed
    #[arg(long)]
    allow_destructive: bool,
    /// Set up NetBox's webhook, too: where NetBox reaches `rir-sidecar serve`, such as http://rir-sidecar:8080/. It is
    /// signed with webhook.secret
    #[arg(long, value_name = "URL", value_parser = address)]
    webhook_url: Option<Url>,
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| "write an http or https URL, such as http://rir-sidecar:8080/".to_owned())
}

/// Runs the command.
pub(super) async fn run(args: Args, settings: Settings) -> Outcome {
    let secret = settings.webhook.secret;
    if args.webhook_url.is_some() && secret.expose_secret().is_empty() {
        show::err(
            "error: webhook.secret is not set, and NetBox has to sign its webhooks; set webhook.secret_file to a file \
                   that holds one, made with `openssl rand -hex 32`",
        );
        return Outcome::Misused;
    }
    let client = match Client::new(&settings.netbox) {
        Ok(client) => client,
        Err(error) => return complain(&error, Outcome::Misused),
    };
    let hook = args.webhook_url.clone().map(|url| Hook::new(url, secret));
    match steps(&args, &client, hook.as_ref()).await {
        Ok(outcome) => outcome,
        Err(error) => complain(&error, Outcome::Failed),
    }
}

async fn steps(args: &Args, client: &Client, hook: Option<&Hook>) -> Result<Outcome, netbox::Error> {
    let unmet = schema::requirements(client).await?;
    if !unmet.is_empty() {
        unmet.iter().for_each(|unmet| show::err(&format!("error: {}: {}", unmet.problem, unmet.remedy)));
        return Ok(Outcome::Failed);
    }
    let plan = schema::plan(client, Document::current()).await?;
    let hook_plan = match hook {
        Some(hook) => Some(hooks::plan(client, hook).await?),
        None => None,
    };
    let nothing = plan.is_empty() && hook_plan.as_ref().is_none_or(HookPlan::is_empty);
    if nothing {
        show::out("NetBox has everything already; nothing to do");
        return Ok(Outcome::Done);
    }
    let shown: String = [(!plan.is_empty()).then(|| plan.to_string()), hook_plan.map(|plan| plan.to_string())]
        .into_iter()
        .flatten()
        .collect();
    show::out(&shown);
    if !args.plan_only {
        apply(args, client, &plan, hook).await?;
    }
    Ok(Outcome::Done)
}

async fn apply(args: &Args, client: &Client, plan: &BootstrapPlan, hook: Option<&Hook>) -> Result<(), netbox::Error> {
    if !plan.is_empty() {
        for done in schema::apply(client, plan, args.allow_destructive).await? {
            show::out(&done);
        }
        show::out(RESTART);
    }
    if let Some(hook) = hook {
        for done in hooks::apply(client, hook).await? {
            show::out(&done);
        }
    }
    Ok(())
}
