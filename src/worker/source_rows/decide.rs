//! What NetBox is to be told of a mirrored source, and when: pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    config::{IrrSource, SourceKind},
    irr::{
        rejects::{LeftOut, Rejects},
        rpsl::Class,
        store::SourceState,
        update::{Did, Updated},
    },
    netbox::{
        IrrSourceRow,
        irr_sources::{BEHIND, FRESH, REFUSED, REMOVED},
    },
};

/// The type of object in the log for a source, and for its objects that are no routes.
pub(super) const SOURCE: &str = "irr-source";
/// The type of object in the log for a route.
pub(super) const ROUTE: &str = "route";

/// The shortest time between two writes of which the message or the number of objects is the reason.
const FOR_DETAILS: SignedDuration = SignedDuration::from_hours(1);
/// The shortest time between two writes of which nothing is the reason but that the source went on.
const FOR_PROGRESS: SignedDuration = SignedDuration::from_hours(24);

/// What is noted of what NetBox was told of a source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    /// Its row; `None` if that is not known.
    pub(super) written: Option<WrittenRow>,
    /// The objects that were left out and of which the log does not tell yet.
    pub(super) left_out: Rejects,
}

/// A row as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct WrittenRow {
    pub(super) row: IrrSourceRow,
    pub(super) at: Timestamp,
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogEntry {
    pub(super) object_type: &'static str,
    pub(super) handle: String,
    pub(super) status: &'static str,
    pub(super) message: String,
}

/// Returns the row of a source that stands so.
pub(super) fn row_of(source: &IrrSource, state: &SourceState) -> IrrSourceRow {
    let SourceState { holding, notes, .. } = state;
    let seconds = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
    let number = |number: u64| i64::try_from(number).ok();
    let (code, message) = match (&notes.trouble, &notes.refused) {
        (None, _) => (FRESH, ""),
        (Some(trouble), Some(_)) => (REFUSED, trouble.message.as_str()),
        (Some(trouble), None) => (BEHIND, trouble.message.as_str()),
    };
    IrrSourceRow {
        name: source.name.to_string(),
        kind: match source.kind {
            SourceKind::Mirror => "mirror".to_owned(),
            SourceKind::Query => "query".to_owned(),
            SourceKind::Rpki => "rpki".to_owned(),
        },
        state: code.to_owned(),
        message: message.to_owned(),
        serial: holding.as_ref().and_then(|holding| holding.serial).and_then(|serial| number(serial.0)),
        object_count: holding.as_ref().and_then(|holding| number(holding.objects)),
        last_checked: notes.checked.map(seconds),
        last_changed: notes.changed.map(seconds),
    }
}

/// Returns whether a row is to be written, as each write is an entry in NetBox's change log:
///
/// - at once, if there is none, or the state or the kind is another one;
/// - an hour after the last write, if the message or the number of objects is another one. The latter is that of the last
///   snapshot, and so changes with a full import or a compaction;
/// - a day after the last write, if anything is another one: the serial, or when the source was checked or changed.
pub(super) fn is_due(written: Option<&WrittenRow>, wanted: &IrrSourceRow, now: Timestamp) -> bool {
    let Some(WrittenRow { row, at }) = written else { return true };
    // A clock that was put back must not keep a row from being written.
    let since = now.duration_since(*at).abs();
    let is_another = row.state != wanted.state || row.kind != wanted.kind;
    let has_other_details = row.message != wanted.message || row.object_count != wanted.object_count;
    is_another || (has_other_details && since >= FOR_DETAILS) || (row != wanted && since >= FOR_PROGRESS)
}

/// Returns the row of a source that is not mirrored any more; `None` if it says so already.
pub(super) fn removed(row: &IrrSourceRow) -> Option<IrrSourceRow> {
    let message = String::new();
    (row.state != REMOVED).then(|| IrrSourceRow { state: REMOVED.to_owned(), message, ..row.clone() })
}

/// Returns the objects that a run has left out. One that failed may have taken a dump before.
pub(super) fn left_out(before: &SourceState, after: &SourceState, updated: Option<&Updated>) -> Rejects {
    let generation = |state: &SourceState| state.holding.as_ref().map(|holding| holding.generation);
    match updated {
        Some(updated) => updated.rejects.clone(),
        None if generation(before) != generation(after) => after.notes.rejected.clone(),
        None => Rejects::default(),
    }
}

/// Returns what the log tells of a run: that a dump was taken, that trouble begins, is another one or has ended, and which
/// objects were left out, as far as they are known one by one.
pub(super) fn log_entries(
    before: Option<&IrrSourceRow>,
    wanted: &IrrSourceRow,
    updated: Option<&Updated>,
    left_out: &Rejects,
) -> Vec<LogEntry> {
    let of_source = |status, message| LogEntry { object_type: SOURCE, handle: wanted.name.clone(), status, message };
    let state = before.map(|row| row.state.as_str());
    let is_well = wanted.state == FRESH;
    let imported = updated.filter(|updated| matches!(updated.did, Did::Imported(_) | Did::Answered(_)));
    let of_run = match (imported, state) {
        (Some(updated), _) => Some(of_source("success", updated.to_string())),
        (None, Some(BEHIND | REFUSED)) if is_well => Some(of_source("success", "up to date again".to_owned())),
        (None, state) if !is_well && state != Some(&*wanted.state) => Some(of_source("error", wanted.message.clone())),
        (None, _) => None,
    };
    let more = left_out.total().saturating_sub(u64::try_from(left_out.examples.len()).unwrap_or(u64::MAX));
    let counts = || {
        let count = |(reason, count): (&String, &u64)| format!("{reason}: {count}");
        left_out.by_reason.iter().map(count).collect::<Vec<_>>().join(", ")
    };
    let objects = if more == 1 { "object" } else { "objects" };
    let of_more =
        (more > 0).then(|| of_source("error", format!("{more} more {objects} left out; in all {}", counts())));
    let of_objects = left_out.examples.iter().map(|one| of_object(&wanted.name, one));
    of_run.into_iter().chain(of_objects).chain(of_more).collect()
}

fn of_object(source: &str, left_out: &LeftOut) -> LogEntry {
    let LeftOut { class, begins, reason } = left_out;
    let (object_type, handle) = match class {
        Some(Class::Route | Class::Route6) => (ROUTE, left_out.handle().to_owned()),
        Some(_) | None => (SOURCE, source.to_owned()),
    };
    let message = format!("{source}: {begins:?} is left out: {reason}");
    LogEntry { object_type, handle, status: "error", message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::irr::{
        source::Serial,
        store::{Holding, RefusedShrink, Unusable},
    };

    const START: i64 = 1_750_000_000;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(START + minutes * 60).unwrap()
    }

    fn source() -> IrrSource {
        toml::from_str("name = 'radb'\ndumps = ['https://rr.example.net/radb.db.gz']").unwrap()
    }

    fn held(objects: u64, serial: u64) -> SourceState {
        let holding = Holding {
            generation: objects,
            blocks: 1,
            objects,
            bytes: 0,
            stored: 0,
            made: at(0),
            snapshot_serial: Some(Serial(1)),
            serial: Some(Serial(serial)),
            tail: 0,
        };
        let mut state = SourceState { holding: Some(holding), ..SourceState::default() };
        state.notes.checked = Some(at(0));
        state
    }

    fn in_trouble(message: &str) -> SourceState {
        let mut state = held(10, 5);
        state.notes.fail(message.to_owned(), Unusable::Not, at(1));
        state
    }

    fn row(state: &SourceState) -> IrrSourceRow {
        row_of(&source(), state)
    }

    fn told(row: &IrrSourceRow) -> String {
        let IrrSourceRow { name, kind, state, message, serial, object_count, last_checked, last_changed } = row;
        format!("{name} {kind} {state} {message:?} {serial:?} {object_count:?} {last_checked:?} {last_changed:?}")
    }

    #[test]
    fn a_row_says_how_its_source_stands() {
        let mut refused = in_trouble("the dump has 1 objects and 10 are held");
        refused.notes.refused = Some(RefusedShrink { objects: 1, at: at(1) });
        refused.notes.changed = Some("2026-01-31T12:00:00.9Z".parse().unwrap());
        let beyond = held(10, u64::MAX);
        let rows = [SourceState::default(), held(10, 5), in_trouble("no answer"), refused, beyond];
        insta::assert_snapshot!(rows.map(|state| told(&row(&state))).join("\n"), @r#"
        RADB mirror fresh "" None None None None
        RADB mirror fresh "" Some(5) Some(10) Some(2025-06-15T15:06:40Z) None
        RADB mirror behind "no answer" Some(5) Some(10) Some(2025-06-15T15:06:40Z) None
        RADB mirror refused "the dump has 1 objects and 10 are held" Some(5) Some(10) Some(2025-06-15T15:06:40Z) Some(2026-01-31T12:00:00Z)
        RADB mirror fresh "" None Some(10) Some(2025-06-15T15:06:40Z) None
        "#);
    }

    /// The minutes after a first write at which the row of another state is due.
    fn due_after(first: &SourceState, then: &SourceState) -> Option<i64> {
        let written = WrittenRow { row: row(first), at: at(0) };
        (0..3 * 24 * 60).find(|minutes| is_due(Some(&written), &row(then), at(*minutes)))
    }

    #[test]
    fn a_row_is_written_for_what_a_person_would_look_at() {
        assert!(is_due(None, &row(&held(10, 5)), at(0)), "there is none");
        assert_eq!(due_after(&held(10, 5), &held(10, 5)), None, "nothing is another");
        assert_eq!(due_after(&held(10, 5), &in_trouble("no answer")), Some(0));
        assert_eq!(due_after(&in_trouble("no answer"), &held(10, 5)), Some(0));
        assert_eq!(due_after(&in_trouble("no answer"), &in_trouble("no answer")), None);
        assert_eq!(due_after(&in_trouble("no answer"), &in_trouble("denied")), Some(60));
        assert_eq!(due_after(&held(10, 5), &held(11, 5)), Some(60));
        assert_eq!(due_after(&held(10, 5), &held(10, 6)), Some(24 * 60));
        let mut checked = held(10, 5);
        checked.notes.checked = Some(at(5));
        assert_eq!(due_after(&held(10, 5), &checked), Some(24 * 60));
        let gone = WrittenRow { row: removed(&row(&held(10, 5))).unwrap(), at: at(0) };
        assert!(is_due(Some(&gone), &row(&held(10, 5)), at(0)), "it is mirrored again");
        let of_tomorrow = WrittenRow { row: row(&held(10, 5)), at: at(24 * 60) };
        assert!(is_due(Some(&of_tomorrow), &row(&held(10, 6)), at(0)), "a clock that was put back");
    }

    #[test]
    fn a_source_that_follows_for_a_day_is_written_once_more() {
        let mut written: Option<WrittenRow> = None;
        let mut writes = 0;
        for (minutes, serial) in (0..=24 * 60).step_by(5).zip(1..) {
            let mut state = held(10, serial);
            (state.notes.checked, state.notes.changed) = (Some(at(minutes)), Some(at(minutes)));
            if is_due(written.as_ref(), &row(&state), at(minutes)) {
                written = Some(WrittenRow { row: row(&state), at: at(minutes) });
                writes += 1;
            }
        }
        assert_eq!(writes, 2);
    }

    #[test]
    fn a_row_is_marked_once() {
        let gone = removed(&row(&in_trouble("no answer"))).unwrap();
        assert_eq!((gone.state.as_str(), gone.message.as_str(), gone.object_count), (REMOVED, "", Some(10)));
        assert_eq!(removed(&gone), None);
    }

    fn one(class: Option<Class>, begins: &str) -> LeftOut {
        LeftOut { class, begins: begins.to_owned(), reason: "no good (serial 7)".to_owned() }
    }

    fn log(before: Option<&SourceState>, then: &SourceState, did: Option<Did>, left_out: &Rejects) -> String {
        let (before, wanted) = (before.map(row), row(then));
        let updated = did.map(|did| Updated { did, serial: Some(Serial(5)), rejects: left_out.clone() });
        let entries = log_entries(before.as_ref(), &wanted, updated.as_ref(), left_out);
        let told = |entry: &LogEntry| {
            let LogEntry { object_type, handle, status, message } = entry;
            format!("{object_type} {handle} {status}: {message}")
        };
        entries.iter().map(told).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_log_tells_when_trouble_begins_and_when_it_ends() {
        let (well, behind, none) = (held(10, 5), in_trouble("no answer"), Rejects::default());
        let mut refused = in_trouble("few objects");
        refused.notes.refused = Some(RefusedShrink { objects: 1, at: at(1) });
        let followed = Some(Did::Followed(3));
        assert_eq!(log(Some(&well), &well, followed, &none), "");
        assert_eq!(log(Some(&well), &behind, None, &none), "irr-source RADB error: no answer");
        assert_eq!(log(None, &behind, None, &none), "irr-source RADB error: no answer");
        assert_eq!(log(Some(&behind), &in_trouble("denied"), None, &none), "");
        assert_eq!(log(Some(&behind), &refused, None, &none), "irr-source RADB error: few objects");
        assert_eq!(log(Some(&behind), &well, followed, &none), "irr-source RADB success: up to date again");
        let taken = "irr-source RADB success: took a dump with 10 objects, serial 5";
        assert_eq!(log(None, &well, Some(Did::Imported(10)), &none), taken);
        assert_eq!(log(Some(&refused), &well, Some(Did::Imported(10)), &none), taken);
    }

    #[test]
    fn the_log_tells_of_some_objects_that_were_left_out_and_of_the_number_of_the_others() {
        let examples = vec![
            one(Some(Class::Route6), "route6:   2001:db8::/32"),
            one(Some(Class::Mntner), "mntner: MAINT-SAMPLE"),
            one(None, "poem"),
        ];
        let counts = [("host-bits".to_owned(), 4), ("unknown-class".to_owned(), 1)];
        let left_out = Rejects { by_reason: counts.into(), examples };
        let well = held(10, 5);
        insta::assert_snapshot!(log(Some(&well), &well, Some(Did::Followed(3)), &left_out), @r#"
        route 2001:db8::/32 error: RADB: "route6:   2001:db8::/32" is left out: no good (serial 7)
        irr-source RADB error: RADB: "mntner: MAINT-SAMPLE" is left out: no good (serial 7)
        irr-source RADB error: RADB: "poem" is left out: no good (serial 7)
        irr-source RADB error: 2 more objects left out; in all host-bits: 4, unknown-class: 1
        "#);
    }

    #[test]
    fn what_a_dump_lacks_is_told_even_if_the_changes_after_it_do_not_come() {
        let (before, mut after) = (held(10, 5), held(11, 5));
        after.notes.rejected = Rejects { by_reason: [("host-bits".to_owned(), 1)].into(), examples: Vec::new() };
        assert_eq!(left_out(&before, &after, None).total(), 1);
        assert_eq!(left_out(&after, &after, None).total(), 0, "they were told before");
        let updated = Updated { did: Did::Nothing, serial: None, rejects: Rejects::default() };
        assert_eq!(left_out(&before, &after, Some(&updated)).total(), 0);
    }
}
