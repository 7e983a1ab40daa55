//! Small facts that the replicas share.

use std::time::Duration;

use super::{Queue, scripts};
use crate::queue::{Error, PRESENT, RESERVED, Remembered, millis};

/// As [`crate::queue::Queue`] says.
#[expect(missing_docs, reason = "the enum over the queues says it")]
#[expect(clippy::missing_errors_doc, reason = "the enum over the queues says it")]
impl Queue {
    pub async fn hold(&self, name: &str, owner: &str, ttl: Duration) -> Result<bool, Error> {
        let mut script = self.script(&scripts::HOLD);
        self.run("hold", script.arg(name).arg(owner).arg(millis(ttl).max(1))).await
    }

    pub async fn cursor(&self, name: &str) -> Result<Option<String>, Error> {
        self.ask("cursor", &redis::Cmd::hget(self.key("cursors"), name)).await
    }

    pub async fn set_cursor(&self, name: &str, value: &str) -> Result<(), Error> {
        self.ask("set_cursor", &redis::Cmd::hset(self.key("cursors"), name, value)).await
    }

    pub async fn unheard(&self, hints: &[String]) -> Result<Vec<bool>, Error> {
        if hints.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = hints.iter().map(|hint| self.key(&format!("heard:{hint}"))).collect();
        let heard: Vec<Option<String>> = self.ask("unheard", &redis::Cmd::mget(keys)).await?;
        Ok(heard.iter().map(Option::is_none).collect())
    }

    pub async fn recall(&self, key: &str, fingerprint: &str) -> Result<Remembered, Error> {
        let mut script = self.script(&scripts::RECALL);
        script.arg(key).arg(fingerprint).arg(millis(RESERVED));
        let known: Vec<String> = self.run("recall", &script).await?;
        match known.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["new"] => Ok(Remembered::New),
            ["busy"] => Ok(Remembered::Busy),
            ["other"] => Ok(Remembered::Other),
            ["answer", answer] => Ok(Remembered::Answer((*answer).to_owned())),
            _ => Err(Error::Foreign { operation: "recall", source: None }),
        }
    }

    pub async fn remember(&self, key: &str, fingerprint: &str, answer: &str, ttl: Duration) -> Result<(), Error> {
        let mut script = self.script(&scripts::REMEMBER);
        self.run("remember", script.arg(key).arg(fingerprint).arg(answer).arg(millis(ttl).max(1))).await
    }

    pub async fn forget(&self, key: &str) -> Result<(), Error> {
        self.ask("forget", &redis::Cmd::del(self.key(&format!("answer:{key}")))).await
    }

    pub async fn turn(&self, instance: &str, per_second: u32, burst: u32) -> Result<Duration, Error> {
        let mut script = self.script(&scripts::TURN);
        let wait: u64 = self.run("turn", script.arg(instance).arg(per_second).arg(burst)).await?;
        Ok(Duration::from_micros(wait))
    }

    pub async fn pause(&self, instance: &str, pause: Duration) -> Result<(), Error> {
        self.run("pause", self.script(&scripts::PAUSE).arg(instance).arg(millis(pause).max(1))).await
    }

    pub async fn attend(&self, worker: &str) -> Result<u32, Error> {
        self.run("attend", self.script(&scripts::ATTEND).arg(worker).arg(millis(PRESENT))).await
    }
}
