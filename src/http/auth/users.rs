//! NetBox's users as the API knows them: by the tokens that they bring.
//!
//! NetBox is asked about a token once in `http.auth_cache`; in between a token is known by its SHA-256 only. A token
//! that was not good within the last day counts against the client's address before NetBox is asked, so that nobody can
//! try many. What a user may view and sync is for NetBox to say, and is asked with the user's own token.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::http::{header::AUTHORIZATION, request::Parts};
use moka::future::Cache;
use parking_lot::Mutex;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tracing::warn;

use super::token_guess_limit::TokenGuessLimit;
use crate::{
    config,
    error_chain::error_chain,
    http::problem::{Kind, Problem},
    model::RowId,
    netbox::{self, Client, ConfigRow, schema},
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
    users: Cache<TokenDigest, Arc<User>>,
    good_tokens: Cache<TokenDigest, ()>,
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
}

impl Users {
    /// Makes an empty cache.
    #[must_use]
    pub(crate) fn new(settings: &config::Http, netbox: Client) -> Self {
        Self {
            netbox,
            guess_limit: TokenGuessLimit::new(settings),
            users: Cache::builder().max_capacity(USERS_REMEMBERED).time_to_live(settings.auth_cache).build(),
            good_tokens: Cache::builder().max_capacity(USERS_REMEMBERED).time_to_live(GOOD_TOKEN_TTL).build(),
        }
    }

    /// Finds out whose token a request brings.
    ///
    /// # Errors
    /// When it brings none that NetBox knows, when there were too many of them, or when NetBox cannot be asked.
    pub(crate) async fn identify(&self, parts: &Parts) -> Result<Arc<User>, Problem> {
        let header = parts.headers.get(AUTHORIZATION).map(|value| value.as_bytes());
        let header = header.ok_or_else(|| Problem::new(Kind::NotAuthenticated, "send your NetBox token"))?;
        let digest: TokenDigest = Sha256::digest(header).into();
        if let Some(user) = self.users.get(&digest).await {
            return Ok(user);
        }
        if self.good_tokens.get(&digest).await.is_none() {
            self.guess_limit.count(parts).map_err(|wait| {
                Problem::new(Kind::TooManyUnknownTokens, "wait before trying another token").after(wait)
            })?;
        }
        let token = token(header).ok_or_else(unknown_token)?;
        match self.users.try_get_with(digest, self.ask_netbox(&token)).await {
            Ok(user) => {
                self.good_tokens.insert(digest, ()).await;
                Ok(user)
            }
            Err(problem) => {
                if problem.kind() == Kind::NotAuthenticated {
                    self.good_tokens.invalidate(&digest).await;
                }
                Err(Problem::clone(&problem))
            }
        }
    }

    async fn ask_netbox(&self, token: &SecretString) -> Result<Arc<User>, Problem> {
        let netbox = self.netbox.acting_for(token).map_err(|_| unknown_token())?;
        let no_answer = || {
            let problem = Problem::new(Kind::NetboxUnavailable, "NetBox does not say whose token this is; try again");
            problem.after(Duration::from_secs(5))
        };
        match tokio::time::timeout(WHOAMI_TIMEOUT, netbox.whoami()).await {
            Ok(Ok(user)) => {
                Ok(Arc::new(User { name: user.name, netbox, visible: Mutex::default(), changeable: Mutex::default() }))
            }
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

    /// Returns whether the user may view an RIR config, or any at all where none is named.
    pub(crate) async fn may_view(&self, config: Option<RowId>) -> Result<bool, Problem> {
        let visible = self.visible().await?;
        Ok(config.map_or(!visible.is_empty(), |config| visible.contains(&config)))
    }

    /// Returns whether the user may change an RIR config, or any at all where none is named.
    pub(crate) async fn may_change(&self, config: Option<RowId>) -> Result<bool, Problem> {
        let configs = match config {
            Some(config) => BTreeSet::from([config]),
            None => self.visible().await?,
        };
        for config in configs {
            if self.may_change_one(config).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn may_change_one(&self, config: RowId) -> Result<bool, Problem> {
        if let Some(known) = self.changeable.lock().get(&config).copied() {
            return Ok(known);
        }
        let path = format!("{}{config}/", netbox::objects_path(schema::CONFIG));
        let may = self.netbox.may_change(&path).await?;
        self.changeable.lock().insert(config, may);
        Ok(may)
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

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
