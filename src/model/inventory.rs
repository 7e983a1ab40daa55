//! What NetBox has.
