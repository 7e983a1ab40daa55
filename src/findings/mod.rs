//! Judges where the address plan in NetBox and what ARIN has registered differ, and by when that has to be put right.
//!
//! | step | where | touches |
//! |---|---|---|
//! | read NetBox: the address plan, the recorded rows, what syncs left behind | [`mod@read`] | NetBox |
//! | judge | [`mod@judge`] | nothing |
//! | compare with the recorded findings | [`mod@record`] | nothing |
//! | write what has changed | [`mod@refresh`] | NetBox |
//!
//! `order` and `sources` are for whoever shows recorded findings.
//!
//! ARIN is never asked here: a sync does that, and leaves behind how complete its answers were. Whatever was not answered
//! is *not known*, which is neither registered nor unregistered.

pub mod address_plan;
pub mod finding;
pub mod judge;
pub mod kind;
pub mod names;
pub mod order;
pub mod postal;
pub mod read;
pub mod record;
pub mod refresh;
pub mod registrations;
pub mod sources;
pub mod tally;

pub use self::{
    address_plan::AddressPlan,
    finding::{Finding, Link, Links, Since, Subject, day},
    judge::{Figures, Judgement, judge},
    kind::{Kind, Level},
    refresh::{Context, Error, Refreshed, refresh},
    registrations::Registrations,
    sources::{Known, Sources, sources},
    tally::{Tally, figures_of},
};
