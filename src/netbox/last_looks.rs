//! When everything in an aggregate was last answered by the registry, and why it is not known any more: the short form
//! of what syncs leave behind, for whoever shows findings. The nets that such a row may hold are not read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    client::{Client, objects_path},
    error::Error,
    row::{optional_reference, optional_text, typed},
    schema::document::{CONFIG, LOOK},
};
use crate::model::{LookSource, RowId};

/// The source of a look at the public listing, as NetBox has it.
const LISTING: &str = "listing";
/// The reason of a look that was not complete and says no more.
const NO_REASON: &str = "the last look was not complete";

/// The last look of a config at an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastLook {
    /// The config.
    pub config: RowId,
    /// The time as of which everything is known, if it ever was.
    pub complete: Option<Timestamp>,
    /// What that look was at.
    pub source: LookSource,
    /// Why a later look failed as a whole.
    pub failed: Option<String>,
    /// The number of ranges whose own question was not answered last time.
    pub unanswered: usize,
}

/// A row as NetBox writes it. Each field has to be there, even if it is null: one that is missing was renamed.
#[derive(Deserialize)]
struct LastLookFields {
    #[serde(deserialize_with = "optional_reference")]
    config: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    aggregate: Option<RowId>,
    #[serde(deserialize_with = "Option::deserialize")]
    complete: Option<bool>,
    #[serde(deserialize_with = "Option::deserialize")]
    looked_at: Option<Timestamp>,
    #[serde(deserialize_with = "optional_text")]
    source: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    message: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    unanswered: Option<Map<String, Value>>,
}

/// The fields that are read.
const FIELDS: &str = "id,config,aggregate,complete,looked_at,source,message,unanswered";

/// The part of a config that says when all of it was last looked at.
#[derive(Deserialize)]
struct ConfigLooked {
    id: RowId,
    #[serde(deserialize_with = "Option::deserialize")]
    looked: Option<Timestamp>,
}

impl Client {
    /// Reads the last look of each config at each of its aggregates.
    ///
    /// # Errors
    /// When NetBox cannot be asked, does not have the type because `bootstrap` was never run, or a row cannot be read.
    pub async fn last_looks(&self) -> Result<Vec<LastLook>, Error> {
        let (configs, looks) = (objects_path(CONFIG), objects_path(LOOK));
        let (configs, rows) = tokio::try_join!(
            self.list_as(&configs, &[("fields", "id,looked")], &|row| typed::<ConfigLooked>(&row)),
            self.list_as(&looks, &[("fields", FIELDS)], &|row| typed::<LastLookFields>(&row)),
        )?;
        let looked: BTreeMap<RowId, Option<Timestamp>> =
            configs.all()?.into_iter().map(|config| (config.id, config.looked)).collect();
        Ok(rows.all()?.into_iter().filter_map(|row| row.look(&looked)).collect())
    }
}

impl LastLookFields {
    /// Returns the look as it holds now: what is complete holds as of the last sync of all of its config, which writes
    /// no row where nothing has changed. `None` for a row whose config or aggregate is gone, or about no aggregate.
    fn look(self, looked: &BTreeMap<RowId, Option<Timestamp>>) -> Option<LastLook> {
        let (config, _) = self.config.zip(self.aggregate)?;
        let whole = looked.get(&config)?;
        let complete = self.complete.unwrap_or_default();
        let source = if self.source.as_deref() == Some(LISTING) { LookSource::Listing } else { LookSource::Questions };
        Some(LastLook {
            config,
            complete: if complete { self.looked_at.max(*whole) } else { self.looked_at },
            source,
            failed: (!complete).then(|| self.message.unwrap_or_else(|| NO_REASON.to_owned())),
            unanswered: self.unanswered.map_or(0, |ranges| ranges.len()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The look of a row with these fields, at an aggregate of a config that was last looked at as a whole at five.
    fn look(more: Value) -> Option<LastLook> {
        let mut row = json!({
            "id": 1, "config": { "id": 7 }, "aggregate": { "id": 3 }, "complete": true,
            "looked_at": "2026-11-20T04:00:00Z", "source": "listing", "message": "", "unanswered": null,
        });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let row: LastLookFields = typed(row.as_object().unwrap()).unwrap();
        row.look(&BTreeMap::from([(RowId(7), Some("2026-11-27T05:00:00Z".parse().unwrap()))]))
    }

    #[test]
    fn a_complete_look_holds_as_of_the_last_sync_of_everything_that_came_later() {
        let at = |row: Value| look(row).unwrap().complete.unwrap().to_string();
        assert_eq!(at(json!({})), "2026-11-27T05:00:00Z");
        assert_eq!(at(json!({ "looked_at": "2026-11-27T06:00:00Z" })), "2026-11-27T06:00:00Z");
        assert_eq!(at(json!({ "complete": false })), "2026-11-20T04:00:00Z");
    }

    #[test]
    fn what_is_not_known_says_why() {
        let failed = |row: Value| look(row).unwrap().failed;
        assert_eq!(failed(json!({})), None);
        assert_eq!(failed(json!({ "complete": false, "message": "ARIN is away" })).as_deref(), Some("ARIN is away"));
        assert_eq!(failed(json!({ "complete": null })).as_deref(), Some(NO_REASON));
        assert_eq!(look(json!({ "unanswered": { "23.0.0.0/24": "timed out" } })).unwrap().unanswered, 1);
    }

    #[test]
    fn rows_about_no_aggregate_or_of_no_config_are_no_looks() {
        assert_eq!(look(json!({ "aggregate": null })), None);
        assert_eq!(look(json!({ "config": { "id": 8 } })), None);
        assert_eq!(look(json!({ "source": "questions" })).unwrap().source, LookSource::Questions);
    }
}
