//! The `rir-sidecar` command.

fn main() {}
