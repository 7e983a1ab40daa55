//! Redis, as the queue and the coordination of replicas use it: the connection, scripts with one argument in JSON, a
//! time limit for each answer, the error, and whether a server is fit for it.
//!
//! All keys begin with `{prefix}:`. The braces put them into one slot of a Cluster, so that each step can be one
//! script. What is large and a matter of its own has braces of its own, `{prefix:name}:`, so that a Cluster can keep it
//! on any of its servers: [`Client::apart`].

mod connect;
mod error;
mod link;
mod script;
pub mod server;

use std::{io, sync::Arc, time::Duration};

use redis::{Cmd, FromRedisValue, Pipeline, RedisError, RedisResult};
use serde::Serialize;

pub use error::Error;
pub use script::Script;

use crate::{
    config::{self, QueueMode},
    tls::Distrust,
};
use connect::ANSWER_TIMEOUT;
use link::Link;

/// A connection to Redis that many tasks use at once.
#[derive(Debug, Clone)]
pub struct Client {
    link: Link,
    /// `{prefix}:`
    keys: Arc<str>,
    mode: QueueMode,
}

impl Client {
    /// Prepares a connection, which is made when it is first needed. A Cluster needs a Tokio runtime for it.
    ///
    /// # Errors
    /// When the address, or the file with certificates, cannot be used.
    pub fn open(settings: &config::Queue) -> Result<Self, Error> {
        let link = Link::prepare(settings)?;
        Ok(Self { link, keys: format!("{{{}}}:", settings.prefix).into(), mode: settings.mode })
    }

    /// Returns the same connection with keys that begin with `{prefix:name}:` where they began with `{prefix}:`.
    #[must_use]
    pub fn apart(&self, name: &str) -> Self {
        let keys = format!("{}:{name}}}:", self.keys.trim_end_matches("}:"));
        Self { link: self.link.clone(), keys: keys.into(), mode: self.mode }
    }

    /// Returns the full name of a key.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.keys)
    }

    /// Runs a script.
    ///
    /// # Errors
    /// When Redis does not answer in time, or refuses.
    pub async fn run<T: FromRedisValue>(&self, script: &Script, argument: &impl Serialize) -> Result<T, Error> {
        let argument = json(argument, script.name)?;
        let mut link = self.link.clone();
        in_time(script.name, script.code.key(&*self.keys).arg(argument).invoke_async(&mut link)).await
    }

    /// Sends a command.
    ///
    /// # Errors
    /// When Redis does not answer in time, or refuses.
    pub async fn ask<T: FromRedisValue>(&self, operation: &'static str, command: &Cmd) -> Result<T, Error> {
        let mut link = self.link.clone();
        in_time(operation, command.query_async(&mut link)).await
    }

    /// Sends commands together, and returns all of their answers. Their keys have to begin as those of this client do.
    ///
    /// # Errors
    /// When Redis does not answer in time, or refuses.
    pub async fn ask_together<T: FromRedisValue>(
        &self,
        operation: &'static str,
        commands: &Pipeline,
    ) -> Result<T, Error> {
        let mut link = self.link.clone();
        in_time(operation, commands.query_async(&mut link)).await
    }
}

async fn in_time<T>(operation: &'static str, answer: impl Future<Output = RedisResult<T>>) -> Result<T, Error> {
    let late = |_| Err(RedisError::from(io::Error::from(io::ErrorKind::TimedOut)));
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, answer).await.unwrap_or_else(late);
    answer.map_err(|source| match Distrust::behind(&source) {
        Some(distrust) => Error::Distrusted { distrust, source },
        None => Error::Redis { operation, source },
    })
}

/// Writes a value as JSON.
///
/// # Errors
/// When it has no form in JSON.
pub fn json(value: &impl Serialize, operation: &'static str) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Foreign { operation, source: Some(error) })
}

/// Returns a duration in milliseconds; a hundred years stand for anything longer.
#[must_use]
pub fn millis(duration: Duration) -> i64 {
    const LONGEST: i64 = 100 * 366 * 24 * 3600 * 1000;
    i64::try_from(duration.as_millis()).map_or(LONGEST, |millis| millis.min(LONGEST))
}
