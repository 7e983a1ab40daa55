//! What syncs leave behind of how completely the registry was asked: one row for each config and aggregate, and one for
//! each config with the answers that belong to no aggregate.
//!
//! A look that is complete holds as of the later of its row's own time and the time at which its config was last looked
//! at as a whole, so that a sync which finds nothing new writes none of these rows.

use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::Error as _};
use serde_json::{Value, json};

use super::{
    client::{Client, objects_path},
    error::Error,
    row::{self, Row, optional_reference, optional_text, text, typed},
    schema::document::{CONFIG, LOOK},
    write::{Draft, Patch, Refusal},
};
use crate::model::{Answer, ListedNet, Look, LookSource, Looks, NetHandle, ObjectType, RowId, Standing};

/// The most entries of one kind in a row; more would be more than NetBox takes in a request.
pub(crate) const MOST_ENTRIES: usize = 10_000;
/// Rows are written together up to so many bytes.
const MOST_BYTES: usize = 1 << 20;
/// The fields that are read.
const FIELDS: &str =
    "id,key,subject,config,aggregate,complete,looked_at,source,message,unanswered,asked,listed,answers";
/// The same without the nets that only the public listing has.
const FIELDS_WITHOUT_NETS: &str =
    "id,key,subject,config,aggregate,complete,looked_at,source,message,unanswered,asked,answers";
/// The reason of a look that was not complete and says no more.
const NO_REASON: &str = "the last look was not complete";

/// All that syncs have left behind, with the rows that hold it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LookRows {
    /// The looks at aggregates, by key.
    pub(crate) looks: BTreeMap<String, LookRow>,
    /// The answers of each config, by key.
    pub(crate) answers: BTreeMap<String, AnswersRow>,
}

/// The row of a look at an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LookRow {
    id: RowId,
    /// The range of the aggregate.
    pub(crate) subject: String,
    /// The look as it is written.
    written: Look,
    /// The look as it holds.
    pub(crate) look: Look,
}

/// The row with the answers of a config.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AnswersRow {
    id: RowId,
    pub(crate) answers: Vec<Answer>,
}

/// Rows to write.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LookWrites {
    drafts: Vec<Draft>,
    patches: Vec<Patch>,
}

/// A row as NetBox writes it. Each field has to be there, even if it is null: one that is missing was renamed.
#[derive(Deserialize)]
struct LookFields {
    id: RowId,
    #[serde(deserialize_with = "text")]
    key: String,
    #[serde(deserialize_with = "text")]
    subject: String,
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
    unanswered: Option<BTreeMap<IpNet, String>>,
    #[serde(deserialize_with = "Option::deserialize")]
    asked: Option<BTreeMap<IpNet, Timestamp>>,
    #[serde(deserialize_with = "Option::deserialize")]
    listed: Option<Vec<ListedNet>>,
    #[serde(deserialize_with = "Option::deserialize")]
    answers: Option<Vec<AnswerFields>>,
}

/// An answer without the config, which the row has.
#[derive(Serialize, Deserialize)]
struct AnswerFields {
    object: ObjectType,
    handle: String,
    standing: Standing,
    since: Timestamp,
    times: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    net: Option<NetHandle>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    left: bool,
}

/// The part of a config that says when it was last looked at as a whole.
#[derive(Deserialize)]
struct LookedFields {
    id: RowId,
    /// Missing until `bootstrap` has brought the types up to date.
    #[serde(default)]
    looked: Option<Timestamp>,
}

/// A row in the form that its place in [`LookRows`] has.
enum Place {
    Look(String, Box<LookRow>),
    Answers(String, AnswersRow),
    /// Its config or its aggregate is gone.
    Nowhere,
}

/// Returns the key of the row of a config, or of one of its aggregates.
pub(crate) fn look_key(config: RowId, aggregate: Option<RowId>) -> String {
    aggregate.map_or_else(|| config.to_string(), |aggregate| format!("{config}:{aggregate}"))
}

impl Client {
    /// Reads what the syncs of all configs have left behind, as it holds.
    ///
    /// # Errors
    /// When NetBox cannot be asked, does not have the type because `bootstrap` was never run, or a row cannot be read.
    pub async fn looks(&self) -> Result<Looks, Error> {
        Ok(self.look_rows().await?.into())
    }

    /// Reads the same without the nets that only the public listing has, of which there may be megabytes.
    ///
    /// # Errors
    /// As [`Client::looks`].
    pub async fn looks_without_nets(&self) -> Result<Looks, Error> {
        let without = |mut row: Row| {
            row.insert("listed".to_owned(), Value::Null);
            typed::<LookFields>(&row)?.place()
        };
        Ok(self.look_rows_of(FIELDS_WITHOUT_NETS, &without).await?.into())
    }

    /// Reads the same with the rows that hold it.
    ///
    /// # Errors
    /// As [`Client::looks`].
    pub(crate) async fn look_rows(&self) -> Result<LookRows, Error> {
        self.look_rows_of(FIELDS, &|row| typed::<LookFields>(&row)?.place()).await
    }

    async fn look_rows_of(
        &self,
        fields: &str,
        place: &(impl Fn(Row) -> Result<Place, serde_json::Error> + Sync),
    ) -> Result<LookRows, Error> {
        let (configs, looks, query) = (objects_path(CONFIG), objects_path(LOOK), [("fields", fields)]);
        let (looked, rows) = tokio::try_join!(
            self.list_as(&configs, &[("fields", "id,looked")], &|row| typed::<LookedFields>(&row)),
            self.list_as(&looks, &query, place),
        )?;
        let looked: BTreeMap<RowId, Timestamp> =
            looked.all()?.into_iter().filter_map(|config| Some((config.id, config.looked?))).collect();
        let mut all = LookRows::default();
        for place in rows.all()? {
            match place {
                Place::Look(key, row) => drop(all.looks.insert(key, row.holding(&looked))),
                Place::Answers(key, row) => drop(all.answers.insert(key, row)),
                Place::Nowhere => {}
            }
        }
        Ok(all)
    }

    /// Writes rows, of which each that was not taken is one refusal.
    pub(crate) async fn write_looks(&self, writes: LookWrites, message: &str) -> Vec<Refusal> {
        let (writer, mut refusals) = (self.writer(LOOK, message), Vec::new());
        for drafts in together(writes.drafts, |draft| &draft.body) {
            refusals.extend(writer.create(drafts).await.into_iter().filter_map(Result::err));
        }
        for patches in together(writes.patches, |patch| &patch.body) {
            refusals.extend(writer.update(patches).await.into_iter().filter_map(Result::err));
        }
        refusals
    }
}

/// Puts rows into groups of no more than [`MOST_BYTES`], or of one row.
fn together<T>(rows: Vec<T>, body: impl Fn(&T) -> &Row) -> Vec<Vec<T>> {
    let (mut groups, mut bytes) = (Vec::<Vec<T>>::new(), usize::MAX);
    for row in rows {
        let size = body(&row).iter().map(|(name, value)| name.len() + value.to_string().len()).sum::<usize>();
        bytes = bytes.saturating_add(size);
        match groups.last_mut().filter(|_| bytes <= MOST_BYTES) {
            Some(group) => group.push(row),
            None => {
                groups.push(vec![row]);
                bytes = size;
            }
        }
    }
    groups
}

impl LookRows {
    /// Adds what it takes for this look to be recorded, with the range of the aggregate as its subject. Nothing, if it
    /// is recorded like this.
    pub(crate) fn record(&self, look: &Look, subject: Option<&str>, writes: &mut LookWrites) {
        let key = look_key(look.config, Some(look.aggregate));
        let Some(row) = self.looks.get(&key) else {
            let mut body = look_fields(look, subject.unwrap_or_default());
            let links = [("config", json!(look.config)), ("aggregate", json!(look.aggregate))];
            body.extend(links.map(|(name, value)| (name.to_owned(), value)));
            return writes.create(key, body);
        };
        let before = look_fields(&row.written, &row.subject);
        let mut body = look_fields(look, subject.unwrap_or(&row.subject));
        body.retain(|name, value| before.get(name) != Some(value));
        writes.change(row.id, key, body);
    }

    /// Adds what it takes for these answers to be recorded. Nothing, if they are recorded like this.
    pub(crate) fn record_answers(&self, (config, name): (RowId, &str), answers: &[Answer], writes: &mut LookWrites) {
        let (key, fields) = (look_key(config, None), json!(answers.iter().map(AnswerFields::of).collect::<Vec<_>>()));
        match self.answers.get(&key) {
            Some(row) if row.answers == answers => {}
            Some(row) => writes.change(row.id, key, Row::from_iter([("answers".to_owned(), fields)])),
            None if answers.is_empty() => {}
            None => {
                let body = [("subject", json!(name)), ("config", json!(config)), ("answers", fields)];
                writes.create(key, body.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
            }
        }
    }

    /// Returns the answers of a config.
    pub(crate) fn answers_of(&self, config: RowId) -> &[Answer] {
        self.answers.get(&look_key(config, None)).map(|row| row.answers.as_slice()).unwrap_or_default()
    }

    /// Returns the look of a config at an aggregate.
    pub(crate) fn row(&self, config: RowId, aggregate: RowId) -> Option<&LookRow> {
        self.looks.get(&look_key(config, Some(aggregate)))
    }
}

impl LookWrites {
    pub(crate) fn is_empty(&self) -> bool {
        self.drafts.is_empty() && self.patches.is_empty()
    }

    fn create(&mut self, key: String, mut body: Row) {
        body.retain(|_, value| !value.is_null());
        body.insert("key".to_owned(), json!(key));
        self.drafts.push(Draft { key, body });
    }

    fn change(&mut self, id: RowId, key: String, body: Row) {
        if !body.is_empty() {
            self.patches.push(Patch { id, key, body });
        }
    }
}

impl From<LookRows> for Looks {
    fn from(LookRows { looks, answers }: LookRows) -> Self {
        Self {
            aggregates: looks.into_values().map(|row| row.look).collect(),
            answers: answers.into_values().flat_map(|row| row.answers).collect(),
        }
    }
}

impl LookRow {
    fn holding(mut self, looked: &BTreeMap<RowId, Timestamp>) -> Self {
        if self.look.failed.is_none() {
            self.look.complete = self.look.complete.max(looked.get(&self.look.config).copied());
        }
        self
    }
}

impl LookFields {
    /// Finds the place of a row in [`LookRows`].
    fn place(self) -> Result<Place, serde_json::Error> {
        let bounded = [
            ("unanswered", self.unanswered.as_ref().map_or(0, BTreeMap::len)),
            ("asked", self.asked.as_ref().map_or(0, BTreeMap::len)),
            ("listed", self.listed.as_ref().map_or(0, Vec::len)),
        ];
        if let Some((name, _)) = bounded.into_iter().find(|(_, count)| *count > MOST_ENTRIES) {
            return Err(serde_json::Error::custom(format!("{name}: there are more than {MOST_ENTRIES}")));
        }
        let Some(config) = self.config else { return Ok(Place::Nowhere) };
        let (key, id, subject) = (self.key, self.id, self.subject);
        let Some(aggregate) = self.aggregate.filter(|id| key == look_key(config, Some(*id))) else {
            if key != look_key(config, None) {
                return Ok(Place::Nowhere);
            }
            let answers = self.answers.unwrap_or_default().into_iter().map(|answer| answer.answer(config)).collect();
            return Ok(Place::Answers(key, AnswersRow { id, answers }));
        };
        let listed = self.listed.unwrap_or_default();
        if let Some(net) = listed.iter().find(|net| net.range().is_none()) {
            return Err(serde_json::Error::custom(format!("listed: {} has no range", net.handle)));
        }
        let complete = self.complete == Some(true) && self.looked_at.is_some();
        let written = Look {
            config,
            aggregate,
            complete: self.looked_at,
            source: source(self.source)?,
            failed: (!complete).then(|| self.message.unwrap_or_else(|| NO_REASON.to_owned())),
            unanswered: self.unanswered.unwrap_or_default(),
            asked: self.asked.unwrap_or_default(),
            listed,
        };
        Ok(Place::Look(key, Box::new(LookRow { id, subject, look: written.clone(), written })))
    }
}

fn source(code: Option<String>) -> Result<LookSource, serde_json::Error> {
    let source = code.map(|code| LookSource::deserialize(Value::String(code))).transpose();
    source.map(|source| source.unwrap_or(LookSource::Questions))
}

impl AnswerFields {
    fn of(answer: &Answer) -> Self {
        let Answer { config: _, object, handle, standing, since, times, net, left } = answer.clone();
        Self { object, handle, standing, since, times, net, left }
    }

    fn answer(self, config: RowId) -> Answer {
        let Self { object, handle, standing, since, times, net, left } = self;
        Answer { config, object, handle, standing, since, times, net, left }
    }
}

/// Returns the fields of a look that may change. What there is none of is null.
fn look_fields(look: &Look, subject: &str) -> row::Row {
    let fields = json!({
        "subject": subject,
        "complete": look.failed.is_none(),
        "looked_at": look.complete,
        "source": look.source,
        "message": look.failed,
        "unanswered": (!look.unanswered.is_empty()).then_some(&look.unanswered),
        "asked": (!look.asked.is_empty()).then_some(&look.asked),
        "listed": (!look.listed.is_empty()).then_some(&look.listed),
    });
    fields.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &Value) -> Result<Place, serde_json::Error> {
        typed::<LookFields>(json.as_object().unwrap())?.place()
    }

    fn bare() -> Value {
        json!({
            "id": 7, "key": "1:2", "subject": "23.0.0.0/16", "config": {"id": 1}, "aggregate": {"id": 2},
            "complete": true, "looked_at": "2026-11-27T10:00:00Z", "message": "",
            "source": {"value": "listing", "label": "Public listing"},
            "unanswered": null, "asked": null, "listed": null, "answers": null,
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut row = bare();
        row[name] = value;
        row
    }

    fn look(json: &Value) -> LookRow {
        match row(json).unwrap() {
            Place::Look(_, row) => *row,
            Place::Answers(..) | Place::Nowhere => panic!("no look"),
        }
    }

    /// The fields, one a line.
    fn told(body: &Row) -> String {
        let line = |(name, value): (&String, &Value)| format!("{name}: {value}").replace(r#","p""#, ",\n\"p\"");
        body.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_complete_look_holds_as_of_the_last_look_at_the_whole_config() {
        let looked = |at: &str| BTreeMap::from([(RowId(1), at.parse().unwrap())]);
        let holds = |json: &Value, whole: &str| look(json).holding(&looked(whole)).look.complete;
        let (before, own, after) = ("2026-11-27T09:00:00Z", "2026-11-27T10:00:00Z", "2026-11-28T10:00:00Z");
        assert_eq!(holds(&bare(), before), Some(at(own)));
        assert_eq!(holds(&bare(), after), Some(at(after)));
        assert_eq!(holds(&with("complete", json!(false)), after), Some(at(own)), "one that failed since stays behind");
        assert_eq!(look(&bare()).holding(&BTreeMap::new()).look.complete, Some(at(own)));
        let never = with("looked_at", Value::Null);
        assert_eq!((holds(&never, after), look(&never).look.failed.as_deref()), (None, Some(NO_REASON)));
    }

    #[test]
    fn what_is_written_is_read_again_as_it_was() {
        let listed = json!([
            {"h": "NET-23-0-1-0-1", "n": "A", "k": "S", "b": [["23.0.1.0", "23.0.1.255"]], "p": "NET-23-0-0-0-1",
             "c": "C1", "d": "2026-01-31"},
            {"h": "NET-23-0-2-0-1", "n": "B", "b": [["23.0.2.0", "23.0.2.6"]], "o": "SAMPLE-3"},
        ]);
        let mut json = with("listed", listed);
        json["unanswered"] = json!({"23.0.4.0/24": "no answer"});
        json["asked"] = json!({"23.0.5.0/24": "2026-11-27T11:00:00Z"});
        let row = look(&json);
        let body = look_fields(&row.look, &row.subject);
        insta::assert_snapshot!(told(&body), @r#"
        asked: {"23.0.5.0/24":"2026-11-27T11:00:00Z"}
        complete: true
        listed: [{"b":[["23.0.1.0","23.0.1.255"]],"c":"C1","d":"2026-01-31","h":"NET-23-0-1-0-1","k":"S","n":"A",
        "p":"NET-23-0-0-0-1"},{"b":[["23.0.2.0","23.0.2.6"]],"h":"NET-23-0-2-0-1","n":"B","o":"SAMPLE-3"}]
        looked_at: "2026-11-27T10:00:00Z"
        message: null
        source: "listing"
        subject: "23.0.0.0/16"
        unanswered: {"23.0.4.0/24":"no answer"}
        "#);
        let mut again = json.clone();
        body.into_iter().for_each(|(name, value)| again[name] = value);
        assert_eq!(look(&again).look, row.look);
        let rows = LookRows { looks: [("1:2".to_owned(), row.clone())].into(), ..LookRows::default() };
        let mut writes = LookWrites::default();
        rows.record(&row.look, None, &mut writes);
        assert!(writes.is_empty());
    }

    #[test]
    fn only_what_differs_is_written() {
        // The row itself is older than the look that holds.
        let row = look(&bare()).holding(&BTreeMap::from([(RowId(1), at("2026-11-28T10:00:00Z"))]));
        let failed = Look { failed: Some("no answer".to_owned()), ..row.look.clone() };
        let rows = LookRows { looks: [("1:2".to_owned(), row)].into(), ..LookRows::default() };
        let mut writes = LookWrites::default();
        rows.record(&failed, Some("23.0.0.0/16"), &mut writes);
        let [Patch { id: RowId(7), body, .. }] = writes.patches.as_slice() else { panic!("{writes:?}") };
        insta::assert_snapshot!(told(body), @r#"
        complete: false
        looked_at: "2026-11-28T10:00:00Z"
        message: "no answer"
        "#);
        let mut writes = LookWrites::default();
        LookRows::default().record(&failed, Some("23.0.0.0/16"), &mut writes);
        let [Draft { body, .. }] = writes.drafts.as_slice() else { panic!("{writes:?}") };
        insta::assert_snapshot!(told(body), @r#"
        aggregate: 2
        complete: false
        config: 1
        key: "1:2"
        looked_at: "2026-11-28T10:00:00Z"
        message: "no answer"
        source: "listing"
        subject: "23.0.0.0/16"
        "#);
    }

    #[test]
    fn answers_are_written_only_when_they_change() {
        let json = json!([
            {"object": "organization", "handle": "SAMPLE-3", "times": 1, "since": "2026-11-27T10:00:00Z",
             "standing": {"found": {"functions": ["AD", "T", "X"], "accepts": false}}},
            {"object": "customer", "handle": "C1", "times": 2, "since": "2026-11-27T10:00:00Z", "net": "NET-1",
             "left": true, "standing": "absent"},
        ]);
        let mut row_json = with("answers", json.clone());
        (row_json["key"], row_json["aggregate"]) = (json!("1"), Value::Null);
        let Place::Answers(key, answers) = row(&row_json).unwrap() else { panic!("no answers") };
        let mut changed = answers.answers.clone();
        changed[1].left = false;
        let rows = LookRows { answers: [(key, answers.clone())].into(), ..LookRows::default() };
        let written = |answers: &[Answer]| {
            let mut writes = LookWrites::default();
            rows.record_answers((RowId(1), "example"), answers, &mut writes);
            writes.patches.into_iter().map(|patch| Value::from(patch.body)).collect::<Vec<_>>()
        };
        assert_eq!(written(&answers.answers), Vec::<Value>::new());
        let mut expected = json!({ "answers": json });
        expected["answers"][1].as_object_mut().unwrap().remove("left");
        assert_eq!(written(&changed), [expected]);
    }

    #[test]
    fn rows_whose_config_or_aggregate_is_gone_say_nothing() {
        for (name, gone) in [("config", Value::Null), ("aggregate", Value::Null), ("aggregate", json!(3))] {
            assert!(matches!(row(&with(name, gone)).unwrap(), Place::Nowhere), "{name}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error() {
        let many: serde_json::Map<String, Value> =
            (0..=MOST_ENTRIES).map(|n| (format!("23.0.{}.{}/32", n / 256, n % 256), json!("no"))).collect();
        for (name, value) in [
            ("unanswered", json!({"no range": "no answer"})),
            ("unanswered", json!(many)),
            ("asked", json!({"23.0.0.0/24": "lately"})),
            ("listed", json!([{"h": "", "n": "A", "b": [["23.0.1.0", "23.0.1.255"]]}])),
            ("listed", json!([{"h": "NET-1", "n": "A", "b": []}])),
            ("listed", json!([{"h": "NET-1", "n": "A", "b": [["23.0.1.1", "23.0.1.0"]]}])),
            ("source", json!("hearsay")),
            ("looked_at", json!("lately")),
            ("answers", json!([{"object": "organization"}])),
        ] {
            assert!(row(&with(name, value.clone())).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn rows_go_out_together_as_long_as_they_are_small() {
        let body = |bytes: usize| Row::from_iter([("listed".to_owned(), json!("x".repeat(bytes)))]);
        let sizes = [10, MOST_BYTES - 100, 100, MOST_BYTES * 2, 10, 10].map(body).to_vec();
        let groups = together(sizes, |body| body);
        assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 2]);
    }
}
