//! `rir-sidecar irr lookup`: what registries have about any prefix, and what RPKI says of that.

use ipnet::IpNet;
use jiff::Timestamp;

use crate::{
    cli::{
        exit::{AnyError, ExitStatus},
        output,
    },
    config::Settings,
    http::LookupView,
    irr::store::Store,
    routing::lookup,
};

/// The prefix to look up.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Any prefix, also one of somebody else's
    #[arg(value_name = "PREFIX")]
    prefix: IpNet,
}

pub(super) async fn run(
    args: Args,
    store: &Store,
    settings: &Settings,
    form: output::Format,
) -> Result<ExitStatus, AnyError> {
    let prefix = args.prefix.trunc();
    let found = LookupView::of(prefix, lookup(store, settings, prefix, Timestamp::now()).await?);
    match form {
        output::Format::Json => output::out(&serde_json::to_string_pretty(&found)?),
        output::Format::Text => output::out(&text(&found)),
    }
    Ok(ExitStatus::Done)
}

fn text(found: &LookupView) -> String {
    let sources = found.sources.iter().map(|source| match source.as_of {
        Some(at) => format!("{}: {}, as of {at:.0}", source.name, source.state.replace('-', " ")),
        None => format!("{}: {}", source.name, source.state.replace('-', " ")),
    });
    let heading = sources.collect::<Vec<_>>().join("\n");
    if found.routes.is_empty() {
        return format!("{heading}\n\nno route object about {}, around it or inside it", found.prefix);
    }
    let header = ["range", "origin", "source", "RPKI", "maintainers"];
    let row = |route: &crate::http::RouteView| {
        vec![
            route.prefix.to_string(),
            route.origin.to_string(),
            route.source.to_string(),
            route.rpki.to_owned(),
            route.maintainers.join(", "),
        ]
    };
    let table = output::table(&header, found.routes.iter().map(row).collect(), header.len());
    let more = if found.is_cut { "\nand more, of which none is shown" } else { "" };
    format!("{heading}\n\n{table}{more}")
}
