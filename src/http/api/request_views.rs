//! Change requests as the API and `rir-sidecar requests` show them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    arin::{Call, Verb},
    error_chain::error_chain,
    model::RowId,
    netbox::RequestRow,
    requests::{ChangeRequest, Check, Content, Folded, Missing, PreparedRequest, draft::Draft},
};

/// A change request, as the API and the command line show it.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ChangeRequest)]
pub struct RequestView {
    /// Its id in NetBox; none for one that was not kept.
    pub(crate) id: Option<RowId>,
    /// A sentence that says what it is about.
    pub(crate) summary: String,
    /// How far it has come: `draft`, `waiting`, `approved`, `submitting`, `unknown`, `ticket`, `done`, `refused`, `rejected`,
    /// `withdrawn`, `expired` or `failed`.
    #[schema(example = "waiting")]
    pub(crate) state: String,
    /// What ARIN is asked for.
    #[schema(example = "reassign-simple")]
    pub(crate) operation: String,
    /// The RIR config.
    pub(crate) config: Option<RowId>,
    /// The range that it is about.
    #[schema(example = "192.0.2.0 - 192.0.2.255")]
    pub(crate) range: Option<String>,
    /// The net that it is cut from.
    pub(crate) parent: Option<String>,
    /// What is sent, word for word; none while something is missing.
    pub(crate) payload: Option<PayloadView>,
    /// The digest of what is sent. Whoever approves it gives this, so that nothing else is approved.
    pub(crate) digest: Option<String>,
    /// What was checked at ARIN and in NetBox.
    pub(crate) checks: Vec<Check>,
    /// What is missing, and where to put it.
    pub(crate) missing: Vec<Missing>,
    /// Texts that ARIN gets in other letters than NetBox has them.
    pub(crate) folded: Vec<Folded>,
    /// What there is to say of it now: ARIN's words, or what somebody has to do.
    pub(crate) message: Option<String>,
    /// The number of ARIN's ticket.
    pub(crate) ticket: Option<String>,
    /// The row of the prefix that it is about.
    pub(crate) prefix: Option<RowId>,
    /// The handle of the net that it is about, or that it made.
    pub(crate) network: Option<String>,
    /// The handle of the customer that it is about, or that it made.
    pub(crate) customer: Option<String>,
    /// Who asked for it.
    pub(crate) requested_by: Option<String>,
    /// The time at which they did.
    pub(crate) requested_at: Option<Timestamp>,
    /// Who approved it.
    pub(crate) approved_by: Option<String>,
    /// The time at which they did.
    pub(crate) approved_at: Option<Timestamp>,
    /// The time at which the approval ends.
    pub(crate) expires: Option<Timestamp>,
    /// The time at which it was sent.
    pub(crate) submitted_at: Option<Timestamp>,
    /// What was registered before, which it takes to register it again.
    #[schema(value_type = Option<Object>)]
    pub(crate) before: Value,
}

/// A call to ARIN, word for word.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payload)]
pub(crate) struct PayloadView {
    /// `PUT` or `DELETE`.
    #[schema(value_type = String, example = "PUT")]
    pub(crate) method: Verb,
    /// The path behind `/rest/`.
    #[schema(example = "net/NET-192-0-0-0-1/reassign")]
    pub(crate) path: String,
    /// The XML document.
    pub(crate) body: Option<String>,
}

impl PayloadView {
    fn of(call: &Call) -> Self {
        let Call { method, path, query, body } = call;
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        Self { method: *method, path: format!("{}{query}", path.join("/")), body: body.clone() }
    }
}

impl From<&ChangeRequest> for RequestView {
    fn from(request: &ChangeRequest) -> Self {
        let Content { call, before, missing, folded, checks, .. } = request.content.clone();
        let approval = request.approval.as_ref();
        Self {
            id: Some(request.id),
            summary: request.summary.clone(),
            state: request.state.name().to_owned(),
            operation: request.operation.name().to_owned(),
            config: Some(request.config),
            range: request.range.map(|range| range.to_string()),
            parent: request.parent.as_ref().map(ToString::to_string),
            payload: call.as_ref().map(PayloadView::of),
            digest: request.digest.clone(),
            checks,
            missing,
            folded,
            message: request.message.clone(),
            ticket: request.ticket.clone(),
            prefix: request.links.prefix,
            network: request.network().map(|handle| handle.to_string()),
            customer: request.customer().map(|handle| handle.to_string()),
            requested_by: Some(request.requested_by.clone()),
            requested_at: Some(request.requested_at),
            approved_by: approval.map(|approval| approval.by.clone()),
            approved_at: approval.map(|approval| approval.at),
            expires: approval.map(|approval| approval.expires),
            submitted_at: request.submitted_at,
            before,
        }
    }
}

impl RequestView {
    /// Shows a row. One that makes no sense is shown as far as it does, with the reason as its message.
    #[must_use]
    pub fn of_row(row: RequestRow) -> Self {
        match ChangeRequest::try_from(row.clone()) {
            Ok(request) => Self::from(&request),
            Err(error) => Self {
                id: Some(row.id),
                summary: row.summary,
                state: row.state,
                operation: row.operation,
                config: row.config,
                range: row.range,
                parent: row.parent_handle,
                message: Some(error_chain(&error)),
                ticket: row.ticket,
                prefix: row.links.prefix,
                requested_by: row.requested_by,
                requested_at: row.requested_at,
                approved_by: row.approved_by,
                approved_at: row.approved_at,
                expires: row.expires,
                submitted_at: row.submitted_at,
                ..Self::default()
            },
        }
    }

    /// Shows a draft that was not kept, for the config and whoever asked.
    #[must_use]
    pub fn of_draft(draft: &Draft, request: &PreparedRequest, (config, user): (RowId, &str)) -> Self {
        let Content { call, before, missing, folded, checks, .. } = draft.content.clone();
        Self {
            summary: draft.summary.clone(),
            state: request.state().name().to_owned(),
            operation: draft.operation.name().to_owned(),
            config: Some(config),
            range: draft.range.map(|range| range.to_string()),
            parent: draft.parent.as_ref().map(ToString::to_string),
            payload: call.as_ref().map(PayloadView::of),
            digest: request.digest.clone(),
            checks,
            missing,
            folded,
            message: request.message(),
            prefix: draft.links.prefix,
            requested_by: Some(user.to_owned()),
            before,
            ..Self::default()
        }
    }
}
