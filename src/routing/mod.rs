//! Whether the world will accept what the address plan announces: for each prefix, who is to announce it, and what the
//! routing registries and RPKI say of that.
//!
//! | step | where | touches |
//! |---|---|---|
//! | which space is our own | [`space`] | NetBox |
//! | who is expected to announce what | [`expected`] | nothing |
//! | route objects about the operator's own space | [`claims`] | nothing |
//! | judge | [`mod@judge`] | nothing |

pub mod claims;
pub mod expected;
pub mod health;
pub mod judge;
pub mod space;

pub use self::{
    claims::{Claims, RouteObject},
    expected::{Expectation, Expected},
    health::{Health, Level, Registration, Verdict},
    judge::{Evidence, Subject, judge},
    space::own_space,
};
