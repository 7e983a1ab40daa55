//! The chapter about change requests: two people put right at ARIN what a finding says.

use jiff::Timestamp;
use rir_sandbox::netbox::{Action, Grant, Server as Netbox};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::narration::{say, title};
use crate::{
    cli::{
        exit::AnyError,
        findings,
        requests::text::{details, table},
    },
    findings::Kind,
    http::RequestView,
    model::RowId,
    netbox::{FindingFilter, findings::OPEN, schema},
    requests::{
        ChangeRequest, Decisions, Flow, Order, OrderSubject, Person, Prepared, PreparedRequest, Preparing,
        draft::Fields,
    },
    services::Services,
    sync::Context,
    worker::{run_name, sync_after},
};

/// The customer to whom the prefix is assigned.
pub(super) const CUSTOMER: &str = "Sample Orchard";
/// The NetBox user who asks for a change.
pub(super) const ASKS: &str = "ann";
/// The NetBox user who approves it.
pub(super) const APPROVES: &str = "ben";
/// The kind of finding that is settled.
const SETTLED: Kind = Kind::Overdue;

/// Writes down where the customer is, as an operator would in NetBox's pages.
pub(super) fn write_address(netbox: &Netbox, tenant: u64) {
    let row = json!({
        "key": "operator:demo", "tenant": tenant, "street_address": "7 Orchard Lane", "city": "Reston",
        "state_province": "VA", "postal_code": "20190", "country": "US",
    });
    netbox.add_row(schema::ADDRESS, row.as_object().cloned().unwrap_or_default());
    say(&format!("An operator writes down in NetBox where {CUSTOMER} is: an RIR address, linked to the tenant."));
}

/// Asks for what settles a finding, has it approved by a second user, sends it, and shows what came of it.
pub(super) async fn settle_a_finding(services: &Services, ctx: &Context, netbox: &Netbox) -> Result<(), AnyError> {
    let configs = ctx.netbox.configs().await?;
    let config = configs.first().ok_or("NetBox has no RIR config")?;
    let rows = ctx.netbox.finding_rows(&FindingFilter::default()).await?;
    let finding = rows.iter().find(|row| row.kind == SETTLED.name() && row.state == OPEN);
    let finding = finding.ok_or("there is no finding to settle")?.id;
    let config_name = &config.name;

    title(&format!("requests prepare --finding {finding} --config-name {config_name} --user {ASKS}"));
    let subject = OrderSubject::Finding(finding);
    let user = ASKS.to_owned();
    let order = Order { user, subject, chosen: None, org: None, set: Fields::default(), keep: true };
    let preparing = Preparing { netbox: &ctx.netbox, arin: &ctx.arin, keys: &ctx.keys, settings: &ctx.settings };
    let prepared = preparing.prepare((config, &configs), &order).await?;
    let request = read(ctx, kept(prepared)?).await?;
    say(&details(&[RequestView::from(&request)]));

    let digest = request.digest.unwrap_or_default();
    title(&format!("requests approve {} --digest {digest} --user {APPROVES}", request.id));
    let requests =
        Grant::new(&format!("plugins/custom-objects/{}", schema::CHANGE_REQUEST), &[Action::View, Action::Change]);
    let token = netbox.add_user(APPROVES, vec![requests]);
    let own = ctx.netbox.acting_for(&token.as_str().into())?;
    let decisions = Decisions {
        netbox: &ctx.netbox,
        arin: &ctx.arin,
        keys: &ctx.keys,
        settings: &ctx.settings.requests,
        now: Timestamp::now(),
    };
    let person = Person { name: APPROVES, netbox: Some(&own) };
    let approved = decisions.approve(&person, &configs, (request.id, Some(&digest))).await?;
    say(&table(&[RequestView::from(&approved)]));

    title(&format!("requests submit {} --user {APPROVES}", approved.id));
    let (systems, settings) = ((ctx.netbox.clone(), ctx.arin.clone()), ctx.settings.clone());
    let flow = Flow::new(systems, ctx.keys.clone(), settings, (CancellationToken::new(), run_name()));
    let done = flow.go_on(config, approved, false).await?.request;
    say(&table(&[RequestView::from(&done)]));
    sync_after(ctx, &services.coordination, (config, &configs), &[&done]).await;
    if let (Some(net), Some(customer)) = (done.network(), done.customer()) {
        say(&format!("ARIN has {net}, held by customer {customer}; NetBox has a row of each, linked to the prefix."));
    }

    title(&format!("findings --kind {}", SETTLED.name()));
    say(&findings::of_kinds(&[SETTLED], &ctx.netbox, &services.settings.findings).await?);
    Ok(())
}

/// Returns the row of the one request that was prepared.
fn kept(prepared: Prepared) -> Result<RowId, AnyError> {
    let Some(PreparedRequest { drafted, opened, .. }) = prepared.requests.into_iter().next() else {
        return Err("nothing was prepared".into());
    };
    drop(drafted?);
    Ok(opened.ok_or("nothing was kept")??)
}

async fn read(ctx: &Context, id: RowId) -> Result<ChangeRequest, AnyError> {
    let row = ctx.netbox.request_row(id).await?.ok_or_else(|| format!("there is no change request {id}"))?;
    Ok(row.try_into()?)
}
