//! A simulated Reg-RWS.
