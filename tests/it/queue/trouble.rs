//! Accidents that may happen to Redis, and to messages in it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redis::AsyncTypedCommands;
use rir_sidecar::{
    config::QueueMode,
    coordination::Coordination,
    queue::{Claimant, Filter, JobId, Queue, Settled, Signal, State},
    rate::{Limits, Report, Step, Turn},
    redis_client::{Client, Script},
};
use serde_json::json;

use super::{
    audit::Keys,
    bench::{ATTEMPTS, Bench, CLAIM_TIMEOUT, LEASE, MOMENT, done, free, now, prefixes, progress, secs, whole},
    server::{Server, free_port, told},
};
use crate::certificates::{Certificate, Front, text};

/// Orders numbers from `first` on until told to stop; those that were accepted. Three of these stay below what is kept.
async fn ask(queue: Queue, first: u64, stop: Arc<AtomicBool>) -> Vec<JobId> {
    let mut accepted = Vec::new();
    for number in first..first + 3000 {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match queue.enqueue(&[now(free(number))]).await {
            Ok(tickets) => accepted.extend(tickets.into_iter().map(|ticket| ticket.job)),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    accepted
}

/// Works until told to stop, whatever Redis says.
async fn work(queue: Queue, worker: String, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let Ok(claims) = queue.claim(&worker, 5, MOMENT).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        for claim in claims {
            while queue.settle(&claim, done(json!(null))).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn is_idle(queue: &Queue) -> bool {
    queue.figures().await.is_ok_and(|figures| figures.jobs.values().all(|count| *count == 0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_redis_is_killed() {
    let mut server = Server::start(&[]).await;
    let bench = server.bench().await;
    let (stop_asking, stop_working) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let mut asking = tokio::task::JoinSet::new();
    let mut working = tokio::task::JoinSet::new();
    for number in 0..3 {
        asking.spawn(ask(bench.other().await, number * 1_000_000, Arc::clone(&stop_asking)));
        working.spawn(work(bench.other().await, format!("w-{number}"), Arc::clone(&stop_working)));
    }
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.kill();
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.again().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop_asking.store(true, Ordering::Relaxed);
    let accepted = asking.join_all().await.concat();
    assert!(accepted.len() > 100, "{} orders", accepted.len());
    let begun = Instant::now();
    while !is_idle(&bench.queue).await {
        assert!(begun.elapsed() < secs(30), "{:?}", bench.queue.figures().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop_working.store(true, Ordering::Relaxed);
    working.join_all().await;
    let all = Filter { limit: 20_000, state: Some(State::Done), ..Filter::default() };
    let over: BTreeSet<JobId> = bench.queue.list(&all).await.unwrap().into_iter().map(|record| record.id).collect();
    let lost: Vec<_> = accepted.iter().filter(|id| !over.contains(*id)).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), accepted.len());
    Keys::of(&bench.settings).await.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_away_is_told_soon_and_everything_goes_on_afterwards() {
    let mut server = Server::start(&[]).await;
    let bench = server.bench().await;
    let before = bench.order(free(1)).await.job;
    let claim = bench.claim("w").await;
    let waiting = bench.other().await;
    let waiting = tokio::spawn(async move { waiting.claim("waiting", 1, secs(60)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;

    server.kill();
    refused(&bench).await;
    assert!(waiting.await.unwrap().is_err(), "who waits is told, too");
    assert!(bench.queue.claim("w", 1, Duration::ZERO).await.is_err());
    server.again().await;
    assert_eq!(bench.queue.heartbeat(&claim, "w", &progress(1, 1, "")).await.unwrap(), Signal::Yours);
    bench.done(&claim).await;
    assert_eq!(bench.state(&before).await, State::Done);

    // It is there, but does not answer.
    server.signal("-STOP");
    refused(&bench).await;
    refused(&bench).await;
    server.signal("-CONT");
    let next = bench.order(free(2)).await.job;
    let claim = bench.claim("w").await;
    // What was refused may have been queued all the same.
    assert!(claim.id == next || claim.job == free(9), "{claim:?}");
}

async fn refused(bench: &Bench) {
    let begun = Instant::now();
    assert!(bench.queue.enqueue(&[now(free(9))]).await.is_err());
    assert!(begun.elapsed() < secs(3), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert!(bench.queue.ping().await.is_err());
    assert!(begun.elapsed() < secs(3), "{:?}", begun.elapsed());
}

/// Redis stands still while a worker asks for jobs: it takes the claims when it goes on, and nobody hears the answers. The
/// worker has its jobs at once then, and no attempt was counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_that_are_answered_late_cost_neither_time_nor_attempts() {
    let server = Server::start(&[]).await;
    let bench = server.bench().await.with(|settings| settings.lease = secs(600)).await;
    let id = bench.order(free(1)).await.job;
    let claimant = Claimant { name: "w", holds: Some(&[]) };
    // The connection is open, and Redis knows the script.
    assert_eq!(bench.queue.claim("w", 0, Duration::ZERO).await.unwrap(), []);
    let mut lost = 0;
    for _ in 0..=ATTEMPTS {
        server.signal("-STOP");
        assert!(bench.queue.claim(claimant, 1, secs(1)).await.is_err());
        server.signal("-CONT");
        tokio::time::sleep(MOMENT).await;
        lost += u32::from(bench.state(&id).await == State::Running);
    }
    assert!(lost > 0, "the claim was taken though its answer came too late");
    let begun = Instant::now();
    let claims = bench.queue.claim(claimant, 1, CLAIM_TIMEOUT).await.unwrap();
    assert!(begun.elapsed() < secs(2), "{:?}", begun.elapsed());
    assert_eq!(claims.iter().map(|claim| (&claim.id, claim.attempt)).collect::<Vec<_>>(), [(&id, 1)]);
    assert_eq!(bench.find(&id).await.attempts, 0);
    bench.done(&claims[0]).await;
    Keys::of(&bench.settings).await.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_opened_while_redis_is_away() {
    let mut server = Server::start(&[]).await;
    server.kill();
    let bench = server.bench().await;
    refused(&bench).await;
    server.again().await;
    bench.order(free(1)).await;
    bench.done(&bench.claim("w").await).await;
    assert!(Queue::open(&super::bench::settings("not a url")).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_takes_no_writes_is_not_fine() {
    let server = Server::start(&[]).await;
    let bench = server.bench().await;
    bench.queue.ping().await.unwrap();
    told(server.port, &["config", "set", "min-replicas-to-write", "1"]);
    assert!(bench.queue.ping().await.is_err());
    assert!(bench.queue.enqueue(&[now(free(1))]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_redis_is_used_again() {
    let server = Server::start(&[]).await;
    let bench = server.bench().await;
    let ids = [bench.order(free(1)).await.job, bench.order(whole(7)).await.job];
    let claims = bench.queue.claim("w", 2, CLAIM_TIMEOUT).await.unwrap();
    bench.order(free(2)).await;
    let other = bench.other().await;
    let waiting = tokio::spawn(async move { other.claim("waiting", 1, CLAIM_TIMEOUT).await.unwrap() });
    assert_eq!(waiting.await.unwrap().len(), 1);
    told(server.port, &["flushall"]);
    told(server.port, &["script", "flush"]);
    for claim in &claims {
        assert_eq!(bench.queue.heartbeat(claim, "w", &progress(1, 1, "")).await.unwrap(), Signal::Lost);
        assert_eq!(bench.queue.settle(claim, done(json!(null))).await.unwrap(), Settled::Lost);
        assert_eq!(bench.queue.find(&claim.id).await.unwrap(), None);
    }
    let again = [bench.order(free(1)).await.job, bench.order(whole(7)).await.job];
    assert!(ids.iter().all(|id| !again.contains(id)));
    let claims = bench.queue.claim("w", 5, CLAIM_TIMEOUT).await.unwrap();
    assert_eq!(claims.iter().map(|claim| &claim.id).collect::<Vec<_>>(), again.iter().collect::<Vec<_>>());
    bench.done(&claims[0]).await;
    told(server.port, &["flushall"]);
    let other = bench.other().await;
    let waiting = tokio::spawn(async move { other.claim("waiting", 1, CLAIM_TIMEOUT).await.unwrap() });
    tokio::time::sleep(MOMENT).await;
    told(server.port, &["flushall"]);
    let id = bench.order(free(3)).await.job;
    assert_eq!(waiting.await.unwrap()[0].id, id, "somebody who waits gets what comes afterwards");
    Keys::of(&bench.settings).await.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_was_removed_is_made_again() {
    let bench = Bench::redis().await;
    let mut keys = Keys::of(&bench.settings).await;
    let running = bench.order(free(1)).await.job;
    let old = bench.claim("old").await;
    let ready = bench.order(free(2)).await.job;
    let stream = keys.key("ready");
    assert!(keys.redis.xgroup_destroy(&stream, "workers").await.unwrap());
    assert_eq!(bench.queue.heartbeat(&old, "old", &progress(1, 1, "")).await.unwrap(), Signal::Yours);
    // The group knew the lease. What it delivers once more begins a new one, which belongs to whoever sends a heartbeat.
    assert_eq!(bench.claim("new").await.id, ready);
    assert_eq!(bench.queue.heartbeat(&old, "old", &progress(1, 1, "")).await.unwrap(), Signal::Yours);
    assert_eq!(bench.state(&running).await, State::Running);
    bench.done(&old).await;
    let claim = bench.claim("new").await;
    assert_eq!((&claim.id, claim.fence), (&ready, 2), "nobody sent one for this one");
    bench.done(&claim).await;
    keys.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_read_but_never_looked_at_is_taken_over() {
    let bench = Bench::redis().await;
    let id = bench.order(prefixes([1])).await.job;
    assert_eq!(bench.queue.claim("w", 0, Duration::ZERO).await.unwrap(), [], "the group is there");
    let mut keys = Keys::of(&bench.settings).await;
    let stream = keys.key("ready");
    let mut read = redis::cmd("XREADGROUP");
    read.arg("GROUP").arg("workers").arg("dead").arg("STREAMS").arg(&stream).arg(">");
    let _: redis::Value = read.query_async(&mut keys.redis).await.unwrap();
    // Orders still become part of it.
    assert_eq!(bench.order(prefixes([2])).await.job, id);
    assert_eq!(bench.queue.claim("w", 1, LEASE / 2).await.unwrap(), []);
    let claim = bench.claim("w").await;
    assert_eq!((&claim.id, claim.attempt, claim.fence), (&id, 1, 1), "that was no attempt");
    assert_eq!(claim.job, prefixes([1, 2]));
    bench.done(&claim).await;
    keys.audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_understands_goes_to_the_dead_letters_at_once() {
    let bench = Bench::redis().await;
    let mut keys = Keys::of(&bench.settings).await;
    let bodies = [
        (r#"{"v": 1, "work": {"kind": "make-coffee"}}"#, "not understood: unknown variant `make-coffee`"),
        (r#"{"v": 7, "work": {"kind": "make-coffee"}}"#, "not understood: version 7 of a job"),
        ("\u{fffd} no JSON", "not understood: expected value"),
    ];
    for (number, (body, reason)) in (1..).zip(bodies) {
        let id = bench.order(free(number)).await.job;
        let job = keys.job(&id);
        keys.redis.hset(&job, "body", body).await.unwrap();
        bench.idle().await;
        let record = bench.find(&id).await;
        assert_eq!((record.state, record.attempts, &record.job), (State::Dead, 0, &None));
        assert!(record.error.as_deref().unwrap().starts_with(reason), "{record:?}");
    }
    // Messages that are not ours, and one whose job is lost.
    let stream = keys.key("ready");
    keys.redis.xadd(&stream, "*", &[("what", "ever")]).await.unwrap();
    keys.redis.xadd(&stream, "*", &[("job", "none")]).await.unwrap();
    let lost = bench.order(free(8)).await.job;
    let job = keys.job(&lost);
    keys.redis.del(&job).await.unwrap();
    keys.redis.zrem(keys.key("jobs"), lost.as_str()).await.unwrap();
    let id = bench.order(free(9)).await.job;
    let claim = bench.claim("w").await;
    assert_eq!(claim.id, id, "they hold nobody up");
    bench.done(&claim).await;
    let again = bench.order(free(8)).await;
    assert!(!again.coalesced, "a key of a job that is lost is free");
    bench.done(&bench.claim("w").await).await;
    let letters = keys.messages("dead").await;
    assert_eq!(letters.len(), 6);
    let foreign: Vec<_> = letters.iter().filter(|(_, fields)| !fields.contains_key("key")).collect();
    assert_eq!(foreign.len(), 3);
    assert!(foreign.iter().all(|(_, fields)| fields["error"] == "no job belongs to this message"));
    assert_eq!(keys.messages("ready").await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_gone_are_forgotten_but_never_one_that_has_a_message() {
    let bench = Bench::redis().await;
    bench.queue.enqueue(&[now(free(1)), now(free(2))]).await.unwrap();
    bench.begin("busy").await;
    bench.done(&bench.claim("gone").await).await;
    let redis = Client::open(&bench.settings).unwrap();
    let text = include_str!("../../../src/queue/redis/lua/forget_idle_workers.lua");
    let script = Script::new("forget_idle_workers", text);
    let forget = async |idle: u64| -> u64 { redis.run(&script, &json!({"idle": idle})).await.unwrap() };
    assert_eq!(forget(60_000).await, 0);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(forget(10).await, 1);
    assert_eq!(bench.claim("gone").await.attempt, 2, "the job of the one that stayed is taken over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_will_do() {
    let server = Server::start(&["--cluster-enabled", "yes"]).await;
    owns_all_slots(&server).await;
    let mut settings = server.settings();
    settings.mode = QueueMode::Cluster;
    let bench = Bench::open(settings).await;
    a_day_in_the_life(&bench).await;
    let mut server = server;
    server.kill();
    refused(&bench).await;
    server.again().await;
    works_again(&bench).await;
}

/// Makes a server a Cluster of one.
async fn owns_all_slots(server: &Server) {
    let slots: Vec<String> = (0..16384).map(|slot| slot.to_string()).collect();
    let add: Vec<&str> = ["cluster", "addslots"].into_iter().chain(slots.iter().map(String::as_str)).collect();
    assert!(told(server.port, &add).contains("OK"));
    while !told(server.port, &["cluster", "info"]).contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_tell_where_the_master_is() {
    let secret = ["--requirepass", "sesame", "--masterauth", "sesame"];
    let mut master = Server::start(&secret).await;
    let port = master.port.to_string();
    let replica = Server::start(&[&secret[..], &["--replicaof", "127.0.0.1", port.as_str()]].concat()).await;
    let rules = format!(
        "sentinel monitor lab 127.0.0.1 {port} 1\nsentinel auth-pass lab sesame\nsentinel down-after-milliseconds lab 500\n\
         sentinel failover-timeout lab 2000\n"
    );
    let file = replica.file("sentinel.conf", &rules);
    let sentinel = Server::start(&[file.to_str().unwrap(), "--sentinel"]).await;
    let synced = || told(replica.port, &["-a", "sesame", "info", "replication"]).contains("master_link_status:up");
    let known = || told(sentinel.port, &["sentinel", "replicas", "lab"]).contains(&replica.port.to_string());
    while !synced() || !known() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let nobody = format!("redis://:sesame@127.0.0.1:{}", free_port());
    let mut settings = super::bench::settings(&format!("redis://:sesame@127.0.0.1:{}, {nobody}", sentinel.port));
    settings.mode = QueueMode::Sentinel;
    settings.sentinel_master = "lab".to_owned();
    let bench = Bench::open(settings).await;
    a_day_in_the_life(&bench).await;
    master.kill();
    refused(&bench).await;
    works_again(&bench).await;
    assert!(told(replica.port, &["-a", "sesame", "role"]).contains("master"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_and_their_master_are_asked_over_tls() {
    let guide = Certificate::of_the_guide();
    let master = Server::start(&[]).await;
    let front = Front::start(&guide, &format!("127.0.0.1:{}", master.port)).await;
    // The sentinel itself, which knows no TLS, finds nothing there, but names the place.
    let file = master.file("sentinel.conf", &format!("sentinel monitor lab 127.0.0.1 {} 1\n", front.port));
    let sentinel = Server::start(&[file.to_str().unwrap(), "--sentinel"]).await;
    let asked = Front::start(&guide, &format!("127.0.0.1:{}", sentinel.port)).await;
    let mut settings = super::bench::settings(&format!("rediss://127.0.0.1:{}", asked.port));
    settings.mode = QueueMode::Sentinel;
    settings.sentinel_master = "lab".to_owned();
    settings.ca_file = Some(guide.file());
    a_day_in_the_life(&Bench::open(settings).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_asked_over_tls() {
    let signed = Certificate::signed();
    let (file, key, authority) = (signed.file(), signed.key_file(), signed.authority());
    let port = free_port().to_string();
    let server = Server::start(&[
        "--cluster-enabled",
        "yes",
        "--cluster-announce-hostname",
        "localhost",
        "--cluster-preferred-endpoint-type",
        "hostname",
        "--tls-port",
        &port,
        "--tls-cluster",
        "yes",
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        text(&file),
        "--tls-key-file",
        text(&key),
        "--tls-ca-cert-file",
        text(&authority),
    ])
    .await;
    owns_all_slots(&server).await;
    let mut settings = super::bench::settings(&format!("rediss://localhost:{port}"));
    settings.mode = QueueMode::Cluster;
    let told = Queue::open(&settings).await.unwrap().ping().await.unwrap_err().to_string();
    assert!(told.contains("presented a certificate that is not trusted: no authority that is known here"), "{told}");
    settings.ca_file = Some(authority);
    a_day_in_the_life(&Bench::open(settings).await).await;
}

/// A bit of everything.
async fn a_day_in_the_life(bench: &Bench) {
    bench.queue.ping().await.unwrap();
    let other = bench.other().await;
    let waiting = tokio::spawn(async move { other.claim("w", 1, CLAIM_TIMEOUT).await.unwrap() });
    tokio::time::sleep(MOMENT).await;
    let id = bench.order(free(1)).await.job;
    let claim = waiting.await.unwrap().remove(0);
    assert_eq!(claim.id, id);
    assert_eq!(bench.queue.heartbeat(&claim, "w", &progress(1, 1, "")).await.unwrap(), Signal::Yours);
    bench.done(&claim).await;
    assert_eq!(bench.state(&id).await, State::Done);
    let coordination = Coordination::open(&bench.settings).await.unwrap();
    assert!(coordination.acquire_lease("schedule", "w", secs(9)).await.unwrap());
    coordination.set_cursor("sweep", "1").await.unwrap();
    assert_eq!(coordination.cursor("sweep").await.unwrap().as_deref(), Some("1"));
    let changes = ["a", "b"].map(|name| (name.to_owned(), jiff::Timestamp::UNIX_EPOCH));
    coordination.remember_changes(&changes[..1]).await.unwrap();
    assert_eq!(coordination.unseen_changes(&changes).await.unwrap(), [false, true]);
    let report =
        Report { step: Step::Ask { waited: false }, limits: Limits { per_second: Some(1.0), burst: 1 }, taken: 0 };
    let answer = coordination.change_rate("arin", move |rate, now| rate.step(now, report)).await.unwrap();
    assert!(matches!(answer.turn, Turn::Go(_)));
    assert_eq!(bench.queue.list(&Filter { limit: 5, ..Filter::default() }).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_changed_in_its_file_is_used_for_new_connections() {
    let server = Server::start(&["--requirepass", "first"]).await;
    let write = |password: &str| {
        let path = server.file("url", &format!("redis://:{password}@127.0.0.1:{}/", server.port));
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path
    };
    let path = write("first");
    let set =
        [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", "t"), ("QUEUE__URL_FILE", path.to_str().unwrap())];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    let settings = rir_sidecar::config::load_from(None, &set.into()).unwrap().queue;
    let client = Client::open(&settings).unwrap();
    let ping = async || client.ask::<String>("ping", &redis::cmd("PING")).await;
    assert_eq!(ping().await.unwrap(), "PONG");
    assert!(told(server.port, &["-a", "first", "config", "set", "requirepass", "second"]).contains("OK"));
    assert_eq!(ping().await.unwrap(), "PONG", "what is open stays open");
    write("second");
    let kill = ["-a", "second", "client", "kill", "type", "normal", "skipme", "yes"];
    assert!(!told(server.port, &kill).contains("ERR"));
    let begun = Instant::now();
    while ping().await.is_err() {
        assert!(begun.elapsed() < secs(10), "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// It works again by itself, soon.
async fn works_again(bench: &Bench) {
    let begun = Instant::now();
    while bench.queue.enqueue(&[now(free(5))]).await.is_err() {
        assert!(begun.elapsed() < secs(15), "it does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    loop {
        match bench.queue.claim("w", 1, secs(2)).await {
            Ok(claims) if claims.iter().any(|claim| claim.job == free(5)) => break,
            Ok(_) | Err(_) => assert!(begun.elapsed() < secs(20), "nothing is claimed"),
        }
    }
}
