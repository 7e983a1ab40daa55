//! The worlds of the sandbox, in the eyes of our rules on what ARIN is asked about.

use rir_sandbox::world::{Prefix, World};
use rir_sidecar::model::address_block::{NotRegistrable, registrable};

#[test]
fn private_and_documentation_space_is_in_the_demo_and_not_to_be_asked_about() {
    let world = World::demo();
    let unasked = world.ipam.prefixes.iter().filter(|p| registrable(p.prefix).is_err()).count();
    assert_eq!(unasked, 12 + 1 + 2 + 1 + 1 + 3, "10/8, its VRF twin, 192.168/23, documentation, /127");
}

#[test]
fn every_prefix_of_a_sized_world_is_public() {
    for Prefix { prefix, .. } in &World::sized(40, 10_000).ipam.prefixes {
        assert_ne!(registrable(*prefix), Err(NotRegistrable::SpecialUse), "{prefix}");
    }
}
