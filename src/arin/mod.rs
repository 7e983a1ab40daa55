//! The client of ARIN's Reg-RWS.
