//! The findings of the RIR configs that the caller may view.
//!
//! They are read with the caller's own permission. Their order is that of `findings::order`, which no list of NetBox
//! has: so each page is cut from all of them, and a cursor is the place of the last finding on the page before. What was
//! resolved or added meanwhile does not move the others.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    finding_views::{ConfigSources, FindingView, Findings},
    pages::{cut, page_size},
};
use crate::{
    findings::{Kind as FindingKind, Level, order::place, sources},
    http::{
        app::App,
        auth::{caller::Caller, users::User},
        error_responses::{ApiErrors, FindingsNotPermitted},
        extract::{Id, QueryParams},
        problem::{Kind, Problem},
    },
    model::RowId,
    netbox::{
        self, FindingFilter, FindingRow,
        findings::{OPEN, RESOLVED},
    },
};

/// The findings in a page that names no `limit`.
const DEFAULT_PAGE: usize = 50;
/// The most findings in a page.
const LARGEST_PAGE: usize = 200;

/// The findings to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListFindings {
    /// Only those of this RIR config.
    #[param(value_type = Option<Id>)]
    config: Option<Id>,
    /// Only those of this kind.
    #[param(inline)]
    kind: Option<FindingKind>,
    /// Only those of this level.
    #[param(inline)]
    level: Option<Level>,
    /// Those in this state; if it is left out, the open ones.
    #[param(inline)]
    state: Option<WantedState>,
    /// Only those that the operator has said to ignore, or only the others.
    ignored: Option<bool>,
    /// Go on after the page that gave this as `next_cursor`.
    cursor: Option<String>,
    /// The most findings in the answer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
}

/// The state of the findings that are wanted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WantedState {
    Open,
    Resolved,
    Any,
}

/// Lists findings: where the address plan and the registry differ, and by when that has to be put right.
///
/// They come by level, the earliest due date, kind and subject. `sources` says where it is known from what is
/// registered, and as of when.
#[utoipa::path(get, path = "/api/v1/findings", tag = "findings", operation_id = "list_findings", params(ListFindings),
    responses(
        (status = 200, description = "Those of configs that you may view", body = Findings),
        FindingsNotPermitted,
        ApiErrors))]
pub(crate) async fn list_findings(
    State(app): State<Arc<App>>,
    Caller(user): Caller,
    QueryParams(asked): QueryParams<ListFindings>,
) -> Result<Json<Findings>, Problem> {
    let limit = page_size(asked.limit, DEFAULT_PAGE, LARGEST_PAGE)?;
    let wanted = asked.config.map(|Id(id)| id);
    let visible = user.configs().await?.into_iter().map(|row| (row.config.id, row.config.name));
    let configs: BTreeMap<RowId, String> =
        visible.filter(|(id, _)| wanted.is_none_or(|wanted| wanted == *id)).collect();
    let rows = user.netbox.finding_rows(&asked.filter()).await.map_err(|error| refused(error, &user))?;
    let rows = rows.into_iter().filter(|row| row.config.is_some_and(|config| configs.contains_key(&config)));
    let (page, next_cursor) = asked.page(rows, limit);
    let view = |row: FindingRow| {
        let name = row.config.and_then(|config| configs.get(&config).cloned());
        FindingView::new(row, name)
    };
    let findings = page.into_iter().map(view).collect();
    // Numbers and times only, and of configs that the caller may view: so the looks themselves take no permission.
    let mut known = sources(&app.services.netbox.looks_without_nets().await?);
    let sources = |(id, name): (RowId, String)| ConfigSources::new((id, name), known.remove(&id).unwrap_or_default());
    let sources = configs.into_iter().map(sources).collect();
    Ok(Json(Findings { findings, next_cursor, sources }))
}

fn refused(error: netbox::Error, user: &User) -> Problem {
    if error.is_forbidden() {
        let detail = format!("{} needs the permission to view RIR findings in NetBox", user.name);
        return Problem::new(Kind::NotPermitted, detail);
    }
    error.into()
}

impl ListFindings {
    /// Returns what NetBox can filter.
    fn filter(&self) -> FindingFilter {
        let state = match self.state {
            None | Some(WantedState::Open) => Some(OPEN),
            Some(WantedState::Resolved) => Some(RESOLVED),
            Some(WantedState::Any) => None,
        };
        FindingFilter { config: self.config.map(|Id(id)| id), state: state.map(str::to_owned) }
    }

    /// Cuts a page from all findings, and says where the next one begins.
    fn page(&self, rows: impl Iterator<Item = FindingRow>, limit: usize) -> (Vec<FindingRow>, Option<String>) {
        cut(rows.filter(|row| self.wants(row)), place, self.cursor.as_deref(), limit)
    }

    fn wants(&self, row: &FindingRow) -> bool {
        self.kind.is_none_or(|kind| row.kind == kind.name())
            && self.level.is_none_or(|level| row.level == level.name())
            && self.ignored.is_none_or(|ignored| row.ignore == ignored)
    }
}
