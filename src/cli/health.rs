//! `rir-sidecar health`: asks the process on this machine for its health, as a container's health check does.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use reqwest::StatusCode;
use serde_json::Value;

use super::{
    exit::{AnyError, ExitStatus},
    output,
};
use crate::{
    config::{self, Proxy},
    http_client,
    tls::Trust,
};

/// Limits how long the process may take to answer. It gives its queue and NetBox two seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// The question to ask.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask whether it can work, and not only whether it lives
    #[arg(long)]
    ready: bool,
}

pub(super) async fn run(args: Args, file: Option<&Path>) -> ExitStatus {
    let listen = match config::load_listen(file) {
        Ok(listen) => listen,
        // Docker knows no exit code but 1.
        Err(error) => return ExitStatus::Failed.because(&error),
    };
    let path = if args.ready { "/health/ready" } else { "/health/live" };
    let url = format!("http://{}{path}", local_address(listen));
    match ask(&url).await {
        Ok((StatusCode::OK, _)) => {
            output::out(if args.ready { "ready" } else { "live" });
            ExitStatus::Done
        }
        Ok((status, why)) => {
            output::err(&format!("error: {url} answered {status}{why}"));
            ExitStatus::Failed
        }
        Err(error) => ExitStatus::Failed.because(&*error),
    }
}

/// Returns the address at which this machine reaches a process that listens there.
fn local_address(listen: SocketAddr) -> SocketAddr {
    // What listens on all addresses listens on this one, too: every machine has it, those without IPv4 around them included.
    let everywhere = listen.ip().is_unspecified();
    SocketAddr::new(if everywhere { Ipv4Addr::LOCALHOST.into() } else { listen.ip() }, listen.port())
}

/// Returns the status, and the detail if the answer is a problem.
async fn ask(url: &str) -> Result<(StatusCode, String), AnyError> {
    let http = http_client::build(Trust::Nobody, &Proxy::None, |builder| builder.timeout(ANSWER_TIMEOUT))?;
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
        let asked = |listen: &str| local_address(listen.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8080"), "127.0.0.1:8080");
        assert_eq!(asked("[::]:8080"), "127.0.0.1:8080");
        assert_eq!(asked("192.0.2.7:81"), "192.0.2.7:81");
    }
}
