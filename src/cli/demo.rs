//! `rir-sidecar demo`: shows the main job from beginning to end on two simulated systems inside this process.
//!
//! The output is that of the real commands: the same clients talk to the simulated systems over HTTP.

use std::{collections::BTreeMap, time::Duration};

use rir_sandbox::{
    netbox::{Options as NetboxOptions, Server as Netbox, TOKEN},
    populate,
    regrws::{KEY, Options as ArinOptions, Server as Arin, Style},
    world::{Holder, UnknownHandle, World},
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    exit::{AnyError, ExitStatus},
    output,
    progress_bar::ProgressBar,
};
use crate::{
    config::{self, Settings, keys::Keyring},
    model::Config,
    netbox::schema::{self, Document},
    services::Services,
    sync::{Context, NoCheckpoint, Request, Requester, preview, run as sync_run},
};

/// The time that each answer of the simulated ARIN takes, so that there is progress to be seen.
const ARIN_LATENCY: Duration = Duration::from_millis(25);
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
    say("A simulated ARIN and a simulated NetBox are started; nothing outside this process is touched.");
    let arin = Arin::start(world.registry.clone(), ArinOptions { style: Style::Odd, ..ArinOptions::default() }).await?;
    let netbox = Netbox::start(NetboxOptions::default()).await?;
    let rirs = populate(&netbox, &world.ipam);
    say(&format!(
        "ARIN has {} nets, {} organizations and {} customers; NetBox has {} aggregates and {} prefixes.",
        world.registry.nets.len(),
        world.registry.orgs.len(),
        world.registry.customers.len(),
        world.ipam.aggregates.len(),
        world.ipam.prefixes.len()
    ));
    let ctx = context(&arin, &netbox)?;

    title("bootstrap: create the custom object types in NetBox");
    bootstrap(&ctx).await?;
    let rir = rirs.values().next().copied().unwrap_or_default();
    add_config(&netbox, &arin, &world, rir);

    arin.configure(|options| options.latency = ARIN_LATENCY);
    arin.whois().configure(|options| options.latency = ARIN_LATENCY);
    title("sync: the first time, everything is new");
    sync(&ctx).await?;

    title("Something changes at ARIN");
    change(&arin, &world)?;

    title("sync --plan-only: what would be written");
    plan(&ctx).await?;

    title("sync: only what changed is written");
    sync(&ctx).await?;

    title("sync: once more, and there is nothing to write");
    sync(&ctx).await?;
    if args.keep { keep(&arin, &netbox).await } else { Ok(()) }
}

fn title(text: &str) {
    output::out(&format!("\n== {text}"));
}

fn say(text: &str) {
    output::out(text);
}

fn context(arin: &Arin, netbox: &Netbox) -> Result<Context, AnyError> {
    let keys = Keyring::of_one(&World::demo().config, USER, KEY.into());
    Ok(Services::for_one_process(settings(arin, netbox)?, keys)?.context(CancellationToken::new()))
}

fn settings(arin: &Arin, netbox: &Netbox) -> Result<Settings, config::Invalid> {
    let set = [
        ("RIR_SIDECAR__NETBOX__URL", netbox.url()),
        ("RIR_SIDECAR__NETBOX__TOKEN", TOKEN.to_owned()),
        ("RIR_SIDECAR__ARIN__ALLOWED_BASE_URLS", arin.url()),
        ("RIR_SIDECAR__ARIN__WHOIS_URL", arin.whois_url()),
        ("RIR_SIDECAR__ARIN__WHOIS_REQUESTS_PER_SECOND", "0".to_owned()),
        ("RIR_SIDECAR__ARIN__REQUESTS_PER_SECOND", "0".to_owned()),
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

async fn sync(ctx: &Context) -> Result<(), AnyError> {
    let configs = ctx.netbox.configs().await?;
    for config in &configs {
        begin(ctx, config, configs.len());
        let bar = ProgressBar::begin(&ctx.progress);
        let run = sync_run(ctx, &request(config, &configs), &NoCheckpoint).await;
        bar.end(&ctx.progress).await;
        say(&output::run(&run));
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
         RIR_SIDECAR__ARIN__ALLOWED_BASE_URLS={} RIR_SIDECAR__ARIN__WHOIS_URL={} \\\n  \
         RIR_SIDECAR__KEYS__FILE=demo-keys.toml\n\
         rir-sidecar check\nrir-sidecar sync --all",
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
