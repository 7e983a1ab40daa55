//! The name of this process among those that share a queue.

use std::process;

/// Returns a name that no other process has or ever had, and that begins with the name of the machine.
pub(super) fn process_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "somewhere".into());
    format!("{}-{}-{:08x}", host.trim(), process::id(), fastrand::u32(..))
}
