//! Change requests for people.

use comfy_table::{Cell, Color};

use crate::{
    cli::output,
    http::RequestView,
    requests::{State, Verdict},
};

/// Describes requests in a table, a line for each.
pub(in crate::cli) fn table(views: &[RequestView]) -> String {
    if views.is_empty() {
        return "no change requests".to_owned();
    }
    let header = ["id", "state", "what", "asked by", "approved by", "message"];
    let rows = views.iter().map(|view| {
        vec![
            Cell::new(view.id.map(|id| id.to_string()).unwrap_or_default()),
            state(&view.state),
            Cell::new(&view.summary),
            Cell::new(view.requested_by.as_deref().unwrap_or_default()),
            Cell::new(view.approved_by.as_deref().unwrap_or_default()),
            Cell::new(view.message.as_deref().unwrap_or_default()),
        ]
    });
    output::table(&header, rows.collect(), header.len())
}

/// Describes requests with all that is sent and all that was checked.
pub(in crate::cli) fn details(views: &[RequestView]) -> String {
    views.iter().map(detail).collect::<Vec<_>>().join("\n\n")
}

fn detail(view: &RequestView) -> String {
    let id = view.id.map_or_else(|| "not kept".to_owned(), |id| format!("request {id}"));
    let mut lines = vec![format!("{} ({id})", view.summary)];
    let by = |name: &Option<String>, at: Option<jiff::Timestamp>| {
        let at = at.map(|at| format!(", {}", at.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
        name.as_ref().map(|name| format!("{name}{at}"))
    };
    let facts = [
        ("state", Some(view.state.clone())),
        ("operation", Some(view.operation.clone())),
        ("range", view.range.clone()),
        ("parent", view.parent.clone()),
        ("asked by", by(&view.requested_by, view.requested_at)),
        ("approved by", by(&view.approved_by, view.approved_at)),
        ("approval ends", view.expires.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())),
        ("ticket", view.ticket.clone()),
        ("network", view.network.clone()),
        ("customer", view.customer.clone()),
        ("digest", view.digest.clone()),
        ("message", view.message.clone()),
    ];
    lines.extend(facts.into_iter().filter_map(|(name, value)| Some(format!("{name:>14}  {}", value?))));
    if !view.missing.is_empty() {
        lines.push("Missing:".to_owned());
        lines.extend(view.missing.iter().map(|missing| format!("  {}: {}", missing.what, missing.where_to)));
    }
    if !view.folded.is_empty() {
        lines.push("Written in other letters:".to_owned());
        let folded = view.folded.iter();
        lines.extend(folded.map(|folded| format!("  {}: `{}` for `{}`", folded.field, folded.to, folded.from)));
    }
    if !view.checks.is_empty() {
        lines.push("Checks:".to_owned());
        let verdict = |verdict| match verdict {
            Verdict::Passed => "passed ",
            Verdict::Look => "LOOK   ",
            Verdict::Blocked => "BLOCKED",
        };
        let checks = view.checks.iter();
        lines.extend(checks.map(|check| format!("  {} {}: {}", verdict(check.verdict), check.name, check.reason)));
    }
    if let Some(payload) = &view.payload {
        lines.push(format!("Sent, word for word: {} /rest/{}", payload.method, payload.path));
        lines.extend(payload.body.iter().flat_map(|body| body.lines()).map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// Returns a state, in the colour that it has in NetBox where that says something.
fn state(name: &str) -> Cell {
    let cell = Cell::new(name);
    match name.parse() {
        Ok(State::Done) => cell.fg(Color::Green),
        Ok(State::Refused | State::Failed) => cell.fg(Color::Red),
        Ok(State::Waiting | State::Unknown) => cell.fg(Color::Yellow),
        Ok(
            State::Draft
            | State::Approved
            | State::Submitting
            | State::Ticket
            | State::Rejected
            | State::Withdrawn
            | State::Expired,
        )
        | Err(_) => cell,
    }
}
