//! Registrations and removals as ARIN does them: with handles that it gives, and moments of registration.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;
use jiff::{ToSpan, civil::DateTime};

use super::{
    edit::unknown,
    registry::{Customer, Delegation, FormerNet, Net, Registry, Route, UnknownHandle},
};

impl Registry {
    /// Registers a net at this moment, and returns it with the handle and the moment of registration that it got.
    ///
    /// A range that was registered before gets the same handle again, if that is free, and a later moment.
    pub fn register_net(&mut self, net: Net, at: DateTime) -> Net {
        let former = net.range().and_then(|range| self.former_nets.get(&range)).and_then(|former| former.registered);
        let at = former.map_or(at, |former| at.max(a_second_after(former)));
        let net = Net { handle: self.free_net_handle(&net.blocks), registered: Some(at), updated: Some(at), ..net };
        self.nets.insert(net.handle.clone(), net.clone());
        self.pass(at);
        net
    }

    /// Registers a customer at this moment, and returns it with the handle and the moment of registration that it got.
    pub fn register_customer(&mut self, customer: Customer, at: DateTime) -> Customer {
        let (_, handle) = self.free_customer_handle();
        let customer = Customer { handle, registered: Some(at), ..customer };
        self.customers.insert(customer.handle.clone(), customer.clone());
        customer
    }

    /// Removes a customer, whatever net it has.
    ///
    /// # Errors
    /// When there is no such customer.
    pub fn remove_customer(&mut self, handle: &str) -> Result<Customer, UnknownHandle> {
        let customer = self.customers.remove(handle).ok_or_else(|| unknown("customer", handle))?;
        self.former_customers.insert(handle.to_owned());
        Ok(customer)
    }

    /// Returns the handles of all nets below this one, those below others first.
    #[must_use]
    pub fn below(&self, handle: &str) -> Vec<String> {
        let mut found = vec![handle.to_owned()];
        let mut seen = BTreeSet::from([handle.to_owned()]);
        let mut at = 0;
        while let Some(parent) = found.get(at).cloned() {
            let children = self.nets.values().filter(|net| net.parent.as_ref() == Some(&parent));
            found.extend(children.map(|net| net.handle.clone()).filter(|child| seen.insert(child.clone())));
            at += 1;
        }
        found.into_iter().skip(1).rev().collect()
    }

    /// Delegates a zone of a net.
    ///
    /// # Errors
    /// When there is no such net.
    pub fn delegate(&mut self, net: &str, delegation: Delegation) -> Result<(), UnknownHandle> {
        if !self.nets.contains_key(net) {
            return Err(unknown("net", net));
        }
        self.delegations.entry(net.to_owned()).or_default().push(delegation);
        Ok(())
    }

    /// Adds a route object.
    pub fn add_route(&mut self, route: Route) {
        self.routes.push(route);
    }

    /// Lets no later change be before this moment.
    pub(crate) fn pass(&mut self, at: DateTime) {
        self.now = self.now.max(a_second_after(at));
    }

    /// Keeps what a removed net was called.
    pub(super) fn remember(&mut self, net: &Net) {
        if let Some(range) = net.range() {
            self.former_nets.insert(range, FormerNet { handle: net.handle.clone(), registered: net.registered });
        }
    }

    /// Returns the handle that a net of these blocks gets.
    pub(super) fn free_net_handle(&self, blocks: &[IpNet]) -> String {
        let first = blocks.iter().map(IpNet::network).min();
        let last = blocks.iter().map(IpNet::broadcast).max();
        let former = first.zip(last).and_then(|range| self.former_nets.get(&range)).map(|former| former.handle.clone());
        let stem = first.map(stem).unwrap_or_default();
        let counted = (1..).map(|n: u32| format!("{stem}-{n}"));
        former.into_iter().chain(counted).find(|handle| !self.nets.contains_key(handle)).unwrap_or_default()
    }

    /// Returns the number and the handle that the next customer gets.
    pub(super) fn free_customer_handle(&self) -> (usize, String) {
        let first = self.customers.len() + self.former_customers.len() + 1;
        let free = |handle: &String| !self.customers.contains_key(handle) && !self.former_customers.contains(handle);
        let mut handles = (first..).map(|number| (number, format!("C{number:08}")));
        handles.find(|(_, handle)| free(handle)).unwrap_or_default()
    }
}

fn a_second_after(at: DateTime) -> DateTime {
    at.checked_add(1.second()).unwrap_or(at)
}

/// The handle of the net at this address without its ordinal, as ARIN forms it: `NET-192-0-2-0`, `NET6-2600-4000`.
fn stem(first: IpAddr) -> String {
    match first {
        IpAddr::V4(v4) => format!("NET-{}", v4.to_string().replace('.', "-")),
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let used = segments.iter().rposition(|segment| *segment != 0).map_or(1, |last| last + 1);
            let text: Vec<String> = segments.iter().take(used).map(|segment| format!("{segment:X}")).collect();
            format!("NET6-{}", text.join("-"))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{super::World, *};

    const NET: &str = "NET-23-144-2-0-1";

    // The net around it had the lower handle, which is free then as well.
    #[test]
    fn a_range_gets_its_handle_again_and_a_later_moment() {
        let mut registry = World::demo().registry;
        let inner = registry.remove_net("NET-23-144-8-0-2").unwrap();
        registry.remove_net("NET-23-144-8-0-1").unwrap();
        let at = inner.registered.unwrap();
        let again = registry.register_net(inner, at);
        assert_eq!((again.handle.as_str(), again.registered), ("NET-23-144-8-0-2", Some(a_second_after(at))));
        let later = date(2026, 9, 2).at(10, 0, 0, 0);
        let other = registry.register_net(Net { blocks: vec!["23.144.8.0/26".parse().unwrap()], ..again }, later);
        assert_eq!((other.handle.as_str(), other.registered), ("NET-23-144-8-0-1", Some(later)));
        assert_eq!(registry.now, a_second_after(later));
    }

    #[test]
    fn a_customers_handle_is_never_given_again() {
        let mut registry = World::demo().registry;
        let first = registry.add_customer("EXAMPLE-NET-1", "First", None);
        registry.remove_customer(&first).unwrap();
        assert_ne!(registry.add_customer("EXAMPLE-NET-1", "Second", None), first);
        assert_eq!(registry.remove_customer(&first).unwrap_err().to_string(), "the registry has no customer C00000011");
    }

    #[test]
    fn delegations_go_with_their_net() {
        let mut registry = World::demo().registry;
        let zone = Delegation { name: "2.144.23.in-addr.arpa.".into(), nameservers: Vec::new(), keys: Vec::new() };
        registry.delegate(NET, zone.clone()).unwrap();
        assert!(registry.delegate("NET-X", zone).is_err());
        registry.remove_net(NET).unwrap();
        assert!(registry.delegations.is_empty());
    }

    #[test]
    fn the_nets_below_others_come_first() {
        let registry = World::demo().registry;
        let below = registry.below("NET-23-144-0-0-1");
        let place = |handle: &str| below.iter().position(|other| other == handle).unwrap();
        assert!(place("NET-23-144-8-0-2") < place("NET-23-144-8-0-1"), "{below:?}");
        assert_eq!(below.len(), 10);
    }
}
