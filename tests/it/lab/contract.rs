//! The contract suite against the real NetBox.

use crate::contract::{Target, Tokens};

crate::contract::contract!(crate::lab::contract::target);

/// The NetBox of the lab; all cases share it.
async fn target() -> Target {
    let variable =
        |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: see tests/lab/README.md"));
    let (v2, v1) = (variable("RIR_LAB_NETBOX_TOKEN"), variable("RIR_LAB_NETBOX_TOKEN_V1"));
    let tokens = Tokens { v2, v1, reader: variable("RIR_LAB_READER_TOKEN") };
    Target::new(variable("RIR_LAB_NETBOX_URL"), tokens, None)
}
