//! The contract suite against the real NetBox.

use crate::contract::Target;

crate::contract::contract!(crate::lab::contract::target);

/// The NetBox of the lab; all cases share it.
async fn target() -> Target {
    let variable =
        |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: see tests/lab/README.md"));
    let url = variable("RIR_LAB_NETBOX_URL");
    Target::new(url, variable("RIR_LAB_NETBOX_TOKEN"), variable("RIR_LAB_NETBOX_TOKEN_V1"), None)
}
