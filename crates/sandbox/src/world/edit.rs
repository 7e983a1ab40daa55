//! Changes to a registry: what happens at ARIN between two syncs.

use ipnet::IpNet;
use jiff::ToSpan;

use super::registry::{Address, Customer, Holder, Net, Org, Registry, UnknownHandle};

impl Registry {
    /// Returns the organization with this handle, to be edited.
    ///
    /// # Errors
    /// When there is none.
    pub fn org_mut(&mut self, handle: &str) -> Result<&mut Org, UnknownHandle> {
        self.orgs.get_mut(handle).ok_or_else(|| unknown("org", handle))
    }

    /// Returns the net with this handle, to be edited; it counts as updated now.
    ///
    /// # Errors
    /// When there is none.
    pub fn net_mut(&mut self, handle: &str) -> Result<&mut Net, UnknownHandle> {
        let net = self.nets.get_mut(handle).ok_or_else(|| unknown("net", handle))?;
        net.updated = Some(self.now);
        self.now = self.now.checked_add(1.second()).unwrap_or(self.now);
        Ok(net)
    }

    /// Changes the name of a net.
    ///
    /// # Errors
    /// When there is no such net.
    pub fn rename_net(&mut self, handle: &str, name: &str) -> Result<(), UnknownHandle> {
        name.clone_into(&mut self.net_mut(handle)?.name);
        Ok(())
    }

    /// Moves an organization; points of contact at the old address stay there.
    ///
    /// # Errors
    /// When there is no such organization.
    pub fn move_org(&mut self, handle: &str, address: Address) -> Result<(), UnknownHandle> {
        self.org_mut(handle)?.address = Some(address);
        Ok(())
    }

    /// Moves a point of contact, and nobody else who shared its address.
    ///
    /// # Errors
    /// When there is no such point of contact.
    pub fn move_poc(&mut self, handle: &str, address: Address) -> Result<(), UnknownHandle> {
        self.pocs.get_mut(handle).ok_or_else(|| unknown("poc", handle))?.address = Some(address);
        Ok(())
    }

    /// Moves a customer. Its net does not count as updated by that, as at ARIN.
    ///
    /// # Errors
    /// When there is no such customer.
    pub fn move_customer(&mut self, handle: &str, address: Address) -> Result<(), UnknownHandle> {
        self.customers.get_mut(handle).ok_or_else(|| unknown("customer", handle))?.address = Some(address);
        Ok(())
    }

    /// Removes a net with its delegations, and only it: its customer stays, as at ARIN, and so do nets below it.
    ///
    /// # Errors
    /// When there is no such net.
    pub fn remove_net(&mut self, handle: &str) -> Result<Net, UnknownHandle> {
        let net = self.nets.remove(handle).ok_or_else(|| unknown("net", handle))?;
        self.delegations.remove(handle);
        self.remember(&net);
        Ok(net)
    }

    /// Reassigns (`S`, no nets below it) a part of a net. Returns the new net's handle.
    ///
    /// # Errors
    /// When there is no such parent net.
    pub fn reassign(&mut self, parent: &str, blocks: &[IpNet], holder: Holder) -> Result<String, UnknownHandle> {
        self.cut(parent, "S", blocks, holder)
    }

    /// Reallocates (`A`, nets may lie below it) a part of a net. Returns the new net's handle.
    ///
    /// # Errors
    /// When there is no such parent net.
    pub fn reallocate(&mut self, parent: &str, blocks: &[IpNet], holder: Holder) -> Result<String, UnknownHandle> {
        self.cut(parent, "A", blocks, holder)
    }

    /// Registers a net without a parent on record. Returns its handle.
    pub fn allocate(&mut self, blocks: &[IpNet], org: &str) -> String {
        let handle = self.put_net("DA", blocks, None, Holder::Org(org.to_owned()));
        self.updated_now(handle)
    }

    /// Registers a customer, with a free handle and without a net. Returns its handle.
    pub fn add_customer(&mut self, parent_org: &str, name: &str, address: Option<Address>) -> String {
        let (number, handle) = self.free_customer_handle();
        let customer = Customer {
            handle: handle.clone(),
            name: name.to_owned(),
            parent_org: Some(parent_org.to_owned()),
            private: Some(false),
            address,
            registered: Some(super::calendar::day(number)),
            comment: Vec::new(),
        };
        self.customers.insert(handle.clone(), customer);
        handle
    }

    pub(crate) fn cut(
        &mut self,
        parent: &str,
        net_type: &str,
        blocks: &[IpNet],
        holder: Holder,
    ) -> Result<String, UnknownHandle> {
        let parent = self.nets.get(parent).ok_or_else(|| unknown("net", parent))?.handle.clone();
        let handle = self.put_net(net_type, blocks, Some(parent), holder);
        Ok(self.updated_now(handle))
    }

    fn updated_now(&mut self, handle: String) -> String {
        // It was put there a moment ago.
        drop(self.net_mut(&handle));
        handle
    }

    /// Registers a net that has been there for years. Returns its handle.
    pub(super) fn put_net(
        &mut self,
        net_type: &str,
        blocks: &[IpNet],
        parent: Option<String>,
        holder: Holder,
    ) -> String {
        let handle = self.free_net_handle(blocks);
        let net = Net {
            handle: handle.clone(),
            name: format!("EXAMPLE-{}", handle.trim_start_matches(|c: char| c != '-').trim_start_matches('-')),
            net_type: net_type.to_owned(),
            blocks: blocks.to_vec(),
            parent,
            holder,
            registered: Some(super::calendar::day(self.nets.len())),
            updated: Some(super::calendar::last_change(self.nets.len())),
            comment: Vec::new(),
            pocs: Vec::new(),
        };
        self.nets.insert(handle.clone(), net);
        handle
    }
}

pub(super) fn unknown(kind: &'static str, handle: &str) -> UnknownHandle {
    UnknownHandle { kind, handle: handle.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{super::World, *};

    fn block(text: &str) -> [IpNet; 1] {
        [text.parse().unwrap()]
    }

    #[test]
    fn handles_are_formed_as_arin_forms_them() {
        let mut registry = Registry::default();
        let mut allocate = |text: &str| registry.allocate(&block(text), "EXAMPLE-1");
        let handles = ["23.144.0.0/20", "23.144.0.0/24", "2600:4000::/32", "2600:4000:0:1a::/64"].map(&mut allocate);
        assert_eq!(handles, ["NET-23-144-0-0-1", "NET-23-144-0-0-2", "NET6-2600-4000-1", "NET6-2600-4000-0-1A-1"]);
    }

    #[test]
    fn a_poc_that_moves_leaves_the_org_where_it_was() {
        let mut registry = World::demo().registry;
        let before = registry.orgs["EXAMPLE-NET-1"].clone();
        let elsewhere = registry.orgs["CARRIER-7"].address.clone().unwrap();
        registry.move_poc("EXAMP1-ARIN", elsewhere.clone()).unwrap();
        assert_eq!(registry.pocs["EXAMP1-ARIN"].address, Some(elsewhere));
        assert_eq!(registry.orgs["EXAMPLE-NET-1"], before);
    }

    #[test]
    fn a_change_of_a_net_moves_its_moment_on_and_no_other() {
        let mut registry = World::demo().registry;
        let before = registry.clone();
        registry.rename_net("NET-23-144-1-0-1", "FIRST").unwrap();
        registry.net_mut("NET-23-144-2-0-1").unwrap().comment.push("Second.".to_owned());
        let third =
            registry.reassign("NET-23-144-0-0-1", &block("23.144.12.0/25"), Holder::Org("ARIN".into())).unwrap();
        let moments = ["NET-23-144-1-0-1", "NET-23-144-2-0-1", &third].map(|handle| registry.nets[handle].updated);
        let now = before.now;
        assert_eq!(moments, [now, now + 1.second(), now + 2.seconds()].map(Some));
        assert!(before.nets.values().all(|net| net.updated < Some(now)));
        assert_eq!(registry.nets["NET-23-144-0-0-1"], before.nets["NET-23-144-0-0-1"]);
    }

    #[test]
    fn a_change_of_a_customer_is_none_of_its_net() {
        let mut registry = World::demo().registry;
        let before = registry.clone();
        let elsewhere = registry.orgs["CARRIER-7"].address.clone().unwrap();
        registry.move_customer("C00000002", elsewhere).unwrap();
        registry.move_org("SAMPLE-3", registry.orgs["CARRIER-7"].address.clone().unwrap()).unwrap();
        assert_ne!(registry.customers, before.customers);
        assert_eq!((registry.nets, registry.now), (before.nets, before.now));
    }

    #[test]
    fn a_removed_net_leaves_its_customer_behind() {
        let mut registry = World::demo().registry;
        let net = registry.remove_net("NET-23-144-1-0-1").unwrap();
        let Holder::Customer(customer) = net.holder else { panic!("{net:?}") };
        assert!(registry.customers.contains_key(&customer));
    }

    #[test]
    fn an_unknown_handle_is_an_error_that_names_it() {
        let error = World::demo().registry.rename_net("NET-X", "NEW").unwrap_err();
        assert_eq!(error.to_string(), "the registry has no net NET-X");
    }

    #[test]
    fn a_reassigned_part_points_at_its_parent_and_holder() {
        let mut registry = World::demo().registry;
        let customer = registry.add_customer("EXAMPLE-NET-1", "Sample Newcomer", None);
        let holder = Holder::Customer(customer);
        let handle = registry.reassign("NET-23-144-0-0-1", &block("23.144.12.0/25"), holder.clone()).unwrap();
        let net = &registry.nets[&handle];
        assert_eq!((net.parent.as_deref(), &net.holder, &*net.net_type), (Some("NET-23-144-0-0-1"), &holder, "S"));
    }
}
