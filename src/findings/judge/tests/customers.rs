//! Customers without a net, and nets without their customer: `customer-left`, `customer-missing`.

use super::*;

fn found_customer() -> Standing {
    Standing::Found(Recipient::default())
}

#[test]
fn a_customer_whose_net_is_gone_was_left_behind() {
    let mut world = World::new();
    for (net, range) in [
        ("NET-1", "23.0.1.0/29"),
        ("NET-2", "2600:100:10::/47"),
        ("NET-3", "23.0.3.0/29"),
        ("NET-4", "23.0.4.0/29"),
        ("NET-5", "23.0.5.0/29"),
    ] {
        world.reassign(net, range, "Acme").registered = false;
    }
    for (customer, standing, left) in [
        ("CNET-1", found_customer(), true),
        ("CNET-2", found_customer(), true),
        // It was answered before its net was found to be gone.
        ("CNET-3", found_customer(), false),
        ("CNET-4", Standing::Absent, false),
        ("CNET-5", Standing::Denied, false),
    ] {
        let answer = world.answer(ObjectType::Customer, customer, standing);
        (answer.left, answer.net) = (left, NetHandle::new(&customer[1..]));
    }
    assert_eq!(found(&world), ["notice customer-left CNET-1", "notice customer-left CNET-2"]);
    assert!(message(&world, Kind::CustomerLeft, "CNET-1").contains("NET-1"));
}

/// One answer may be a mistake; two in separate complete looks are none.
#[test]
fn a_customer_that_is_missing_twice_is_missing() {
    let mut world = World::new();
    for (net, range, standing, times) in [
        ("NET-1", "23.0.1.0/29", Standing::Absent, 2),
        ("NET-2", "2600:100:10::/47", Standing::Absent, 2),
        ("NET-3", "23.0.3.0/29", Standing::Absent, 1),
        ("NET-4", "23.0.4.0/29", Standing::Denied, 2),
        ("NET-5", "23.0.5.0/29", found_customer(), 2),
    ] {
        world.registered(net, range, "Acme");
        let answer = world.answer(ObjectType::Customer, &format!("C{net}"), standing);
        (answer.times, answer.net) = (times, NetHandle::new(net));
    }
    let found = found(&world);
    assert_eq!(found, ["alert customer-missing NET-1", "alert customer-missing NET-2"]);
    assert!(message(&world, Kind::CustomerMissing, "NET-1").contains("CNET-1"));
}

/// What lies under somebody else's reallocation is theirs, its customers included.
#[test]
fn nothing_is_said_of_customers_of_others() {
    let mut world = World::new();
    world.reallocate("NET-A", "23.0.0.0/20", "CUST-1");
    world.prefix("23.0.0.0/20");
    for (net, range) in [("NET-1", "23.0.1.0/29"), ("NET-2", "23.0.20.0/29")] {
        world.registered(net, range, "Acme");
        world.answer(ObjectType::Customer, &format!("C{net}"), Standing::Absent).net = NetHandle::new(net);
    }
    let missing: Vec<String> = found(&world).into_iter().filter(|line| line.contains("customer-missing")).collect();
    assert_eq!(missing, ["alert customer-missing NET-2"]);
}
