//! The chapter about routing registries: one is mirrored, the mirror follows a change, and a prefix that nobody would accept
//! comes to be in order.

use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use rir_sandbox::{irr::Server as Registry, netbox::Server as Netbox};
use serde_json::{Value, json};

use super::narration::{say, title};
use crate::{
    cli::{exit::AnyError, irr::check, output},
    config::{Irr, IrrSource, Settings},
    irr::store::{SourceState, Store},
    model::SourceName,
    netbox::schema::{ORIGIN_ASNS, origins},
    routing,
    services::Services,
    sync::Context,
    worker::{SourceRun, SourceTeller},
};

/// The source of the simulated registry.
const SOURCE: &str = "EXAMPLE-RR";
/// The serial at which it begins.
const SERIAL: u64 = 1000;
/// The prefix whose origin changes.
const CHANGED: &str = "192.0.2.0/24";
/// The prefix that the operator announces.
const ANNOUNCED: &str = "23.144.15.0/24";
/// The AS of the operator.
const OURS: u32 = 64496;

fn route(prefix: &str, origin: &str) -> String {
    let class = if prefix.contains(':') { "route6" } else { "route" };
    format!(
        "{:16}{prefix}\ndescr:          Example Networks\norigin:         {origin}\nmnt-by:         MAINT-EXAMPLE\n\
         source:         {SOURCE}\n",
        format!("{class}:")
    )
}

/// Starts a registry with some objects, one of which is no good.
pub(super) async fn registry() -> Result<Registry, AnyError> {
    let objects = [
        route(CHANGED, "AS64496"),
        route("198.51.100.0/24", "AS64496"),
        route("203.0.113.7/24", "AS64496"),
        route("2001:db8::/32", "AS64496"),
    ];
    Ok(Registry::start(SOURCE, SERIAL, &objects).await?)
}

/// Adds the registry to the settings.
pub(super) fn add_source(settings: &mut Settings, registry: &Registry) -> Result<(), toml::de::Error> {
    settings.irr = toml::from_str::<Irr>(&format!("[[source]]\n{}", registry.settings()))?;
    Ok(())
}

/// Mirrors the registry, shows its row in NetBox, and follows a change.
pub(super) async fn mirror(services: &Services, ctx: &Context, registry: &Registry) -> Result<(), AnyError> {
    let source = services.settings.irr.source.first().ok_or("no source is set")?;
    let name = &source.name;

    title(&format!("irr update {name}: a routing registry is mirrored"));
    update(services, ctx, source).await?;
    let header = ["row in NetBox", "state", "serial", "objects"];
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let rows = ctx.netbox.irr_source_rows().await?;
    let rows = rows.into_values().map(|recorded| recorded.row);
    let rows = rows.map(|row| vec![row.name, row.state, number(row.serial), number(row.object_count)]);
    say(&output::table(&header, rows.collect(), 2));

    title("A route object changes at the registry");
    registry.delete(&route(CHANGED, "AS64496"));
    registry.add(&route(CHANGED, "AS64511"));
    say(&format!("{CHANGED} is announced by AS64511 from now on."));

    title(&format!("irr update {name}: only the changes are taken"));
    update(services, ctx, source).await?;
    say(&object(&services.mirror.store, name).await?);
    Ok(())
}

/// Judges a prefix that has no route object, and once more when it has one.
pub(super) async fn judge(
    services: &Services,
    ctx: &Context,
    (netbox, rir): (&Netbox, u64),
    registry: &Registry,
) -> Result<(), AnyError> {
    let source = services.settings.irr.source.first().ok_or("no source is set")?;
    title("bootstrap --routing: NetBox learns who announces what");
    let plan = origins::plan(&ctx.netbox).await??;
    for done in origins::apply(&ctx.netbox, &plan).await? {
        say(&done);
    }
    let add = |list: &str, row: Value| netbox.add_object(list, row.as_object().cloned().unwrap_or_default());
    let asn = add("ipam/asns", json!({ "asn": OURS, "rir": rir })).ok_or("there is no place for an ASN")?;
    add("ipam/prefixes", json!({ "prefix": ANNOUNCED, "custom_fields": { ORIGIN_ASNS: [asn] } }));
    say(&format!("An operator writes down that AS{OURS} announces {ANNOUNCED}."));

    let routing = routing::Context {
        netbox: ctx.netbox.clone(),
        store: services.mirror.store.clone(),
        own: services.own_routes.clone(),
        settings: Arc::clone(&services.settings),
        stop: ctx.stop.clone(),
        now: Timestamp::now(),
        run: "demo".to_owned(),
    };
    title(&format!("irr check {ANNOUNCED}"));
    let range = ANNOUNCED.parse()?;
    say(&checked(&routing, range).await?);
    title("The route object is made, and the mirror follows");
    registry.add(&route(ANNOUNCED, &format!("AS{OURS}")));
    update(services, ctx, source).await?;
    title(&format!("irr check {ANNOUNCED}: it is in order"));
    let routing = routing::Context { now: Timestamp::now(), ..routing };
    say(&checked(&routing, range).await?);
    let refreshed = routing::refresh(&routing).await?;
    say(&format!("In NetBox: {}; {} rows are new.", refreshed.tally, refreshed.created));
    Ok(())
}

async fn checked(ctx: &routing::Context, range: IpNet) -> Result<String, AnyError> {
    let judged = routing::check(ctx).await?.assessment;
    Ok(check::table(judged.ranges.iter().filter(|judged| judged.range == range)))
}

async fn update(services: &Services, ctx: &Context, source: &IrrSource) -> Result<(), AnyError> {
    let store = &services.mirror.store;
    let before: SourceState = store.state(&source.name).await?;
    let updated = services.mirror.update(source, |_| {}).await?;
    say(&format!("{}: {updated}", source.name));
    updated.rejects.examples.iter().for_each(|example| say(&format!("  {example}")));
    let after = store.state(&source.name).await?;
    let teller = SourceTeller {
        netbox: &ctx.netbox,
        coordination: &services.coordination,
        settings: &services.settings,
        run: &format!("demo-{}", updated.did.name()),
    };
    teller.tell(SourceRun { source, before: &before, after: &after, updated: Ok(&updated) }).await;
    Ok(())
}

/// Returns the object whose origin has changed, as the mirror has it.
async fn object(store: &Store, name: &SourceName) -> Result<String, AnyError> {
    let mut objects = store.objects(name).await?.ok_or("nothing is mirrored")?;
    while let Some(some) = objects.next().await? {
        if let Some(object) = some.into_iter().find(|object| object.key.key.starts_with(CHANGED)) {
            return Ok(object.text);
        }
    }
    Err(format!("the mirror does not have {CHANGED}").into())
}
