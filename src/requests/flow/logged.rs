//! The rows of the sync log for what was sent to the registry.

use serde_json::json;
use tracing::warn;

use super::Flow;
use crate::{
    error_chain::error_chain,
    model::{Config, ObjectType},
    netbox::{Draft, Row, schema},
    requests::{operation::Operation, record::ChangeRequest, state::State},
};

impl Flow {
    /// Adds the rows for the end of a request. That they are missing costs nobody anything, so nothing stops over them.
    pub(super) async fn log(&self, config: &Config, request: &ChangeRequest, message: &str) {
        let status = if request.state == State::Done { "success" } else { "error" };
        let rows = entries(request).into_iter().map(|(operation, object, handle)| {
            let key = format!("request:{}:{}:{operation}:{}", request.id, object.name(), self.run);
            let fields = json!({
                "key": key,
                "config": config.id,
                "run": self.run,
                "operation": operation,
                "object_type": object.name(),
                "object_handle": handle,
                "status": status,
                "message": format!("{}: {message}", request.summary),
            });
            Draft { key, body: fields.as_object().cloned().unwrap_or_else(Row::new) }
        });
        let results = self.netbox.writer(schema::SYNC_LOG, &self.message()).create(rows.collect::<Vec<_>>()).await;
        if let Some(Err(error)) = results.into_iter().find(Result::is_err) {
            warn!(error = %error_chain(&error), "could not write the log of a change request");
        }
    }
}

/// Returns what was done to which objects: operation, type and handle.
fn entries(request: &ChangeRequest) -> Vec<(&'static str, ObjectType, String)> {
    let net = || request.network().map(|handle| handle.to_string()).unwrap_or_default();
    let customer = || request.customer().map(|handle| handle.to_string());
    let of_customer = |operation| customer().map(|handle| (operation, ObjectType::Customer, handle));
    match request.operation {
        Operation::ReassignSimple => {
            let net = ("reassign", ObjectType::Network, net());
            let made = of_customer("create").filter(|_| request.state == State::Done);
            [Some(net), made].into_iter().flatten().collect()
        }
        Operation::ReassignDetailed => vec![("reassign", ObjectType::Network, net())],
        Operation::Reallocate => vec![("reallocate", ObjectType::Network, net())],
        Operation::ChangeNetwork => vec![("update", ObjectType::Network, net())],
        Operation::ChangeCustomer => of_customer("update").into_iter().collect(),
        Operation::RemoveNetwork => vec![("remove", ObjectType::Network, net())],
        Operation::DeleteCustomer => of_customer("delete").into_iter().collect(),
    }
}
