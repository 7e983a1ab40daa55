//! What is wrong with a document, all of it.

use super::Reply;

/// One thing that is wrong, by the name of the element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Component {
    pub(in super::super) name: &'static str,
    pub(in super::super) message: String,
}

/// The things that are wrong.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<Component>);

impl Complaints {
    pub(super) fn say(&mut self, name: &'static str, message: impl Into<String>) {
        self.0.push(Component { name, message: message.into() });
    }

    /// Says so if a condition holds.
    pub(super) fn say_if(&mut self, wrong: bool, name: &'static str, message: &str) {
        if wrong {
            self.say(name, message);
        }
    }

    /// Returns the value, or says what is wrong with it.
    pub(super) fn value<T>(&mut self, name: &'static str, value: Result<T, impl Into<String>>) -> Option<T> {
        value.map_err(|message| self.say(name, message)).ok()
    }

    /// Returns the answer that refuses a document, if anything is wrong with it.
    pub(super) fn refusal(self) -> Result<(), Reply> {
        if self.0.is_empty() { Ok(()) } else { Err(Reply::invalid(&self.0)) }
    }

    /// Returns what was made of a document, or the answer that refuses it. Where nothing was made there was a
    /// complaint.
    pub(super) fn settled<T>(self, made: Option<T>) -> Result<T, Reply> {
        match made {
            Some(made) if self.0.is_empty() => Ok(made),
            Some(_) | None => Err(Reply::invalid(&self.0)),
        }
    }
}
