//! The questions to ARIN by which a call is looked for.

use super::{
    super::{answered::Answered, change::Change, intent::Intent},
    registry::{RegistryState, registry_state},
    seen::Seen,
    ticket,
};
use crate::{
    arin::{Client, NewHolder, NewNet, TicketFilter},
    model::Net,
};

/// Asks ARIN what became of a call: one question, and one more where the first one does not decide. If that shows tickets,
/// somebody has to say which of them are those of other requests ([`Seen::claimed`]).
pub async fn look(client: &Client, intent: &Intent) -> Seen {
    let mut seen = registered(client, &intent.change).await;
    let nothing = matches!(registry_state(intent, &seen), RegistryState::Nothing);
    if nothing && !ticket::types(&intent.change).is_empty() {
        seen.tickets = Answered::list(client.tickets(&TicketFilter::open()).await);
    }
    seen
}

async fn registered(client: &Client, change: &Change) -> Seen {
    let by_handle = |net| Seen { net: Answered::of(net), ..Seen::default() };
    let by_customer = |customer| Seen { customer: Answered::of(customer), ..Seen::default() };
    match change {
        Change::Create(asked) => made(client, asked).await,
        Change::ChangeNetwork(asked) => by_handle(client.net(&asked.net.handle).await),
        Change::RemoveNetwork(asked) => by_handle(client.net(&asked.net.handle).await),
        Change::ChangeCustomer(asked) => by_customer(client.customer(&asked.customer).await),
        Change::DeleteCustomer(asked) => by_customer(client.customer(&asked.customer).await),
    }
}

async fn made(client: &Client, asked: &NewNet) -> Seen {
    let net = Answered::of(client.most_specific_net(asked.range).await);
    let holder = match &asked.holder {
        NewHolder::Customer(_) => net.found().filter(|net| net.range() == Some(asked.range)).and_then(Net::customer),
        NewHolder::Org(_) => None,
    };
    let customer = match holder {
        Some(handle) => Answered::of(client.customer(handle).await),
        None => Answered::default(),
    };
    Seen { net, customer, ..Seen::default() }
}
