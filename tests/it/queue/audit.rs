//! Looks at the keys themselves: whether each job is in exactly the places that its state says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use redis::{AsyncTypedCommands, Cmd, aio::MultiplexedConnection, streams::StreamRangeReply};
use rir_sidecar::config;
use secrecy::ExposeSecret;

type Fields = HashMap<String, String>;

/// The keys of one queue.
pub(super) struct Keys {
    pub(super) redis: MultiplexedConnection,
    prefix: String,
}

impl Keys {
    pub(super) async fn of(settings: &config::Queue) -> Self {
        let client = redis::Client::open(settings.url.now().expose_secret()).unwrap();
        let redis = client.get_multiplexed_async_connection().await.unwrap();
        Self { redis, prefix: format!("{{{}}}:", settings.prefix) }
    }

    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    pub(super) fn job(&self, id: impl std::fmt::Display) -> String {
        self.key(&format!("job:{id}"))
    }

    /// The messages of a stream: number, fields.
    pub(super) async fn messages(&mut self, stream: &str) -> Vec<(String, Fields)> {
        let stream = self.key(stream);
        let reply: StreamRangeReply = self.redis.xrange_all(stream).await.unwrap();
        let text = |value: redis::Value| redis::from_redis_value::<String>(value).unwrap();
        let fields =
            |map: HashMap<String, redis::Value>| map.into_iter().map(|(name, value)| (name, text(value))).collect();
        reply.ids.into_iter().map(|message| (message.id, fields(message.map))).collect()
    }

    /// The names of the keys that begin so, without that beginning.
    async fn names(&mut self, begin: &str) -> Vec<String> {
        let begin = self.key(begin);
        let names: Vec<String> = self.redis.keys(format!("{begin}*")).await.unwrap();
        names.into_iter().map(|name| name.strip_prefix(&begin).unwrap().to_owned()).collect()
    }

    async fn sorted(&mut self, name: &str) -> BTreeMap<String, i64> {
        let name = self.key(name);
        let command = Cmd::zrange_withscores(name, 0, -1);
        let members: Vec<(String, f64)> = command.query_async(&mut self.redis).await.unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "scores are whole")]
        members.into_iter().map(|(member, score)| (member, score as i64)).collect()
    }

    async fn set(&mut self, name: &str) -> BTreeSet<String> {
        let name = self.key(name);
        self.redis.smembers(name).await.unwrap().into_iter().collect()
    }

    async fn hash(&mut self, name: &str) -> Fields {
        let name = self.key(name);
        self.redis.hgetall(name).await.unwrap()
    }

    /// A hash that is made anew when it is lost, without the field that says that it is not.
    async fn made_of_jobs(&mut self, name: &str) -> Fields {
        let mut fields = self.hash(name).await;
        fields.remove("whole");
        fields
    }

    /// Checks all of it.
    pub(super) async fn audit(mut self) {
        let jobs = self.jobs().await;
        self.states(&jobs).await;
        self.streams(&jobs).await;
        self.lines(&jobs).await;
        self.configs(&jobs).await;
        for id in self.names("more:").await {
            assert!(jobs.contains_key(&id), "what was added to {id} stays without it");
        }
        let noted: BTreeSet<String> = self.names("notes:").await.into_iter().collect();
        assert!(
            noted.is_subset(&ids(&jobs, &["delayed", "ready", "running"])),
            "notes of jobs that are over: {noted:?}"
        );
    }

    async fn jobs(&mut self) -> BTreeMap<String, Fields> {
        let mut jobs = BTreeMap::new();
        for ids in self.names("job:").await.chunks(200) {
            let mut some = redis::pipe();
            for id in ids {
                some.hgetall(self.job(id));
            }
            let fields: Vec<Fields> = some.query_async(&mut self.redis).await.unwrap();
            jobs.extend(ids.iter().cloned().zip(fields));
        }
        jobs
    }

    async fn states(&mut self, jobs: &BTreeMap<String, Fields>) {
        let listed: BTreeSet<_> = self.sorted("jobs").await.into_keys().collect();
        assert_eq!(listed, jobs.keys().cloned().collect());
        for state in ["parked", "dead"] {
            assert_eq!(self.set(&format!("state:{state}")).await, ids(jobs, &[state]), "jobs that are {state}");
        }
        let delayed = self.sorted("delayed").await;
        assert_eq!(delayed.keys().cloned().collect::<BTreeSet<_>>(), ids(jobs, &["delayed"]));
        for (id, due) in delayed {
            assert_eq!(jobs[&id]["due"], due.to_string());
        }
        let over: BTreeSet<_> = self.sorted("over").await.into_keys().collect();
        assert_eq!(over, ids(jobs, &["done", "cancelled", "dead"]));
    }

    async fn streams(&mut self, jobs: &BTreeMap<String, Fields>) {
        let messages = self.messages("ready").await;
        let carried: BTreeSet<_> = messages.iter().map(|(_, fields)| fields["job"].clone()).collect();
        assert_eq!(carried, ids(jobs, &["ready", "running"]));
        assert_eq!(carried.len(), messages.len(), "one message for each job");
        for (entry, fields) in &messages {
            assert_eq!(&jobs[&fields["job"]]["entry"], entry);
        }
        for id in ids(jobs, &["delayed", "parked", "done", "cancelled", "dead"]) {
            assert_eq!(jobs[&id].get("entry"), None);
        }
        let letters: BTreeSet<_> =
            self.messages("dead").await.iter().filter_map(|(_, fields)| fields.get("job").cloned()).collect();
        assert_eq!(letters, ids(jobs, &["dead"]));
    }

    /// Each job that is not over is in the line for its key, once.
    async fn lines(&mut self, jobs: &BTreeMap<String, Fields>) {
        let mut in_line = Vec::new();
        for (key, head) in self.made_of_jobs("heads").await {
            let mut next = Some(&head);
            while let Some(id) = next {
                assert_eq!(jobs[id]["key"], key);
                assert_eq!(jobs[id]["state"] == "parked", *id != head, "all but the first are parked");
                in_line.push(id.clone());
                next = jobs[id].get("twin");
            }
        }
        in_line.sort();
        let wanted = ids(jobs, &["delayed", "parked", "ready", "running"]);
        assert_eq!(in_line, wanted.into_iter().collect::<Vec<_>>());
    }

    /// Each config, and each user with previews, has the job that is running, and those that wait for it are delayed or
    /// were called.
    async fn configs(&mut self, jobs: &BTreeMap<String, Fields>) {
        let at_work = self.made_of_jobs("at-work").await;
        let running = ids(jobs, &["running"]);
        let holders: BTreeSet<_> = running.iter().filter(|id| jobs[*id].contains_key("alone_at")).cloned().collect();
        assert_eq!(at_work.values().cloned().collect::<BTreeSet<_>>(), holders);
        for (config, job) in &at_work {
            assert_eq!(&jobs[job]["alone_at"], config);
        }
        for config in self.names("line:").await {
            for id in self.sorted(&format!("line:{config}")).await.into_keys() {
                assert_eq!(jobs[&id]["alone_at"], config);
                assert!(["delayed", "ready"].contains(&jobs[&id]["state"].as_str()), "{id} is in line for {config}");
            }
        }
    }
}

fn ids(jobs: &BTreeMap<String, Fields>, states: &[&str]) -> BTreeSet<String> {
    jobs.iter().filter(|(_, fields)| states.contains(&fields["state"].as_str())).map(|(id, _)| id.clone()).collect()
}
