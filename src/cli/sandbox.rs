//! `rir-sidecar sandbox`: the simulated ARIN alone, for trying things out with a NetBox of one's own.

use std::net::SocketAddr;

use super::{exit::ExitStatus, output, signals::asked_to_end};
use rir_sandbox::{
    regrws::{KEY, Options, Server},
    world::World,
};

/// The address to serve it at.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port to listen on, such as 127.0.0.1:8090. API keys are sent over plain HTTP to the sidecar's own machine
    /// only
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
}

pub(super) async fn run(args: Args) -> ExitStatus {
    let world = World::demo();
    let (org, nets) = (world.org_handle, world.registry.nets.len());
    let server = match Server::start_at(args.listen, world.registry, Options::default()).await {
        Ok(server) => server,
        Err(error) => return ExitStatus::Failed.because(&error),
    };
    output::out(&format!(
        "A simulated ARIN with {nets} nets is at {}\nAPI key: {KEY}\nOrganization: {org}\n\
         Public listing of its nets, which takes no key: {}\n\n\
         List the URL, as seen from the sidecar, in arin.allowed_base_urls, and enter it as the API URL of an RIR config.\n\
         Set arin.whois_url to that of the listing, so that a sync asks only for what can have changed.",
        server.url(),
        server.whois_url()
    ));
    asked_to_end().await;
    server.stop().await;
    ExitStatus::Done
}
