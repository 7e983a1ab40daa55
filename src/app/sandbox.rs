//! `rir-sidecar sandbox`: the simulated ARIN alone, for trying things out with a NetBox of one's own.

use std::net::SocketAddr;

use rir_sandbox::{
    regrws::{KEY, Options, Server},
    world::World,
};

use super::{Outcome, complain, show, signals::asked_to_end};

/// Where to serve it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port to listen on, such as 0.0.0.0:8090
    #[arg(long, value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// Runs the command.
pub(super) async fn run(args: Args) -> Outcome {
    let world = World::demo();
    let (org, nets) = (world.org_handle, world.registry.nets.len());
    let server = match Server::start_at(args.listen, world.registry, Options::default()).await {
        Ok(server) => server,
        Err(error) => return complain(&error, Outcome::Failed),
    };
    show::out(&format!(
        "A simulated ARIN with {nets} nets is at {}\nAPI key: {KEY}\nOrganization: {org}\n\n\
         List the URL, as seen from the sidecar, in arin.allowed_base_urls, and enter it as the API URL of an RIR config.",
        server.url()
    ));
    asked_to_end().await;
    server.stop().await;
    Outcome::Done
}
