//! Command lines about change requests as documents show them, each on systems of its own.

use rir_sandbox::{
    regrws::{Fault, Operation, Rule},
    world::Holder,
};
use serde_json::Value;

use super::{Changes, Person, RECIPIENT, SIMPLE, id};
use crate::scene::{CONFIG, Target};

const RANGE: &str = "23.144.4.0/24";
const AGGREGATE: &str = "23.144.0.0/20";

/// What there is for a command line to work on.
struct Stage {
    changes: Changes,
    person: Person,
    /// The request that the command is about.
    request: Option<Value>,
}

/// Runs a command line in which words such as `ID` stand for what there is, and returns what it says if it fails.
pub(crate) async fn failed(words: &[String]) -> Option<String> {
    let stage = Stage::of(words).await;
    let arguments = stage.filled(words).await;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let told = stage.changes.run(&stage.person.token, &arguments).await;
    (told.code != 0).then(|| format!("{arguments:?}: {} {}", told.code, told.words))
}

impl Stage {
    async fn of(words: &[String]) -> Self {
        let mut changes = Changes::new(Target::sandbox().await).await;
        changes.set("FINDINGS__NET_NAME_TEMPLATE", "{tenant}");
        let action = words.get(1).map(String::as_str).unwrap_or_default();
        let has = |word: &str| words.iter().any(|other| other == word);
        let tenant = changes.customer("Harbour Catch Ltd").await;
        changes.assign(RANGE, tenant).await;
        if !has("--request") {
            // So that the net and its customer have other names than they should.
            changes.assign("23.144.1.0/24", tenant).await;
        }
        changes.sync().await;
        let asked = ["--prefix", RANGE];
        let (by_bob, request) = match action {
            "prepare" if has("--request") => (false, Some(changes.done(&returned()).await)),
            "prepare" => (false, None),
            "submit" => (true, Some(changes.approved(&asked).await)),
            "look" => (true, Some(lost(&changes, &asked).await)),
            "withdraw" => (false, Some(changes.waiting(&asked).await)),
            _ => (true, Some(changes.waiting(&asked).await)),
        };
        let person = if by_bob { changes.bob.clone() } else { changes.ann.clone() };
        Self { changes, person, request }
    }

    /// Puts what there is in the place of words that stand for it, or are an example.
    async fn filled(&self, words: &[String]) -> Vec<String> {
        let request = self.request.as_ref().map(id);
        let findings = self.changes.open_findings(RANGE).await;
        let finding = findings.get("unregistered").map(u64::to_string);
        let digest = self.request.as_ref().and_then(|request| request["digest"].as_str()).map(str::to_owned);
        let customer = self.customer();
        let before = std::iter::once("").chain(words.iter().map(String::as_str));
        let known = |before: &str, word: &str| match before {
            "--user" => Some(self.person.name.clone()),
            "--config-name" => Some(CONFIG.to_owned()),
            "--prefix" => Some(RANGE.to_owned()),
            "--aggregate" => Some(AGGREGATE.to_owned()),
            "--network" => Some(SIMPLE.to_owned()),
            "--customer" => Some(customer.clone()),
            "--org" => Some(RECIPIENT.to_owned()),
            "--finding" => finding.clone(),
            "--digest" => digest.clone(),
            "--request" | "approve" | "reject" | "withdraw" | "look" | "submit" | "show" => request.clone(),
            "--operation" if word == "OPERATION" => Some("reassign-simple".to_owned()),
            "--state" if word == "STATE" => Some("waiting".to_owned()),
            "--set" if word == "FIELD=VALUE" => Some("city=Springfield".to_owned()),
            _ => None,
        };
        before.zip(words).map(|(before, word)| known(before, word).unwrap_or_else(|| word.clone())).collect()
    }

    /// The customer of the net that the world begins with.
    fn customer(&self) -> String {
        let registry = self.changes.scene.arin.registry();
        match registry.nets.get(SIMPLE).map(|net| &net.holder) {
            Some(Holder::Customer(customer)) => customer.clone(),
            // It was returned, and nobody asks for the customer.
            Some(Holder::Org(_)) | None => String::new(),
        }
    }
}

fn returned() -> [&'static str; 4] {
    ["--network", SIMPLE, "--operation", "remove-network"]
}

/// A request that was sent, and whose answer was lost.
async fn lost(changes: &Changes, asked: &[&str]) -> Value {
    let request = changes.approved(asked).await;
    changes.scene.arin.fail(Rule::new(Fault::LostAfter).on(Operation::Reassign).times(1));
    changes.submit(&changes.bob, &[&request]).await.expect(3);
    request
}
