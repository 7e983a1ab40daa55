//! What the tests of this room have in common, and what is asked of ARIN.

mod asking;
pub(super) mod example;
