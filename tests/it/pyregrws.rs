//! The contract with pyregrws, the public Python client of Reg-RWS.
