//! Reads an answer while it comes.

use std::{collections::BTreeSet, mem};

use super::{
    line::{Remark, Start, Verb, operation, remark},
    no_answer::{NamedRange, NoAnswer},
    question::{NrtmVersion, Question},
};
use crate::{
    irr::{
        journal::{Change, Operation},
        rpsl::{Checked, Class, ObjectFault, Paragraph, Rejected, Splitter, check, check_deleted},
        source::Serial,
    },
    outbound::excerpt::excerpt,
};

/// The most characters of foreign text that an error shows.
const SHOWN: usize = 120;

/// What an upstream answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// These changes.
    Changes(Answer),
    /// It has none from the first serial that was asked for on.
    NothingNewer,
    /// It has no change of this source at all. That is so of a new journal, and also if the upstream was loaded anew: whether
    /// changes were lost by that, only its serial tells.
    NothingKept,
}

/// A whole answer, of which every line held.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The changes, with rising serials.
    pub changes: Vec<Change>,
    /// What is left out of them because something is wrong with the object.
    pub rejected: Vec<RejectedChange>,
    /// The serial at which the source is with them; also that of an answer without any change.
    pub last: Serial,
}

/// A change that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedChange {
    /// Its serial.
    pub serial: Serial,
    /// What is wrong with its object.
    pub rejected: Rejected,
}

/// Reads an answer out of pieces that end anywhere.
#[derive(Debug)]
pub(super) struct AnswerReader<'a> {
    splitter: Splitter,
    reading: Reading<'a>,
}

/// What is known so far.
#[derive(Debug)]
struct Reading<'a> {
    question: &'a Question,
    wanted: Option<&'a BTreeSet<Class>>,
    stage: Awaited,
}

#[derive(Debug)]
enum Awaited {
    /// Nothing but remarks came. The last one may say why no more comes.
    Before { remark: String },
    /// It has begun.
    Within(Within),
    /// It has ended.
    Ended(Reply),
    /// It is no answer. That was told when it was found.
    Failed,
}

/// An answer between its first line and its last one.
#[derive(Debug)]
struct Within {
    version: NrtmVersion,
    first: Serial,
    last: Serial,
    /// The serial of the last operation.
    serial: Option<Serial>,
    /// The operation of which the object has not come yet.
    open: Option<Verb>,
    changes: Vec<Change>,
    rejected: Vec<RejectedChange>,
}

impl<'a> AnswerReader<'a> {
    /// Reads the answer to a question. Objects of classes that are not wanted are dropped.
    pub(super) fn new(question: &'a Question, wanted: Option<&'a BTreeSet<Class>>) -> Self {
        Self {
            splitter: Splitter::stream(),
            reading: Reading { question, wanted, stage: Awaited::Before { remark: String::new() } },
        }
    }

    /// Takes a piece. Returns whether the answer has ended; what comes after that is no part of it.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<bool, NoAnswer> {
        let mut rest = piece;
        while !rest.is_empty() && !self.reading.has_ended() {
            let (used, is_whole) = self.splitter.take(rest);
            rest = rest.get(used..).unwrap_or_default();
            if is_whole {
                self.reading.take(&self.splitter.paragraph())?;
            }
        }
        Ok(self.reading.has_ended())
    }

    /// Returns the answer, of which nothing comes any more.
    pub(super) fn finish(mut self) -> Result<Reply, NoAnswer> {
        if !self.reading.has_ended() && self.splitter.finish() {
            self.reading.take(&self.splitter.paragraph())?;
        }
        match self.reading.stage {
            Awaited::Ended(reply) => Ok(reply),
            Awaited::Before { remark } => Err(NoAnswer::NoStart { begins: remark }),
            Awaited::Within(_) | Awaited::Failed => Err(NoAnswer::NoEnd),
        }
    }
}

impl Reading<'_> {
    fn has_ended(&self) -> bool {
        matches!(self.stage, Awaited::Ended(_))
    }

    fn take(&mut self, paragraph: &Paragraph<'_>) -> Result<(), NoAnswer> {
        let stage = mem::replace(&mut self.stage, Awaited::Failed);
        self.stage = self.after(stage, paragraph)?;
        Ok(())
    }

    fn after(&self, stage: Awaited, paragraph: &Paragraph<'_>) -> Result<Awaited, NoAnswer> {
        let (text, too_long) = match *paragraph {
            Paragraph::Text(text) => (text, None),
            Paragraph::TooLong { begins, bytes } => (begins, Some(bytes)),
        };
        if text.starts_with('%') {
            return self.after_remark(stage, text);
        }
        match stage {
            Awaited::Before { .. } => Err(NoAnswer::NoStart { begins: shown(text) }),
            Awaited::Within(mut within) => {
                match (operation(text), too_long) {
                    (Some(operation), None) => within.begin(text, operation)?,
                    (None, None) => within.end(self, text),
                    (_, Some(bytes)) => within.reject(Rejected::new(text, None, ObjectFault::TooLong { bytes })),
                }
                Ok(Awaited::Within(within))
            }
            Awaited::Ended(_) | Awaited::Failed => Ok(stage),
        }
    }

    fn after_remark(&self, stage: Awaited, line: &str) -> Result<Awaited, NoAnswer> {
        match (stage, remark(line)) {
            (_, Remark::Error { message, named }) => self.refused(message, named),
            (Awaited::Before { .. }, Remark::Start(start)) => self.begin(&start).map(Awaited::Within),
            (Awaited::Before { .. }, Remark::MalformedStart) => Err(NoAnswer::MalformedStart { line: shown(line) }),
            (Awaited::Before { .. }, Remark::NothingNewer) => Ok(Awaited::Ended(Reply::NothingNewer)),
            (Awaited::Before { .. }, Remark::NothingKept) => Ok(Awaited::Ended(Reply::NothingKept)),
            (Awaited::Within(_), Remark::Start(_) | Remark::MalformedStart) => {
                Err(NoAnswer::SecondStart { line: shown(line) })
            }
            (Awaited::Within(within), Remark::End(source)) => {
                if !self.question.source.is(source) {
                    return Err(NoAnswer::ForeignEnd { found: shown(source) });
                }
                within.whole().map(|answer| Awaited::Ended(Reply::Changes(answer)))
            }
            (Awaited::Before { .. }, Remark::End(_) | Remark::Other) => Ok(Awaited::Before { remark: shown(line) }),
            (stage @ Awaited::Within(_), Remark::NothingNewer | Remark::NothingKept | Remark::Other) => Ok(stage),
            (stage @ (Awaited::Ended(_) | Awaited::Failed), _) => Ok(stage),
        }
    }

    fn begin(&self, start: &Start<'_>) -> Result<Within, NoAnswer> {
        let version = start.version.parse::<u8>().ok().and_then(|number| NrtmVersion::try_from(number).ok());
        let version = version.ok_or_else(|| NoAnswer::ForeignVersion { found: shown(start.version) })?;
        let (first, last, asked) = (start.first, start.last, self.question.first);
        if !self.question.source.is(start.source) {
            return Err(NoAnswer::ForeignSource { found: shown(start.source) });
        }
        if first != asked {
            return Err(NoAnswer::OtherFirst { asked, found: first });
        }
        if last < first {
            return Err(NoAnswer::FallingRange { first, last });
        }
        Ok(Within { version, first, last, serial: None, open: None, changes: Vec::new(), rejected: Vec::new() })
    }

    fn refused(&self, message: &str, named: Option<NamedRange>) -> Result<Awaited, NoAnswer> {
        let asked = self.question.first;
        match named {
            // A RIPE whois says that to whoever has its newest serial already.
            Some(NamedRange::Kept(kept)) if kept.last.next() == Some(asked) => Ok(Awaited::Ended(Reply::NothingNewer)),
            Some(_) | None => Err(NoAnswer::Refused { asked, message: shown(message), named }),
        }
    }
}

impl Within {
    /// Takes an operation, behind which its object has to come.
    fn begin(&mut self, line: &str, operation: Result<(Verb, Option<Serial>), ()>) -> Result<(), NoAnswer> {
        self.check_closed()?;
        let malformed = || NoAnswer::MalformedOperation { line: shown(line) };
        let (verb, numbered) = operation.map_err(|()| malformed())?;
        let beyond = NoAnswer::BeyondRange { last: self.last };
        let least = match self.serial {
            None => self.first,
            Some(serial) => serial.next().ok_or(beyond)?,
        };
        let serial = match (numbered, self.version) {
            (Some(serial), _) => serial,
            (None, NrtmVersion::One) => least,
            (None, NrtmVersion::Three) => return Err(malformed()),
        };
        if serial < least {
            return Err(NoAnswer::FallingSerial { least, found: serial });
        }
        // In version 3 changes may have come while the upstream answered. In version 1 the count would be wrong.
        if self.version == NrtmVersion::One && serial > self.last {
            return Err(NoAnswer::BeyondRange { last: self.last });
        }
        (self.serial, self.open) = (Some(serial), Some(verb));
        Ok(())
    }

    /// Takes the object of an operation.
    fn end(&mut self, reading: &Reading<'_>, text: &str) {
        let (source, wanted) = (&reading.question.source, reading.wanted);
        let checked = match self.open {
            Some(Verb::Add) => check(text, source, wanted),
            Some(Verb::Delete) => check_deleted(text, source, wanted),
            // An empty line inside of an object does that.
            None => Checked::Rejected(Rejected::new(text, None, ObjectFault::Stray)),
        };
        match (checked, self.open.take()) {
            (Checked::Rejected(rejected), _) => self.reject(rejected),
            (Checked::Taken(object), Some(Verb::Delete)) => {
                self.change(Operation::Delete { key: object.key, text: object.text });
            }
            (Checked::Taken(object), _) => self.change(Operation::Add(object)),
            (Checked::Unwanted(_) | Checked::Leftover, _) => {}
        }
    }

    fn change(&mut self, operation: Operation) {
        self.changes.push(Change { serial: self.serial.unwrap_or(self.first), operation });
    }

    fn reject(&mut self, rejected: Rejected) {
        self.open = None;
        self.rejected.push(RejectedChange { serial: self.serial.unwrap_or(self.first), rejected });
    }

    fn check_closed(&self) -> Result<(), NoAnswer> {
        match self.open {
            Some(_) => Err(NoAnswer::NoObject { serial: self.serial.unwrap_or(self.first) }),
            None => Ok(()),
        }
    }

    fn whole(self) -> Result<Answer, NoAnswer> {
        self.check_closed()?;
        let last = self.serial.map_or(self.last, |serial| serial.max(self.last));
        Ok(Answer { changes: self.changes, rejected: self.rejected, last })
    }
}

/// Returns text as an error shows it.
fn shown(text: &str) -> String {
    // `excerpt` looks at all of its text, which may be megabytes.
    let few: String = text.chars().take(SHOWN.saturating_mul(2)).collect();
    excerpt(&few, SHOWN)
}
