//! Previews and the ends of runs for people: what `rir-sidecar sync` prints, and the HTTP API answers as text.

use super::{
    json::{InFullView, ObjectView, RunView},
    outcome::Counts,
    report::spared,
    result::Verdict,
};

/// Returns the first line of a preview; a line or more for each of its rows follow.
#[must_use]
pub fn heading(preview: &RunView) -> String {
    let written = |counts: &Counts| counts.created + counts.updated + counts.retired;
    match preview.counts.values().map(written).sum::<usize>() {
        0 if preview.reason.is_none() => format!("{}: nothing to write\n", preview.config),
        rows => format!("{}: {rows} rows to write\n", preview.config),
    }
}

/// Returns what stands below the rows of a preview: what could not be found out, how it ended, and its digest.
#[must_use]
pub fn closing(preview: &RunView) -> String {
    let failed = |ObjectView { object, handle, message }: &ObjectView| format!("failed {object} {handle}: {message}\n");
    let mut text: String = preview.failures.iter().map(failed).collect();
    for (object, rows) in &preview.withheld {
        text.push_str(&format!("{rows} rows about {object} are left out: you may not view them in NetBox\n"));
    }
    text.push_str(&ending(preview));
    if let Some(digest) = &preview.digest {
        text.push_str(&format!("plan {digest}\n"));
    }
    text
}

/// Describes the end of a run: the reason if it came early, and the number of requests.
#[must_use]
pub fn ending(run: &RunView) -> String {
    let RunView { run_id, arin_requests, netbox_requests, duration_seconds, .. } = run;
    let spared = spared(run.listing_requests, run.spared);
    let in_full: String = run
        .in_full
        .iter()
        .map(|InFullView { aggregate, reason }| format!("{aggregate} was asked for in full: {reason}\n"))
        .collect();
    let early = match (&run.reason, run.result) {
        (Some(reason), result) => format!("{result}: {reason}\n"),
        (None, Verdict::Interrupted) => "interrupted: the next run goes on from here\n".to_owned(),
        (None, Verdict::Unchanged | Verdict::Changed | Verdict::Partial | Verdict::Refused | Verdict::Failed) => {
            String::new()
        }
    };
    format!(
        "{in_full}{early}run {run_id}: {arin_requests} requests to ARIN{spared}, {netbox_requests} to NetBox, \
         {duration_seconds:.1} s\n"
    )
}
