//! The facts that replicas share, asked of both implementations: each case runs as `coordination::memory::` on a clock that
//! is paused, and as `coordination::redis::`, which needs `RIR_LAB_REDIS_URL`.

use std::time::Duration;

use jiff::Timestamp;
use rir_sidecar::{
    coordination::{AnswerKey, Asked, Coordination, KeptPlan, KnownAnswer, LastRun, PlanQuota, Quota, Syncs},
    model::{PlanDigest, Resource, RowId},
    rate::{Answer, Limits, Report, Step, Ticket, Turn},
};

use crate::queue::bench::{secs, settings};

/// The same facts as two replicas have them.
struct Desk {
    here: Coordination,
    other: Coordination,
}

impl Desk {
    fn memory() -> Self {
        let here = Coordination::in_memory();
        Self { other: here.clone(), here }
    }

    async fn redis() -> Self {
        let url = std::env::var("RIR_LAB_REDIS_URL")
            .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
        let settings = settings(&url);
        let open = async || Coordination::open(&settings).await.unwrap();
        Self { here: open().await, other: open().await }
    }
}

macro_rules! cases {
    ($($case:ident)+) => {
        mod memory {
            $(
                #[tokio::test(start_paused = true)]
                async fn $case() {
                    super::$case(super::Desk::memory()).await;
                }
            )+
        }

        mod redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(super::Desk::redis().await).await;
                }
            )+
        }
    };
}

cases! {
    a_lease_has_one_holder
    a_lease_is_given_back_by_whoever_has_it
    a_cursor_stays_where_it_was_set
    changes_are_seen_once_they_are_remembered
    a_delivery_is_taken_once_unless_it_is_forgotten
    a_change_is_seen_up_to_when_it_had_been_made
    the_syncs_of_each_config_are_remembered
    an_answer_is_given_once_and_then_remembered
    answers_are_kept_within_the_quota_of_their_user
    an_answer_that_is_forgotten_makes_room
    a_plan_is_kept_in_parts_for_everybody
    a_plan_is_forgotten_when_its_time_is_over
    the_oldest_plans_of_a_user_give_way
    requests_go_evenly_after_a_burst
    a_pause_holds_everybody_and_is_never_shortened
    a_429_of_one_replica_halves_the_rate_of_all
    steps_at_once_are_all_taken
    processes_are_counted
}

async fn a_lease_has_one_holder(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    let short = Duration::from_millis(500);
    assert!(here.acquire_lease("schedule", "a", short).await.unwrap());
    assert!(here.acquire_lease("schedule", "a", short).await.unwrap(), "keeping it is fine");
    assert!(!other.acquire_lease("schedule", "b", short).await.unwrap());
    assert!(other.acquire_lease("sweep", "b", short).await.unwrap());
    tokio::time::sleep(short + Duration::from_millis(50)).await;
    assert!(other.acquire_lease("schedule", "b", secs(60)).await.unwrap());
    assert!(!here.acquire_lease("schedule", "a", secs(60)).await.unwrap());
}

async fn a_lease_is_given_back_by_whoever_has_it(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    assert_eq!(other.lease_holder("config").await.unwrap(), None);
    assert!(here.acquire_lease("config", "a", secs(60)).await.unwrap());
    assert_eq!(other.lease_holder("config").await.unwrap().as_deref(), Some("a"));
    other.release_lease("config", "b").await.unwrap();
    assert_eq!(other.lease_holder("config").await.unwrap().as_deref(), Some("a"), "it is not b's to give back");
    here.release_lease("config", "a").await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(other.lease_holder("config").await.unwrap(), None);
    assert!(other.acquire_lease("config", "b", secs(60)).await.unwrap());
}

async fn a_cursor_stays_where_it_was_set(desk: Desk) {
    let here = &desk.here;
    assert_eq!(here.cursor("sweep").await.unwrap(), None);
    here.set_cursor("sweep", "41").await.unwrap();
    here.set_cursor("sweep", "42").await.unwrap();
    assert_eq!(desk.other.cursor("sweep").await.unwrap().as_deref(), Some("42"));
    assert_eq!(here.cursor("other").await.unwrap(), None);
}

async fn changes_are_seen_once_they_are_remembered(desk: Desk) {
    let here = &desk.here;
    let changes = ["a", "b", "c"].map(|name| (name.to_owned(), at(5)));
    assert_eq!(here.unseen_changes(&changes).await.unwrap(), [true; 3]);
    here.remember_changes(&changes[1..]).await.unwrap();
    assert_eq!(desk.other.unseen_changes(&changes).await.unwrap(), [true, false, false]);
    here.remember_changes(&[]).await.unwrap();
    assert_eq!(here.unseen_changes(&[]).await.unwrap(), [] as [bool; 0]);
}

/// A change that was made once more under the same name, as by the merge of a branch, was not seen.
async fn a_change_is_seen_up_to_when_it_had_been_made(desk: Desk) {
    let here = &desk.here;
    let made = |second| [("a".to_owned(), at(second))];
    here.remember_changes(&made(5)).await.unwrap();
    assert_eq!(desk.other.unseen_changes(&made(4)).await.unwrap(), [false]);
    assert_eq!(desk.other.unseen_changes(&made(6)).await.unwrap(), [true]);
    here.remember_changes(&made(6)).await.unwrap();
    assert_eq!(desk.other.unseen_changes(&made(6)).await.unwrap(), [false]);
}

async fn the_syncs_of_each_config_are_remembered(desk: Desk) {
    let here = &desk.here;
    assert_eq!(here.syncs(RowId(1)).await.unwrap(), Syncs::default());
    let asked = Asked { at: at(1), times: 3 };
    here.sync_asked(RowId(1), asked).await.unwrap();
    let run = LastRun { started: at(2), ended: at(9), result: "partial".to_owned() };
    here.sync_ended(RowId(1), &run).await.unwrap();
    assert_eq!(desk.other.syncs(RowId(1)).await.unwrap(), Syncs { run: Some(run), asked: Some(asked) });
    assert_eq!(desk.other.syncs(RowId(2)).await.unwrap(), Syncs::default());
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn a_delivery_is_taken_once_unless_it_is_forgotten(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    assert!(here.remember_delivery("a").await.unwrap());
    assert!(!other.remember_delivery("a").await.unwrap());
    assert!(other.remember_delivery("b").await.unwrap());
    other.forget_delivery("a").await.unwrap();
    assert!(here.remember_delivery("a").await.unwrap());
    assert_eq!(here.unseen_changes(&[("a".to_owned(), at(1))]).await.unwrap(), [true], "it is no change that was seen");
}

const QUOTA: Quota = Quota { answers: 3, bytes: 100, largest: 40 };

fn answer_of(user: &str, request: &str) -> AnswerKey {
    AnswerKey { user: user.to_owned(), request: request.to_owned() }
}

async fn recall(facts: &Coordination, key: &AnswerKey, fingerprint: &str) -> KnownAnswer {
    facts.recall_answer(key, fingerprint, &QUOTA).await.unwrap()
}

async fn an_answer_is_given_once_and_then_remembered(desk: Desk) {
    let here = &desk.here;
    let key = answer_of("ann", "k");
    assert_eq!(recall(here, &key, "print").await, KnownAnswer::Reserved);
    assert_eq!(recall(here, &key, "print").await, KnownAnswer::InProgress);
    assert_eq!(recall(here, &key, "another").await, KnownAnswer::OtherRequest);
    here.remember_answer(&key, "print", "answer", secs(60)).await.unwrap();
    assert_eq!(recall(here, &key, "print").await, KnownAnswer::Answer("answer".to_owned()));
    assert_eq!(recall(here, &key, "another").await, KnownAnswer::OtherRequest);

    let free = answer_of("ann", "free");
    assert_eq!(recall(here, &free, "print").await, KnownAnswer::Reserved);
    here.forget_answer(&free).await.unwrap();
    assert_eq!(recall(here, &free, "another").await, KnownAnswer::Reserved);

    let short = answer_of("bob", "short");
    here.remember_answer(&short, "print", "answer", Duration::from_millis(200)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(recall(here, &short, "print").await, KnownAnswer::Reserved);
}

async fn answers_are_kept_within_the_quota_of_their_user(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    let no_room = |known: KnownAnswer| {
        let KnownAnswer::NoRoom { wait } = known else { panic!("there is room: {known:?}") };
        wait
    };
    // What is being worked on counts as the largest.
    for request in ["a", "b"] {
        assert_eq!(recall(here, &answer_of("ann", request), "print").await, KnownAnswer::Reserved);
    }
    let wait = no_room(recall(other, &answer_of("ann", "c"), "print").await);
    assert!(wait > secs(50) && wait <= secs(60), "the places are reserved for a minute: {wait:?}");
    assert_eq!(recall(other, &answer_of("bob", "d"), "print").await, KnownAnswer::Reserved);

    for request in ["a", "b"] {
        here.remember_answer(&answer_of("ann", request), "print", "0123456789", secs(600)).await.unwrap();
    }
    assert_eq!(recall(other, &answer_of("ann", "c"), "print").await, KnownAnswer::Reserved);
    other.remember_answer(&answer_of("ann", "c"), "print", "0123456789", secs(300)).await.unwrap();
    let wait = no_room(recall(here, &answer_of("ann", "e"), "print").await);
    assert!(wait > secs(250) && wait <= secs(300), "there are three of them: {wait:?}");
    let known = recall(here, &answer_of("ann", "a"), "print").await;
    assert_eq!(known, KnownAnswer::Answer("0123456789".to_owned()), "what is kept is given all the same");
}

async fn an_answer_that_is_forgotten_makes_room(desk: Desk) {
    let here = &desk.here;
    let ours = |number: usize| answer_of("ann", &number.to_string());
    for _ in 0..10 {
        assert_eq!(recall(here, &ours(0), "print").await, KnownAnswer::Reserved);
        here.forget_answer(&ours(0)).await.unwrap();
    }
    for number in 0..3 {
        assert_eq!(recall(here, &ours(number), "print").await, KnownAnswer::Reserved);
        here.remember_answer(&ours(number), "print", "x", Duration::from_millis(300)).await.unwrap();
    }
    assert!(matches!(recall(here, &ours(3), "print").await, KnownAnswer::NoRoom { .. }));
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(recall(here, &ours(3), "print").await, KnownAnswer::Reserved);
}

const PLAN_QUOTA: PlanQuota = PlanQuota { plans: 3, bytes: 1000, ttl: Duration::from_secs(60) };

fn plan(id: &str, user: &str, bytes: usize) -> KeptPlan {
    KeptPlan {
        id: id.to_owned(),
        config: RowId(7),
        resources: Resource::all(),
        full: true,
        user: user.to_owned(),
        digest: PlanDigest::parse(&format!("sha256-{}", "0a".repeat(32))),
        complete: true,
        made: "2026-01-31T12:00:00.123456Z".parse().unwrap(),
        parts: 2,
        bytes,
    }
}

async fn keep(facts: &Coordination, plan: &KeptPlan, quota: PlanQuota) {
    for number in 0..plan.parts {
        facts.add_plan_part(&plan.id, number, &[number as u8, 0xff, 0]).await.unwrap();
    }
    facts.keep_plan(plan, quota).await.unwrap();
}

async fn ids(facts: &Coordination) -> Vec<String> {
    let mut ids: Vec<String> = facts.plans().await.unwrap().into_iter().map(|plan| plan.id).collect();
    ids.sort();
    ids
}

async fn a_plan_is_kept_in_parts_for_everybody(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    let plan = plan("01", "ann", 10);
    here.add_plan_part("01", 0, b"head").await.unwrap();
    assert_eq!(other.plans().await.unwrap(), [], "one part is no plan yet");
    keep(here, &plan, PLAN_QUOTA).await;
    assert_eq!(other.plans().await.unwrap(), [plan]);
    assert_eq!(other.plan_part("01", 1).await.unwrap(), Some(vec![1, 0xff, 0]));
    assert_eq!((other.plan_part("01", 2).await.unwrap(), other.plan_part("02", 0).await.unwrap()), (None, None));
}

async fn a_plan_is_forgotten_when_its_time_is_over(desk: Desk) {
    let here = &desk.here;
    keep(here, &plan("01", "ann", 10), PlanQuota { ttl: Duration::from_millis(200), ..PLAN_QUOTA }).await;
    keep(here, &plan("02", "ann", 10), PLAN_QUOTA).await;
    assert_eq!(ids(here).await, ["01", "02"]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ids(here).await, ["02"]);
    assert_eq!(desk.other.plan_part("01", 0).await.unwrap(), None);
}

async fn the_oldest_plans_of_a_user_give_way(desk: Desk) {
    let here = &desk.here;
    for id in ["01", "02", "03"] {
        keep(here, &plan(id, "ann", 100), PLAN_QUOTA).await;
        keep(here, &plan(&format!("{id}b"), "bob", 100), PLAN_QUOTA).await;
    }
    keep(here, &plan("03", "ann", 100), PLAN_QUOTA).await;
    assert_eq!(ids(here).await, ["01", "01b", "02", "02b", "03", "03b"], "the same plan again is no further one");
    keep(here, &plan("04", "ann", 100), PLAN_QUOTA).await;
    assert_eq!(ids(here).await, ["01b", "02", "02b", "03", "03b", "04"]);
    assert_eq!(desk.other.plan_part("01", 0).await.unwrap(), None);
    keep(here, &plan("05", "ann", 850), PLAN_QUOTA).await;
    assert_eq!(ids(here).await, ["01b", "02b", "03b", "04", "05"]);
}

/// Asks whether a request to an instance may go. Returns the ticket, or how long to wait.
async fn ask(facts: &Coordination, instance: &str, limits: (u32, u32)) -> Result<Ticket, Duration> {
    match step(facts, instance, limits, Step::Ask { waited: false }).await.turn {
        Turn::Go(ticket) => Ok(ticket),
        Turn::Wait(wait) => Err(wait),
    }
}

async fn step(facts: &Coordination, instance: &str, (per_second, burst): (u32, u32), step: Step) -> Answer {
    let per_second = (per_second > 0).then_some(f64::from(per_second));
    let report = Report { step, limits: Limits { per_second, burst }, taken: 0 };
    facts.change_rate(instance, move |rate, now| rate.step(now, report)).await.unwrap()
}

async fn requests_go_evenly_after_a_burst(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    // So slow that the test itself takes no time beside it.
    let slow = (1, 3);
    for facts in [here, other, here] {
        ask(facts, "arin", slow).await.unwrap();
    }
    let wait = ask(other, "arin", slow).await.unwrap_err();
    assert!(wait > Duration::from_millis(500) && wait <= secs(1), "{wait:?}");
    assert!(ask(other, "arin-ote", slow).await.is_ok(), "instances are counted apart");
    tokio::time::sleep(wait).await;
    ask(here, "arin", slow).await.unwrap();
    ask(other, "arin", slow).await.unwrap_err();
    for _ in 0..100 {
        ask(here, "unlimited", (0, 0)).await.unwrap();
    }
    ask(here, "single", (1, 0)).await.unwrap();
    ask(here, "single", (1, 0)).await.unwrap_err();
}

async fn a_pause_holds_everybody_and_is_never_shortened(desk: Desk) {
    let (here, other, some) = (&desk.here, &desk.other, (5, 5));
    let [first, second] = [ask(here, "arin", some).await.unwrap(), ask(other, "arin", some).await.unwrap()];
    let pause = |millis| Some(Duration::from_millis(millis));
    step(here, "arin", some, Step::Refused(first, pause(1500))).await;
    step(other, "arin", some, Step::Refused(second, pause(100))).await;
    for limits in [(0, 5), some] {
        let wait = ask(other, "arin", limits).await.unwrap_err();
        assert!(wait > Duration::from_millis(700) && wait <= Duration::from_millis(1500), "{wait:?}");
    }
    ask(other, "arin-ote", some).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1501)).await;
    assert!(ask(other, "arin", some).await.unwrap().ahead);
}

async fn a_429_of_one_replica_halves_the_rate_of_all(desk: Desk) {
    let (here, other, some) = (&desk.here, &desk.other, (10, 5));
    let tickets = [ask(here, "arin", some).await.unwrap(), ask(other, "arin", some).await.unwrap()];
    step(here, "arin", some, Step::Refused(tickets[0], None)).await;
    step(other, "arin", some, Step::Refused(tickets[1], None)).await;
    assert_eq!(step(other, "arin", some, Step::Look).await.per_second, Some(5.0));
    assert_eq!(step(other, "arin-ote", some, Step::Look).await.per_second, Some(10.0));
}

async fn steps_at_once_are_all_taken(desk: Desk) {
    let ask = |number: usize| {
        let facts = if number.is_multiple_of(2) { desk.here.clone() } else { desk.other.clone() };
        // So slow that none becomes due while the test runs.
        async move { ask(&facts, "arin", (1, 30)).await.is_ok() }
    };
    let asked = futures_util::future::join_all((0..60).map(ask)).await;
    let may = asked.into_iter().filter(|may| *may).count();
    assert!((30..=32).contains(&may), "{may}");
}

async fn processes_are_counted(desk: Desk) {
    let here = &desk.here;
    assert_eq!(here.register_presence("a").await.unwrap(), 1);
    assert_eq!(desk.other.register_presence("b").await.unwrap(), 2);
    assert_eq!(here.register_presence("a").await.unwrap(), 2);
}
