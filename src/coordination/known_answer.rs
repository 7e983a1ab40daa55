//! Answers that are kept for requests with an idempotency key.

/// The answer to a request with an idempotency key, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownAnswer {
    /// There is none: the key is reserved for the caller, who has to remember an answer under it or to forget it.
    Reserved,
    /// Somebody is working on it.
    InProgress,
    /// The key was used for another request.
    OtherRequest,
    /// The answer.
    Answer(String),
}
