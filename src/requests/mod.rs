//! Change requests: what is to be changed at ARIN, who asked for it and who approved it, sent once, and followed until it
//! is known what became of it.
//!
//! | file | its part |
//! |---|---|
//! | `operation` | what can be asked for |
//! | `state` | how far a request has come, and what may follow |
//! | `change` | what a request asks for, and what is kept of it in its row |
//! | `answered` | what ARIN said to one question |
//! | `draft` | from what NetBox says to the exact call, or to what is missing for it |
//!
//! Each request is one call to ARIN. Nothing is sent unless `requests.enabled` is on and a person approved exactly these
//! bytes. An answer that did not come is looked for at ARIN, and never answered by sending the call again blindly.

pub mod answered;
pub mod change;
pub mod draft;
pub mod operation;
pub mod state;

pub use change::{Change, Check, Content, Folded, Missing, Verdict};
pub use operation::Operation;
pub use state::State;
