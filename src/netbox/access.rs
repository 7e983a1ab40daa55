//! The NetBox at the other end, the user that a token belongs to, and the permissions of that user.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{client::Client, error::Error, permission::Permission, row::Row, transport::Reply};

/// An ETag that no object has.
const NO_ETAG: &str = "W/\"never\"";
/// The list of tokens.
const TOKENS: &str = "/api/users/tokens/";

/// The versions that run at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Status {
    /// NetBox's version, `4.7.3`.
    #[serde(rename = "netbox-version")]
    pub netbox: String,
    #[serde(default)]
    plugins: BTreeMap<String, String>,
}

impl Status {
    /// Returns the Custom Objects plugin's version, if it is installed.
    #[must_use]
    pub fn custom_objects(&self) -> Option<&str> {
        self.plugins.get("netbox_custom_objects").map(String::as_str)
    }
}

/// The user that a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// NetBox user name.
    #[serde(rename = "username")]
    pub name: String,
}

/// The tokens that NetBox shows, as it does to those whose they are.
#[derive(Debug, Deserialize)]
struct TokenPage {
    results: Vec<Token>,
}

#[derive(Debug, Deserialize)]
struct Token {
    /// The part of a v2 token that is no secret.
    key: Option<String>,
    user: User,
    write_enabled: bool,
}

impl Client {
    /// Asks which versions run.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn status(&self) -> Result<Status, Error> {
        self.transport.read("/api/status/", &[]).await?.found()?.decode("a status document")
    }

    /// Asks whom the token belongs to. The answer does not say what that user may do; see [`Client::may`].
    ///
    /// # Errors
    /// When NetBox cannot be asked or does not know the token.
    pub async fn whoami(&self) -> Result<User, Error> {
        self.transport.read("/api/authentication-check/", &[]).await?.found()?.decode("a user")
    }

    /// Asks whether the token itself may write, whatever its user may do: a token without "Write enabled" is refused in the
    /// same words as a user without permission. `None` where NetBox does not show the token, or not which one it is.
    ///
    /// # Errors
    /// When NetBox cannot be asked or does not know the token.
    pub async fn token_may_write(&self) -> Result<Option<bool>, Error> {
        let user = self.whoami().await?;
        let query = [("user", user.name.as_str()), ("limit", "1000")];
        let page: TokenPage = match self.transport.read(TOKENS, &query).await.and_then(Reply::found) {
            Ok(reply) => reply.decode("a page of tokens")?,
            Err(error) if error.is_forbidden() || error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let key = self.transport.token_key();
        let ours = |token: &&Token| match &key {
            Some(key) => token.key.as_ref() == Some(key),
            None => token.key.is_none() && token.user.name == user.name,
        };
        let mut writes = page.results.iter().filter(ours).map(|token| token.write_enabled);
        let first = writes.next();
        // Tokens of the older kind have no key to tell them apart.
        Ok(first.filter(|first| writes.all(|other| other == *first)))
    }

    /// Asks whether the token may do something with the objects of a list, by reading one or writing none of them.
    ///
    /// # Errors
    /// When NetBox cannot be asked, or has no such list.
    pub async fn may(&self, path: &str, permission: Permission) -> Result<bool, Error> {
        let method = match permission {
            Permission::View => {
                return match self.transport.read(path, &[("limit", "1")]).await.and_then(Reply::found) {
                    Ok(_) => Ok(true),
                    Err(error) if error.is_forbidden() => Ok(false),
                    Err(error) => Err(error),
                };
            }
            Permission::Add => Method::POST,
            Permission::Change => Method::PATCH,
            Permission::Delete => Method::DELETE,
        };
        let reply = self.transport.send(method, path, &Value::Array(Vec::new())).await?;
        match reply.status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Ok(false),
            // NetBox looks at the permission first: these only mean that an empty list cannot be written.
            StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => Ok(true),
            _ => reply.found().map(|_| true),
        }
    }

    /// Asks whether the token may write to one object, by writing nothing to it on a condition that never holds.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn may_change(&self, path: &str) -> Result<bool, Error> {
        let nothing = Value::Object(Row::new());
        let reply = self.transport.send_if(Method::PATCH, path, &nothing, NO_ETAG).await?;
        match reply.status {
            // NetBox looks at the permission before it looks at the condition.
            StatusCode::PRECONDITION_FAILED => Ok(true),
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND => Ok(false),
            _ => reply.found().map(|_| true),
        }
    }
}
