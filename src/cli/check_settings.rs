//! `rir-sidecar check --settings-only`: tells all that is wrong with the settings and the files that they name, and asks
//! nobody.

use std::path::Path;

use super::{
    exit::{AnyError, ExitStatus},
    output,
};
use crate::{
    arin::Pool,
    config::{self, Settings},
    netbox::Client,
    queue::Queue,
    telemetry,
};

/// Reads the settings and all files that they name, and makes of them what a process makes at its start.
pub(super) async fn run(file: Option<&Path>) -> ExitStatus {
    let (settings, keys) = match config::load_with_keys(file) {
        Ok(loaded) => loaded,
        Err(error) => return ExitStatus::Misused.because(&error),
    };
    let unusable = unusable(&settings).await;
    for error in &unusable {
        ExitStatus::Misused.because(&**error);
    }
    if !unusable.is_empty() {
        return ExitStatus::Misused;
    }
    let keys = match settings.keys.file {
        Some(path) => format!("{} has {} API key(s)", path.display(), keys.len()),
        None => "keys.file is not set, and without API keys nothing can be looked up".to_owned(),
    };
    output::out(&format!("The settings can be used; {keys}."));
    ExitStatus::Done
}

/// Makes the log and all clients, and returns why one cannot be made. None asks anybody before it is used.
async fn unusable(settings: &Settings) -> Vec<AnyError> {
    let mut errors: Vec<AnyError> = Vec::new();
    match telemetry::start(&settings.telemetry, "warn") {
        Ok(telemetry) => telemetry.end().await,
        Err(error) => errors.push(error.into()),
    }
    errors.extend(Client::new(&settings.netbox).err().map(AnyError::from));
    errors.extend(Pool::new(&settings.arin).err().map(AnyError::from));
    errors.extend(Queue::open(&settings.queue).await.err().map(AnyError::from));
    errors
}
