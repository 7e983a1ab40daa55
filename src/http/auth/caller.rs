//! The NetBox user who calls, as handlers take it.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use tracing::Span;

use super::users::User;
use crate::http::{app::App, problem::Problem};

/// The user whose token a request brings. A request without a good token is refused.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) Arc<User>);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let user = app.users.identify(parts).await?;
        Span::current().record("user", user.name.as_str());
        Ok(Self(user))
    }
}
