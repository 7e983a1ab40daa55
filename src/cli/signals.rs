//! The signals that end a process.

use tokio::signal::unix::{SignalKind, signal};

/// Waits until somebody asks the process to end, by Ctrl-C or SIGTERM. Returns false when signals cannot be received.
///
/// From this call on, and not only once it is waited for, a signal does not kill the process.
pub(super) fn asked_to_end() -> impl Future<Output = bool> {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return false };
        tokio::select! {
            done = interrupt.recv() => done.is_some(),
            done = terminate.recv() => done.is_some(),
        }
    }
}
