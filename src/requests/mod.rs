//! Change requests: what is to be changed at ARIN, who asked for it and who approved it, sent once, and followed until it
//! is known what became of it.
//!
//! | file | its part |
//! |---|---|
//! | `operation` | what can be asked for |
//! | `state` | how far a request has come, and what may follow |
//! | `change` | what a request asks for, and what is kept of it in its row |
//! | `draft` | from what NetBox says to the exact call, or to what is missing for it |
//! | `prepare` | reads NetBox, asks ARIN, drafts, checks, and keeps what came of it |
//! | `record` | a request as it stands in NetBox, and whether its row makes sense |
//! | `open` | makes the rows of new requests, at most one for each range |
//! | `seal` | proof that a row is as the sidecar wrote it |
//! | `approve` | who may approve what (pure) |
//! | `decisions` | approve, reject, withdraw, expire |
//! | `checks` | whether a change may be sent as things stand |
//! | `intent` | what is kept before a call is sent |
//! | `look` | what became of a call, by its answer or by what ARIN shows |
//! | `follow` | when to ask for a ticket again, and what its end means |
//! | `flow` | goes on with a request: sends it once, looks, follows |
//! | `answered`, `identity` | what ARIN said to a question, and whether a net is the one that is meant |
//!
//! Each request is one call to ARIN. Nothing is sent unless `requests.enabled` is on and a person approved exactly these
//! bytes. An answer that did not come is looked for at ARIN, and never answered by sending the call again blindly.

pub mod answered;
pub mod approve;
pub mod change;
pub mod checks;
pub mod decisions;
pub mod draft;
#[cfg(test)]
mod fixtures;
pub mod flow;
pub mod follow;
pub mod identity;
pub mod intent;
pub mod look;
pub mod open;
pub mod operation;
pub mod prepare;
pub mod record;
pub mod seal;
pub mod state;

#[cfg(test)]
mod tests;

pub use answered::Answered;
pub use approve::{NotApproved, NotStanding};
pub use change::{Change, Check, Content, Folded, Missing, Verdict};
pub use decisions::{Decisions, NotDecided, NotDecidedKind, Person};
pub use flow::{Flow, NotGoneOn, Progress};
pub use intent::Intent;
pub use open::{NewRequest, NotOpened, open};
pub use operation::{NoSuchOperation, Operation};
pub use prepare::{NotPrepared, Order, OrderSubject, Prepared, PreparedRequest, Preparing};
pub use record::{Approval, ChangeRequest, Destination, NotUnderstood, Subject};
pub use seal::{NotSealed, Sealer};
pub use state::State;
