//! Runs the service for a while in which nothing stays whole, and then looks whether everything came out right. Prints
//! Markdown, and ends with 1 if something did not.
//!
//! ```text
//! cargo bench --bench soak -- [MINUTES]
//! ```
//!
//! Three replicas of the program share a real Redis, which writes to its disk. ARIN and NetBox are simulated in this
//! process, outlive all of them, and answer one request in twenty wrongly or not at all. Every [`APART`] Redis or one of
//! the replicas is killed and started again; one replica is spared, so that its memory can be seen for the whole time.
//! Syncs are asked for over the API, by the webhooks of changes in NetBox, and by the schedule, while ARIN's registry
//! changes. A webhook is sent once, as NetBox does.
//!
//! In the end all faults stop, and what was asked for gets the time to come to an end. [`verdict`] says what has to hold.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on ends"
)]

mod attempts;
mod checks;
mod load;
mod places;
mod processes;
mod verdict;

use std::{process::ExitCode, time::Duration};

use fastrand::Rng;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use load::Load;
use places::Places;
use processes::{Processes, REPLICAS};

/// The time from one kill to the next.
const APART: Duration = Duration::from_secs(20);
/// The time for which what was killed stays away.
const AWAY: Duration = Duration::from_secs(1);
/// The longest that everything may take to come to an end.
const LONGEST_END: Duration = Duration::from_secs(300);
/// Of this replica the memory is looked at, and it is never killed.
const SPARED: usize = 0;
const SEED: u64 = 0x50a4;

#[tokio::main]
async fn main() -> ExitCode {
    drop(rustls::crypto::ring::default_provider().install_default());
    // `cargo bench` adds an argument of its own.
    let minutes = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let minutes: u64 =
        minutes.map_or(30, |text| text.parse().unwrap_or_else(|_| panic!("no number of minutes: {text}")));
    let places = Places::new().await;
    let processes = Processes::start(&places).await;
    let load = Load::new(&places, &processes);
    let ended = CancellationToken::new();
    places.break_sometimes();
    let trouble = async {
        let kills = kill_now_and_then(&processes, Duration::from_secs(60 * minutes)).await;
        ended.cancel();
        kills
    };
    let (kills, (), (), rate, memory) = tokio::join!(
        trouble,
        load.order(&ended),
        load.change(&ended),
        places.measure_rate(&ended),
        processes.measure_memory(SPARED, &ended)
    );
    places.heal();
    let quiet_since = Timestamp::now();
    let waited = verdict::wait_for_the_end(&places, &load, quiet_since, LONGEST_END).await;
    let status = processes.end().await;
    let seen = verdict::Seen { minutes, kills, rate, memory, waited, status };
    verdict::tell(&places, &processes, &load, seen).await
}

/// A process that was killed.
#[derive(Debug, Clone, Copy)]
struct Kill {
    /// The number of the replica; `None` for Redis.
    replica: Option<usize>,
    at: Timestamp,
}

/// Kills one process after the other, and starts it again.
async fn kill_now_and_then(processes: &Processes, length: Duration) -> Vec<Kill> {
    let mut rng = Rng::with_seed(SEED);
    let mut kills = Vec::new();
    let end = Instant::now() + length;
    let mut next = Instant::now() + APART;
    while next < end {
        sleep_until(next).await;
        next += APART;
        let replica = Some(rng.usize(0..REPLICAS)).filter(|replica| *replica != SPARED);
        kills.push(Kill { replica, at: Timestamp::now() });
        processes.kill(replica).await;
        sleep(AWAY).await;
        processes.start_again(replica).await;
    }
    sleep_until(end).await;
    kills
}
