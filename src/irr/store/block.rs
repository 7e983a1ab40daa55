//! Blocks: some hundreds of objects, compressed: pure.
//!
//! A block has two parts. The *member* is a gzip member (RFC 1952) of the texts with an empty line behind each: the
//! members of a snapshot one after the other are its dump. The *keys* are a gzip member, too, of a line for each object,
//! `route 192.0.2.0/24AS64496`. They stand beside the texts because nobody should have to parse these again, perhaps by
//! rules that have changed since; and because they are short: who looks for a key need not unpack the texts.

use std::io::{Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use super::error::{BlockDamage, StoreError};
use crate::irr::rpsl::{Object, ObjectKey};

/// A block is full at so many bytes of text. Larger ones are hardly smaller when compressed: gzip looks back 32 KiB.
const FULL: usize = 256 * 1024;

/// A block as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) member: Vec<u8>,
    pub(super) keys: Vec<u8>,
}

/// The objects that become a block.
#[derive(Debug, Default)]
pub(super) struct BlockText {
    texts: String,
    keys: String,
}

impl BlockText {
    /// Adds an object.
    pub(super) fn add(&mut self, object: &Object) -> Result<(), StoreError> {
        check(object)?;
        self.texts.push_str(&object.text);
        self.texts.push('\n');
        self.keys.push_str(object.key.class.name());
        self.keys.push(' ');
        self.keys.push_str(&object.key.key);
        self.keys.push('\n');
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.texts.len() >= FULL
    }

    /// Makes a block of it.
    pub(super) fn pack(&self) -> Result<Block, BlockDamage> {
        Ok(Block { member: packed(&self.texts)?, keys: packed(&self.keys)? })
    }
}

/// Checks that the object is found again among others.
pub(super) fn check(object: &Object) -> Result<(), StoreError> {
    let text = &object.text;
    let is_paragraph = text.ends_with('\n') && !text.starts_with('\n') && !text.contains("\n\n");
    if is_paragraph && !object.key.key.contains('\n') {
        return Ok(());
    }
    Err(StoreError::NoParagraph { key: object.key.clone() })
}

/// Returns the bytes that an object takes in a dump.
pub(super) fn bytes(object: &Object) -> u64 {
    u64::try_from(object.text.len()).unwrap_or(u64::MAX).saturating_add(1)
}

impl Block {
    /// Returns the objects with a key that is wanted.
    pub(super) fn objects_of(&self, wanted: impl Fn(&ObjectKey) -> bool) -> Result<Vec<Object>, BlockDamage> {
        let keys = keys(&self.keys)?;
        if !keys.is_empty() && !keys.iter().any(&wanted) {
            return Ok(Vec::new());
        }
        let texts = unpacked(&self.member)?;
        let texts: Vec<&str> = texts.split_terminator("\n\n").collect();
        if keys.len() != texts.len() {
            return Err(BlockDamage::Uneven { keys: keys.len(), texts: texts.len() });
        }
        let whole = |text: &str| {
            let mut whole = String::with_capacity(text.len().saturating_add(1));
            whole.push_str(text);
            whole.push('\n');
            whole
        };
        let both = keys.into_iter().zip(texts).filter(|(key, _)| wanted(key));
        Ok(both.map(|(key, text)| Object { key, text: whole(text) }).collect())
    }

    /// Returns the bytes that it takes.
    pub(super) fn size(&self) -> u64 {
        u64::try_from(self.member.len().saturating_add(self.keys.len())).unwrap_or(u64::MAX)
    }
}

/// Returns the keys of the objects of a block, in their order.
pub(super) fn keys(packed: &[u8]) -> Result<Vec<ObjectKey>, BlockDamage> {
    let key = |line: &str| {
        let (class, key) = line.split_once(' ')?;
        Some(ObjectKey { class: class.parse().ok()?, key: key.to_owned() })
    };
    unpacked(packed)?
        .split_terminator('\n')
        .map(|line| key(line).ok_or_else(|| BlockDamage::Key(line.to_owned())))
        .collect()
}

fn packed(text: &str) -> Result<Vec<u8>, BlockDamage> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(text.as_bytes())?;
    Ok(out.finish()?)
}

/// The store made it, so it is no larger than what was once given to the store.
fn unpacked(packed: &[u8]) -> Result<String, BlockDamage> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::irr::rpsl::Class;

    fn object(key: &str, text: &str) -> Object {
        Object { key: ObjectKey { class: Class::Route, key: key.to_owned() }, text: text.to_owned() }
    }

    #[test]
    fn objects_come_back_as_they_were() {
        let objects = [
            object("192.0.2.0/24AS1", "route: 192.0.2.0/24\n \norigin: AS1\n"),
            object("A KEY OF WORDS", "a\n"),
            object("", "é\u{2028}\r\n+\n"),
        ];
        let mut text = BlockText::default();
        objects.iter().for_each(|object| text.add(object).unwrap());
        let block = text.pack().unwrap();
        assert_eq!(block.objects_of(|_| true).unwrap(), objects);
        assert_eq!(unpacked(&block.member).unwrap().len() as u64, objects.iter().map(bytes).sum::<u64>());
        assert_eq!(BlockText::default().pack().unwrap().objects_of(|_| true).unwrap(), []);
    }

    #[test]
    fn what_would_not_come_back_is_refused() {
        for text in ["", "\n", "a", "a\n\nb\n", "a\n\n", "\na\n"] {
            assert!(BlockText::default().add(&object("A", text)).is_err(), "{text:?}");
        }
        assert!(BlockText::default().add(&object("A\nB", "a\n")).is_err());
    }

    #[test]
    fn damage_is_told() {
        let mut text = BlockText::default();
        text.add(&object("A", "a\n")).unwrap();
        let block = text.pack().unwrap();
        let told = |block: Block| block.objects_of(|_| true).unwrap_err().to_string();
        let nothing = packed("").unwrap();
        assert_eq!(told(Block { keys: nothing, ..block.clone() }), "it has 1 texts and 0 keys");
        assert_eq!(
            told(Block { keys: packed("fish A\n").unwrap(), ..block.clone() }),
            "\"fish A\" is no key of an object"
        );
        assert_eq!(told(Block { member: block.member[..9].to_vec(), ..block }), "it cannot be unpacked");
    }
}
