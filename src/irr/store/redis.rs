//! Mirrored sources in Redis. The keys of a source have a hash tag of its own, `{PREFIX:irr:SOURCE}:`, and are
//!
//! | key | kind | holds | leaves when |
//! |---|---|---|---|
//! | `state` | hash | see below | the source is forgotten |
//! | `g:GENERATION` | hash | the members of a snapshot by their numbers from 0 | [`UNFINISHED_FOR`] without a further one; [`REPLACED_FOR`] after another became current |
//! | `k:GENERATION` | hash | the keys of their objects, by the same numbers | with them |
//! | `journal` | stream | changes, as `SERIAL-0`: `op`, `class`, `key`, `text` | an import, or trimmed by a compaction |
//! | `old` | list | the generations that were current before, the newest first | |
//!
//! The fields of `state`: `basis` is what a write has to stand on, `holding` and `notes` are JSON, `reloads` counts the
//! reloads that were asked for, `accepted` is the shrink that was accepted. `generations` is the last generation that was
//! begun; `writer` and `written` belong to an append under way.
//!
//! Under `{PREFIX}:` there is `irr-sources`, the set of the names of all sources.
//!
//! Entries of the journal beyond the serial of `basis` are what a writer left that did not finish. They do not count, and
//! the next one to append takes them away.

use std::{collections::BTreeSet, sync::LazyLock, time::Duration};

use redis::Cmd;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{
    block::Block,
    state::{Basis, Holding, Notes, RefusedShrink, SourceState, Written},
    step::{ADD, Append, DELETE, Entry, Journal, Switch, Switched},
};
use crate::{
    config,
    irr::{
        journal::{Change, Operation},
        rpsl::{Object, ObjectKey},
        source::{Serial, SourceName},
    },
    redis_client::{Client, Error, Script, json, millis},
};

/// How long blocks wait for the next one: longer than an upstream may stall. Then whoever wrote them is dead.
const UNFINISHED_FOR: Duration = Duration::from_secs(600);
/// How long blocks stay that others took the place of: longer than somebody takes to read them over a slow line.
const REPLACED_FOR: Duration = Duration::from_secs(3600);
/// How many replaced snapshots stay at the most, so that a source that changes all the time does not fill Redis.
const MOST_REPLACED: u8 = 2;
/// How many changes are written or read in one step, so that no other command waits for long.
const CHANGES_AT_ONCE: usize = 500;
/// How many bytes of changes are written in one step at the most, or one change if that alone is larger.
const BYTES_AT_ONCE: usize = 512 * 1024;

macro_rules! scripts {
    ($($name:ident: $file:literal;)+) => {$(
        static $name: LazyLock<Script> = LazyLock::new(|| {
            let text = include_str!(concat!("lua/", $file, ".lua"));
            Script::with_libraries(concat!("irr_", $file), &[include_str!("lua/lib.lua")], text)
        });
    )+};
}

scripts! {
    BEGIN: "begin";
    SWITCH: "switch";
    APPEND: "append";
    NOTE: "note";
    FORGET: "forget";
}

/// The sources.
#[derive(Debug, Clone)]
pub(super) struct InRedis(Client);

/// The blocks of a generation.
#[derive(Debug, Clone)]
pub(super) struct InRedisPages {
    pub(super) generation: u64,
    client: Client,
}

impl InRedisPages {
    fn key(&self, part: &str) -> String {
        self.client.key(&format!("{part}:{}", self.generation))
    }

    /// Keeps a block for as long as the next one may take.
    pub(super) async fn put(&self, number: u64, block: &Block) -> Result<(), Error> {
        let mut commands = redis::pipe();
        commands.atomic();
        for (key, part) in [(self.key("g"), &block.member), (self.key("k"), &block.keys)] {
            commands.hset(&key, number, part.as_slice()).ignore();
            commands.pexpire(&key, millis(UNFINISHED_FOR)).ignore();
        }
        self.client.ask_together("irr_put", &commands).await
    }

    /// Takes away what nobody is going to read.
    pub(super) async fn discard(&self) -> Result<(), Error> {
        self.client.ask("irr_discard", &Cmd::unlink(&[self.key("g"), self.key("k")])).await
    }

    pub(super) async fn block(&self, number: u64) -> Result<Option<Block>, Error> {
        let mut commands = redis::pipe();
        commands.hget(self.key("g"), number).hget(self.key("k"), number);
        let parts: (Option<Vec<u8>>, Option<Vec<u8>>) = self.client.ask_together("irr_block", &commands).await?;
        Ok(parts.0.zip(parts.1).map(|(member, keys)| Block { member, keys }))
    }

    pub(super) async fn member(&self, number: u64) -> Result<Option<Vec<u8>>, Error> {
        self.client.ask("irr_member", &Cmd::hget(self.key("g"), number)).await
    }

    pub(super) async fn keys(&self, number: u64) -> Result<Option<Vec<u8>>, Error> {
        self.client.ask("irr_keys", &Cmd::hget(self.key("k"), number)).await
    }
}

impl InRedis {
    pub(super) fn open(settings: &config::Queue) -> Result<Self, Error> {
        Client::open(settings).map(Self)
    }

    /// Returns a client for the keys of a source.
    fn of(&self, name: &SourceName) -> Client {
        self.0.apart(&format!("irr:{name}"))
    }

    /// Sees to it that the source is listed. That is before it has anything: who lists it finds out what it has.
    async fn list(&self, name: &SourceName) -> Result<(), Error> {
        self.0.ask("irr_list", &Cmd::sadd(self.0.key("irr-sources"), name.as_str())).await
    }

    pub(super) async fn names(&self) -> Result<BTreeSet<SourceName>, Error> {
        let names: Vec<String> = self.0.ask("irr_names", &Cmd::smembers(self.0.key("irr-sources"))).await?;
        Ok(names.into_iter().filter_map(|name| name.parse().ok()).collect())
    }

    pub(super) async fn state(&self, name: &SourceName) -> Result<SourceState, Error> {
        let client = self.of(name);
        let fields = Cmd::hmget(client.key("state"), &["holding", "notes", "reloads", "accepted"]);
        let (holding, notes, reloads, accepted): (Option<String>, Option<String>, Option<u64>, Option<String>) =
            client.ask("irr_state", &fields).await?;
        Ok(SourceState {
            holding: read(holding)?,
            notes: read(notes)?.unwrap_or_default(),
            reloads_asked: reloads.unwrap_or(0),
            accepted: read(accepted)?,
        })
    }

    pub(super) async fn begin(&self, name: &SourceName) -> Result<InRedisPages, Error> {
        self.list(name).await?;
        let client = self.of(name);
        let generation = client.run(&BEGIN, &json!({})).await?;
        Ok(InRedisPages { generation, client })
    }

    pub(super) fn pages(&self, name: &SourceName, generation: u64) -> InRedisPages {
        InRedisPages { generation, client: self.of(name) }
    }

    pub(super) async fn switch(&self, pages: &InRedisPages, switch: &Switch) -> Result<Switched, Error> {
        let Switch { holding, journal, .. } = switch;
        let (notes, keep) = match journal {
            Journal::Dropped(notes) => (Some(json(notes, "irr_switch")?), None),
            Journal::Kept(most) => (None, Some(most.to_string())),
        };
        let (expected, basis) = bases(switch.basis, holding);
        let argument = json!({
            "expected": expected,
            "basis": basis,
            "generation": holding.generation.to_string(),
            "blocks": holding.blocks,
            "holding": json(holding, "irr_switch")?,
            "notes": notes.unwrap_or_default(),
            "keep": keep.unwrap_or_default(),
            "after": holding.serial.unwrap_or_default().to_string(),
            "replaced_for": millis(REPLACED_FOR),
            "most_replaced": MOST_REPLACED,
        });
        match pages.client.run::<String>(&SWITCH, &argument).await?.as_str() {
            "done" => Ok(Switched::Done),
            "stale" => Ok(Switched::Stale),
            "lost" => Ok(Switched::Lost),
            _ => Err(foreign("irr_switch", None)),
        }
    }

    /// Writes the changes in steps that nobody sees, and makes them count by the last.
    pub(super) async fn append(&self, name: &SourceName, append: &Append<'_>) -> Result<Switched, Error> {
        let client = self.of(name);
        let writer = format!("{:016x}", fastrand::u64(..));
        let (expected, basis) = bases(append.basis, &append.holding);
        let mut rest = append.changes;
        let mut is_first = true;
        loop {
            let (now, later) = rest.split_at_checked(fit(rest)).unwrap_or((rest, &[]));
            let entries: Vec<Entry<'_>> = now.iter().map(Entry::from).collect();
            let mut argument = json!({
                "expected": expected,
                "after": append.after.to_string(),
                "writer": writer,
                "is_first": is_first,
                "entries": entries,
                "is_last": later.is_empty(),
            });
            if later.is_empty()
                && let Some(argument) = argument.as_object_mut()
            {
                argument.insert("count".to_owned(), append.changes.len().into());
                argument.insert("basis".to_owned(), basis.clone().into());
                argument.insert("holding".to_owned(), json(&append.holding, "irr_append")?.into());
                argument.insert("notes".to_owned(), json(append.notes, "irr_append")?.into());
            }
            match client.run::<String>(&APPEND, &argument).await?.as_str() {
                "more" => (rest, is_first) = (later, false),
                "done" => return Ok(Switched::Done),
                "stale" => return Ok(Switched::Stale),
                "lost" => return Ok(Switched::Lost),
                _ => return Err(foreign("irr_append", None)),
            }
        }
    }

    pub(super) async fn note(&self, name: &SourceName, basis: Basis, notes: &Notes) -> Result<Written, Error> {
        self.list(name).await?;
        let argument = json!({ "expected": basis.to_string(), "notes": json(notes, "irr_note")? });
        let is_done = self.of(name).run(&NOTE, &argument).await?;
        Ok(if is_done { Written::Done } else { Written::Stale })
    }

    pub(super) async fn journal(
        &self,
        name: &SourceName,
        (first, last): (Serial, Serial),
        most: usize,
    ) -> Result<Vec<Change>, Error> {
        let client = self.of(name);
        let mut range = redis::cmd("XRANGE");
        range.arg(client.key("journal")).arg(format!("{first}-0")).arg(format!("{last}-0"));
        range.arg("COUNT").arg(most.min(CHANGES_AT_ONCE));
        let entries: Vec<(String, Vec<String>)> = client.ask("irr_journal", &range).await?;
        entries.into_iter().map(change).collect()
    }

    pub(super) async fn ask_reload(&self, name: &SourceName) -> Result<u64, Error> {
        self.list(name).await?;
        let client = self.of(name);
        client.ask("irr_ask_reload", &Cmd::hincr(client.key("state"), "reloads", 1)).await
    }

    pub(super) async fn accept(&self, name: &SourceName, shrink: &RefusedShrink) -> Result<(), Error> {
        let client = self.of(name);
        let accepted = json(shrink, "irr_accept")?;
        client.ask("irr_accept", &Cmd::hset(client.key("state"), "accepted", accepted)).await
    }

    pub(super) async fn forget(&self, name: &SourceName) -> Result<(), Error> {
        self.of(name).run::<()>(&FORGET, &json!({})).await?;
        self.0.ask("irr_forget", &Cmd::srem(self.0.key("irr-sources"), name.as_str())).await
    }
}

/// Returns the texts of what is expected and of what is to be expected afterwards.
fn bases(expected: Basis, holding: &Holding) -> (String, String) {
    let after = SourceState { holding: Some(holding.clone()), ..SourceState::default() };
    (expected.to_string(), after.basis().to_string())
}

/// Returns how many of these changes are written in one step.
fn fit(changes: &[Change]) -> usize {
    let mut bytes = 0_usize;
    let fits = |change: &&Change| {
        let is_first = bytes == 0;
        bytes = bytes.saturating_add(Entry::from(*change).size());
        is_first || bytes <= BYTES_AT_ONCE
    };
    changes.iter().take(CHANGES_AT_ONCE).take_while(fits).count()
}

/// Reads an entry of the journal.
fn change((id, mut fields): (String, Vec<String>)) -> Result<Change, Error> {
    let unread = || foreign("irr_journal", None);
    let mut take = |name: &str| {
        let at = fields.iter().step_by(2).position(|field| field == name)?.checked_mul(2)?.checked_add(1)?;
        fields.get_mut(at).map(std::mem::take)
    };
    let serial = id.split_once('-').and_then(|(serial, _)| serial.parse().ok()).map(Serial).ok_or_else(unread)?;
    let class = take("class").and_then(|class| class.parse().ok()).ok_or_else(unread)?;
    let key = ObjectKey { class, key: take("key").ok_or_else(unread)? };
    let text = take("text").ok_or_else(unread)?;
    let operation = match take("op").as_deref() {
        Some(ADD) => Operation::Add(Object { key, text }),
        Some(DELETE) => Operation::Delete { key, text },
        _ => return Err(unread()),
    };
    Ok(Change { serial, operation })
}

fn read<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>, Error> {
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| foreign("irr_state", Some(error)))
}

fn foreign(operation: &'static str, source: Option<serde_json::Error>) -> Error {
    Error::Foreign { operation, source }
}
