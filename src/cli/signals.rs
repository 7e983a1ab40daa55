//! The signals that end a process.

use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

/// Waits until somebody asks the process to end, by Ctrl-C or SIGTERM. Returns false when signals cannot be received.
pub(super) async fn asked_to_end() -> bool {
    let Ok(mut term) = signal(SignalKind::terminate()) else { return ctrl_c().await.is_ok() };
    tokio::select! {
        done = ctrl_c() => done.is_ok(),
        done = term.recv() => done.is_some(),
    }
}
