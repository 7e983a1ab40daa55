//! `rir-sidecar bootstrap`: creates or migrates the custom object types in NetBox, its webhook, and the rules by which it
//! notifies people; the field in which an operator says who announces what; or removes the webhook.

use super::{exit::ExitStatus, output};
use crate::{
    config::{HttpUrl, Settings, url_remedy},
    netbox::{
        self, Client,
        schema::{
            self, BootstrapPlan, Document, Workers,
            hooks::{self, Hook, HookPlan},
            notices::{self, Group, NoticePlan},
            origins::{self, OriginsPlan},
        },
    },
};

/// The options for the custom object types, and for the webhook.
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
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Have NetBox notify this notification group of change requests that wait for somebody, are unknown, refused or failed,
    /// and of tickets at ARIN
    #[arg(long, value_name = "GROUP")]
    notify: Option<String>,
    /// Make the custom field `origin_asns` of prefixes and aggregates, too, in which you say who announces them
    #[arg(long)]
    routing: bool,
    /// Remove what --webhook-url has set up, the webhook and its event rule, and do nothing else: the types and what they hold
    /// stay
    #[arg(long, conflicts_with_all = ["webhook_url", "notify", "routing", "allow_destructive"])]
    remove_webhook: bool,
}

/// What a person has to do about a worker of NetBox's that cannot be renewed.
const RESTART: &str = "Restart NetBox's web workers now (systemctl restart netbox, or the container): one of them keeps an \
                       older form of a type";

pub(super) async fn run(args: Args, settings: Settings) -> ExitStatus {
    let webhook_url = match args.webhook_url.as_deref().map(address).transpose() {
        Ok(url) => url,
        Err(remedy) => {
            output::err(&format!("error: --webhook-url: {remedy}"));
            return ExitStatus::Misused;
        }
    };
    let secret = settings.webhook.secret;
    if webhook_url.is_some() && secret.is_empty() {
        output::err(
            "error: webhook.secret is not set, and NetBox has to sign its webhooks; set webhook.secret_file to a file \
                   that holds one, made with `openssl rand -hex 32`",
        );
        return ExitStatus::Misused;
    }
    let client = match Client::new(&settings.netbox) {
        Ok(client) => client,
        Err(error) => return ExitStatus::Misused.because(&error),
    };
    let hook = webhook_url.map(|url| Hook::new(&url, secret.now()));
    let done = if args.remove_webhook {
        remove_webhook(&args, &client).await
    } else {
        steps(&args, &client, hook.as_ref()).await
    };
    done.unwrap_or_else(|error| ExitStatus::failed(error.retry()).because(&error))
}

async fn remove_webhook(args: &Args, client: &Client) -> Result<ExitStatus, netbox::Error> {
    let removal = hooks::removal(client).await?;
    let shown = removal.to_string();
    output::out(if shown.is_empty() {
        "NetBox has no webhook and no event rule of rir-sidecar; nothing to do"
    } else {
        &shown
    });
    if !args.plan_only {
        hooks::remove(client, &removal).await?.iter().for_each(|done| output::out(done));
    }
    Ok(ExitStatus::Done)
}

/// Reads the address here, as the parser of the command line would repeat an unfit one with all that is in it.
fn address(text: &str) -> Result<HttpUrl, String> {
    let secrets = "NetBox signs its webhooks with webhook.secret and needs no other";
    text.parse().map_err(|unfit| url_remedy("http://rir-sidecar:8080/", secrets, (text, unfit)))
}

async fn steps(args: &Args, client: &Client, hook: Option<&Hook>) -> Result<ExitStatus, netbox::Error> {
    let unmet = schema::requirements(client).await?;
    if !unmet.is_empty() {
        unmet.iter().for_each(|unmet| output::err(&format!("error: {}: {}", unmet.problem, unmet.remedy)));
        // Somebody has to install or upgrade it first.
        return Ok(ExitStatus::Misused);
    }
    let group = match args.notify.as_deref() {
        Some(name) => match notices::group(client, name).await? {
            Ok(group) => Some(group),
            Err(missing) => {
                output::err(&format!("error: --notify: {missing}"));
                return Ok(ExitStatus::Misused);
            }
        },
        None => None,
    };
    let origins = match args.routing {
        true => match origins::plan(client).await? {
            Ok(plan) => Some(plan),
            Err(other) => {
                output::err(&format!("error: --routing: {other}"));
                return Ok(ExitStatus::Misused);
            }
        },
        false => None,
    };
    let extras = Extras { hook, group: group.as_ref(), origins: origins.as_ref() };
    let plan = schema::plan(client, Document::current()).await?;
    let (hook_plan, notice_plan) = extras.plan(client).await?;
    let nothing = plan.is_empty()
        && origins.as_ref().is_none_or(OriginsPlan::is_empty)
        && hook_plan.as_ref().is_none_or(HookPlan::is_empty)
        && notice_plan.as_ref().is_none_or(NoticePlan::is_empty);
    if nothing {
        output::out("NetBox has everything already; nothing to do");
    } else {
        let types = (!plan.is_empty()).then(|| plan.to_string());
        let hook = hook_plan.map(|plan| plan.to_string());
        let notices = notice_plan.map(|plan| plan.to_string());
        let origins = origins.as_ref().map(OriginsPlan::to_string);
        output::out(&[types, origins, hook, notices].into_iter().flatten().collect::<String>());
    }
    if !args.plan_only {
        apply(args, client, &plan, &extras).await?;
    }
    Ok(ExitStatus::Done)
}

/// What NetBox gets besides the types.
struct Extras<'a> {
    hook: Option<&'a Hook>,
    group: Option<&'a Group>,
    origins: Option<&'a OriginsPlan>,
}

impl Extras<'_> {
    async fn plan(&self, client: &Client) -> Result<(Option<HookPlan>, Option<NoticePlan>), netbox::Error> {
        let hook = match self.hook {
            Some(hook) => Some(hooks::plan(client, hook).await?),
            None => None,
        };
        let notices = match self.group {
            Some(group) => Some(notices::plan(client, group).await?),
            None => None,
        };
        Ok((hook, notices))
    }

    async fn apply(&self, client: &Client) -> Result<Vec<String>, netbox::Error> {
        let mut done = match self.hook {
            Some(hook) => hooks::apply(client, hook).await?,
            None => Vec::new(),
        };
        if let Some(plan) = self.origins {
            done.extend(origins::apply(client, plan).await?);
        }
        if let Some(group) = self.group {
            done.extend(notices::apply(client, group).await?);
        }
        Ok(done)
    }
}

async fn apply(args: &Args, client: &Client, plan: &BootstrapPlan, extras: &Extras<'_>) -> Result<(), netbox::Error> {
    if !plan.is_empty() {
        for done in schema::apply(client, plan, args.allow_destructive).await? {
            output::out(&done);
        }
    }
    // One that was left out of step by an earlier run is put right by running it again.
    let workers = schema::renew_workers(client, Document::current()).await?;
    for done in extras.apply(client).await? {
        output::out(&done);
    }
    match workers {
        Workers::Stale(what) => output::err(&format!("{RESTART} ({what})")),
        Workers::Current if plan.is_empty() => {}
        Workers::Current => output::out("NetBox's web workers know the types as they are; none has to be restarted"),
    }
    Ok(())
}
