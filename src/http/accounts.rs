//! Who calls: NetBox users, by the tokens they bring.
//!
//! A token is asked of NetBox once in `http.auth_cache`; in between it is known by its SHA-256 only. Tokens that were not
//! good within the last day are counted against the client's address before NetBox is asked, so that nobody can try many.
//! What a user may see and sync, NetBox says, asked with the user's own token.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use moka::future::Cache;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tracing::{Span, warn};

use super::{
    App,
    doorman::Doorman,
    problem::{Kind, Problem},
};
use crate::{
    config,
    error_chain::error_chain,
    model::RowId,
    netbox::{self, Client, ConfigRow, schema},
};

/// Users known at once.
const MOST: u64 = 10_000;
/// How long a token that was good is not counted as one that is tried.
const TRUSTED: Duration = Duration::from_secs(24 * 3600);
/// How long NetBox may take to say whose a token is.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest token that is looked at. NetBox's are shorter than 100 characters.
const LONGEST: usize = 256;

type Fingerprint = [u8; 32];

/// The users that called lately.
#[derive(Debug)]
pub(super) struct Accounts {
    netbox: Client,
    doorman: Doorman,
    users: Cache<Fingerprint, Arc<Account>>,
    trusted: Cache<Fingerprint, ()>,
}

/// A NetBox user who calls. What is remembered of their permissions is forgotten with the account.
#[derive(Debug)]
pub(super) struct Account {
    /// NetBox user name.
    pub(super) name: String,
    /// NetBox, as this user sees it.
    pub(super) netbox: Client,
    visible: Mutex<Option<BTreeSet<RowId>>>,
    changeable: Mutex<BTreeMap<RowId, bool>>,
}

/// The user who calls, as handlers take it.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Arc<Account>);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let account = app.accounts.caller(parts).await?;
        Span::current().record("user", account.name.as_str());
        Ok(Self(account))
    }
}

impl Accounts {
    /// Knows nobody yet.
    #[must_use]
    pub(super) fn new(settings: &config::Http, netbox: Client) -> Self {
        Self {
            netbox,
            doorman: Doorman::new(settings),
            users: Cache::builder().max_capacity(MOST).time_to_live(settings.auth_cache).build(),
            trusted: Cache::builder().max_capacity(MOST).time_to_live(TRUSTED).build(),
        }
    }

    /// Finds out whose token a request brings.
    async fn caller(&self, parts: &Parts) -> Result<Arc<Account>, Problem> {
        let header = parts.headers.get(AUTHORIZATION).map(|value| value.as_bytes());
        let header = header.ok_or_else(|| Problem::new(Kind::NotAuthenticated, "send your NetBox token"))?;
        let fingerprint: Fingerprint = Sha256::digest(header).into();
        if let Some(account) = self.users.get(&fingerprint).await {
            return Ok(account);
        }
        if self.trusted.get(&fingerprint).await.is_none() {
            self.doorman.admit(parts).map_err(|wait| {
                Problem::new(Kind::TooManyUnknownTokens, "wait before trying another token").after(wait)
            })?;
        }
        let token = token(header).ok_or_else(unknown)?;
        let found = self.users.try_get_with(fingerprint, self.ask(&token)).await;
        match found {
            Ok(account) => {
                self.trusted.insert(fingerprint, ()).await;
                Ok(account)
            }
            Err(problem) => {
                if problem.kind() == Kind::NotAuthenticated {
                    self.trusted.invalidate(&fingerprint).await;
                }
                Err(Problem::clone(&problem))
            }
        }
    }

    async fn ask(&self, token: &SecretString) -> Result<Arc<Account>, Problem> {
        let netbox = self.netbox.acting_for(token).map_err(|_| unknown())?;
        match tokio::time::timeout(PATIENCE, netbox.whoami()).await {
            Ok(Ok(user)) => Ok(Arc::new(Account {
                name: user.name,
                netbox,
                visible: Mutex::default(),
                changeable: Mutex::default(),
            })),
            Ok(Err(error)) if error.is_forbidden() => Err(unknown()),
            Ok(Err(error)) => {
                warn!(error = %error_chain(&error), "NetBox does not say whose token this is");
                Err(unheard())
            }
            Err(_) => {
                warn!("NetBox does not say in time whose token this is");
                Err(unheard())
            }
        }
    }
}

fn unknown() -> Problem {
    Problem::new(Kind::NotAuthenticated, "NetBox does not know this token, or it is not valid any more")
}

fn unheard() -> Problem {
    Problem::new(Kind::NetboxUnavailable, "NetBox does not say whose token this is; try again")
        .after(Duration::from_secs(5))
}

/// The token in a header `Token ...` or `Bearer ...`, if it can be one.
fn token(header: &[u8]) -> Option<SecretString> {
    let (scheme, token) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    let token = token.trim();
    let known = ["token", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let sane = (1..=LONGEST).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    (known && sane).then(|| SecretString::from(token))
}

impl Account {
    /// The RIR configs that the user may view, as they are now.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub(super) async fn configs(&self) -> Result<Vec<ConfigRow>, Problem> {
        let rows = match self.netbox.config_rows().await {
            Ok(rows) => rows,
            Err(error) if error.is_forbidden() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        *lock(&self.visible) = Some(rows.iter().map(|row| row.config.id).collect());
        Ok(rows)
    }

    /// An RIR config, if the user may view it.
    ///
    /// # Errors
    /// When there is none, or NetBox cannot be asked.
    pub(super) async fn config(&self, id: RowId) -> Result<ConfigRow, Problem> {
        let rows = self.configs().await?;
        rows.into_iter().find(|row| row.config.id == id).ok_or_else(|| Problem::not_found("RIR config", id))
    }

    /// The ids of the RIR configs that the user may view; may be as old as the account.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub(super) async fn visible(&self) -> Result<BTreeSet<RowId>, Problem> {
        let known = lock(&self.visible).clone();
        match known {
            Some(ids) => Ok(ids),
            None => Ok(self.configs().await?.iter().map(|row| row.config.id).collect()),
        }
    }

    /// Whether the user may view an RIR config; for what is about no config in particular, any of them.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub(super) async fn may_view(&self, config: Option<RowId>) -> Result<bool, Problem> {
        let visible = self.visible().await?;
        Ok(config.map_or(!visible.is_empty(), |config| visible.contains(&config)))
    }

    /// Whether the user may change an RIR config; for what is about no config in particular, any of them.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub(super) async fn may_change(&self, config: Option<RowId>) -> Result<bool, Problem> {
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
        if let Some(known) = lock(&self.changeable).get(&config).copied() {
            return Ok(known);
        }
        let path = format!("{}{config}/", netbox::objects_path(schema::CONFIG));
        let may = self.netbox.may_change(&path).await?;
        lock(&self.changeable).insert(config, may);
        Ok(may)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
