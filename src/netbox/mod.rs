//! The client of NetBox and its Custom Objects plugin.
