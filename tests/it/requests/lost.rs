//! Every way in which an answer can be lost, for every operation: in the end it is known what ARIN has done, and no call was
//! done twice.

use std::time::Duration;

use rir_sandbox::{
    netbox::{Fault as NetboxFault, Rule as NetboxRule},
    regrws::{Fault, KEY, Operation, Options, Rule, Server, Style, validate},
    world::{Holder, Registry},
};
use serde_json::Value;
use tokio::process::Child;

use super::{Changes, DETAILED, LOOK_AGAIN, PARENT, RECIPIENT, SECOND_KEY, SIMPLE, choice, count, empty, id};
use crate::{
    process::until,
    scene::{ORG, Target, cidr, exact},
};

/// A call of each kind, with the line that tells what ARIN has after it was done exactly once.
const ALL: [&str; 7] = [
    "change-customer: NEW NAME of 23.144.7.0/24",
    "change-network: CHANGED is 23.144.1.0/24",
    "delete-customer: nobody is left over",
    "reallocate: one A net of 23.144.6.0/24",
    "reassign-detailed: one S net of 23.144.5.0/24",
    "reassign-simple: one S net of 23.144.4.0/24, one customer",
    "remove-network: no net of 23.144.2.0/24",
];

/// All calls that change something.
const WRITES: [Operation; 7] = [
    Operation::Reassign,
    Operation::Reallocate,
    Operation::ModifyCustomer,
    Operation::DeleteCustomer,
    Operation::ModifyNet,
    Operation::DeleteNet,
    Operation::RemoveNet,
];

/// An approved request of each kind.
struct Approved {
    changes: Changes,
    requests: Vec<Value>,
}

impl Approved {
    async fn new() -> Self {
        Self::with(Style::Plain, 200).await
    }

    /// ARIN answers in this form, and with this status where it does something.
    async fn with(style: Style, success: u16) -> Self {
        let changes = Changes::of(Target::sandbox().await, empty()).await;
        exact(&changes.scene);
        changes.scene.arin.configure(|options| (options.style, options.success) = (style, success));
        let moved = changes.register("23.144.7.0/24", "Old Name");
        let gone = changes.register("23.144.8.0/24", "Left Behind");
        let tenant = changes.customer("Harbour Catch Ltd").await;
        for third in [1, 2, 4, 5, 6, 7, 8] {
            changes.assign(&format!("23.144.{third}.0/24"), tenant).await;
        }
        changes.sync().await;
        let left = holder(&changes.scene.arin.registry(), &gone);
        changes.scene.arin.registry().remove_net(&gone).unwrap();
        changes.sync().await;
        let customer = holder(&changes.scene.arin.registry(), &moved);
        let asked: [&[&str]; 7] = [
            &["--customer", &customer, "--operation", "change-customer", "--set", "customerName=New Name"],
            &["--network", SIMPLE, "--operation", "change-network", "--set", "netName=CHANGED"],
            &["--customer", &left, "--operation", "delete-customer"],
            &["--prefix", "23.144.6.0/24", "--operation", "reallocate", "--org", RECIPIENT],
            &["--prefix", "23.144.5.0/24", "--operation", "reassign-detailed", "--org", RECIPIENT],
            &["--prefix", "23.144.4.0/24", "--operation", "reassign-simple"],
            &["--network", DETAILED, "--operation", "remove-network"],
        ];
        let mut requests = Vec::new();
        for arguments in asked {
            requests.push(changes.waiting(arguments).await);
        }
        let ids: Vec<String> = requests.iter().map(id).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let told = changes.run_as(&changes.bob, &[&["approve"], &ids[..]].concat()).await.expect(0);
        assert!(told.requests.iter().all(|request| request["state"] == "approved"), "{:#?}", told.requests);
        changes.scene.arin.forget_requests();
        Self { changes, requests }
    }

    /// Lets this happen to the first call of each kind.
    fn fail(&self, fault: &Fault) {
        for operation in WRITES {
            self.changes.scene.arin.fail(Rule::new(fault.clone()).on(operation).times(times(operation)));
        }
    }

    /// Sends all of them.
    async fn submit(&self) {
        let requests: Vec<&Value> = self.requests.iter().collect();
        self.changes.submit(&self.changes.bob, &requests).await;
    }

    /// What ARIN has of each of them, a line each.
    fn outcome(&self) -> Vec<String> {
        let count = |range: &str, kind: &str| {
            let nets = self.changes.nets(range);
            match nets.as_slice() {
                [] => format!("no net of {range}"),
                [net] if net.net_type == kind => format!("one {kind} net of {range}"),
                several => format!("{several:?}"),
            }
        };
        let named = |range: &str| self.changes.nets(range).iter().map(|net| net.name.clone()).collect::<String>();
        let registry = self.changes.scene.arin.registry().clone();
        let customers = registry.customers.values().filter(|customer| customer.name == "Harbour Catch Ltd").count();
        let customers = if customers == 1 { "one customer".to_owned() } else { format!("{customers} customers") };
        let moved = self.changes.holder(&self.changes.net("23.144.7.0/24")).name.to_uppercase();
        let left = self.changes.left_over();
        let left = if left.is_empty() { "nobody is left over".to_owned() } else { format!("{left:?} are left over") };
        vec![
            format!("change-customer: {moved} of 23.144.7.0/24"),
            format!("change-network: {} is 23.144.1.0/24", named("23.144.1.0/24")),
            format!("delete-customer: {left}"),
            format!("reallocate: {}", count("23.144.6.0/24", "A")),
            format!("reassign-detailed: {}", count("23.144.5.0/24", "S")),
            format!("reassign-simple: {}, {customers}", count("23.144.4.0/24", "S")),
            format!("remove-network: {}", count("23.144.2.0/24", "S")),
        ]
    }

    /// The state of each of them, and how often its call was sent.
    async fn states(&self) -> Vec<String> {
        let writes = self.changes.writes();
        let mut states = Vec::new();
        for request in &self.requests {
            let call = |name: &str| request["payload"][name].as_str().unwrap_or_default().to_owned();
            let path = format!("/rest/{}", call("path"));
            let same = writes.iter().filter(|write| write.path == path && write.body == call("body"));
            let state = self.changes.state(request).await;
            states.push(format!("{}: {state}, sent {}", request["operation"].as_str().unwrap(), same.count()));
        }
        states
    }

    /// Sees to it that everything was done exactly once, by so many calls each.
    async fn assert_done(&self, sent: usize, what: &str) {
        self.changes.settle().await;
        // ARIN has not read what went into a connection that it was just closing. Nobody can tell, so that counts as sent.
        let told = |line: &&String| (1..=sent).any(|times| line.ends_with(&format!(": done, sent {times}")));
        let states = self.states().await;
        let wrong: Vec<&String> = states.iter().filter(|line| !told(line)).collect();
        assert_eq!((wrong, self.outcome()), (Vec::new(), ALL.map(str::to_owned).into()), "{what}");
        for write in self.changes.writes() {
            assert_eq!(validate(&write), [""; 0], "{} {}", write.method, write.path);
        }
    }
}

/// The number of requests of one kind here: two of them are reassignments.
fn times(operation: Operation) -> u32 {
    if operation == Operation::Reassign { 2 } else { 1 }
}

fn holder(registry: &Registry, net: &str) -> String {
    match &registry.nets[net].holder {
        Holder::Customer(handle) => handle.clone(),
        Holder::Org(handle) => panic!("{handle} holds {net}"),
    }
}

/// Lets this happen to the first call of each kind, and sees to it that each was done once, by so many calls.
async fn comes_to_the_truth(fault: Fault, sent: usize) {
    let approved = Approved::new().await;
    approved.fail(&fault);
    approved.submit().await;
    let unknown = approved.states().await;
    // What was done may have been found by then.
    let honest = |line: &&String| {
        let unknown = line.ends_with(": unknown, sent 1") || (sent == 2 && line.ends_with(": unknown, sent 0"));
        unknown || (sent == 1 && line.ends_with(": done, sent 1"))
    };
    let claimed = unknown.iter().filter(|line| !honest(line));
    assert_eq!(claimed.collect::<Vec<_>>(), [""; 0], "{fault:?}: nothing is claimed that is not known");
    approved.assert_done(sent, &format!("{fault:?}")).await;
}

#[tokio::test]
async fn without_any_trouble_each_is_done_by_one_call() {
    let approved = Approved::new().await;
    approved.submit().await;
    approved.assert_done(1, "without trouble").await;
}

#[tokio::test]
async fn in_whatever_forms_arin_answers() {
    let approved = Approved::with(Style::Odd, 202).await;
    approved.submit().await;
    approved.changes.settle().await;
    assert_eq!(approved.outcome(), ALL, "{:?}", approved.states().await);
    let states = approved.states().await;
    let wrong = states.iter().filter(|line| !line.ends_with(": done, sent 1"));
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
}

/// What was written shows only after a while. The answer counts nevertheless.
#[tokio::test]
async fn shown_only_after_a_while() {
    let approved = Approved::new().await;
    approved.changes.scene.arin.configure(|options| options.lag = LOOK_AGAIN);
    approved.submit().await;
    approved.assert_done(1, "with a lag").await;
}

/// Looks do not see what was done, and so it is sent once more: ARIN refuses that, and what is there counts.
#[tokio::test]
async fn lost_after_it_was_done_and_shown_only_after_several_looks() {
    let approved = Approved::new().await;
    approved.changes.scene.arin.configure(|options| options.lag = LOOK_AGAIN * 6);
    approved.fail(&Fault::LostAfter);
    approved.submit().await;
    approved.changes.settle().await;
    tokio::time::sleep(LOOK_AGAIN * 6).await;
    approved.changes.look("unknown").await;
    approved.changes.settle().await;
    let states = approved.states().await;
    let wrong = states.iter().filter(|line| !(line.ends_with(": done, sent 1") || line.ends_with(": done, sent 2")));
    assert_eq!((wrong.collect::<Vec<_>>(), approved.outcome()), (Vec::new(), ALL.map(str::to_owned).into()));
}

#[tokio::test]
async fn lost_before_it_was_done() {
    comes_to_the_truth(Fault::LostBefore, 2).await;
}

#[tokio::test]
async fn lost_after_it_was_done() {
    comes_to_the_truth(Fault::LostAfter, 1).await;
}

#[tokio::test]
async fn done_and_answered_by_500() {
    comes_to_the_truth(Fault::FailedAfter, 1).await;
}

#[tokio::test]
async fn throttled() {
    // One after the other: a 429 holds back what else the same process would send, and that is not sent then.
    let approved = Approved::new().await;
    let fault = Fault::Refusal(429, "E_TOO_MANY_REQUESTS");
    approved.fail(&fault);
    for request in &approved.requests {
        approved.changes.submit(&approved.changes.bob, &[request]).await;
    }
    let states = approved.states().await;
    let unknown = states.iter().filter(|line| !line.ends_with(": unknown, sent 1"));
    assert_eq!(unknown.collect::<Vec<_>>(), [""; 0], "nothing is claimed that is not known");
    approved.assert_done(2, "throttled").await;
}

#[tokio::test]
async fn closed_for_maintenance() {
    comes_to_the_truth(Fault::Outage, 2).await;
}

#[tokio::test]
async fn answered_by_a_gateway_in_between() {
    comes_to_the_truth(Fault::Status(502), 2).await;
}

#[tokio::test]
async fn cut_off() {
    comes_to_the_truth(Fault::CutOff, 1).await;
}

#[tokio::test]
async fn cut_off_in_the_middle_of_the_document() {
    comes_to_the_truth(Fault::TruncatedXml, 1).await;
}

#[tokio::test]
async fn done_and_answered_by_a_web_page() {
    comes_to_the_truth(Fault::Html200, 1).await;
}

#[tokio::test]
async fn no_answer_in_time() {
    comes_to_the_truth(Fault::Slow(Duration::from_secs(4)), 1).await;
}

/// It cannot be told from one that is lost, so it may be sent once more; ARIN then refuses what it has done already.
#[tokio::test]
async fn done_much_later_than_it_was_sent() {
    let approved = Approved::new().await;
    approved.fail(&Fault::LostAndLate(LOOK_AGAIN * 4));
    approved.submit().await;
    approved.changes.settle().await;
    tokio::time::sleep(LOOK_AGAIN * 4).await;
    approved.changes.settle().await;
    assert_eq!(approved.outcome(), ALL, "{:?}", approved.states().await);
    let states = approved.states().await;
    let wrong = states.iter().filter(|line| !line.contains(": done, sent ") || line.ends_with("sent 3"));
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn never_sent_it_stays_approved() {
    let mut approved = Approved::new().await;
    let (registry, url) = (approved.changes.scene.arin.registry().clone(), approved.changes.scene.arin.url());
    let elsewhere = Server::start(Registry::default(), Options::default()).await.unwrap();
    std::mem::replace(&mut approved.changes.scene.arin, elsewhere).stop().await;
    let told = approved.changes.submit(&approved.changes.bob, &[&approved.requests[5]]).await;
    assert_ne!(told.code, 0, "{}", told.words);
    assert_eq!(approved.changes.state(&approved.requests[5]).await, "approved");
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    let keys = [KEY, SECOND_KEY].map(str::to_owned).into();
    approved.changes.scene.arin =
        Server::start_at(address, registry, Options { keys, ..Options::default() }).await.unwrap();
    approved.submit().await;
    approved.assert_done(1, "after ARIN was away").await;
}

#[tokio::test]
async fn one_look_finds_what_was_done() {
    let approved = Approved::new().await;
    approved.fail(&Fault::LostAfter);
    approved.submit().await;
    let ids: Vec<String> = approved.requests.iter().map(id).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let changes = &approved.changes;
    let told = changes.run_as(&changes.bob, &[&["look"], &ids[..]].concat()).await.expect(0);
    let states: Vec<String> =
        told.requests.iter().map(|request| format!("{}: {}", request["operation"], request["state"])).collect();
    assert!(states.iter().all(|state| state.ends_with("\"done\"")), "{states:#?}");
    approved.assert_done(1, "after one look").await;
}

/// Starts to send a request, and returns once ARIN has got the call.
async fn sending(changes: &Changes, request: &Value) -> Child {
    let before = changes.writes().len();
    let child = changes.spawn_as(&changes.bob, &["submit", &id(request)]);
    until("ARIN has got the call", async || changes.writes().len() > before).await;
    child
}

async fn killed_while_arin_is_at_it(fault: Fault, sent: usize) {
    let approved = Approved::new().await;
    approved.fail(&fault);
    for request in &approved.requests {
        let mut child = sending(&approved.changes, request).await;
        child.kill().await.unwrap();
    }
    // ARIN ends what it has begun.
    tokio::time::sleep(Duration::from_millis(300)).await;
    approved.changes.scene.arin.heal();
    let states = approved.states().await;
    let stored = states.iter().all(|line| line.ends_with(": submitting, sent 1"));
    assert!(stored, "it is stored before it is sent: {states:#?}");
    approved.assert_done(sent, &format!("killed: {fault:?}")).await;
}

#[tokio::test]
async fn killed_after_it_was_done() {
    killed_while_arin_is_at_it(Fault::Slow(Duration::from_secs(1)), 1).await;
}

#[tokio::test]
async fn killed_before_it_was_done() {
    let approved = Approved::new().await;
    // ARIN does nothing before that time has passed, and nothing of what nobody waits for any more.
    approved.changes.scene.arin.configure(|options| options.latency = Duration::from_millis(400));
    for request in &approved.requests {
        let mut child = approved.changes.spawn_as(&approved.changes.bob, &["submit", &id(request)]);
        until("it is about to be sent", async || approved.changes.state(request).await == "submitting").await;
        child.kill().await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    approved.changes.scene.arin.configure(|options| options.latency = Duration::ZERO);
    approved.changes.settle().await;
    let states = approved.states().await;
    let wrong = states.iter().filter(|line| !(line.ends_with(": done, sent 1") || line.ends_with(": done, sent 2")));
    assert_eq!((wrong.collect::<Vec<_>>(), approved.outcome()), (Vec::new(), ALL.map(str::to_owned).into()));
}

#[tokio::test]
async fn netbox_is_away_when_the_answer_comes() {
    let approved = Approved::new().await;
    let changes = &approved.changes;
    let netbox = changes.scene.netbox.server.as_ref().unwrap();
    approved.fail(&Fault::Slow(Duration::from_millis(500)));
    for request in &approved.requests[4..] {
        let mut child = sending(changes, request).await;
        netbox.fail(NetboxRule::new(NetboxFault::Status(503)));
        let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await.unwrap().unwrap();
        assert_ne!(ended.code(), Some(0), "nobody is told that it is done");
        netbox.heal();
    }
    changes.submit(&changes.bob, &approved.requests[..4].iter().collect::<Vec<_>>()).await;
    approved.assert_done(1, "without NetBox").await;
}

#[tokio::test]
async fn netbox_is_away_before_it_is_sent() {
    let approved = Approved::new().await;
    let changes = &approved.changes;
    let netbox = changes.scene.netbox.server.as_ref().unwrap();
    netbox.fail(NetboxRule::new(NetboxFault::Status(503)).method("PATCH").path("rir-change-request"));
    approved.submit().await;
    assert_eq!(changes.wrote(), [""; 0], "nothing is sent that is not stored");
    netbox.heal();
    approved.submit().await;
    approved.assert_done(1, "without NetBox").await;
}

/// The claim of the row is lost on its way back: it is not known whether the row is ours.
#[tokio::test]
async fn netboxs_answer_to_the_claim_is_lost() {
    let approved = Approved::new().await;
    let changes = &approved.changes;
    let netbox = changes.scene.netbox.server.as_ref().unwrap();
    netbox.fail(NetboxRule::new(NetboxFault::LoseAnswer).method("PATCH").path("rir-change-request").times(1));
    approved.submit().await;
    changes.settle().await;
    approved.submit().await;
    approved.changes.settle().await;
    let states = approved.states().await;
    let wrong = states.iter().filter(|line| !line.ends_with(": done, sent 1"));
    assert_eq!((wrong.collect::<Vec<_>>(), approved.outcome()), (Vec::new(), ALL.map(str::to_owned).into()));
}

#[tokio::test]
async fn somebody_else_got_the_range_meanwhile() {
    let approved = Approved::new().await;
    let Approved { changes, requests } = &approved;
    approved.fail(&Fault::LostBefore);
    let creations = [&requests[3], &requests[4], &requests[5]];
    changes.submit(&changes.bob, &creations).await;
    for range in ["23.144.4.0/24", "23.144.5.0/24", "23.144.6.0/24"] {
        let mut registry = changes.scene.arin.registry();
        let customer = registry.add_customer(ORG, "Somebody Else", None);
        registry.reassign(PARENT, &[cidr(range)], Holder::Customer(customer)).unwrap();
    }
    for _ in 0..4 {
        tokio::time::sleep(LOOK_AGAIN + Duration::from_millis(100)).await;
        changes.take_up().await;
    }
    for request in creations {
        let row = changes.row(request).await;
        let (state, message) = (choice(&row, "state"), row["message"].as_str().unwrap_or_default());
        assert!(["unknown", "refused", "failed"].contains(&state.as_str()), "{state}: {message}");
        assert!(!message.is_empty(), "a person is told");
    }
    let writes = changes.writes();
    let sent = [Operation::Reassign, Operation::Reallocate].map(|operation| count(&writes, operation));
    assert_eq!(sent, [2, 1], "nothing is sent into what somebody else has");
}

#[tokio::test]
async fn while_arin_cannot_be_asked_nothing_is_sent_again() {
    let approved = Approved::new().await;
    let changes = &approved.changes;
    approved.fail(&Fault::LostAfter);
    approved.submit().await;
    changes.scene.arin.fail(Rule::new(Fault::Outage));
    for _ in 0..3 {
        tokio::time::sleep(LOOK_AGAIN + Duration::from_millis(100)).await;
        changes.take_up().await;
    }
    let states = approved.states().await;
    assert!(states.iter().all(|line| line.ends_with(": unknown, sent 1")), "{states:#?}");
    changes.scene.arin.heal();
    approved.assert_done(1, "after ARIN was away").await;
}

/// What never comes through is sent once more, and then left to a person.
#[tokio::test]
async fn what_is_lost_again_and_again_is_left_to_a_person() {
    let approved = Approved::new().await;
    let changes = &approved.changes;
    for operation in WRITES {
        changes.scene.arin.fail(Rule::new(Fault::LostBefore).on(operation));
    }
    approved.submit().await;
    for _ in 0..10 {
        tokio::time::sleep(LOOK_AGAIN + Duration::from_millis(100)).await;
        changes.take_up().await;
    }
    let states = approved.states().await;
    let over = states.iter().filter(|line| line.contains(": done"));
    assert_eq!(over.collect::<Vec<_>>(), [""; 0]);
    assert!(states.iter().all(|line| line.ends_with("sent 2")), "once more, and no more: {states:#?}");
}
