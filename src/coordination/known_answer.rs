//! Answers that are kept for requests with an idempotency key.

use std::time::Duration;

use serde::Serialize;

/// The name under which an answer is kept, and the user whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerKey {
    /// The user. Each has a [`Quota`] of their own.
    pub user: String,
    /// The request, by a name that no other request has.
    pub request: String,
}

/// The most that is kept for one user at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// The number of answers, with those that are being worked on.
    pub answers: usize,
    /// Their bytes. An answer that is being worked on counts as the largest that may be kept.
    pub bytes: usize,
    /// The bytes of the largest answer that is kept.
    pub largest: usize,
}

impl Quota {
    /// Returns whether there is room for one more answer of any size beside so many of so many bytes.
    pub(super) fn has_room(&self, answers: usize, bytes: usize) -> bool {
        answers < self.answers && bytes.saturating_add(self.largest) <= self.bytes
    }
}

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
    /// There is none, and the user's [`Quota`] has no room for one more: nothing was reserved.
    NoRoom {
        /// The time until the next of the user's answers is forgotten.
        wait: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_an_answer_if_the_largest_would_fit() {
        let quota = Quota { answers: 3, bytes: 100, largest: 10 };
        assert!(quota.has_room(2, 90));
        assert!(!quota.has_room(3, 0), "one too many");
        assert!(!quota.has_room(0, 91), "the largest would not fit");
        assert!(!quota.has_room(0, usize::MAX));
    }
}
