//! What can go wrong between us and the queue.

/// What the queue could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be used.
    #[error("queue.url cannot be used")]
    Address(#[source] ::redis::RedisError),
    /// Redis did not answer, or refused.
    #[error("Redis did not do it: {operation}")]
    Redis {
        /// What was being done.
        operation: &'static str,
        /// Why.
        source: ::redis::RedisError,
    },
    /// What is in Redis is not what we put there.
    #[error("Redis holds something else than expected: {operation}")]
    Foreign {
        /// What was being done.
        operation: &'static str,
        /// Why it cannot be read.
        source: Option<serde_json::Error>,
    },
}
