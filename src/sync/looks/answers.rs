//! Decides about which organizations and customers a sync asks for the findings, and which answers it keeps.
//!
//! Three kinds of findings need an answer that no row has: whether space can be given to an organization, a customer that
//! is still there though its net is not its own any more, and one that a net names and the registry does not have.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{super::lookup::Recorded, Standings};
use crate::model::{
    Answer, CustomerHandle, Instance, Inventory, Key, NetHandle, ObjectType, OrgHandle, Recipient, Registration, Row,
    RowId, Standing,
};

/// More answers of one kind are not counted.
const MOST_TIMES: u8 = 2;

/// The rows of one config at one registry instance.
#[derive(Debug, Clone, Copy)]
pub(in crate::sync) struct OurRows<'a> {
    pub(in crate::sync) config: RowId,
    pub(in crate::sync) org: Option<&'a OrgHandle>,
    pub(in crate::sync) instance: &'a Instance,
    pub(in crate::sync) has: &'a Inventory,
}

/// What a run has heard of the registry.
#[derive(Debug, Clone, Copy)]
pub(in crate::sync) struct Heard<'a> {
    pub(in crate::sync) started: Timestamp,
    /// Everything was asked that was to be asked.
    pub(in crate::sync) complete: bool,
    pub(in crate::sync) registered: &'a Registration,
    pub(in crate::sync) standings: &'a Standings,
}

impl OurRows<'_> {
    /// Returns whom a sync has to ask for, even if nothing speaks for a change: the organizations that are linked to a
    /// tenant, customers whose net is recorded as gone or as somebody else's, and those that were missing before.
    pub(in crate::sync) fn suspects(&self, before: &[Answer]) -> BTreeSet<Recorded> {
        let orgs = self.linked().filter_map(|(handle, _)| OrgHandle::new(&handle)).map(Recorded::Org);
        let left = self.leavers(|_| true, &Registration::default());
        let left = left.into_iter().map(|(customer, _)| Recorded::Customer(customer));
        let missing = before.iter().filter(|answer| answer.standing == Standing::Absent);
        let missing = missing.filter_map(|answer| Recorded::new(answer.object, &answer.handle));
        orgs.chain(left).chain(missing).collect()
    }

    /// Returns the organizations with a tenant that count as gone, so that nothing else asks for them.
    pub(in crate::sync) fn lost_orgs(&self) -> impl Iterator<Item = (Recorded, Key)> {
        let lost = self.linked().filter(|(_, row)| !row.is_registered());
        lost.filter_map(|(handle, _)| Some((Recorded::Org(OrgHandle::new(&handle)?), self.instance.key(handle))))
    }

    /// Returns the answers to keep after a run: those about whom it asked, and the earlier ones about whom it could not
    /// ask.
    pub(in crate::sync) fn answers(&self, before: &[Answer], heard: &Heard<'_>) -> Vec<Answer> {
        let mut kept: BTreeMap<(ObjectType, String), Answer> = BTreeMap::new();
        let own = self.org.map(|org| org.to_string());
        let orgs = own.into_iter().chain(self.linked().map(|(handle, _)| handle));
        let orgs = orgs.map(|handle| ((ObjectType::Organization, handle), None, false));
        let known =
            |customer: &CustomerHandle| before.iter().any(|answer| answer.left && answer.handle == customer.as_str());
        let left = self.leavers(known, heard.registered);
        let left =
            left.into_iter().map(|(customer, net)| ((ObjectType::Customer, customer.to_string()), Some(net), true));
        for (name, net, left) in orgs.chain(left).chain(self.missing(before, heard)) {
            let earlier = before.iter().find(|answer| (answer.object, &answer.handle) == (name.0, &name.1));
            let answer = match heard.standings.get(&name) {
                // It is marked as gone; nobody has to know more.
                Some(Standing::Absent) if left => None,
                Some(standing) => Some(self.answer(name.clone(), (standing, net, left), (earlier, heard))),
                None => earlier.cloned(),
            };
            kept.extend(answer.map(|answer| (name, answer)));
        }
        kept.into_values().collect()
    }

    fn answer(
        &self,
        (object, handle): (ObjectType, String),
        (standing, net, left): (&Standing, Option<NetHandle>, bool),
        (before, heard): (Option<&Answer>, &Heard<'_>),
    ) -> Answer {
        let left = left && matches!(standing, Standing::Found(_));
        let same = |before: &&Answer| before.standing == *standing && before.net == net && before.left == left;
        let before = before.filter(same);
        let more = u8::from(heard.complete && *standing == Standing::Absent);
        let times = before.map_or(1, |before| before.times.saturating_add(more).min(MOST_TIMES));
        let since = before.map_or(heard.started, |before| before.since);
        Answer { config: self.config, object, handle, standing: standing.clone(), since, times, net, left }
    }

    /// Returns the organizations that the operator has linked to a tenant.
    fn linked(&self) -> impl Iterator<Item = (String, &Row)> {
        let rows = self.has.rows_of(ObjectType::Organization, self.config, self.instance);
        rows.filter(|(_, row)| row.tenant.is_some()).map(|(handle, row)| (handle.into_owned(), row))
    }

    /// Returns the registered customers that do not hold the net that is recorded with them any more, nor another one, as
    /// far as that is recorded or was learnt. Where several are recorded with one net about which nothing was learnt, those
    /// are among them of whom it is `known`.
    fn leavers(
        &self,
        known: impl Fn(&CustomerHandle) -> bool,
        registered: &Registration,
    ) -> Vec<(CustomerHandle, NetHandle)> {
        let customers = || self.has.registered(ObjectType::Customer, self.config, self.instance);
        let mut held: BTreeMap<&Key, usize> = BTreeMap::new();
        for net in customers().filter_map(|(_, row)| row.field("network").as_our_row()) {
            *held.entry(net).or_default() += 1;
        }
        let left = |(handle, row): (std::borrow::Cow<'_, str>, &Row)| {
            let (customer, key) = (CustomerHandle::new(&handle)?, row.field("network").as_our_row()?);
            let net = NetHandle::new(&key.handle_at(self.instance)?)?;
            let holds = |net: &NetHandle| registered.nets.get(net).is_some_and(|net| net.customer() == Some(&customer));
            if registered.nets_of.get(&customer).is_some_and(|nets| nets.iter().any(holds)) {
                return None;
            }
            let has_left = match registered.nets.get(&net) {
                // It would be among those that the customer holds.
                Some(_) => true,
                None if registered.gone.contains(&(ObjectType::Network, key.clone())) => true,
                None => {
                    let row = self.has.row(ObjectType::Network, key).filter(|row| row.is_registered());
                    let org = row.and_then(|row| row.field("organization").as_our_row());
                    let shared = held.get(key).is_some_and(|count| *count > 1);
                    row.is_none() || org.is_some() || (shared && known(&customer))
                }
            };
            has_left.then_some((customer, net))
        };
        customers().filter_map(left).collect()
    }

    /// Returns the customers that a net names and the registry does not have: those of this run, and those of earlier ones
    /// whose net has not come up.
    fn missing<'a>(
        &self,
        before: &'a [Answer],
        heard: &'a Heard<'_>,
    ) -> impl Iterator<Item = ((ObjectType, String), Option<NetHandle>, bool)> + 'a {
        let named = |handle: &str| {
            let customer = CustomerHandle::new(handle)?;
            let nets = heard.registered.nets_of.get(&customer)?;
            let holds =
                |net: &&NetHandle| heard.registered.nets.get(*net).is_some_and(|net| net.customer() == Some(&customer));
            nets.iter().find(holds).cloned()
        };
        let absent = heard
            .standings
            .iter()
            .filter(|((object, _), standing)| *object == ObjectType::Customer && matches!(standing, Standing::Absent));
        let absent = absent.filter_map(move |(name, _)| Some((name.clone(), Some(named(&name.1)?), false)));
        let unasked = before.iter().filter(move |answer| {
            let asked = heard.standings.contains_key(&(answer.object, answer.handle.clone()));
            let named = match answer.net.as_ref().and_then(|net| heard.registered.nets.get(net)) {
                Some(net) => net.customer().is_some_and(|customer| customer.as_str() == answer.handle),
                None => !heard.complete,
            };
            answer.object == ObjectType::Customer && answer.standing == Standing::Absent && !asked && named
        });
        absent.chain(unasked.map(|answer| ((answer.object, answer.handle.clone()), answer.net.clone(), false)))
    }
}

/// Returns what an organization needs to be given space.
pub(in crate::sync) fn recipient(org: &crate::model::Org) -> Recipient {
    let functions = org.pocs.values().flatten().cloned().collect();
    Recipient { functions, accepts: org.accepts_reassignments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Fields, Holder, Net, NetBlock, NetType, Payload, Value, inventory::REGISTERED};

    const CONFIG: RowId = RowId(1);

    fn instance() -> Instance {
        Instance::of(&Instance::PRODUCTION.parse().unwrap())
    }

    fn customer(handle: &str) -> CustomerHandle {
        CustomerHandle::new(handle).unwrap()
    }

    fn row(status: &str, more: Option<(&'static str, Value)>) -> Row {
        let text = |text: &str| Value::Text(text.to_owned());
        let fields = [("config", Value::NetBoxRow(CONFIG)), ("status", text(status))].into_iter().chain(more);
        Row { id: RowId(9), fields: Fields::from_iter(fields), last_synced: None, synced_by: None, tenant: None }
    }

    /// A world of rows: two organizations, of which one is linked to a tenant, and customers with the nets of their rows.
    fn recorded(net_status: &str, customers: &[(&str, &str)]) -> Inventory {
        let (mut has, key) = (Inventory::default(), |handle: &str| instance().key(handle));
        let linked = Row { tenant: Some(RowId(70)), ..row(REGISTERED, None) };
        let orgs = [(key("LINKED-1"), linked), (key("OTHER-1"), row(REGISTERED, None))];
        has.rows.insert(ObjectType::Organization, orgs.into());
        has.rows.insert(ObjectType::Network, [(key("NET-1"), row(net_status, None))].into());
        let customers = customers
            .iter()
            .map(|(handle, net)| (key(handle), row(REGISTERED, Some(("network", Value::OurRow(key(net)))))));
        has.rows.insert(ObjectType::Customer, customers.collect());
        has
    }

    fn net(holder: Holder) -> Registration {
        let mut registered = Registration::default();
        registered.add_net(Net {
            handle: NetHandle::new("NET-1").unwrap(),
            name: "NET-1".to_owned(),
            kind: Some(NetType::Reassigned),
            blocks: vec![NetBlock::from("23.0.1.0/24".parse::<ipnet::IpNet>().unwrap())],
            parent: None,
            holder: Some(holder),
            registration_date: None,
            raw: Payload::default(),
        });
        registered
    }

    /// What a sync asks for in any case.
    fn suspects(has: &Inventory, before: &[Answer]) -> Vec<String> {
        let instance = instance();
        let ours = OurRows { config: CONFIG, org: None, instance: &instance, has };
        ours.suspects(before).iter().map(|suspect| format!("{suspect:?}")).collect()
    }

    struct Heard {
        has: Inventory,
        registered: Registration,
        standings: Standings,
        complete: bool,
    }

    impl Heard {
        /// The answers that are kept, one a line.
        fn kept(&self, before: &[Answer]) -> Vec<Answer> {
            let (instance, org) = (instance(), OrgHandle::new("OWN-1"));
            let ours = OurRows { config: CONFIG, org: org.as_ref(), instance: &instance, has: &self.has };
            let Self { registered, standings, complete, .. } = self;
            let started = Timestamp::from_second(500).unwrap();
            ours.answers(before, &super::Heard { started, complete: *complete, registered, standings })
        }
    }

    fn standings(all: &[(ObjectType, &str, Standing)]) -> Standings {
        all.iter().map(|(object, handle, standing)| ((*object, (*handle).to_owned()), standing.clone())).collect()
    }

    fn told(answers: &[Answer]) -> String {
        let line = |Answer { handle, standing, since, times, net, left, .. }: &Answer| {
            let standing = match standing {
                Standing::Found(recipient) => format!("found {:?}", recipient.accepts),
                Standing::Absent => "absent".to_owned(),
                Standing::Denied => "denied".to_owned(),
            };
            let net = net.as_ref().map_or("-", NetHandle::as_str);
            format!("{handle} {standing}, {times} since {}, {net}, left {left}", since.as_second())
        };
        answers.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn found(accepts: Option<bool>) -> Standing {
        Standing::Found(Recipient { functions: Vec::new(), accepts })
    }

    use ObjectType::{Customer, Organization};

    #[test]
    fn linked_organizations_and_customers_in_doubt_are_asked_for_in_any_case() {
        let held = recorded(REGISTERED, &[("C1", "NET-1")]);
        insta::assert_debug_snapshot!(suspects(&held, &[]), @r#"
        [
            "Org(OrgHandle(\"LINKED-1\"))",
        ]
        "#);
        let both = ["Org(OrgHandle(\"LINKED-1\"))", "Customer(CustomerHandle(\"C1\"))"];
        assert_eq!(suspects(&recorded("not-found", &[("C1", "NET-1")]), &[]), both);
        let shared = suspects(&recorded(REGISTERED, &[("C1", "NET-1"), ("C2", "NET-1")]), &[]);
        assert_eq!(shared.len(), 3, "{shared:?}");
        let missing = Heard {
            has: held.clone(),
            registered: net(Holder::Customer(customer("C1"))),
            standings: standings(&[(Customer, "C1", Standing::Absent)]),
            complete: true,
        };
        assert_eq!(suspects(&held, &missing.kept(&[])), both);
    }

    #[test]
    fn answers_about_organizations_last_until_there_is_another_one() {
        let asked = |standing: Option<Standing>| Heard {
            has: recorded(REGISTERED, &[]),
            registered: Registration::default(),
            standings: standing.map(|it| standings(&[(Organization, "LINKED-1", it)])).unwrap_or_default(),
            complete: true,
        };
        let first = asked(Some(found(Some(true)))).kept(&[]);
        let earlier: Vec<Answer> =
            first.iter().map(|it| Answer { since: Timestamp::from_second(100).unwrap(), ..it.clone() }).collect();
        let after = |standing| told(&asked(standing).kept(&earlier));
        let lines = [
            told(&first),
            after(None),
            after(Some(found(Some(true)))),
            after(Some(found(Some(false)))),
            after(Some(Standing::Denied)),
            after(Some(Standing::Absent)),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        LINKED-1 found Some(true), 1 since 500, -, left false
        LINKED-1 found Some(true), 1 since 100, -, left false
        LINKED-1 found Some(true), 1 since 100, -, left false
        LINKED-1 found Some(false), 1 since 500, -, left false
        LINKED-1 denied, 1 since 500, -, left false
        LINKED-1 absent, 1 since 500, -, left false
        ");
    }

    #[test]
    fn a_customer_has_left_only_if_its_net_is_known_to_be_gone_or_somebody_elses() {
        let asked = |has: Inventory, registered: Registration, standing: Standing| {
            let standings = standings(&[(Customer, "C1", standing)]);
            told(&Heard { has, registered, standings, complete: true }.kept(&[]))
        };
        let held = || recorded(REGISTERED, &[("C1", "NET-1")]);
        let nothing = Registration::default;
        let gone =
            Registration { gone: [(ObjectType::Network, instance().key("NET-1"))].into(), ..Registration::default() };
        let left = "C1 found None, 1 since 500, NET-1, left true";
        assert_eq!(asked(held(), gone, found(None)), left);
        assert_eq!(asked(held(), net(Holder::Customer(customer("C2"))), found(None)), left);
        assert_eq!(asked(recorded("not-found", &[("C1", "NET-1")]), nothing(), found(None)), left);
        // Innocent: it holds its net, or nothing is known of that; it is gone as well; it may not be seen.
        assert_eq!(asked(held(), net(Holder::Customer(customer("C1"))), found(None)), "");
        assert_eq!(asked(held(), nothing(), found(None)), "");
        assert_eq!(asked(recorded(REGISTERED, &[("C1", "NET-1"), ("C2", "NET-1")]), nothing(), found(None)), "");
        assert_eq!(asked(recorded("not-found", &[("C1", "NET-1")]), nothing(), Standing::Absent), "");
        let denied = asked(recorded("not-found", &[("C1", "NET-1")]), nothing(), Standing::Denied);
        assert_eq!(denied, "C1 denied, 1 since 500, NET-1, left false");
    }

    #[test]
    fn a_missing_customer_counts_once_in_each_complete_look_that_asks_for_it() {
        let run = |registered: Registration, absent: bool, complete: bool| {
            let standings = if absent { standings(&[(Customer, "C1", Standing::Absent)]) } else { Standings::new() };
            Heard { has: recorded(REGISTERED, &[]), registered, standings, complete }
        };
        let named = || net(Holder::Customer(customer("C1")));
        let once = run(named(), true, true).kept(&[]);
        let twice = run(named(), true, true).kept(&once);
        let times = |answers: Vec<Answer>| answers.first().map(|answer| answer.times);
        assert_eq!((times(once.clone()), times(twice.clone())), (Some(1), Some(2)));
        assert_eq!(times(run(named(), true, true).kept(&twice)), Some(2), "two are enough");
        assert_eq!(
            times(run(named(), true, false).kept(&once)),
            Some(1),
            "a look that was not complete does not count"
        );
        assert_eq!(run(named(), false, true).kept(&once), once, "it could not be asked for");
        assert_eq!(run(Registration::default(), false, false).kept(&once), once, "the sync did not come to it");
        assert_eq!(run(net(Holder::Customer(customer("C2"))), false, true).kept(&once), [], "nothing names it");
        assert_eq!(run(Registration::default(), true, true).kept(&once), [], "its net is gone");
    }
}
