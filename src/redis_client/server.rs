//! The server itself: whether what it is, and how it was set up, suits what is kept in it.
//!
//! [`examine`] asks it once and returns its [`Fitness`]. `rir-sidecar check` and the start of the service show the same
//! [`Concern`]s, so that both say the same about one server.
//!
//! What a server says of itself is a hint where it does not say anything: a managed one may let nobody ask. Then that is
//! told, and nothing is refused.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value};
use serde_json::json;

use super::{Client, Error, Script};
use crate::config::QueueMode;

/// A script that needs what all the others need: a key that is made from the prefix, and to write.
static TRIAL: LazyLock<Script> =
    LazyLock::new(|| Script::new("examine", "redis.call('SET', P .. 'examined', '', 'PX', 1000) return 1"));

/// The oldest version that has all commands which the scripts use.
const OLDEST: (u32, u32) = (6, 2);

/// What a server is, and what speaks against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitness {
    /// Its kind, version and mode, as `Redis 7.2.4 (standalone)`.
    pub server: String,
    /// What speaks against it, the worst first; nothing if all is well.
    pub concerns: Vec<Concern>,
    /// The first `maxmemory-policy` of its servers by which keys are thrown away; `None` also if they do not tell it.
    pub evicts: Option<String>,
}

/// A server that may not hold mirrors of routing registries: whatever it throws away would be missing in them, or make
/// them be fetched anew again and again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "when its memory is full, Redis throws away keys (maxmemory-policy {policy}), those of mirrored routing registries \
     among them: set `maxmemory-policy noeviction` in Redis, or give rir-sidecar a Redis of its own"
)]
pub struct NoPlaceForMirrors {
    policy: String,
}

/// Something that speaks against a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Concern {
    /// How much it weighs.
    pub weight: Weight,
    /// What it is, and what comes of it.
    pub problem: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// The weight of a concern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The server cannot be used: jobs would be lost, or never run.
    Unfit,
    /// It can be used, and something may be lost that need not be.
    Risk,
    /// It does not say how it was set up.
    Unread,
}

impl Fitness {
    /// Returns the concerns for which the server must not be used.
    pub fn unfit(&self) -> impl Iterator<Item = &Concern> {
        self.concerns.iter().filter(|concern| concern.weight == Weight::Unfit)
    }

    /// Checks that what mirrors of routing registries consist of is kept: also what expires, as a dump does that is being
    /// taken. A server that does not tell its policy is not refused.
    ///
    /// # Errors
    /// When the server throws keys away, whichever they are.
    pub fn keeps_mirrors(&self) -> Result<(), NoPlaceForMirrors> {
        self.evicts.clone().map_or(Ok(()), |policy| Err(NoPlaceForMirrors { policy }))
    }
}

/// Asks the server what it is and how it was set up, and tries a script on it. In a Cluster each master is asked.
///
/// # Errors
/// When the server does not answer, does not know the user, or does nothing for anybody just now.
pub async fn examine(client: &Client) -> Result<Fitness, Error> {
    let mut concerns = BTreeSet::new();
    if let Err(error) = client.run::<u8>(&TRIAL, &json!({})).await {
        concerns.insert(refused(error)?);
    }
    let mut about = Vec::new();
    for mut server in information(client).await? {
        if server.policy.is_none() {
            server.policy = setting(client, "maxmemory-policy").await;
        }
        if server.appends.is_none() {
            server.appends = setting(client, "appendonly").await.map(|value| value == "yes");
        }
        concerns.extend(server.concerns(client.mode));
        about.push(server);
    }
    let mut policies = about.iter().filter_map(|server| server.policy.clone());
    let evicts = policies.find(|policy| policy != "noeviction");
    let names: BTreeSet<String> = about.iter().map(About::name).collect();
    let server = names.into_iter().collect::<Vec<_>>().join(", ");
    Ok(Fitness { server, concerns: concerns.into_iter().collect(), evicts })
}

/// What one server says of itself; `None` for what it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct About {
    kind: Option<&'static str>,
    version: Option<String>,
    mode: Option<String>,
    policy: Option<String>,
    appends: Option<bool>,
}

/// Returns what each server says of itself: one, or each master of a Cluster. One that lets nobody ask says nothing.
async fn information(client: &Client) -> Result<Vec<About>, Error> {
    let answer: Value = match client.ask("examine", &redis::cmd("INFO")).await {
        Ok(answer) => answer,
        Err(error) => {
            refused(error)?;
            return Ok(vec![About::default()]);
        }
    };
    let answers = if let Value::Map(servers) = answer {
        servers.into_iter().map(|(_, text)| text).collect()
    } else {
        vec![answer]
    };
    let read = |answer| String::from_redis_value(answer).map(|text| About::read(&text)).unwrap_or_default();
    Ok(answers.into_iter().map(read).collect())
}

/// Returns a setting of the server; `None` if it does not tell. Many managed ones have no such command.
async fn setting(client: &Client, name: &str) -> Option<String> {
    let mut command = Cmd::new();
    command.arg("CONFIG").arg("GET").arg(name);
    let answer: Result<HashMap<String, String>, Error> = client.ask("examine", &command).await;
    answer.ok()?.remove(name)
}

impl About {
    /// Reads the answer to `INFO`.
    fn read(text: &str) -> Self {
        let fields: HashMap<&str, &str> = text.lines().filter_map(|line| line.trim().split_once(':')).collect();
        let field = |name: &str| fields.get(name).map(|value| (*value).to_owned());
        let kinds = [("Dragonfly", "dragonfly_version"), ("Valkey", "valkey_version"), ("Redis", "redis_version")];
        let (kind, version) = kinds.into_iter().find_map(|(kind, name)| Some((kind, field(name)?))).unzip();
        Self {
            kind,
            version,
            mode: field("redis_mode").or_else(|| field("server_mode")),
            policy: field("maxmemory_policy"),
            appends: field("aof_enabled").map(|value| value == "1"),
        }
    }

    fn name(&self) -> String {
        let version = self.version.as_deref().unwrap_or("of an unknown version");
        let mode = self.mode.as_ref().map(|mode| format!(" ({mode})")).unwrap_or_default();
        format!("{} {version}{mode}", self.kind.unwrap_or("a server"))
    }

    fn concerns(&self, mode: QueueMode) -> Vec<Concern> {
        let all = [self.too_old(), self.evicts(), self.forgets(), self.is_of_another_mode(mode)];
        all.into_iter().flatten().collect()
    }

    fn too_old(&self) -> Option<Concern> {
        let version = self.version.as_ref().filter(|_| self.kind == Some("Redis"))?;
        let mut numbers = version.split('.').map_while(|number| number.parse().ok());
        let is_old = (numbers.next()?, numbers.next()?) < OLDEST;
        let remedy = "use Redis 6.2 or newer, or Valkey";
        is_old.then(|| concern(Weight::Unfit, format!("Redis {version} lacks commands that the queue needs"), remedy))
    }

    fn evicts(&self) -> Option<Concern> {
        let remedy = "set `maxmemory-policy noeviction` in Redis, or give rir-sidecar a Redis of its own";
        match self.policy.as_deref() {
            Some("noeviction") => None,
            Some(policy) if policy.starts_with("volatile-") => {
                let problem = format!(
                    "when its memory is full, Redis throws away keys that expire (maxmemory-policy {policy}): kept plans, \
                     answers to Idempotency-Key, webhooks that were taken and ARIN's rate may be forgotten early; jobs are not"
                );
                Some(concern(Weight::Risk, problem, remedy))
            }
            Some(policy) => {
                let problem = format!(
                    "when its memory is full, Redis throws away keys, jobs among them (maxmemory-policy {policy})"
                );
                Some(concern(Weight::Unfit, problem, remedy))
            }
            None => {
                let problem = "Redis does not tell its maxmemory-policy (neither INFO nor CONFIG GET)";
                let remedy = "see to it that it is noeviction: a Redis that throws keys away loses jobs";
                Some(concern(Weight::Unread, problem, remedy))
            }
        }
    }

    fn forgets(&self) -> Option<Concern> {
        match self.appends {
            Some(true) => None,
            Some(false) => {
                let problem = "Redis has no append-only file (appendonly no): when it ends, what was queued since its last \
                               snapshot is lost, and all of it if it makes none: jobs, dead letters, the history of jobs \
                               and plans. The schedule and the sweep order anew what NetBox needs; what a person asked \
                               for is not done";
                let remedy =
                    "set `appendonly yes` in Redis; nothing need be done if a managed one keeps its data otherwise";
                Some(concern(Weight::Risk, problem, remedy))
            }
            None => {
                let problem = "Redis does not tell whether it keeps what it was given (neither INFO nor CONFIG GET)";
                let remedy = "see to it that it has `appendonly yes`, or keeps its data otherwise";
                Some(concern(Weight::Unread, problem, remedy))
            }
        }
    }

    fn is_of_another_mode(&self, mode: QueueMode) -> Option<Concern> {
        let is_node = self.mode.as_deref() == Some("cluster");
        (is_node && mode != QueueMode::Cluster).then(|| {
            let problem =
                "Redis is a Cluster, and queue.mode does not say so: what another of its servers holds is not found";
            concern(Weight::Risk, problem, "set queue.mode to \"cluster\", and queue.url to several of its servers")
        })
    }
}

fn concern(weight: Weight, problem: impl Into<String>, remedy: &'static str) -> Concern {
    Concern { weight, problem: problem.into(), remedy }
}

/// Says what it means that a server refused something. What may be over in a moment, or was not answered, stays an error.
fn refused(error: Error) -> Result<Concern, Error> {
    let Error::Redis { source, .. } = &error else { return Err(error) };
    reason(source).map(|(problem, remedy)| concern(Weight::Unfit, problem, remedy)).ok_or(error)
}

fn reason(error: &RedisError) -> Option<(String, &'static str)> {
    let said = error.detail().unwrap_or_default();
    // Only its text tells this one from other errors.
    if said.contains("undeclared key") {
        let problem = format!("the server lets scripts use only keys that are declared, as Dragonfly does ({said})");
        let remedy = "use Redis 6.2 or newer, or Valkey; Dragonfly has to be started with \
                      --default_lua_flags=allow-undeclared-keys, and is not tested";
        return Some((problem, remedy));
    }
    match error.code()? {
        "MOVED" | "ASK" => {
            let problem = "Redis is a Cluster, and another of its servers holds the keys".to_owned();
            Some((problem, "set queue.mode to \"cluster\", and queue.url to several of its servers"))
        }
        "CROSSSLOT" => {
            let problem = format!("the server does not keep keys of one hash tag together ({said})");
            Some((problem, "connect to Redis itself, or to a proxy that follows the hash tags of Redis Cluster"))
        }
        "NOPERM" => {
            let problem = format!("the user of queue.url may not do all that the queue needs ({said})");
            Some((
                problem,
                "give it all commands and the keys of the prefix: \
                 `ACL SETUSER name ~{rir-sidecar}:* ~{rir-sidecar:* +@all`",
            ))
        }
        "ERR" => {
            let problem = format!("the server does not run the scripts of the queue ({said})");
            Some((problem, "use Redis 6.2 or newer, or Valkey"))
        }
        // It may be loading, failing over, busy or full.
        _ => None,
    }
}

impl Error {
    /// Returns what to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Address(_) => "correct queue.url",
            Self::Trust(_) => "correct queue.ca_file",
            Self::Distrusted { .. } => "make sure that it is the right Redis, then set queue.ca_file",
            Self::Foreign { .. } => "give rir-sidecar keys of its own in Redis: set queue.prefix",
            Self::Redis { source, .. } => match (source.kind(), source.code()) {
                (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
                    "correct the user name and password in queue.url"
                }
                (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => "let queue.url name the master, or use Sentinel",
                (_, Some("OOM")) => "give Redis more memory (maxmemory)",
                (_, Some("MISCONF")) => "make room on the disk of Redis; its log says what it cannot write",
                (ErrorKind::Server(_) | ErrorKind::Extension, _) => "try again when Redis is ready",
                _ => "check queue.url, queue.mode, and the network between here and Redis",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\r\n# Memory\r\nmaxmemory:0\r\n\
                        maxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n";

    fn about(replaced: &str, by: &str) -> About {
        assert!(INFO.contains(replaced));
        About::read(&INFO.replace(replaced, by))
    }

    fn weights(about: &About) -> Vec<Weight> {
        about.concerns(QueueMode::Single).into_iter().map(|concern| concern.weight).collect()
    }

    fn answered(line: &str) -> Option<(String, &'static str)> {
        reason(&redis::parse_redis_value(line.as_bytes()).unwrap().extract_error().unwrap_err())
    }

    #[test]
    fn a_server_that_keeps_all_it_gets_is_fit() {
        let about = About::read(INFO);
        assert_eq!(about.name(), "Redis 7.0.15 (standalone)");
        assert_eq!(about.concerns(QueueMode::Single), []);
    }

    #[test]
    fn one_that_throws_jobs_away_is_not() {
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-of-tomorrow", "eviction"] {
            assert_eq!(weights(&about("noeviction", policy)), [Weight::Unfit], "{policy}");
        }
        for policy in ["volatile-lru", "volatile-ttl"] {
            assert_eq!(weights(&about("noeviction", policy)), [Weight::Risk], "{policy}");
        }
    }

    #[test]
    fn one_that_forgets_all_when_it_ends_is_a_risk() {
        let about = about("aof_enabled:1", "aof_enabled:0");
        assert_eq!(weights(&about), [Weight::Risk]);
        assert!(about.concerns(QueueMode::Single)[0].problem.contains("dead letters, the history of jobs and plans"));
    }

    #[test]
    fn one_that_says_nothing_is_not_refused() {
        assert_eq!(weights(&About::default()), [Weight::Unread, Weight::Unread]);
        assert_eq!(About::default().name(), "a server of an unknown version");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, weights_then) in [("6.0.16", vec![Weight::Unfit]), ("6.2.0", vec![]), ("10.0.1", vec![])] {
            assert_eq!(weights(&about("7.0.15", version)), weights_then, "{version}");
        }
        let valkey = about("redis_version:7.0.15", "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0");
        assert_eq!((valkey.name().as_str(), weights(&valkey)), ("Valkey 8.1.0 (standalone)", vec![]));
    }

    #[test]
    fn a_cluster_has_to_be_named_as_one() {
        let about = about("standalone", "cluster");
        assert_eq!(weights(&about), [Weight::Risk]);
        assert_eq!(about.concerns(QueueMode::Cluster), []);
    }

    #[test]
    fn what_passes_is_no_reason_to_refuse_a_server() {
        for line in ["-LOADING Redis is loading the dataset in memory\r\n", "-READONLY You can't write\r\n"] {
            assert_eq!(answered(line), None, "{line}");
        }
        for line in ["-OOM command not allowed\r\n", "-MISCONF Redis is configured to save\r\n", "-BUSY it is\r\n"] {
            assert_eq!(answered(line), None, "{line}");
        }
    }

    #[test]
    fn what_stays_is_told_with_what_to_do() {
        let dragonfly = "-ERR Error running script (call to 5c4d): @user_script:2: script tried accessing undeclared key, \
                         key: {rir-sidecar}:examined\r\n";
        for (line, problem, remedy) in [
            (dragonfly, "as Dragonfly does", "--default_lua_flags=allow-undeclared-keys"),
            ("-MOVED 3999 127.0.0.1:6381\r\n", "is a Cluster", "queue.mode"),
            ("-CROSSSLOT Keys in request don't hash to the same slot\r\n", "hash tag", "Redis Cluster"),
            ("-NOPERM this user has no permissions to run the 'eval' command\r\n", "may not do all", "ACL SETUSER"),
            ("-ERR unknown command 'EVAL'\r\n", "does not run the scripts", "Redis 6.2"),
        ] {
            let (told, what_to_do) = answered(line).unwrap();
            assert!(told.contains(problem) && what_to_do.contains(remedy), "{line}: {told} -> {what_to_do}");
        }
    }
}
