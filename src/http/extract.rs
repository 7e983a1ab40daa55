//! The extractors of ids in paths, of queries and of bodies. They refuse with a problem what cannot be read.

use std::{fmt, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Path, Query, Request},
    http::{HeaderMap, header::CONTENT_TYPE, request::Parts},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, Unexpected, Visitor},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

use super::{
    app::App,
    problem::{Kind, Problem},
};
use crate::{model::RowId, queue::JobId};

/// The largest id that NetBox's database can have.
const LARGEST_ID: u64 = i64::MAX as u64;

/// The id of an object in NetBox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(pub(super) RowId);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_u64(IdVisitor)
    }
}

/// Reads an id from a path, a query or JSON. In JSON `7.0` is the whole number 7.
struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number between 1 and {LARGEST_ID}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Id, E> {
        let fits = (1..=LARGEST_ID).contains(&number);
        if fits { Ok(Id(RowId(number))) } else { Err(E::invalid_value(Unexpected::Unsigned(number), &self)) }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Id, E> {
        // By its text: a number with a fraction, or one that is too large, has no such text.
        let whole = format!("{number:.1}").strip_suffix(".0").and_then(|text| text.parse().ok());
        match whole.filter(|_| number.fract() == 0.0) {
            Some(whole) => self.visit_u64(whole),
            None => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }
}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer);
        let number = number.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)));
        number.minimum(Some(1)).maximum(Some(LARGEST_ID)).into()
    }
}

impl ToSchema for Id {}

/// A parameter in the path.
#[derive(Debug)]
pub(super) struct PathParam<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParam<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match <Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(rejection) => Err(Problem::new(Kind::InvalidRequest, rejection.body_text())),
        }
    }
}

/// The id of a job in the path. A text that can be none is answered with *not found*.
#[derive(Debug)]
pub(super) struct JobIdParam(pub(super) JobId);

impl<S: Send + Sync> FromRequestParts<S> for JobIdParam {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let PathParam::<String>(text) = PathParam::from_request_parts(parts, state).await?;
        JobId::parse(&text).map(Self).ok_or_else(|| Problem::not_found("job", text))
    }
}

/// The parameters in the query.
#[derive(Debug)]
pub(super) struct QueryParams<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match <Query<T> as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(Problem::new(Kind::InvalidRequest, rejection.body_text())),
        }
    }
}

/// The bytes of the body of a caller's request. The caller is known before it is read.
#[derive(Debug)]
pub(super) struct RawBody(pub(super) Bytes);

impl FromRequest<Arc<App>> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        app.callers_bodies.read(request.into_body()).await.map(Self)
    }
}

/// A body of JSON that may be left out.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<App>> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let RawBody(body) = RawBody::from_request(request, app).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json {
            return Err(Problem::new(Kind::UnsupportedMediaType, "send `Content-Type: application/json`"));
        }
        match serde_json::from_slice::<Option<T>>(&body) {
            Ok(read) => Ok(Self(read.unwrap_or_default())),
            Err(error) => Err(Problem::new(Kind::InvalidRequest, format!("the body cannot be read: {error}"))),
        }
    }
}

/// Returns whether the body is declared as JSON, or not declared at all.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(media_type) = headers.get(CONTENT_TYPE) else { return true };
    let essence = media_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The version of a job in the header `Last-Event-ID`, if a number is there.
#[derive(Debug)]
pub(super) struct LastEventId(pub(super) u64);

impl<S: Send + Sync> OptionalFromRequestParts<S> for LastEventId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        let header = parts.headers.get("last-event-id").and_then(|value| value.to_str().ok());
        Ok(header.and_then(|text| text.parse().ok()).map(Self))
    }
}
