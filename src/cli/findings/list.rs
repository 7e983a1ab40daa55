//! What is shown, and what people have to know beside it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{findings::Sources, model::RowId, netbox::FindingRow};

/// The findings to show.
pub(super) struct List {
    /// The names of the chosen configs.
    pub(super) configs: BTreeMap<RowId, String>,
    pub(super) sources: BTreeMap<RowId, Sources>,
    /// As people read them.
    pub(super) rows: Vec<FindingRow>,
    /// The number of ignored ones that are not shown.
    pub(super) ignored: usize,
    /// The slugs of the own tenants and tenant groups; `None` while nobody has said.
    pub(super) own: Option<BTreeSet<String>>,
    /// The day in UTC, by which due dates go.
    pub(super) today: Date,
}

/// An overdue finding.
#[cfg(test)]
pub(super) fn row(id: u64) -> FindingRow {
    use crate::{
        model::Key,
        netbox::findings::{Linked, LinkedObjects, OPEN},
    };

    FindingRow {
        id: RowId(id),
        key: Key::recorded(id.to_string()),
        subject: "23.144.14.0/28".to_owned(),
        kind: "overdue".into(),
        level: "alert".into(),
        state: OPEN.into(),
        message: "It is assigned to Sample Bakery since 2026-11-01, and not registered.".to_owned(),
        due: Some("2026-11-08".parse().unwrap()),
        since: Some("2026-11-01T09:30:00Z".parse().unwrap()),
        since_at_least: true,
        config: Some(RowId(1)),
        ignore: false,
        note: String::new(),
        links: LinkedObjects::of([(Linked::Prefix, None, Some("23.144.14.0/28"))]),
    }
}
