//! NetBox's users as the API knows them: by the tokens that they bring.
//!
//! NetBox is asked about a token once in `http.auth_cache`; in between a token is known by its SHA-256 only. Questions
//! about tokens that were not good within the last day wait for their turn, so that nobody can make NetBox answer many
//! at once. A token that NetBox refuses counts against the client's address, whose further questions then stand back
//! behind those of others; but each is asked, since a good token may come from the same address. What a user may view
//! and sync is for NetBox to say, and is asked with the user's own token.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::http::{header::AUTHORIZATION, request::Parts};
use futures_util::future::try_join_all;
use moka::future::Cache;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tracing::warn;

use super::{
    netbox_questions::{NetboxQuestions, Standing},
    token_guess_limit::TokenGuessLimit,
};
use crate::{
    config,
    error_chain::error_chain,
    http::problem::{Kind, Problem},
    model::{ObjectType, RowId},
    netbox::{self, Client, ConfigRow, Permission, schema},
};

/// Limits how many users and good tokens are remembered at once.
const USERS_REMEMBERED: u64 = 10_000;
/// The time for which a token that was good does not count as a guess.
const GOOD_TOKEN_TTL: Duration = Duration::from_secs(24 * 3600);
/// Limits how long NetBox may take to say whose a token is.
const WHOAMI_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest token that NetBox is asked about. Its own are shorter than 100 characters.
const LONGEST_TOKEN: usize = 256;

type TokenDigest = [u8; 32];

/// The users who called lately.
#[derive(Debug)]
pub(crate) struct Users {
    netbox: Client,
    guess_limit: TokenGuessLimit,
    questions: NetboxQuestions,
    users: Cache<TokenDigest, Arc<User>>,
    good_tokens: Cache<TokenDigest, ()>,
    /// Tokens that NetBox refused, for as long as its word is believed.
    refused_tokens: Cache<TokenDigest, ()>,
}

/// A NetBox user. The permissions that are remembered here are forgotten together with the user.
#[derive(Debug)]
pub(crate) struct User {
    /// The user name in NetBox.
    pub(crate) name: String,
    /// NetBox, asked with this user's token.
    pub(crate) netbox: Client,
    visible: Mutex<Option<BTreeSet<RowId>>>,
    changeable: Mutex<BTreeMap<RowId, bool>>,
    viewable_types: Mutex<Option<BTreeSet<ObjectType>>>,
}

impl Users {
    /// Makes an empty cache.
    #[must_use]
    pub(crate) fn new(settings: &config::Http, netbox: Client) -> Self {
        Self {
            netbox,
            guess_limit: TokenGuessLimit::new(settings),
            questions: NetboxQuestions::new(),
            refused_tokens: remembered(settings.auth_cache),
            users: remembered(settings.auth_cache),
            good_tokens: remembered(GOOD_TOKEN_TTL),
        }
    }

    /// Finds out whose token a request brings.
    ///
    /// # Errors
    /// When it brings none that NetBox knows, when there were too many of them, or when NetBox cannot be asked.
    pub(crate) async fn identify(&self, parts: &Parts) -> Result<Arc<User>, Problem> {
        let header = parts.headers.get(AUTHORIZATION).map(|value| value.as_bytes());
        let header = header.ok_or_else(|| Problem::new(Kind::NotAuthenticated, "send your NetBox token"))?;
        let token = token(header).ok_or_else(unknown_token)?;
        let digest: TokenDigest = Sha256::digest(token.expose_secret()).into();
        if let Some(user) = self.users.get(&digest).await {
            return Ok(user);
        }
        if self.refused_tokens.get(&digest).await.is_some() {
            return Err(unknown_token());
        }
        let was_good = self.good_tokens.get(&digest).await.is_some();
        let ask = async {
            if was_good { self.ask_netbox(&token).await } else { self.ask_about_a_stranger(&token, parts).await }
        };
        let asked = self.users.try_get_with(digest, ask).await;
        match &asked {
            Ok(_) => self.good_tokens.insert(digest, ()).await,
            Err(problem) if matches!(problem.kind(), Kind::NotAuthenticated | Kind::TooManyUnknownTokens) => {
                self.good_tokens.invalidate(&digest).await;
                self.refused_tokens.insert(digest, ()).await;
            }
            Err(_) => {}
        }
        asked.map_err(|problem| Problem::clone(&problem))
    }

    /// Asks about a token that NetBox has not vouched for. One that it refuses is counted.
    async fn ask_about_a_stranger(&self, token: &SecretString, parts: &Parts) -> Result<Arc<User>, Problem> {
        let used_up = self.guess_limit.is_used_up(parts);
        let standing = if used_up { Standing::Suspicious } else { Standing::Unsuspicious };
        let _turn = self.questions.turn(standing).await?;
        let asked = self.ask_netbox(token).await;
        if asked.as_ref().is_err_and(|problem| problem.kind() == Kind::NotAuthenticated) {
            self.guess_limit.count(parts).map_err(|wait| {
                let detail = "NetBox does not know this token, nor many before it; wait before trying another one";
                Problem::new(Kind::TooManyUnknownTokens, detail).after(wait)
            })?;
        }
        asked
    }

    async fn ask_netbox(&self, token: &SecretString) -> Result<Arc<User>, Problem> {
        let netbox = self.netbox.acting_for(token).map_err(|_| unknown_token())?;
        let no_answer = || {
            let problem = Problem::new(Kind::NetboxUnavailable, "NetBox does not say whose token this is; try again");
            problem.after(Duration::from_secs(5))
        };
        match tokio::time::timeout(WHOAMI_TIMEOUT, netbox.whoami()).await {
            Ok(Ok(user)) => Ok(Arc::new(User::new(user.name, netbox))),
            Ok(Err(error)) if error.is_forbidden() => Err(unknown_token()),
            Ok(Err(error)) => {
                warn!(error = %error_chain(&error), "NetBox does not say whose token this is");
                Err(no_answer())
            }
            Err(_) => {
                warn!("NetBox does not say in time whose token this is");
                Err(no_answer())
            }
        }
    }
}

/// Makes a memory of users or tokens.
fn remembered<T: Clone + Send + Sync + 'static>(time: Duration) -> Cache<TokenDigest, T> {
    Cache::builder().max_capacity(USERS_REMEMBERED).time_to_live(time).build()
}

fn unknown_token() -> Problem {
    Problem::new(Kind::NotAuthenticated, "NetBox does not know this token, or it is not valid any more")
}

/// Returns the token of a header `Token ...` or `Bearer ...`, if NetBox could know it.
fn token(header: &[u8]) -> Option<SecretString> {
    let (scheme, token) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    let token = token.trim();
    let known = ["token", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let sane = (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    (known && sane).then(|| SecretString::from(token))
}

impl User {
    fn new(name: String, netbox: Client) -> Self {
        let (visible, changeable, viewable_types) = Default::default();
        Self { name, netbox, visible, changeable, viewable_types }
    }

    /// Returns the RIR configs that the user may view, as they are now.
    pub(crate) async fn configs(&self) -> Result<Vec<ConfigRow>, Problem> {
        let rows = match self.netbox.config_rows().await {
            Ok(rows) => rows,
            Err(error) if error.is_forbidden() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        *self.visible.lock() = Some(rows.iter().map(|row| row.config.id).collect());
        Ok(rows)
    }

    /// Returns an RIR config, if the user may view it.
    pub(crate) async fn config(&self, id: RowId) -> Result<ConfigRow, Problem> {
        let rows = self.configs().await?;
        rows.into_iter().find(|row| row.config.id == id).ok_or_else(|| Problem::not_found("RIR config", id))
    }

    /// Returns the ids of the RIR configs that the user may view. They may be as old as `http.auth_cache` allows.
    pub(crate) async fn visible(&self) -> Result<BTreeSet<RowId>, Problem> {
        let known = self.visible.lock().clone();
        match known {
            Some(ids) => Ok(ids),
            None => Ok(self.configs().await?.iter().map(|row| row.config.id).collect()),
        }
    }

    /// Returns whether the user may change an RIR config.
    pub(crate) async fn may_change(&self, config: RowId) -> Result<bool, Problem> {
        if let Some(known) = self.changeable.lock().get(&config).copied() {
            return Ok(known);
        }
        let path = format!("{}{config}/", netbox::objects_path(schema::CONFIG));
        let may = self.netbox.may_change(&path).await?;
        self.changeable.lock().insert(config, may);
        Ok(may)
    }

    /// Returns the types of objects of which the user may view rows.
    pub(crate) async fn viewable_types(&self) -> Result<BTreeSet<ObjectType>, Problem> {
        if let Some(known) = self.viewable_types.lock().clone() {
            return Ok(known);
        }
        let viewable = try_join_all(ObjectType::ALL.map(|object| self.if_viewable(object))).await?;
        let viewable: BTreeSet<ObjectType> = viewable.into_iter().flatten().collect();
        *self.viewable_types.lock() = Some(viewable.clone());
        Ok(viewable)
    }

    async fn if_viewable(&self, object: ObjectType) -> Result<Option<ObjectType>, Problem> {
        let path = netbox::objects_path(netbox::fields::slug(object));
        Ok(self.netbox.may(&path, Permission::View).await?.then_some(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_one_of_two_words() {
        let read = |header: &str| token(header.as_bytes()).map(|token| token.expose_secret().to_owned());
        assert_eq!(read("Token abc").as_deref(), Some("abc"));
        assert_eq!(read("bearer nbt_k.s ").as_deref(), Some("nbt_k.s"));
        for header in ["abc", "Basic abc", "Token ", "Token a b", "Token \u{e4}", &format!("Token {}", "a".repeat(257))]
        {
            assert_eq!(read(header), None, "{header}");
        }
    }
}
