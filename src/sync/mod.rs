//! Brings NetBox in line with what the RIR has registered.
