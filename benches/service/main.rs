//! Measures the service with the Redis at `RIR_LAB_REDIS_URL`, and prints Markdown: how soon it is ready, how much memory it
//! needs idle, and how many signed webhooks it takes.
//!
//! The webhooks come at a steady rate over kept connections, each for another aggregate, so that each has to become a job.
//! At the end the queue is asked whether every accepted one did.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on ends")]

use std::{
    fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use rir_sandbox::netbox::{Options, Server, TOKEN};
use rir_sidecar::{
    config,
    queue::{Queue, State},
};
use sha2::Sha512;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

const SECRET: &str = "the secret of a measurement";
/// Connections that webhooks come over.
const CONNECTIONS: u64 = 32;
/// The time for which they come.
const LENGTH: Duration = Duration::from_secs(10);
/// Rates that are tried, in webhooks a second.
const RATES: [u64; 3] = [1_000, 3_000, 6_000];

/// A process of the service.
struct Service {
    child: Child,
    address: String,
    ready_after: Duration,
    queue: Queue,
}

impl Service {
    async fn start(netbox: &Server) -> Self {
        let redis = std::env::var("RIR_LAB_REDIS_URL").unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let prefix = format!("bench-{:016x}", fastrand::u64(..));
        let url = netbox.url();
        let set = [
            ("NETBOX__URL", url.as_str()),
            ("NETBOX__TOKEN", TOKEN),
            ("QUEUE__URL", redis.as_str()),
            ("QUEUE__PREFIX", prefix.as_str()),
            ("HTTP__LISTEN", address.as_str()),
            ("WEBHOOK__SECRET", SECRET),
            ("WEBHOOK__DEBOUNCE", "10m"),
            ("WEBHOOK__DEBOUNCE_LONGEST", "10m"),
            ("SCHEDULE__ENABLED", "false"),
            ("SWEEP__INTERVAL", "0s"),
            ("TELEMETRY__LOG", "warn"),
        ];
        let set: Vec<_> = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned())).into();
        let settings = config::load_from(None, &set.iter().cloned().collect()).unwrap();
        let began = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        let child = command.env_clear().envs(set).arg("serve").stdin(Stdio::null()).spawn().unwrap();
        while !get(&address, "/health/ready").await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert!(began.elapsed() < Duration::from_secs(30), "the service does not get ready");
        }
        let ready_after = began.elapsed();
        Self { child, address, ready_after, queue: Queue::open(&settings.queue).await.unwrap() }
    }

    /// Resident memory, in MB.
    fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    async fn jobs(&self) -> u64 {
        self.queue.figures().await.unwrap().jobs.get(&State::Delayed).copied().unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::main]
async fn main() {
    let netbox = Server::start(Options::default()).await.unwrap();
    let service = Service::start(&netbox).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    println!("ready after {:.0} ms, {:.1} MB idle\n", service.ready_after.as_secs_f64() * 1e3, service.memory());
    println!("| asked for a second | accepted a second | p50 ms | p99 ms | longest ms | not accepted | lost | MB |");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    let number = Arc::new(AtomicU64::new(1));
    for rate in RATES {
        measure(&service, rate, &number).await;
    }
}

/// Sends webhooks at a rate, and accounts for them.
async fn measure(service: &Service, rate: u64, number: &Arc<AtomicU64>) {
    let before = service.jobs().await;
    let began = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, number) = (service.address.clone(), Arc::clone(number));
        senders.spawn(async move {
            send(&address, Duration::from_nanos(CONNECTIONS * 1_000_000_000 / rate), &number).await
        });
    }
    let (mut times, mut refused) = (Vec::new(), 0);
    while let Some(sent) = senders.join_next().await {
        let (taken, not) = sent.unwrap();
        times.extend(taken);
        refused += not;
    }
    let took = began.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| {
        times.get((times.len() as f64 * share) as usize).or(times.last()).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    let lost = times.len() as i64 - (service.jobs().await - before) as i64;
    println!(
        "| {rate} | {:.0} | {:.1} | {:.1} | {:.1} | {refused} | {lost} | {:.1} |",
        times.len() as f64 / took,
        at(0.5),
        at(0.99),
        at(1.0),
        service.memory()
    );
}

/// Sends webhooks over one connection, one each `pause`. A late answer makes the next ones late, and that counts.
async fn send(address: &str, pause: Duration, number: &AtomicU64) -> (Vec<Duration>, u64) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut refused) = (Vec::new(), 0);
    let mut tick = interval(pause);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let end = Instant::now() + LENGTH;
    while Instant::now() < end {
        let due = tick.tick().await;
        let request = webhook(address, number.fetch_add(1, Ordering::Relaxed));
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read(&mut stream).await;
        if answer.starts_with("HTTP/1.1 202") { times.push(due.elapsed()) } else { refused += 1 }
    }
    (times, refused)
}

/// A webhook of a new aggregate, as NetBox sends it.
fn webhook(address: &str, number: u64) -> String {
    let body = format!(
        "{{\"event\": \"created\", \"timestamp\": \"{}\", \"object_type\": \"ipam.aggregate\", \
          \"request\": {{\"id\": \"{number:032x}\", \"user\": \"jdoe\"}}, \
          \"data\": {{\"id\": {number}, \"url\": \"/api/ipam/aggregates/{number}/\", \"prefix\": \"192.0.2.0/24\", \
          \"rir\": {{\"id\": 1, \"name\": \"ARIN\"}}, \"description\": \"{}\"}}, \
          \"snapshots\": {{\"prechange\": null, \"postchange\": {{\"prefix\": \"192.0.2.0/24\", \"rir\": 1}}}}}}",
        Timestamp::now(),
        "x".repeat(1000)
    );
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "POST /webhooks/netbox HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         X-Hook-Signature: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    Some(read(&mut stream).await)
}

/// Reads one answer, which has a length.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the service closed the connection");
        text.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let seen = String::from_utf8_lossy(&text);
        let Some((head, body)) = seen.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if body.len() >= length.unwrap_or_else(|| panic!("an answer without a length: {head}")) {
            return seen.into_owned();
        }
    }
}
