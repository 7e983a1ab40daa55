//! The NetBox user who calls, as handlers take it.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use tracing::Span;

use super::users::User;
use crate::http::{
    app::App,
    problem::{Kind, Problem},
};

/// The user whose token a request brings. A request without a good token is refused, and so is one too many.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Arc<User>);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        // A request is counted once, whoever else has asked for its caller before.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let user = app.users.identify(parts).await?;
        Span::current().record("user", user.name.as_str());
        app.call_limit.count(&user.name).map_err(|wait| too_many(&user).after(wait))?;
        let caller = Self(user);
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

fn too_many(user: &User) -> Problem {
    let detail = format!("{} asks too often; http.requests_per_minute is the limit for one user", user.name);
    Problem::new(Kind::TooManyRequests, detail)
}
