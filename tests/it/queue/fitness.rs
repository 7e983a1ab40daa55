//! What a server says of itself, and what the program makes of it.

use std::time::Duration;

use rir_sidecar::{
    config::{self, QueueMode},
    redis_client::{
        Client,
        server::{Fitness, Weight, examine},
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use super::server::{Server, told};
use crate::{
    process::Means,
    scene::{Scene, Target, small},
};

async fn fitness(settings: &config::Queue) -> Fitness {
    examine(&Client::open(settings).unwrap()).await.unwrap()
}

fn weights(fitness: &Fitness) -> Vec<Weight> {
    fitness.concerns.iter().map(|concern| concern.weight).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_says_what_it_does_with_its_keys() {
    let server = Server::start(&[]).await;
    let at_best = fitness(&server.settings()).await;
    assert!(at_best.server.starts_with("Redis ") && at_best.server.ends_with(" (standalone)"), "{at_best:?}");
    assert_eq!(at_best.concerns, []);
    at_best.keeps_mirrors().unwrap();
    for (policy, weight) in [("allkeys-lru", Weight::Unfit), ("volatile-lru", Weight::Risk)] {
        assert!(told(server.port, &["config", "set", "maxmemory-policy", policy]).contains("OK"));
        let fitness = fitness(&server.settings()).await;
        assert_eq!(weights(&fitness), [weight]);
        assert!(fitness.concerns[0].problem.contains(policy), "{fitness:?}");
        assert!(fitness.concerns[0].remedy.contains("noeviction"), "{fitness:?}");
        let no_place = fitness.keeps_mirrors().unwrap_err().to_string();
        assert!(no_place.contains(policy) && no_place.contains("noeviction"), "{no_place}");
    }
    let forgetful = Server::start(&["--appendonly", "no"]).await;
    let fitness = fitness(&forgetful.settings()).await;
    assert_eq!(weights(&fitness), [Weight::Risk]);
    assert!(fitness.concerns[0].problem.contains("appendonly no"), "{fitness:?}");
}

/// Managed servers let nobody ask for settings, and some not even for `INFO`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lets_nobody_ask_is_asked_otherwise_and_not_refused() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lfu"]).await;
    let as_user = |rules: &[&str]| {
        let all = ["acl", "setuser", "sidecar", "reset", "on", ">sesame", "~*", "&*", "+@all"];
        assert!(told(server.port, &[&all, rules].concat()).contains("OK"));
        super::bench::settings(&format!("redis://sidecar:sesame@127.0.0.1:{}/", server.port))
    };
    for rules in [["-config"], ["-info"]] {
        assert_eq!(weights(&fitness(&as_user(&rules)).await), [Weight::Unfit], "{rules:?}");
    }
    let unread = fitness(&as_user(&["-config", "-info"])).await;
    assert_eq!(weights(&unread), [Weight::Unread, Weight::Unread]);
    unread.keeps_mirrors().unwrap();
    assert!(unread.concerns[0].problem.contains("does not tell"), "{unread:?}");

    let no_scripts = fitness(&as_user(&["-@scripting"])).await;
    assert!(no_scripts.unfit().any(|concern| concern.remedy.contains("ACL SETUSER")), "{no_scripts:?}");
    let wrong = super::bench::settings(&format!("redis://sidecar:wrong@127.0.0.1:{}/", server.port));
    let error = examine(&Client::open(&wrong).unwrap()).await.unwrap_err();
    assert_eq!(error.remedy(), "correct the user name and password in queue.url");
}

/// A Cluster of one server, which has all slots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_master_of_a_cluster_is_asked() {
    let server = Server::start(&["--cluster-enabled", "yes", "--maxmemory-policy", "allkeys-lru"]).await;
    let slots: Vec<String> = (0..16384).map(|slot| slot.to_string()).collect();
    let add: Vec<&str> = ["cluster", "addslots"].into_iter().chain(slots.iter().map(String::as_str)).collect();
    assert!(told(server.port, &add).contains("OK"));
    while !told(server.port, &["cluster", "info"]).contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut settings = server.settings();
    assert_eq!(weights(&fitness(&settings).await), [Weight::Unfit, Weight::Risk], "it is not named as a Cluster");
    settings.mode = QueueMode::Cluster;
    let fitness = fitness(&settings).await;
    assert_eq!(weights(&fitness), [Weight::Unfit]);
    assert!(fitness.server.ends_with("(cluster)"), "{fitness:?}");
}

/// One command of a client, in the protocol of Redis.
async fn command(client: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut line = String::new();
    client.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = Vec::new();
    for _ in 0..line.trim().strip_prefix('*')?.parse::<usize>().ok()? {
        let mut length = String::new();
        client.read_line(&mut length).await.ok()?;
        let mut word = vec![0; length.trim().strip_prefix('$')?.parse::<usize>().ok()? + 2];
        client.read_exact(&mut word).await.ok()?;
        words.push(String::from_utf8_lossy(&word[..word.len() - 2]).into_owned());
    }
    Some(words)
}

/// Stands for Dragonfly, which cannot be run here: it lets scripts use only keys that are declared, and says so in the
/// words that its documentation has.
async fn dragonfly() -> config::Queue {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let refusal =
        "-ERR Error running script (call to 5c4d62f4): @user_script:8: script tried accessing undeclared key\r\n";
    let info = "# Server\r\nredis_version:7.4.0\r\ndragonfly_version:df-v1.40.1\r\nredis_mode:standalone\r\n";
    let answer = move |words: &[String]| match words[0].to_uppercase().as_str() {
        "EVAL" | "EVALSHA" => refusal.to_owned(),
        "INFO" => format!("${}\r\n{info}\r\n", info.len()),
        "CONFIG" => "*0\r\n".to_owned(),
        _ => "+OK\r\n".to_owned(),
    };
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut client = BufReader::new(client);
                while let Some(words) = command(&mut client).await {
                    client.write_all(answer(&words).as_bytes()).await.unwrap();
                }
            });
        }
    });
    super::bench::settings(&format!("redis://127.0.0.1:{port}/"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_knows_only_declared_keys_is_told_from_others() {
    let fitness = fitness(&dragonfly().await).await;
    assert_eq!(fitness.server, "Dragonfly df-v1.40.1 (standalone)");
    let unfit: Vec<_> = fitness.unfit().collect();
    assert_eq!(unfit.len(), 1, "{fitness:?}");
    assert!(unfit[0].problem.contains("as Dragonfly does (Error running script"), "{fitness:?}");
    assert!(unfit[0].remedy.contains("--default_lua_flags=allow-undeclared-keys"), "{fitness:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_does_not_start_on_a_server_that_throws_jobs_away() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]).await;
    let url = format!("redis://127.0.0.1:{}/", server.port);
    let means = Means::new(&scene, "a-key", &[("QUEUE__URL", &url)]);
    let ended = means.run(&["serve"]).await;
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{said}");
    assert!(said.contains("(maxmemory-policy allkeys-lru); set `maxmemory-policy noeviction`"), "{said}");

    assert!(
        told(server.port, &["config", "set", "maxmemory-policy", "volatile-ttl", "appendonly", "no"]).contains("OK")
    );
    means.start(&["serve"]).await.end().await;
    let said = means.said();
    for warning in ["maxmemory-policy volatile-ttl", "appendonly no"] {
        assert!(said.contains(warning), "{said}");
    }
}
