//! Organizations that lack what ARIN asks for: `org-incomplete`, `recipient-unfit`.

use super::*;

fn standing(functions: &[PocFunction], accepts: Option<bool>) -> Standing {
    Standing::Found(Recipient { functions: functions.to_vec(), accepts })
}

const COMPLETE: [PocFunction; 3] = [PocFunction::Admin, PocFunction::Tech, PocFunction::Abuse];

#[test]
fn our_own_organization_has_one_admin_a_tech_and_an_abuse_contact() {
    use PocFunction::{Abuse, Admin, Noc, Tech};
    let incomplete: [&[PocFunction]; 4] =
        [&[Tech, Abuse], &[Admin, Admin, Tech, Abuse], &[Admin, Abuse, Noc], &[Admin, Tech]];
    for functions in incomplete {
        let mut world = World::new();
        world.answer(ObjectType::Organization, US, standing(functions, None));
        assert_eq!(found(&world), ["alert org-incomplete EXAMPLE-1"], "{functions:?}");
    }
    let complete: [&[PocFunction]; 2] = [&COMPLETE, &[Admin, Tech, Tech, Abuse, Abuse, Noc]];
    for functions in complete {
        let mut world = World::new();
        world.answer(ObjectType::Organization, US, standing(functions, None));
        assert_eq!(found(&world), NOTHING, "{functions:?}");
    }
}

#[test]
fn nothing_is_said_of_organizations_that_may_not_be_seen() {
    let mut world = World::new();
    world.org("ACME-1", Some("Acme"));
    world.assign("23.0.1.0/29", "Acme");
    world.reassign_to_org("NET-1", "23.0.1.0/29", "ACME-1");
    world.answer(ObjectType::Organization, US, Standing::Denied);
    world.answer(ObjectType::Organization, "ACME-1", Standing::Denied);
    assert_eq!(found(&world), NOTHING);
    for answer in &mut world.registrations.looks.answers {
        answer.standing = standing(&[], None);
    }
    assert_eq!(found(&world), ["alert org-incomplete EXAMPLE-1", "notice recipient-unfit ACME-1"]);
}

#[test]
fn an_organization_of_a_tenant_has_to_be_able_to_take_space() {
    let mut world = World::new();
    for (at, org, standing) in [
        (1, "NOTECH-1", standing(&[PocFunction::Admin, PocFunction::Abuse], None)),
        (2, "REFUSES-1", standing(&COMPLETE, Some(false))),
        (3, "GONE-1", Standing::Absent),
        (4, "LEGACY-Z", standing(&COMPLETE, None)),
        (5, "FINE-1", standing(&COMPLETE, None)),
        (6, "TAKES-1", standing(&COMPLETE, Some(true))),
        (7, "HIDDEN-1", Standing::Denied),
    ] {
        let (tenant, range) = (format!("Tenant {at}"), format!("23.0.{at}.0/29"));
        world.org(org, Some(&tenant));
        world.assign(&range, &tenant);
        world.reassign_to_org(&format!("NET-{at}"), &range, org);
        world.answer(ObjectType::Organization, org, standing);
    }
    assert_eq!(
        found(&world),
        [
            "notice recipient-unfit GONE-1",
            "notice recipient-unfit LEGACY-Z",
            "notice recipient-unfit NOTECH-1",
            "notice recipient-unfit REFUSES-1",
        ]
    );
    assert!(message(&world, Kind::RecipientUnfit, "NOTECH-1").contains("Tech"));
}

#[test]
fn only_organizations_of_tenants_with_assignments_matter() {
    let mut world = World::new();
    for org in ["IDLE-1", "OWN-1", "BUSY-1"] {
        world.answer(ObjectType::Organization, org, standing(&[], None));
    }
    world.org("IDLE-1", Some("Idle"));
    world.prefix("23.0.1.0/29");
    world.assign("23.0.2.0/29", "Idle").status = "reserved".into();
    world.org("OWN-1", Some("Us"));
    world.assign("23.0.3.0/29", "Us");
    world.org("BUSY-1", Some("Busy"));
    world.assign("2600:100:10::/47", "Busy");
    world.reassign_to_org("NET-1", "2600:100:10::/47", "BUSY-1");
    assert_eq!(found(&world), ["notice recipient-unfit BUSY-1"]);
}
