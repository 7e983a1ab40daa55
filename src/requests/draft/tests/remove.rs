//! Drafts of what is taken back.

use super::*;
use crate::requests::change::{Change, Verdict};

const NET: &str = "NET-23-1";

fn returned(set: &[&str]) -> Wish {
    Wish { set: fields(set), ..Wish::of(About::Network(net_handle(NET)), Operation::RemoveNetwork) }
}

fn world() -> (World, Answers) {
    let mut world = World::new();
    world.reassigned(NET, "23.0.1.0/24", "Alpha Inc");
    (world, registered(NET, "23.0.1.0/24", "Alpha Inc"))
}

#[test]
fn what_hangs_on_a_net_is_told_and_what_it_was_is_kept() {
    let (world, mut asked) = world();
    asked.delegations.insert(net_handle(NET), Answered::Found(vec!["1.0.23.in-addr.arpa. (ns.example.net)".into()]));
    asked.routes.insert(net_handle(NET), Answered::NotKnown("403".into()));
    let wish = Wish { is_followed: true, ..returned(&[]) };
    let draft = world.draft(&wish, &asked).unwrap();
    insta::assert_snapshot!(draft.content.before["former"], @r#"{"holder":{"customer":{"address":{"city":"Springfield","country":"US","postal_code":"22150","state_province":"VA","street":["1 Main St"]},"name":"Alpha Inc","private":false}},"kind":"S","name":"EXAMPLE-CAFE","range":["23.0.1.0","23.0.1.255"]}"#);
    assert_eq!(draft.content.before["net"]["netName"], "EXAMPLE-CAFE");
    assert_eq!(draft.content.before["customer"]["customerName"], "Alpha Inc");
    assert!(draft.content.is_ready() && draft.content.base.is_none());
    insta::assert_snapshot!(shown(Ok(draft)), @"
    remove-network: Return 23.0.1.0/24 (NET-23-1)
    Look delegations: the name servers of its reverse zones go with it: 1.0.23.in-addr.arpa. (ns.example.net)
    Look routes: ARIN could not be asked for them: 403
    Look customer: customer CNET-23-1 stays at ARIN when NET-23-1 is gone, and has to be deleted then
    follows: When NET-23-1 is gone, 23.0.1.0/24 is unregistered: ask then for what is assigned there, so that it is registered again.
    DELETE /rest/net/NET-23-1
    ");
}

#[test]
fn all_that_hangs_on_a_net_is_asked_for_at_once() {
    let (world, mut asked) = world();
    asked.customers.clear();
    let (handle, drafting) = (net_handle(NET), world.drafting());
    let questions = drafting.questions(&returned(&[]), &asked);
    let customer = Question::Customer(customer_handle(&format!("C{NET}")));
    assert_eq!(questions, [Question::Delegations(handle.clone()), Question::Routes(handle.clone()), customer]);
    assert_eq!(drafting.questions(&returned(&[]), &Answers::default()), [Question::Net(handle)]);
}

#[test]
fn a_reason_is_told_to_arin_with_the_whole_net() {
    let (world, asked) = world();
    let draft = world.draft(&returned(&["reason=Contract ended."]), &asked).unwrap();
    let call = draft.content.call.unwrap();
    assert!(call.text().starts_with("PUT /rest/net/NET-23-1/remove\n"), "{}", call.text());
    assert!(call.text().contains("Contract ended.") && call.text().contains("<netName>EXAMPLE-CAFE<"));
    assert_eq!(draft.content.base, Some(net_document(NET, "23.0.1.0/24").digest()));
}

#[test]
fn the_smallest_nets_go_first() {
    let (mut world, asked) = world();
    world.net("NET-23-1-A", "23.0.1.0/25", NetType::Reassigned, Some("OTHER-1"));
    world.net("NET-23-1-B", "23.0.1.0/24", NetType::Reassigned, Some("OTHER-1")).parent = Some(net_handle(NET));
    // Beside it, around it, and not there any more.
    world.net("NET-23-2", "23.0.2.0/24", NetType::Reassigned, Some("OTHER-1"));
    world.net("NET-23-0", "23.0.0.0/20", NetType::Reallocated, Some("OTHER-1"));
    world.net("NET-23-1-C", "23.0.1.128/25", NetType::Reassigned, Some("OTHER-1")).registered = false;
    let draft = world.draft(&returned(&[]), &asked).unwrap();
    assert!(!draft.content.is_ready());
    let blocked: Vec<_> = draft.content.checks.iter().filter(|check| check.verdict == Verdict::Blocked).collect();
    assert_eq!(
        blocked.iter().map(|check| check.reason.as_str()).collect::<Vec<_>>(),
        ["return the networks inside first: NET-23-1-B (23.0.1.0/24), NET-23-1-A (23.0.1.0/25)"]
    );
    // The inner one of two of the same range is free to go.
    let mut asked = asked;
    let inner = Wish::of(About::Network(net_handle("NET-23-1-B")), Operation::RemoveNetwork);
    asked.nets.insert(net_handle("NET-23-1-B"), Answered::Found(net_document("NET-23-1-B", "23.0.1.0/24")));
    let text = shown(world.draft(&inner, &asked));
    assert!(text.contains("NET-23-1-A") && !text.contains("NET-23-1 ("), "{text}");
}

#[test]
fn what_was_allocated_is_never_returned_and_what_we_passed_on_to_ourselves_is() {
    let (world, mut asked) = world();
    let mut told = Vec::new();
    for kind in ["DA", "A"] {
        let mut net = net_document(NET, "23.0.1.0/24").json();
        net["netBlocks"]["netBlock"]["type"] = kind.into();
        net["orgHandle"] = US.into();
        net.as_object_mut().unwrap().remove("customerHandle");
        asked.nets.insert(net_handle(NET), Answered::Found(Document::from_json("net", &net).unwrap()));
        told.push(shown(world.draft(&returned(&[]), &asked)).lines().next().unwrap().to_owned());
    }
    insta::assert_snapshot!(told.join("\n"), @"
    refused: NET-23-1 was not passed on, but allocated, and cannot be returned in this way
    remove-network: Return 23.0.1.0/24 (NET-23-1)
    ");
}

#[test]
fn a_net_is_found_by_its_prefix() {
    let (mut world, mut asked) = world();
    world.assigned("23.0.1.0/24", "Alpha");
    world.assigned("23.0.2.0/24", "Alpha");
    let by_prefix = |range| chosen(wish(range, &[]), Operation::RemoveNetwork);
    assert_eq!(
        world.draft(&by_prefix("23.0.1.0/24"), &asked).unwrap().links.network,
        Some(world.registrations.nets[1].row)
    );
    // One that is not recorded is asked for; a wider one is not it.
    let range = block("23.0.2.0/24");
    assert_eq!(world.drafting().questions(&by_prefix("23.0.2.0/24"), &asked), [Question::Exact(range)]);
    asked.exact.insert(range, Answered::Found(parent("NET-23", "23.0.0.0/16", NetType::DirectAllocation)));
    assert_eq!(
        shown(world.draft(&by_prefix("23.0.2.0/24"), &asked)),
        "refused: nothing is registered for exactly 23.0.2.0/24"
    );
    asked.exact.insert(range, Answered::Found(parent("NET-23-2", "23.0.2.0/24", NetType::Reassigned)));
    asked.nets.insert(net_handle("NET-23-2"), Answered::Found(net_document("NET-23-2", "23.0.2.0/24")));
    assert!(world.draft(&by_prefix("23.0.2.0/24"), &asked).unwrap().content.call.is_some());
}

#[test]
fn a_customer_is_deleted_when_its_net_is_gone_or_somebody_elses() {
    let (mut world, mut asked) = world();
    let wish = Wish::of(About::Customer(customer_handle(&format!("C{NET}"))), Operation::DeleteCustomer);
    let held = told(world.draft(&wish, &asked));
    asked.nets.insert(net_handle(NET), Answered::Absent);
    let gone = world.draft(&wish, &asked).unwrap();
    assert!(gone.content.is_ready());
    assert_eq!(gone.content.before["customer"]["customerName"], "Alpha Inc");
    let gone = shown(Ok(gone));
    // The handle of the net is used again.
    let mut other = net_document(NET, "23.0.1.0/24");
    other.set_text("customerHandle", Some("C99")).unwrap();
    asked.nets.insert(net_handle(NET), Answered::Found(other));
    world.registrations.nets[1].holder = Some(Holder::Customer(customer_handle("C99")));
    let draft = world.draft(&wish, &asked).unwrap();
    assert!(draft.content.is_ready());
    assert!(matches!(
        draft.content.change,
        Some(Change::DeleteCustomer(removal)) if removal.net.as_ref().unwrap().registered_on.is_none()
    ));
    asked.nets.insert(net_handle(NET), Answered::NotKnown("503".into()));
    let failed = told(world.draft(&wish, &asked));
    world.registrations.customers.clear();
    let unknown = told(world.draft(&wish, &asked));
    asked.customers.clear();
    let absent = told(world.draft(&wish, &asked));
    insta::assert_snapshot!([held, gone, failed, unknown, absent].join("\n"), @"
    delete-customer: Delete customer CNET-23-1, who held 23.0.1.0/24
    Blocked network: CNET-23-1 still holds NET-23-1: return that one first
    delete-customer: Delete customer CNET-23-1, who held 23.0.1.0/24
    DELETE /rest/customer/CNET-23-1

    refused: ARIN could not be asked for net NET-23-1: 503; try again
    refused: customer CNET-23-1 is recorded with no net, so that nothing tells whether it still holds one; sync it
    refused: ARIN does not have customer CNET-23-1 any more; sync its range
    ");
}
