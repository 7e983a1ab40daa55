//! Worlds: the records of a registry, and the address plan in NetBox that belongs to it.
//!
//! A [`World`] is plain data with public fields. [`World::demo`] is small and has one of every peculiarity,
//! [`World::sized`] and [`World::with_loopbacks`] are as large as a benchmark wants. All are deterministic: the same
//! call makes the same world, down to each handle. All addresses are outside the special-use blocks, except where a
//! prefix is meant not to be asked about; all names are invented.
//!
//! Nothing in here speaks a protocol: the simulated Reg-RWS and the in-memory NetBox do.

use std::collections::BTreeMap;

use ipnet::IpNet;

mod calendar;
mod companies;
mod countries;
mod demo;
mod edit;
mod index;
mod loopbacks;
mod register;
pub mod registry;
mod sized;

pub(crate) use calendar::offset;
pub(crate) use index::{Index, Range};
pub use registry::{
    Address, ContactType, Country, Customer, Delegation, DelegationKey, FormerNet, Holder, Net, Org, Phone, Poc,
    PocLink, Registry, Route, UnknownHandle,
};

/// A registry and the NetBox that is kept in step with it.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The records of ARIN.
    pub registry: Registry,
    /// The IPAM of NetBox.
    pub ipam: Ipam,
    /// Name of the `rir-config` to make in NetBox.
    pub config: String,
    /// Handle of the organization whose resources NetBox holds.
    pub org_handle: String,
}

/// NetBox's side: aggregates and prefixes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ipam {
    /// Aggregates in the order they are to be made.
    pub aggregates: Vec<Aggregate>,
    /// Prefixes in the order they are to be made; the VRFs to make are the ones named here.
    pub prefixes: Vec<Prefix>,
    /// The names of the tenants of prefixes in the global table; the tenants to make are the ones named here.
    pub tenants: BTreeMap<IpNet, String>,
}

/// An aggregate (`ipam.aggregate`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Its block.
    pub prefix: IpNet,
    /// Name of its RIR in NetBox.
    pub rir: String,
}

/// A prefix (`ipam.prefix`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// Its block.
    pub prefix: IpNet,
    /// Name of its VRF; `None` in the global table.
    pub vrf: Option<String>,
}

/// The subnets of a block that have this length, in address order; none if the block itself is longer.
fn subnets(block: IpNet, length: u8) -> impl Iterator<Item = IpNet> {
    block.subnets(length).into_iter().flatten()
}
