//! Asks for the customer to be deleted who is left behind when their network was returned.

use std::error::Error;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::{info, warn};

use super::Flow;
use crate::{
    arin::Call,
    error_chain::error_chain,
    findings::judge::written,
    model::{Config, CustomerHandle, Holder, RowId},
    requests::{
        answered::Answered,
        change::{Change, Content, CustomerRemoval, NetTarget, NetworkRemoval},
        checks::{Live, check},
        open::{NewRequest, open},
        operation::Operation,
        record::{ChangeRequest, Subject},
    },
};

impl Flow {
    /// Asks for the customer to be deleted who held a net that was returned just now. `removal` is the request as it was
    /// before its end. What was returned stays so if this fails: the finding about the customer offers the same request.
    pub(super) async fn ask_for_customer_left_behind(&self, config: &Config, removal: &ChangeRequest) {
        let Some(Change::RemoveNetwork(NetworkRemoval { net, .. })) = &removal.content.change else { return };
        let Some(Holder::Customer(customer)) = &net.holder else { return };
        let handle = customer.as_str();
        match self.open_deletion(config, removal, (customer, net)).await {
            Ok(Some(id)) => {
                info!(customer = handle, request = id.0, "asked for the customer left behind to be deleted")
            }
            Ok(None) => info!(customer = handle, "ARIN has no such customer any more; nobody is left behind"),
            Err(error) => warn!(
                customer = handle,
                error = %error_chain(&*error),
                "could not ask for the customer left behind to be deleted; `requests prepare --customer` does so by hand"
            ),
        }
    }

    /// Opens the request, for whoever asked for the removal, so that whoever approved that may approve this, too.
    async fn open_deletion(
        &self,
        config: &Config,
        removal: &ChangeRequest,
        (customer, net): (&CustomerHandle, &NetTarget),
    ) -> Result<Option<RowId>, Box<dyn Error>> {
        let (sealer, destination) = (self.sealer()?, self.destination(config, removal.id)?);
        let client = self.approvers_client(config, removal)?;
        // That the net is gone is known by the removal. What ARIN answers about it may still be older than that, and is
        // asked again before the customer is deleted.
        let live =
            Live { customer: Answered::of(client.customer(customer).await), net: Answered::Absent, ..Live::default() };
        if live.customer == Answered::Absent {
            return Ok(None);
        }
        let known = self.known(config, removal, &destination).await?;
        let asked = CustomerRemoval { customer: customer.clone(), net: Some(net.clone()) };
        let change = Change::DeleteCustomer(asked);
        let mut content = Content {
            call: Some(Call::delete_customer(customer)),
            change: Some(change.clone()),
            before: kept(&removal.content.before),
            ..Content::default()
        };
        content.checks = check(&change, &content, &live, &known);
        let new = NewRequest {
            destination,
            subject: Subject::Customer(customer.clone()),
            operation: Operation::DeleteCustomer,
            summary: format!("Delete customer {customer}, who held {}", written(net.range)),
            message: content.is_blocked().then(|| content.blocked_because()),
            parent: None,
            links: removal.links,
            content,
            requested_by: removal.requested_by.clone(),
            requested_at: Timestamp::now(),
        };
        let opened = open(&self.netbox, &sealer, &[new]).await?.pop();
        Ok(opened.transpose()?)
    }
}

/// Returns what is kept of the customer, which was read when the removal was asked for.
fn kept(before: &Value) -> Value {
    let customer = before.get("customer").map(|customer| ("customer".to_owned(), customer.clone()));
    customer.map_or(Value::Null, |customer| Value::Object(Map::from_iter([customer])))
}
