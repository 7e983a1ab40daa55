//! A registry by chance, against which the decisions of a look are played out.
//!
//! It may take a call or lose it, carry it out at once, late or by way of a ticket, answer or not, be silent for a
//! while, and give the range to somebody else. Whatever it does: what it has done in the end is what the decisions
//! say.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::super::{
    super::{answered::Answered, change::Change, follow, intent::Intent, tests::example::*},
    Seen, Truth, judge, note,
};
use crate::{
    arin::Ticket,
    model::{Customer, Net},
};

const PAUSE: Duration = Duration::from_secs(180);
const SENT: &str = "2026-11-27T12:00:00Z";
/// By so many seconds after the first send everything has happened, and ARIN answers.
const QUIET: i64 = 4 * 3600;
const STRANGER: &str = "C99999999";

/// What ARIN does with a call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// It never gets there, or is refused.
    Lost,
    /// It is carried out so many seconds later, if it still can be.
    Done(i64),
    /// It becomes a ticket, which is decided so many seconds later: carried out or not.
    Ticket(i64, bool),
}

/// All that happens by chance.
#[derive(Debug, Clone)]
struct Chance {
    fates: [Fate; 2],
    /// The answer to the second call is a refusal that arrives.
    repeat_refused: bool,
    /// When somebody else takes the range, or makes a net of it again after it was removed.
    stranger: Option<i64>,
    /// When questions about nets are not answered, and when those about tickets are not.
    silent: Vec<(i64, i64)>,
    no_tickets: Vec<(i64, i64)>,
}

fn fate() -> impl Strategy<Value = Fate> {
    let later = prop_oneof![Just(0), 1_i64..170, 170..3000_i64];
    prop_oneof![
        2 => Just(Fate::Lost),
        4 => later.clone().prop_map(Fate::Done),
        2 => (later, any::<bool>()).prop_map(|(after, done)| Fate::Ticket(after, done)),
    ]
}

fn chance() -> impl Strategy<Value = Chance> {
    let from = prop_oneof![Just(0), 0..QUIET];
    let spans = || proptest::collection::vec((from.clone(), 1..4000_i64), 0..4);
    let stranger = proptest::option::weighted(0.3, 0_i64..3000);
    ([fate(), fate()], any::<bool>(), stranger, spans(), spans()).prop_map(
        |(fates, repeat_refused, stranger, silent, no_tickets)| Chance {
            fates,
            repeat_refused,
            stranger,
            silent,
            no_tickets,
        },
    )
}

/// The registry at a moment. Times are seconds after the first send.
struct Arin {
    creates: bool,
    chance: Chance,
    /// The calls that were sent.
    sent: Vec<i64>,
}

/// Who has the range.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Holder {
    Nobody,
    /// The net that the request is about: made by it, or not removed yet.
    Ours,
    Stranger,
}

impl Arin {
    /// Plays everything up to a moment, in the order in which it happens.
    fn holder(&self, now: i64) -> Holder {
        let mut events: Vec<(i64, bool)> = self
            .sent
            .iter()
            .zip(self.chance.fates)
            .filter_map(|(sent, fate)| match fate {
                Fate::Lost => None,
                Fate::Done(after) | Fate::Ticket(after, true) => Some((sent + after, true)),
                Fate::Ticket(_, false) => None,
            })
            .collect();
        events.extend(self.chance.stranger.map(|at| (at, false)));
        events.sort_unstable();
        let mut holder = if self.creates { Holder::Nobody } else { Holder::Ours };
        for (_, ours) in events.into_iter().filter(|(at, _)| *at <= now) {
            holder = match (holder, ours, self.creates) {
                (Holder::Nobody, true, true) => Holder::Ours,
                // Removing removes whoever has the handle: it must never be sent to a stranger's net.
                (_, true, false) => Holder::Nobody,
                (Holder::Nobody, false, _) => Holder::Stranger,
                // The range is taken.
                (Holder::Ours | Holder::Stranger, true, true) | (Holder::Ours | Holder::Stranger, false, _) => holder,
            };
        }
        holder
    }

    fn open_tickets(&self, now: i64) -> Vec<(usize, i64)> {
        let all = self.sent.iter().zip(self.chance.fates).enumerate();
        all.filter_map(|(number, (sent, fate))| match fate {
            Fate::Ticket(after, _) if sent + after > now => Some((number, *sent)),
            Fate::Lost | Fate::Done(_) | Fate::Ticket(..) => None,
        })
        .collect()
    }

    fn see(&self, now: i64) -> Seen {
        let silent =
            |spans: &[(i64, i64)]| now < QUIET && spans.iter().any(|(from, long)| (*from..from + long).contains(&now));
        let net = match self.holder(now) {
            _ if silent(&self.chance.silent) => Answered::NotKnown("silence".to_owned()),
            Holder::Nobody => Answered::Absent,
            Holder::Ours => Answered::Found(self.ours()),
            Holder::Stranger => {
                Answered::Found(Net { holder: held_by_customer(STRANGER), ..net("2026-11-27T07:30:00-05:00") })
            }
        };
        let held = net.found().and_then(Net::customer).cloned();
        let customer = held.map_or(Answered::Absent, |held| {
            let name = if held.as_str() == STRANGER { "Stranger" } else { "Customer Seventeen, Inc." };
            Answered::Found(Customer { handle: held, name: name.to_owned(), ..customer() })
        });
        let ticket = |(number, sent): (usize, i64)| Ticket {
            kind: Some(if self.creates { "IPV4_SIMPLE_REASSIGN" } else { "NET_DELETE_REQUEST" }.to_owned()),
            status: Some("PENDING_REVIEW".to_owned()),
            created: Some(after(sent)),
            ..unknown_ticket(&format!("20261127-X{}", number + 1))
        };
        let tickets = match silent(&self.chance.no_tickets) {
            true => Answered::NotKnown("silence".to_owned()),
            false => Answered::Found(self.open_tickets(now).into_iter().map(ticket).collect()),
        };
        Seen { net, customer, tickets, claimed: BTreeSet::new() }
    }

    fn ours(&self) -> Net {
        net(if self.creates { "2026-11-27T07:00:01-05:00" } else { REGISTERED })
    }
}

fn after(seconds: i64) -> Timestamp {
    SENT.parse::<Timestamp>().unwrap().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// How a play ends.
#[derive(Debug, Clone, PartialEq)]
enum Ending {
    Done,
    Conflict,
    /// It was sent twice, and nothing is to be seen of it.
    Person,
    Refused,
}

/// Follows the decisions from a send without an answer to the end, and returns it with the moment it was reached.
fn follow_through(arin: &mut Arin, mut intent: Intent) -> (Ending, i64) {
    let mut now = 1;
    // Each step waits for at least a minute, so that this is more than a day after the last of what may happen.
    for _ in 0..2000 {
        let seen = arin.see(now);
        if let Some(held) = intent.ticket.clone() {
            let number: usize = held.number.rsplit_once('X').unwrap().1.parse().unwrap();
            let open = arin.open_tickets(now).iter().any(|(place, _)| place + 1 == number);
            let status = if open { "PENDING_REVIEW" } else { "RESOLVED" };
            let ticket = Answered::Found(Ticket { status: Some(status.to_owned()), ..unknown_ticket(&held.number) });
            match follow::next(&ticket, intent.sent_at(), after(now)) {
                follow::Next::Wait(wait, _) => now += i64::try_from(wait.as_secs()).unwrap(),
                follow::Next::Look => {
                    intent.ticket_is_over(after(now));
                    let end = follow::end(&intent, &ticket, &seen, (after(now), PAUSE));
                    let truth = judge(&intent, &seen, after(now), PAUSE);
                    note(&mut intent, &seen, &truth, after(now));
                    match end {
                        follow::End::Done(_) => return (Ending::Done, now),
                        follow::End::Conflict(_) => return (Ending::Conflict, now),
                        follow::End::Refused(_) => return (Ending::Refused, now),
                        follow::End::Ticket(other) => intent.became(&other, true),
                        follow::End::Later(_, wait) => now += i64::try_from(wait.as_secs()).unwrap(),
                    }
                }
            }
            continue;
        }
        let truth = judge(&intent, &seen, after(now), PAUSE);
        note(&mut intent, &seen, &truth, after(now));
        match truth {
            Truth::Done(_) => return (Ending::Done, now),
            Truth::Conflict(_) => return (Ending::Conflict, now),
            Truth::Ticket(number) => intent.became(&number, true),
            Truth::Undecided(_, wait) => now += i64::try_from(wait.as_secs()).unwrap().max(1),
            Truth::NotDone => {
                assert_looked_for(&intent);
                if !intent.may_be_sent_again() {
                    return (Ending::Person, now);
                }
                let before = if arin.creates { Holder::Nobody } else { Holder::Ours };
                assert_eq!((arin.holder(now), arin.open_tickets(now)), (before, Vec::new()));
                intent.sent_again = Some(after(now));
                arin.sent.push(now);
                // A refusal is one more reason to look, and decides nothing.
                now += if arin.chance.repeat_refused { 1 } else { 5 };
            }
        }
    }
    panic!("no end: {intent:#?}");
}

/// Two looks since it was last sent have found nothing, a pause apart.
fn assert_looked_for(intent: &Intent) {
    let nothing = intent.looked.iter().filter(|look| look.nothing && look.at >= intent.sent_at());
    let nothing: Vec<Timestamp> = nothing.map(|look| look.at).collect();
    assert!(nothing.len() >= 2, "{intent:#?}");
    let apart = nothing.last().unwrap().duration_since(nothing[0]);
    assert!(apart >= SignedDuration::try_from(PAUSE).unwrap(), "{intent:#?}");
}

fn play(creates: bool, chance: Chance) -> Result<(), TestCaseError> {
    let change = if creates { Change::Create(simple()) } else { removal() };
    let intent = Intent::new(change, "alice", after(0), Some(&net(REGISTERED)));
    let mut arin = Arin { creates, chance, sent: vec![0] };
    let (ending, now) = follow_through(&mut arin, intent);
    prop_assert!(arin.sent.len() <= 2);
    let holder = arin.holder(now);
    let before = if creates { Holder::Nobody } else { Holder::Ours };
    match ending {
        Ending::Done => {
            prop_assert!(holder == Holder::Ours && creates || holder != Holder::Ours && !creates, "{:?}", holder)
        }
        Ending::Conflict => prop_assert_eq!(holder, Holder::Stranger),
        Ending::Person => prop_assert_eq!((holder, arin.sent.len()), (before, 2)),
        Ending::Refused => prop_assert_eq!(holder, before),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_became_of_a_reassignment_is_found_out(chance in chance()) {
        play(true, chance)?;
    }

    #[test]
    fn whatever_became_of_a_removal_is_found_out(chance in chance()) {
        play(false, chance)?;
    }
}
