//! `rir-sidecar demo`: shows the main jobs from beginning to end on simulated systems inside this process.
//!
//! The output is that of the real commands: the same clients talk to the simulated systems over HTTP.

mod changes;
mod mirror;
mod narration;

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rir_sandbox::{
    irr::Server as Registry,
    netbox::{Options as NetboxOptions, Server as Netbox, TOKEN},
    populate,
    regrws::{KEY, Options as ArinOptions, Server as Arin, Style},
    world::{Holder, UnknownHandle, World},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use narration::{say, title};

use super::{
    exit::{AnyError, ExitStatus},
    findings, output,
    progress_bar::ProgressBar,
    sync::findings_line,
};
use crate::{
    config::{self, Settings, keys::Keyring},
    findings::Kind,
    model::{Config, Scope},
    netbox::schema::{self, Document},
    services::Services,
    sync::{Context, NoCheckpoint, Request, Requester, preview, run as sync_run},
    worker::{Subject, refresh_findings},
};

/// The time that each answer of the simulated ARIN takes, so that there is progress to be seen.
const ARIN_LATENCY: Duration = Duration::from_millis(25);
/// The custom field with the date of an assignment.
const ASSIGNED_ON: &str = "assigned_on";
/// The age of an assignment, ten days; it has to be registered within seven.
const ASSIGNED_BEFORE: SignedDuration = SignedDuration::from_hours(240);
/// The kinds of findings to show.
const SHOWN: [Kind; 3] = [Kind::Overdue, Kind::NotInNetbox, Kind::CustomerName];
/// The slug of the tenant that is the operator.
const OWN_TENANT: &str = "example-networks";
/// The secret that approvals are sealed with.
const SEAL: &str = "the demo has nothing that is worth a better secret";
/// The NetBox user of the demo.
const USER: &str = "sandbox";

/// The options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Leave the simulated ARIN and NetBox running at the end, and print how to use them
    #[arg(long)]
    keep: bool,
}

pub(super) async fn run(args: Args) -> ExitStatus {
    match steps(&args).await {
        Ok(()) => ExitStatus::Done,
        Err(error) => ExitStatus::Failed.because(&*error),
    }
}

async fn steps(args: &Args) -> Result<(), AnyError> {
    let world = World::demo();
    say("A simulated ARIN, NetBox and routing registry are started; nothing outside this process is touched.");
    let arin = Arin::start(world.registry.clone(), ArinOptions { style: Style::Odd, ..ArinOptions::default() }).await?;
    let netbox = Netbox::start(NetboxOptions::default()).await?;
    let rirs = populate(&netbox, &world.ipam);
    let tenant = assign(&netbox);
    say(&format!(
        "ARIN has {} nets, {} organizations and {} customers; NetBox has {} aggregates and {} prefixes.",
        world.registry.nets.len(),
        world.registry.orgs.len(),
        world.registry.customers.len(),
        world.ipam.aggregates.len(),
        world.ipam.prefixes.len()
    ));
    let registry = mirror::registry().await?;
    let services = services(&arin, &netbox, &registry)?;
    let ctx = services.context(CancellationToken::new());

    title("bootstrap: create the custom object types in NetBox");
    bootstrap(&ctx).await?;
    let rir = rirs.values().next().copied().unwrap_or_default();
    add_config(&netbox, &arin, &world, rir);

    arin.configure(|options| options.latency = ARIN_LATENCY);
    arin.whois().configure(|options| options.latency = ARIN_LATENCY);
    title("sync: the first time, everything is new");
    sync(&services, &ctx).await?;

    title("Something changes at ARIN");
    change(&arin, &world)?;

    title("sync --plan-only: what would be written");
    plan(&ctx).await?;

    title("sync: only what changed is written");
    sync(&services, &ctx).await?;

    title("sync: once more, and there is nothing to write");
    sync(&services, &ctx).await?;

    title(&format!("findings --kind {}", SHOWN.map(Kind::name).join(" ")));
    say(&findings::of_kinds(&SHOWN, &ctx.netbox, &services.settings.findings).await?);

    title("Somebody puts it right at ARIN");
    changes::write_address(&netbox, tenant);
    changes::settle_a_finding(&services, &ctx, &netbox).await?;

    mirror::mirror(&services, &ctx, &registry).await?;
    mirror::judge(&services, &ctx, (&netbox, rir), &registry).await?;
    if args.keep { keep(&arin, &netbox).await } else { Ok(()) }
}

fn services(arin: &Arin, netbox: &Netbox, registry: &Registry) -> Result<Services, AnyError> {
    let config = World::demo().config;
    let keys = Keyring::of_one(&config, USER, KEY.into());
    let keys = [changes::ASKS, changes::APPROVES].iter().fold(keys, |keys, user| keys.and(&config, user, KEY.into()));
    let mut settings = settings(arin, netbox)?;
    mirror::add_source(&mut settings, registry)?;
    Ok(Services::for_one_process(settings, keys)?)
}

fn settings(arin: &Arin, netbox: &Netbox) -> Result<Settings, config::Invalid> {
    let set = [
        ("RIR_SIDECAR__NETBOX__URL", netbox.url()),
        ("RIR_SIDECAR__NETBOX__TOKEN", TOKEN.to_owned()),
        ("RIR_SIDECAR__ARIN__ALLOWED_BASE_URLS", arin.url()),
        ("RIR_SIDECAR__ARIN__WHOIS_URL", arin.whois_url()),
        ("RIR_SIDECAR__ARIN__WHOIS_REQUESTS_PER_SECOND", "0".to_owned()),
        ("RIR_SIDECAR__ARIN__REQUESTS_PER_SECOND", "0".to_owned()),
        ("RIR_SIDECAR__FINDINGS__OWN_TENANTS", OWN_TENANT.to_owned()),
        ("RIR_SIDECAR__FINDINGS__SINCE_FIELD", ASSIGNED_ON.to_owned()),
        ("RIR_SIDECAR__REQUESTS__ENABLED", "true".to_owned()),
        ("RIR_SIDECAR__REQUESTS__SEAL", SEAL.to_owned()),
    ];
    config::load_from(None, &set.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<BTreeMap<_, _>>())
}

async fn bootstrap(ctx: &Context) -> Result<(), AnyError> {
    let plan = schema::plan(&ctx.netbox, Document::current()).await?;
    for done in schema::apply(&ctx.netbox, &plan, false).await? {
        say(&done.to_string());
    }
    Ok(())
}

/// Adds the RIR config that an operator would add in NetBox's pages.
fn add_config(netbox: &Netbox, arin: &Arin, world: &World, rir: u64) {
    let row = json!({
        "name": world.config, "rir": rir, "registry": "arin", "api_url": arin.url(),
        "org_handle": world.org_handle, "is_active": true,
    });
    netbox.add_row(schema::CONFIG, row.as_object().cloned().unwrap_or_default());
    say(&format!("An operator adds the RIR config \"{}\" for the organization {}.", world.config, world.org_handle));
}

/// Assigns a prefix to a customer, some time ago, and returns the customer's tenant.
fn assign(netbox: &Netbox) -> u64 {
    let date = Timestamp::now().to_zoned(TimeZone::UTC).date().saturating_sub(ASSIGNED_BEFORE);
    let field = json!({ "name": ASSIGNED_ON, "type": "date", "object_types": ["ipam.prefix"] });
    netbox.add_object("extras/custom-fields", field.as_object().cloned().unwrap_or_default());
    let tenant = netbox.add_tenant(changes::CUSTOMER);
    let prefix = json!({
        "prefix": "23.144.7.128/28", "tenant": tenant, "status": "active",
        "custom_fields": { ASSIGNED_ON: date.to_string() },
    });
    netbox.add_object("ipam/prefixes", prefix.as_object().cloned().unwrap_or_default());
    say(&format!("An operator assigned 23.144.7.128/28 to a customer on {date}."));
    tenant
}

fn change(arin: &Arin, world: &World) -> Result<(), UnknownHandle> {
    let mut registry = arin.registry();
    let renamed = "NET-23-144-1-0-1";
    registry.rename_net(renamed, "CAFE-EXEMPLE")?;
    say(&format!("{renamed} gets another name."));
    let removed = registry.remove_net("NET-23-145-0-32-1")?;
    say(&format!("{} is removed; its customer stays behind.", removed.handle));
    let given = registry.reassign(
        "NET-23-144-0-0-1",
        &[ipnet::IpNet::V4(ipnet::Ipv4Net::new_assert([23, 144, 12, 0].into(), 24))],
        Holder::Org("SAMPLE-3".to_owned()),
    )?;
    say(&format!("{given} is reassigned to SAMPLE-3."));
    let customer = registry.add_customer(&world.org_handle, "Sample Florist", Some(elsewhere()));
    let unplanned = registry.reassign(
        "NET-23-144-0-0-1",
        &[ipnet::IpNet::V4(ipnet::Ipv4Net::new_assert([23, 144, 7, 0].into(), 25))],
        Holder::Customer(customer),
    )?;
    say(&format!("{unplanned} is reassigned to a customer; NetBox has no prefix for it."));
    let mut address = registry.org_mut(&world.org_handle)?.address.clone().unwrap_or_else(elsewhere);
    address.street = vec!["200 Example Avenue".to_owned()];
    registry.move_org(&world.org_handle, address)?;
    say(&format!("{} moves to another street.", world.org_handle));
    Ok(())
}

fn elsewhere() -> rir_sandbox::world::Address {
    rir_sandbox::world::Address {
        street: Vec::new(),
        city: None,
        state_province: None,
        postal_code: None,
        country: rir_sandbox::world::Country::US,
    }
}

async fn sync(services: &Services, ctx: &Context) -> Result<(), AnyError> {
    let configs = ctx.netbox.configs().await?;
    for config in &configs {
        begin(ctx, config, configs.len());
        let bar = ProgressBar::begin(&ctx.progress);
        let run = sync_run(ctx, &request(config, &configs), &NoCheckpoint).await;
        bar.end(&ctx.progress).await;
        say(&output::run(&run));
        let subject = Subject { config, configs: &configs, scope: &Scope::Config, run: &run.id };
        say(&findings_line(refresh_findings(ctx, &services.coordination, subject).await?));
    }
    Ok(())
}

async fn plan(ctx: &Context) -> Result<(), AnyError> {
    let configs = ctx.netbox.configs().await?;
    for config in &configs {
        begin(ctx, config, configs.len());
        let preview = preview(ctx, &request(config, &configs)).await;
        say(&output::preview(&preview));
    }
    Ok(())
}

fn begin(ctx: &Context, config: &Config, configs: usize) {
    ctx.progress.update(|at| {
        at.begin(&config.name);
        at.configs.total = configs as u64;
    });
}

fn request<'a>(config: &'a Config, configs: &'a [Config]) -> Request<'a> {
    Request { requester: Requester::User(USER), ..Request::of(config, configs) }
}

/// Leaves the two systems running until Ctrl-C.
async fn keep(arin: &Arin, netbox: &Netbox) -> Result<(), AnyError> {
    title("Both systems keep running until Ctrl-C");
    say(&format!(
        "NetBox   {}/api/   (Authorization: Bearer {TOKEN})\nARIN     {}/rest/   (Authorization: ApiKey {KEY})\n\
         Listing  {}/   (ARIN's public one: no key)\n\n\
         To use them from another terminal, write the API key into a keys file:\n\n\
         cat > demo-keys.toml <<END\n[[key]]\nconfig = \"{}\"\nuser = \"{USER}\"\napi_key = \"{KEY}\"\nEND\n\
         chmod 600 demo-keys.toml\n\
         export RIR_SIDECAR__NETBOX__URL={} RIR_SIDECAR__NETBOX__TOKEN={TOKEN} \\\n  \
         RIR_SIDECAR__FINDINGS__OWN_TENANTS={OWN_TENANT} RIR_SIDECAR__FINDINGS__SINCE_FIELD={ASSIGNED_ON} \\\n  \
         RIR_SIDECAR__ARIN__ALLOWED_BASE_URLS={} RIR_SIDECAR__ARIN__WHOIS_URL={} \\\n  \
         RIR_SIDECAR__KEYS__FILE=demo-keys.toml\n\
         rir-sidecar check\nrir-sidecar sync --all\nrir-sidecar findings",
        netbox.url(),
        arin.url(),
        arin.whois_url(),
        World::demo().config,
        netbox.url(),
        arin.url(),
        arin.whois_url(),
    ));
    tokio::signal::ctrl_c().await?;
    Ok(())
}
