//! Whether the world will accept what the address plan announces: for each prefix, who is to announce it, and what the
//! routing registries and RPKI say of that.
//!
//! | step | where | touches |
//! |---|---|---|
//! | read who announces what, in the operator's own space | [`read`], [`space`] | NetBox |
//! | read what the mirrored sources say of that space | [`witnesses`], [`own_routes`] | the mirrors |
//! | who is expected to announce what | [`expected`] | nothing |
//! | route objects about the own space | [`claims`] | nothing |
//! | judge a range, and all of them | [`mod@judge`], [`mod@assess`] | nothing |
//! | compare with the rows on record | [`record`] | nothing |
//! | write what has changed | [`mod@refresh`] | NetBox |
//! | what is said of any prefix | [`mod@lookup`] | the mirrors |

pub mod assess;
pub mod claims;
pub mod expected;
pub mod health;
pub mod judge;
pub mod lookup;
pub mod own_routes;
pub mod read;
pub mod record;
pub mod refresh;
pub mod space;
pub mod witnesses;

pub use self::{
    assess::{Assessment, OwnRoute, RangeHealth, Testimony, Witness, assess},
    claims::{Claims, RouteObject},
    expected::{Expectation, Expected},
    health::{Health, Level, Registration, RpkiState, Verdict},
    judge::{Evidence, Freshness, Subject, judge},
    lookup::{FoundRoute, Lookup, MOST_FOUND, lookup},
    own_routes::OwnRoutes,
    refresh::{Context, Error, Judged, LAST_JUDGED, LastJudged, Refreshed, Tally, check, refresh},
    space::own_space,
    witnesses::{Witnesses, witnesses_of},
};
