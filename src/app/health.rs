//! `rir-sidecar health`: asks the process on this machine how it is, for a container's health check.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::Value;

use super::{Outcome, complain, show};
use crate::config;

/// A process asks its queue and NetBox for two seconds.
const PATIENCE: Duration = Duration::from_secs(4);

/// What to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask whether it can work, and not only whether it lives
    #[arg(long)]
    ready: bool,
}

/// Runs the command.
pub(super) async fn run(args: Args, file: Option<&Path>) -> Outcome {
    let listen = match config::load_listen(file) {
        Ok(listen) => listen,
        // Docker knows of no other exit code than 1.
        Err(error) => return complain(&error, Outcome::Failed),
    };
    let path = if args.ready { "/health/ready" } else { "/health/live" };
    let url = format!("http://{}{path}", here(listen));
    match ask(&url).await {
        Ok((StatusCode::OK, _)) => {
            show::out(if args.ready { "ready" } else { "live" });
            Outcome::Done
        }
        Ok((status, why)) => {
            show::err(&format!("error: {url} answered {status}{why}"));
            Outcome::Failed
        }
        Err(error) => complain(&error, Outcome::Failed),
    }
}

/// Where to reach on this machine what listens there.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

/// Gives the status, and why, if it is a problem.
async fn ask(url: &str) -> reqwest::Result<(StatusCode, String)> {
    // Without TLS no certificates are needed.
    crate::tls::choose_provider();
    let http = reqwest::Client::builder().tls_certs_only([]).no_proxy().timeout(PATIENCE).build()?;
    let answer = http.get(url).send().await?;
    let (status, body) = (answer.status(), answer.text().await?);
    let problem: Value = serde_json::from_str(&body).unwrap_or_default();
    let why = problem.get("detail").and_then(Value::as_str).map(|detail| format!(": {detail}"));
    Ok((status, why.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_all_interfaces_means_this_machine() {
        let asked = |listen: &str| here(listen.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(asked("[::]:8080"), "[::1]:8080");
        assert_eq!(asked("192.0.2.7:81"), "192.0.2.7:81");
    }
}
