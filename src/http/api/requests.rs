//! Change requests: asking for them, deciding about them, and following them.
//!
//! What a caller sees and does here follows their NetBox permissions on the rows: *view* to read, *add* to ask, *change* to
//! approve and reject. All of it is asked of NetBox with the caller's own token. The API keys are the callers' own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use utoipa::{IntoParams, ToSchema};

use super::{
    pages::page_size,
    request_views::RequestView,
    syncs::{accept, job_path, origin},
    views::Accepted,
};
use crate::{
    error_chain::error_chain,
    http::{
        app::App,
        auth::{caller::Caller, users::User},
        docs::IdempotencyKey,
        error_responses::{ApiErrors, NotFound, PostErrors, RequestNotPermitted},
        extract::{Id, JsonBody, PathParam, QueryParams},
        problem::{Kind, Problem},
    },
    model::{CustomerHandle, NetHandle, OrgHandle, RowId},
    netbox::{self, Permission, RequestFilter, RequestRow, schema},
    queue::Work,
    requests::{
        ChangeRequest, Decisions, Flow, NotDecided, NotGoneOn, NotPrepared, Order, OrderSubject, Person, Preparing,
        State as RequestState,
        draft::{Choice, Fields},
    },
    retry::Retry,
};

/// The requests in a page that names no `limit`.
const DEFAULT_PAGE: usize = 50;
/// The most requests in a page.
const LARGEST_PAGE: usize = 200;

/// The change requests to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListRequests {
    /// Only those of this RIR config.
    #[param(value_type = Option<Id>)]
    config: Option<Id>,
    /// Only those in this state; if it is left out, those that are not over.
    #[param(inline)]
    state: Option<RequestState>,
    /// Go on after the page that gave this as `next_cursor`.
    #[param(value_type = Option<Id>)]
    cursor: Option<Id>,
    /// The most requests in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// A page of change requests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangeRequests {
    /// The requests, the newest first.
    requests: Vec<RequestView>,
    /// What to send as `cursor` for the next page; none on the last one.
    next_cursor: Option<RowId>,
}

/// What to ask ARIN for. Exactly one of the first six says what it is about.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskFor {
    /// A prefix, by its id in NetBox or by its range.
    #[schema(example = "192.0.2.0/24")]
    prefix: Option<String>,
    /// The handle of a registered net.
    network: Option<String>,
    /// The handle of a customer.
    customer: Option<String>,
    /// What settles a finding, by its id in NetBox.
    #[schema(value_type = Option<Id>)]
    finding: Option<Id>,
    /// All of an aggregate that should be registered and is not, by its id in NetBox or by its range.
    aggregate: Option<String>,
    /// What an earlier request has ended, by its id; it is registered again.
    #[schema(value_type = Option<Id>)]
    request: Option<Id>,
    /// The operation, or `register-again`; if it is left out, what settles the matter.
    #[schema(example = "reassign-simple")]
    operation: Option<String>,
    /// The handle of the organization that gets the net.
    org: Option<String>,
    /// Elements that are set by hand, by ARIN's names for them.
    #[serde(default)]
    set: BTreeMap<String, String>,
    /// True to see the draft, and keep nothing.
    #[serde(default)]
    plan_only: bool,
}

/// What came of asking.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AskedFor {
    /// What was drafted, and with an id what was kept.
    requests: Vec<RequestView>,
    /// What was not, and why.
    skipped: Vec<NotAsked>,
    /// How many more there would be than may be prepared at once.
    left_out: usize,
}

/// Something that was not asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NotAsked {
    /// What it is about.
    about: String,
    /// Why not.
    reason: String,
}

/// An approval.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveRequest {
    /// The digest of what you have seen.
    digest: String,
}

/// A rejection.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectRequest {
    /// Why, for whoever asked.
    #[serde(default)]
    reason: String,
}

/// Lists change requests.
#[utoipa::path(get, path = "/api/v1/requests", tag = "requests", operation_id = "list_requests", params(ListRequests),
    responses(
        (status = 200, description = "Those of configs that you may view", body = ChangeRequests),
        RequestNotPermitted,
        ApiErrors))]
pub(crate) async fn list_requests(
    State(_app): State<Arc<App>>,
    Caller(user): Caller,
    QueryParams(asked): QueryParams<ListRequests>,
) -> Result<Json<ChangeRequests>, Problem> {
    let limit = page_size(asked.limit, DEFAULT_PAGE, LARGEST_PAGE)?;
    let visible: BTreeSet<RowId> = user.configs().await?.into_iter().map(|row| row.config.id).collect();
    let states = match asked.state {
        Some(state) => vec![state],
        None => RequestState::ALL.into_iter().filter(|state| state.is_open()).collect(),
    };
    let states = states.into_iter().map(|state| state.name().to_owned()).collect();
    let filter = RequestFilter { config: asked.config.map(|Id(id)| id), states, ids: Vec::new() };
    let mut rows: Vec<RequestRow> =
        user.netbox.request_rows(&filter).await.map_err(|error| refused(error, &user, "view"))?;
    let before = asked.cursor.map(|Id(id)| id);
    rows.retain(|row| row.config.is_some_and(|config| visible.contains(&config)));
    rows.retain(|row| before.is_none_or(|before| row.id < before));
    rows.reverse();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().map(|row| row.id).filter(|_| more);
    let ids = rows.iter().map(|row| row.id).collect::<Vec<_>>();
    let whole = match ids.is_empty() {
        true => Vec::new(),
        false => user.netbox.whole_request_rows(&RequestFilter { ids, ..RequestFilter::default() }).await?,
    };
    let requests = whole.into_iter().rev().map(RequestView::of_row).collect();
    Ok(Json(ChangeRequests { requests, next_cursor }))
}

/// Returns a change request with everything that is sent, and everything that was checked.
#[utoipa::path(get, path = "/api/v1/requests/{id}", tag = "requests", operation_id = "find_request",
    params(("id" = Id, Path, description = "Its id in NetBox")),
    responses((status = 200, description = "The change request", body = RequestView), NotFound, ApiErrors))]
pub(crate) async fn find_request(
    State(_app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
) -> Result<Json<RequestView>, Problem> {
    Ok(Json(RequestView::from(&visible(&user, id).await?)))
}

/// Drafts and checks what would be sent to ARIN, and keeps it for somebody to approve.
///
/// ARIN is asked with your API key. You need NetBox's permission to add change requests, unless `plan_only` is true.
#[utoipa::path(post, path = "/api/v1/configs/{id}/requests", tag = "requests", operation_id = "ask_for_changes",
    params(("id" = Id, Path, description = "The id of the RIR config in NetBox"), IdempotencyKey),
    request_body(content = AskFor, content_type = "application/json"),
    responses(
        (status = 201, description = "What came of it", body = AskedFor,
            links(
                ("find" = (operation_id = "find_request", parameters(("id" = "$response.body#/requests/0/id"))))
            )),
        RequestNotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn ask_for_changes(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    JsonBody(sent): JsonBody<AskFor>,
) -> Result<Response, Problem> {
    let config = user.config(id).await?.config;
    let order = sent.order(&user.name)?;
    let list = netbox::objects_path(schema::CHANGE_REQUEST);
    if order.keep && !user.netbox.may(&list, Permission::Add).await? {
        let detail = format!("{} needs the permission to add RIR change requests in NetBox", user.name);
        return Err(Problem::new(Kind::NotPermitted, detail));
    }
    let services = &app.services;
    let keys = services.keys.borrow().clone();
    let configs = services.netbox.configs().await?;
    let (netbox, arin, settings) = (&services.netbox, &services.arin, &*services.settings);
    let preparing = Preparing { netbox, arin, keys: &keys, settings };
    let prepared = preparing.prepare((&config, &configs), &order).await.map_err(not_prepared)?;
    let (mut requests, mut skipped) = (Vec::new(), Vec::new());
    for request in &prepared.requests {
        let about = request.about.clone();
        match (&request.drafted, &request.opened) {
            (Err(why), _) => skipped.push(NotAsked { about, reason: why.to_string() }),
            (Ok(_), Some(Err(why))) => skipped.push(NotAsked { about, reason: error_chain(why) }),
            (Ok(_), Some(Ok(row))) => requests.push(RequestView::from(&read(&services.netbox, *row).await?)),
            (Ok(draft), None) => requests.push(RequestView::of_draft(draft, request, (config.id, &order.user))),
        }
    }
    if let (true, [only]) = (requests.is_empty(), skipped.as_slice()) {
        return Err(Problem::new(Kind::NothingToAsk, format!("{}: {}", only.about, only.reason)));
    }
    let left_out = prepared.left_out;
    Ok((StatusCode::CREATED, Json(AskedFor { requests, skipped, left_out })).into_response())
}

/// Approves a change request. It is then sent to ARIN with your API key.
///
/// You need NetBox's permission to change it and must not have asked for it yourself, unless `requests.self_approval` is on.
#[utoipa::path(post, path = "/api/v1/requests/{id}/approve", tag = "requests", operation_id = "approve_request",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    request_body(content = ApproveRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "It is approved, and will be sent", body = RequestView),
        RequestNotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn approve_request(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    headers: HeaderMap,
    JsonBody(sent): JsonBody<ApproveRequest>,
) -> Result<Json<RequestView>, Problem> {
    visible(&user, id).await?;
    let keys = app.services.keys.borrow().clone();
    let person = Person { name: &user.name, netbox: Some(&user.netbox) };
    let configs = app.services.netbox.configs().await?;
    let decisions = decisions(&app, &keys);
    let approved = decisions.approve(&person, &configs, (id, Some(&sent.digest))).await;
    let request = approved.map_err(not_decided)?;
    let order = origin(&user, &headers, false).order(Work::Requests { config: request.config });
    // The schedule does it a little later if the queue does not take it now.
    if let Err(error) = app.services.queue.enqueue(&[order]).await {
        warn!(error = %error_chain(&error), "an approved change request has to wait for the schedule");
    }
    Ok(Json(RequestView::from(&request)))
}

/// Decides against a change request.
#[utoipa::path(post, path = "/api/v1/requests/{id}/reject", tag = "requests", operation_id = "reject_request",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    request_body(content = Option<RejectRequest>, content_type = "application/json"),
    responses(
        (status = 200, description = "It is rejected", body = RequestView),
        RequestNotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn reject_request(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    JsonBody(sent): JsonBody<RejectRequest>,
) -> Result<Json<RequestView>, Problem> {
    visible(&user, id).await?;
    let keys = app.services.keys.borrow().clone();
    let person = Person { name: &user.name, netbox: Some(&user.netbox) };
    let request = decisions(&app, &keys).reject(&person, id, &sent.reason).await.map_err(not_decided)?;
    Ok(Json(RequestView::from(&request)))
}

/// Takes back a change request that you have asked for.
#[utoipa::path(post, path = "/api/v1/requests/{id}/withdraw", tag = "requests", operation_id = "withdraw_request",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    responses(
        (status = 200, description = "It is withdrawn", body = RequestView),
        RequestNotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn withdraw_request(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
) -> Result<Json<RequestView>, Problem> {
    visible(&user, id).await?;
    let keys = app.services.keys.borrow().clone();
    let person = Person { name: &user.name, netbox: Some(&user.netbox) };
    let request = decisions(&app, &keys).withdraw(&person, id).await.map_err(not_decided)?;
    Ok(Json(RequestView::from(&request)))
}

/// Goes on with the change requests of the same RIR config now: sends what is approved, looks for what was not answered,
/// and follows tickets. Only whoever approved this one may ask for it.
#[utoipa::path(post, path = "/api/v1/requests/{id}/submit", tag = "requests", operation_id = "submit_request",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    responses(
        (status = 202, description = "A job does it", body = Accepted,
            headers(("Location" = String, description = "Path of the job"))),
        RequestNotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn submit_request(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = approved_by(&user, id).await?;
    accept(&app, origin(&user, &headers, false).order(Work::Requests { config: request.config }), job_path).await
}

/// Looks now what became of a change request that was sent. Only whoever approved it may ask for it.
#[utoipa::path(post, path = "/api/v1/requests/{id}/look", tag = "requests", operation_id = "look_at_request",
    params(("id" = Id, Path, description = "Its id in NetBox"), IdempotencyKey),
    responses(
        (status = 200, description = "The change request after the look", body = RequestView),
        RequestNotPermitted,
        NotFound,
        PostErrors))]
pub(crate) async fn look_at_request(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    PathParam(Id(id)): PathParam<Id>,
) -> Result<Json<RequestView>, Problem> {
    let request = approved_by(&user, id).await?;
    if !request.state.is_under_way() {
        let detail = format!("change request {id} is {}, so that there is nothing to look for", request.state);
        return Err(Problem::new(Kind::RequestState, detail));
    }
    let config = user.config(request.config).await?.config;
    let services = app.services.clone();
    // A caller who goes away leaves nothing half done.
    let looked = tokio::spawn(async move {
        let keys = services.keys.borrow().clone();
        let systems = (services.netbox.clone(), services.arin.clone());
        let (stop, run) = (CancellationToken::new(), format!("request-{id}"));
        Flow::new(systems, keys, services.settings.clone(), (stop, run)).go_on(&config, request, true).await
    });
    let looked = looked.await.map_err(|_| Problem::new(Kind::Internal, "the look broke off; try again"))?;
    Ok(Json(RequestView::from(&looked.map_err(not_gone_on)?.request)))
}

/// Reads a request that the caller may view, with the caller's own permission.
async fn visible(user: &User, id: RowId) -> Result<ChangeRequest, Problem> {
    let missing = || Problem::not_found("change request", id);
    let row = match user.netbox.request_row(id).await {
        Ok(row) => row.ok_or_else(missing)?,
        Err(error) if error.is_forbidden() => return Err(missing()),
        Err(error) => return Err(error.into()),
    };
    let visible = user.visible().await?;
    if !row.config.is_some_and(|config| visible.contains(&config)) {
        return Err(missing());
    }
    understood(row)
}

/// Reads a request that the caller has approved.
async fn approved_by(user: &User, id: RowId) -> Result<ChangeRequest, Problem> {
    let request = visible(user, id).await?;
    match &request.approval {
        Some(approval) if approval.by == user.name => Ok(request),
        Some(approval) => {
            let detail = format!("{} has approved change request {id}, so that only they can do this", approval.by);
            Err(Problem::new(Kind::NotPermitted, detail))
        }
        None => Err(Problem::new(Kind::RequestState, format!("change request {id} is {}", request.state))),
    }
}

async fn read(netbox: &netbox::Client, id: RowId) -> Result<ChangeRequest, Problem> {
    understood(netbox.request_row(id).await?.ok_or_else(|| Problem::not_found("change request", id))?)
}

fn understood(row: RequestRow) -> Result<ChangeRequest, Problem> {
    row.try_into()
        .map_err(|error: crate::requests::NotUnderstood| Problem::new(Kind::RequestState, error_chain(&error)))
}

fn decisions<'a>(app: &'a App, keys: &'a crate::config::keys::Keyring) -> Decisions<'a> {
    let services = &app.services;
    let (netbox, arin, settings) = (&services.netbox, &services.arin, &services.settings.requests);
    Decisions { netbox, arin, keys, settings, now: Timestamp::now() }
}

fn refused(error: netbox::Error, user: &User, what: &str) -> Problem {
    if error.is_forbidden() {
        let detail = format!("{} needs the permission to {what} RIR change requests in NetBox", user.name);
        return Problem::new(Kind::NotPermitted, detail);
    }
    error.into()
}

fn not_prepared(error: NotPrepared) -> Problem {
    let text = error_chain(&error);
    match error {
        NotPrepared::Read(error) => error.into(),
        NotPrepared::NoKey(_) => Problem::new(Kind::NoApiKey, text),
        NotPrepared::NoClient(_) | NotPrepared::NoInstance(_) => Problem::new(Kind::NoConfig, text),
        NotPrepared::NoSeal => Problem::new(Kind::RequestsDisabled, text),
        NotPrepared::NotDecided(error) => not_decided(error),
        NotPrepared::NoFinding(_) | NotPrepared::NotAskedFor(_) => Problem::new(Kind::NothingToAsk, text),
    }
}

fn not_decided(error: NotDecided) -> Problem {
    let (kind, text) = (error.kind(), error_chain(&error));
    match (kind, error) {
        (_, NotDecided::Read(_, error)) => error.into(),
        (crate::requests::NotDecidedKind::NotPermitted, _) => Problem::new(Kind::NotPermitted, text),
        (crate::requests::NotDecidedKind::NotFound, _) => Problem::new(Kind::NotFound, text),
        (crate::requests::NotDecidedKind::Disabled, _) => Problem::new(Kind::RequestsDisabled, text),
        (crate::requests::NotDecidedKind::NoKey, _) => Problem::new(Kind::NoApiKey, text),
        (crate::requests::NotDecidedKind::Unavailable, _) => Problem::new(Kind::NetboxUnavailable, text),
        (crate::requests::NotDecidedKind::State, _) => Problem::new(Kind::RequestState, text),
    }
}

fn not_gone_on(error: NotGoneOn) -> Problem {
    let text = error_chain(&error);
    match error {
        NotGoneOn::Read { why, .. } => why.into(),
        NotGoneOn::Disabled => Problem::new(Kind::RequestsDisabled, text),
        NotGoneOn::NoKey { .. } => Problem::new(Kind::NoApiKey, text),
        NotGoneOn::NotDecided(error) => not_decided(error),
        NotGoneOn::Save { why, .. } if why.retry() != Retry::Never => Problem::new(Kind::NetboxUnavailable, text),
        NotGoneOn::NotSealed(_)
        | NotGoneOn::NotUnderstood(_)
        | NotGoneOn::OtherApprover { .. }
        | NotGoneOn::NoIntent(..)
        | NotGoneOn::NoConfig(_)
        | NotGoneOn::NoClient { .. }
        | NotGoneOn::NotChecked { .. }
        | NotGoneOn::Changed(_)
        | NotGoneOn::Stopped(_)
        | NotGoneOn::Save { .. } => Problem::new(Kind::RequestState, text),
    }
}

impl AskFor {
    /// Reads what is asked for.
    fn order(self, user: &str) -> Result<Order, Problem> {
        let invalid = |detail: String| Problem::new(Kind::NothingToAsk, detail);
        let handle = |field: &str, text: &str| invalid(format!("`{field}`: `{text}` is no handle"));
        let prefix = self.prefix.as_deref().map(str::parse).transpose();
        let prefix = prefix.map_err(|error| invalid(format!("`prefix`: {error}")))?.map(OrderSubject::Prefix);
        let aggregate = self.aggregate.as_deref().map(str::parse).transpose();
        let aggregate = aggregate.map_err(|error| invalid(format!("`aggregate`: {error}")))?;
        let network = |text: &String| NetHandle::new(text).ok_or_else(|| handle("network", text));
        let customer = |text: &String| CustomerHandle::new(text).ok_or_else(|| handle("customer", text));
        let all = [
            prefix,
            self.network.as_ref().map(network).transpose()?.map(OrderSubject::Network),
            self.customer.as_ref().map(customer).transpose()?.map(OrderSubject::Customer),
            self.finding.map(|Id(id)| OrderSubject::Finding(id)),
            aggregate.map(OrderSubject::Aggregate),
            self.request.map(|Id(id)| OrderSubject::Request(id)),
        ];
        let mut given = all.into_iter().flatten();
        let (Some(subject), None) = (given.next(), given.next()) else {
            let detail = "send exactly one of `prefix`, `network`, `customer`, `finding`, `aggregate`, `request`";
            return Err(invalid(detail.to_owned()));
        };
        let chosen: Option<Choice> = match &self.operation {
            Some(text) => Some(text.parse().map_err(|error| invalid(format!("`operation`: {error}")))?),
            None => None,
        };
        let org = |text: &String| OrgHandle::new(text).ok_or_else(|| handle("org", text));
        let org = self.org.as_ref().map(org).transpose()?;
        let mut set = Fields::default();
        for (name, value) in &self.set {
            set.set(name, value).map_err(|error| invalid(format!("`set`: {error}")))?;
        }
        Ok(Order { user: user.to_owned(), subject, chosen, org, set, keep: !self.plan_only })
    }
}
