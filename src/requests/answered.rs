//! What ARIN said to one question.

use std::error::Error;

use crate::error_chain::error_chain;

/// The reason of what nobody has asked for.
pub(in crate::requests) const NOT_ASKED: &str = "it was not asked for";

/// An answer. That something is absent, and that it is not known whether it is, are never the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered<T> {
    /// ARIN has it.
    Found(T),
    /// ARIN says that there is none.
    Absent,
    /// It could not be asked, or was not; with the reason.
    NotKnown(String),
}

impl<T> Answered<T> {
    /// Takes the answer of a client.
    pub fn of<E: Error>(answer: Result<Option<T>, E>) -> Self {
        match answer {
            Ok(Some(found)) => Self::Found(found),
            Ok(None) => Self::Absent,
            Err(error) => Self::NotKnown(error_chain(&error)),
        }
    }

    /// Takes the answer to a question for several things: a list, which may be empty.
    pub fn list<E: Error>(answer: Result<T, E>) -> Self {
        Self::of(answer.map(Some))
    }

    /// Returns what was found.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::NotKnown(_) => None,
        }
    }

    /// Returns why it is not known.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::NotKnown(why) => Some(why),
            Self::Found(_) | Self::Absent => None,
        }
    }

    /// Makes another value of what was found.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Answered<U> {
        match self {
            Self::Found(found) => Answered::Found(make(found)),
            Self::Absent => Answered::Absent,
            Self::NotKnown(why) => Answered::NotKnown(why),
        }
    }
}

impl<T> Default for Answered<T> {
    fn default() -> Self {
        Self::NotKnown(NOT_ASKED.to_owned())
    }
}
