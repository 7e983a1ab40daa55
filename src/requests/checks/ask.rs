//! The questions to ARIN that a change rests on.

use super::{
    super::{answered::Answered, change::Change},
    live::Live,
};
use crate::arin::{Client, NewHolder, NewNet};

/// Asks ARIN what a change rests on: two or three questions.
pub async fn ask(client: &Client, change: &Change) -> Live {
    match change {
        Change::Create(net) => about_new_net(client, net).await,
        Change::ChangeNetwork(asked) => {
            let document = client.net_document(&asked.net.handle).await;
            Live { base: Answered::of(document).map(|document| document.digest()), ..Live::default() }
        }
        Change::ChangeCustomer(asked) => {
            let document = client.customer_document(&asked.customer).await;
            Live { base: Answered::of(document).map(|document| document.digest()), ..Live::default() }
        }
        Change::RemoveNetwork(removal) => {
            let handle = &removal.net.handle;
            let (net, delegations, routes) =
                tokio::join!(client.net(handle), client.delegations(handle), client.routes(handle));
            let (delegations, routes) = (Answered::list(delegations), Answered::list(routes));
            Live { net: Answered::of(net), delegations, routes, ..Live::default() }
        }
        Change::DeleteCustomer(removal) => {
            let net = async {
                match &removal.net {
                    Some(net) => Answered::of(client.net(&net.handle).await),
                    None => Answered::default(),
                }
            };
            let (customer, net) = tokio::join!(client.customer(&removal.customer), net);
            Live { customer: Answered::of(customer), net, ..Live::default() }
        }
    }
}

async fn about_new_net(client: &Client, asked: &NewNet) -> Live {
    let org = async {
        match &asked.holder {
            NewHolder::Org(handle) => Answered::of(client.org(handle).await),
            NewHolder::Customer(_) => Answered::default(),
        }
    };
    let (parent, exact, org) = tokio::join!(client.parent_net(asked.range), client.most_specific_net(asked.range), org);
    Live { parent: Answered::of(parent), exact: Answered::of(exact), org, ..Live::default() }
}
