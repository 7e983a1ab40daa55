//! The chapter about routing registries: one is mirrored, and the mirror follows a change.

use rir_sandbox::irr::Server as Registry;

use super::narration::{say, title};
use crate::{
    cli::{exit::AnyError, output},
    config::{Irr, IrrSource, Settings},
    irr::store::{SourceState, Store},
    model::SourceName,
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
