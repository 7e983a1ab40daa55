//! What is recorded, as the registry would tell it again if nothing had changed.
//!
//! A net is recalled as a whole, because the walk over the aggregates and the links need it; of other objects it is enough to
//! know that they are recorded.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::worklist::Recorded;
use crate::model::{
    CustomerHandle, Holder, Instance, Inventory, ListedNet, Net, NetBlock, NetHandle, NetType, ObjectType, OrgHandle,
    Payload, PocHandle, Row, RowId, Updated, Value,
};

/// A net of which the listing knows only the day of its last change may have changed again on that day, which lasts this
/// long around the world, and is listed ten minutes later.
const A_DAY_SOMEWHERE: SignedDuration = SignedDuration::from_hours(50);

/// The recorded objects of one registry instance.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sync) struct Recall {
    pub(super) nets: BTreeMap<NetHandle, RecordedNet>,
    orgs: BTreeSet<OrgHandle>,
    /// The contacts, each with the organization that it serves.
    pocs: BTreeMap<PocHandle, Option<OrgHandle>>,
    /// The customers, each with the net that it holds; one whose net is gone stays behind.
    customers: BTreeMap<CustomerHandle, Option<NetHandle>>,
    /// Those that are asked for in any case.
    suspects: BTreeSet<Recorded>,
    refresh: Refresh,
}

/// A net as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RecordedNet {
    /// The net, without its document.
    pub(super) net: Net,
    /// The time of its last change, as the listing told it when the net was read.
    pub(super) listed: Option<Timestamp>,
    /// It belongs to the config that is synced.
    pub(super) ours: bool,
}

/// The turns in which each object is asked for again, whatever the listing says: one in each period, at a time that its
/// handle decides, so that they are spread evenly and nobody has to remember.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::sync) struct Refresh {
    /// The turns up to here are over; `None` if there never was one.
    pub(in crate::sync) since: Option<Timestamp>,
    pub(in crate::sync) now: Timestamp,
    pub(in crate::sync) period: SignedDuration,
}

impl Refresh {
    /// Returns whether an object's turn has come since the last time.
    pub(super) fn is_due(&self, handle: &str) -> bool {
        let Some(since) = self.since else { return true };
        let period = self.period.as_secs().max(1);
        let hash = Sha256::digest(handle).iter().take(8).fold(0, |hash: u64, byte| hash << 8 | u64::from(*byte));
        let phase = i64::try_from(hash % period.unsigned_abs()).unwrap_or_default();
        let turn = |at: Timestamp| at.as_second().saturating_sub(phase).div_euclid(period);
        turn(self.now) > turn(since)
    }
}

impl Recall {
    /// Recalls what is recorded at a registry instance, for a sync of `config`.
    pub(in crate::sync) fn new(has: &Inventory, instance: &Instance, config: RowId, refresh: Refresh) -> Self {
        let rows = |object| {
            let at_instance = move |(key, row)| Some((handle_at(key, instance)?, row));
            has.rows(object).filter(|(_, row)| row.is_registered()).filter_map(at_instance)
        };
        let customers: BTreeMap<CustomerHandle, Option<NetHandle>> = rows(ObjectType::Customer)
            .filter_map(|(handle, row)| Some((CustomerHandle::new(&handle)?, of(row, "network", instance))))
            .collect();
        let held = customers.iter().filter_map(|(customer, net)| Some((net.clone()?, customer.clone())));
        let mut held: BTreeMap<NetHandle, CustomerHandle> = held.collect();
        let net = |(handle, row): (String, &Row)| {
            let handle = NetHandle::new(&handle)?;
            let customer = held.remove(&handle);
            let net = net(handle.clone(), row, (instance, customer))?;
            let listed = row.text("listed").and_then(|at| at.parse().ok());
            Some((handle, RecordedNet { net, listed, ours: row.config() == Some(config) }))
        };
        let nets: BTreeMap<NetHandle, RecordedNet> = rows(ObjectType::Network).filter_map(net).collect();
        let holds = |customer: &CustomerHandle, net: &NetHandle| {
            nets.get(net).is_some_and(|recorded| recorded.net.customer() == Some(customer))
        };
        let customers = customers.into_iter().map(|(customer, net)| {
            let net = net.filter(|net| holds(&customer, net));
            (customer, net)
        });
        let customers = customers.collect();
        Self {
            nets,
            orgs: rows(ObjectType::Organization).filter_map(|(handle, _)| OrgHandle::new(&handle)).collect(),
            pocs: rows(ObjectType::Contact)
                .filter_map(|(handle, row)| Some((PocHandle::new(&handle)?, of(row, "organization", instance))))
                .collect(),
            customers,
            suspects: BTreeSet::new(),
            refresh,
        }
    }

    /// Has these organizations and customers asked for in any case.
    pub(in crate::sync) fn suspecting(self, suspects: BTreeSet<Recorded>) -> Self {
        Self { suspects, ..self }
    }

    /// Returns the organizations and customers that are asked for in any case.
    pub(super) fn suspects(&self) -> &BTreeSet<Recorded> {
        &self.suspects
    }

    /// Returns the net, if it is recorded as registered.
    pub(super) fn net(&self, handle: &NetHandle) -> Option<&RecordedNet> {
        self.nets.get(handle)
    }

    /// Returns the net as it is recorded, if the listing does not show that it has changed since.
    pub(super) fn unchanged(&self, listed: &ListedNet) -> Option<&RecordedNet> {
        self.nets.get(&listed.handle).filter(|recorded| !recorded.has_changed(listed, self.refresh.now))
    }

    /// Returns whether it is the object's turn to be asked for.
    pub(super) fn is_due(&self, handle: &str) -> bool {
        self.refresh.is_due(handle)
    }

    /// Returns whether the organization is recorded as registered, and it is not its turn.
    pub(super) fn has_org(&self, handle: &OrgHandle) -> bool {
        self.orgs.contains(handle) && !self.is_due(handle.as_str())
    }

    /// Returns whether the contact is recorded as registered, with another organization than `owner`, and it is not its
    /// turn.
    pub(super) fn has_poc_elsewhere(&self, handle: &PocHandle, owner: Option<&OrgHandle>) -> bool {
        let elsewhere = |org: &Option<OrgHandle>| org.is_none() || org.as_ref() != owner;
        self.pocs.get(handle).is_some_and(elsewhere) && !self.is_due(handle.as_str())
    }

    /// Returns the net that a customer holds, if it is recorded so, unless it is not recorded as registered or it is its
    /// turn.
    pub(super) fn customer(&self, handle: &CustomerHandle) -> Option<Option<&NetHandle>> {
        self.customers.get(handle).map(Option::as_ref).filter(|_| !self.is_due(handle.as_str()))
    }

    /// Returns the config's nets with a range inside this one.
    pub(super) fn nets_inside(&self, range: IpNet) -> impl Iterator<Item = &NetHandle> {
        let inside = move |net: &Net| net.range().is_some_and(|block| NetBlock::from(range).covers(&block));
        self.nets.iter().filter(move |(_, recorded)| recorded.ours && inside(&recorded.net)).map(|(handle, _)| handle)
    }
}

impl RecordedNet {
    /// Returns whether the listing has the net otherwise than it is recorded.
    fn has_changed(&self, listed: &ListedNet, now: Timestamp) -> bool {
        let Some(Updated { at, to_the_day }) = listed.updated else { return true };
        self.listed != Some(at)
            || (to_the_day && now.duration_since(at) < A_DAY_SOMEWHERE)
            || listed.range() != self.net.range()
            || listed.holder != self.net.holder
            || !same_name(&listed.name, &self.net.name)
    }
}

/// Returns whether two names are one; ARIN prints the names of nets in upper case.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

fn handle_at(key: &crate::model::Key, instance: &Instance) -> Option<String> {
    key.handle_at(instance).map(std::borrow::Cow::into_owned)
}

/// Reads the handle of one of our rows that a row refers to.
fn of<H: TryFrom<String>>(row: &Row, field: &str, instance: &Instance) -> Option<H> {
    row.field(field).as_our_row().and_then(|key| handle_at(key, instance)).and_then(|handle| H::try_from(handle).ok())
}

/// Makes the net that would be written as this row; `None` for a row without a range.
fn net(handle: NetHandle, row: &Row, (instance, customer): (&Instance, Option<CustomerHandle>)) -> Option<Net> {
    let blocks: Vec<NetBlock> = row.prefixes().map(NetBlock::from).collect();
    if blocks.is_empty() {
        return None;
    }
    let org = of(row, "organization", instance).map(Holder::Org);
    Some(Net {
        name: row.text("net_name").unwrap_or_default().to_owned(),
        kind: row.text("net_type").map(NetType::from_code),
        blocks,
        parent: row.text("parent_handle").and_then(NetHandle::new),
        holder: org.or(customer.map(Holder::Customer)),
        registration_date: if let Value::Date(date) = row.field("registration_date") { Some(*date) } else { None },
        raw: Payload::recorded(row.text("digest").unwrap_or_default()),
        handle,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::lookup::fixtures::{at, recorded};

    fn listed() -> ListedNet {
        ListedNet {
            handle: NetHandle::new("NET-23-0-0-0-1").unwrap(),
            name: "EXAMPLE".to_owned(),
            kind: None,
            blocks: vec![NetBlock::from("23.0.0.0/24".parse::<IpNet>().unwrap())],
            parent: None,
            holder: CustomerHandle::new("C1").map(Holder::Customer),
            registration_date: None,
            updated: Some(Updated { at: at(5000), to_the_day: false }),
        }
    }

    #[test]
    fn a_net_is_unchanged_only_if_all_that_the_listing_tells_is_recorded() {
        let recall = recorded(&listed(), at(5000));
        let unchanged = |listed: ListedNet| recall.unchanged(&listed).is_some();
        let with = |change: &dyn Fn(&mut ListedNet)| {
            let mut listed = listed();
            change(&mut listed);
            listed
        };
        assert!(unchanged(listed()));
        assert!(unchanged(with(&|net| net.name = " example ".to_owned())));
        let changed: [&dyn Fn(&mut ListedNet); 7] = [
            &|net| net.handle = NetHandle::new("NET-23-0-0-0-2").unwrap(),
            &|net| net.name = "OTHER".to_owned(),
            &|net| net.blocks = vec![NetBlock::from("23.0.0.0/25".parse::<IpNet>().unwrap())],
            &|net| net.holder = CustomerHandle::new("C2").map(Holder::Customer),
            &|net| net.holder = OrgHandle::new("ORG").map(Holder::Org),
            &|net| net.updated = Some(Updated { at: at(5001), to_the_day: false }),
            &|net| net.updated = None,
        ];
        for (number, change) in changed.iter().enumerate() {
            assert!(!unchanged(with(change)), "change {number}");
        }
    }

    #[test]
    fn a_net_that_changed_on_a_day_may_have_changed_again_until_that_day_is_long_over() {
        let of_a_day = |ago: i64| {
            let at = at(1_000_000 - ago);
            let net = ListedNet { updated: Some(Updated { at, to_the_day: true }), ..listed() };
            recorded(&net, at).unchanged(&net).is_some()
        };
        assert_eq!([of_a_day(3600), of_a_day(49 * 3600), of_a_day(51 * 3600)], [false, false, true]);
    }

    #[test]
    fn a_recalled_net_is_the_one_that_was_written() {
        let org = ListedNet { holder: OrgHandle::new("ORG-1").map(Holder::Org), ..listed() };
        for net in [listed(), org] {
            let recall = recorded(&net, at(5000));
            let recalled = recall.net(&net.handle).unwrap();
            assert_eq!((&recalled.net.holder, &recalled.net.blocks), (&net.holder, &net.blocks));
            assert_eq!((recalled.net.raw.digest(), recalled.net.raw.has_document()), ("d", false));
            assert!(recalled.ours);
        }
    }

    #[test]
    fn each_object_has_one_turn_in_each_period_and_they_are_spread_evenly() {
        let (day, week) = (SignedDuration::from_hours(24), SignedDuration::from_hours(7 * 24));
        let begin = at(1_700_000_000);
        let handles: Vec<String> = (0..700).map(|number| format!("C{number:08}")).collect();
        let due = |from: SignedDuration, to: SignedDuration| {
            let refresh = Refresh { since: Some(begin + from), now: begin + to, period: week };
            handles.iter().filter(|handle| refresh.is_due(handle)).count()
        };
        let days: Vec<usize> = (0..7).map(|number| due(day * number, day * (number + 1))).collect();
        assert_eq!(days.iter().sum::<usize>(), 700, "each has one turn in a week");
        assert!(days.iter().all(|due| (70..=130).contains(due)), "{days:?}");
        assert_eq!(due(day, day * 3), days[1] + days[2], "days without a sync are made up for");
        assert_eq!(due(day, day), 0);
        assert_eq!(due(SignedDuration::ZERO, week), 700);
        assert!(Refresh { since: None, now: begin, period: week }.is_due("C1"), "what was never asked is due");
    }
}
