//! Lifetimes of what replicas tell each other.

use std::time::Duration;

/// Limits how long changes are remembered as seen.
pub(super) const SEEN_FOR: Duration = Duration::from_secs(2 * 3600);

/// Limits how long a delivery of a webhook is remembered: for longer than NetBox's time in it lets it be taken.
pub(super) const DELIVERED_FOR: Duration = Duration::from_secs(15 * 60);

/// Limits how long an idempotency key is reserved for whoever works on the answer.
pub(super) const RESERVED_FOR: Duration = Duration::from_secs(60);

/// Limits how long the rate of a registry instance is remembered after its last request.
pub(super) const RATE_FOR: Duration = Duration::from_secs(24 * 3600);

/// Limits how long a process counts as alive after it registered.
pub(super) const PRESENT_FOR: Duration = Duration::from_secs(30);

/// Limits how long the parts of a plan wait for the rest of it.
pub(super) const PARTS_WAIT_FOR: Duration = Duration::from_secs(600);
