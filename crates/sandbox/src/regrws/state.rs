//! The registry behind a server, as writes find it and leave it.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;

use super::{
    access::Access,
    change::Done,
    clock,
    forms::Forms,
    judge::{Terms, judge},
    options::{Options, Style},
    payload,
    reply::Reply,
    submission::Submission,
    xml::Element,
};
use crate::{
    served::{Editing, Served, Snapshot},
    server::lock,
};

/// What requests share. A clone is the same.
#[derive(Clone)]
pub(super) struct State {
    pub(super) served: Arc<Mutex<Served>>,
}

/// Who asks, and how the server behaves.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) access: Access,
    pub(super) options: Options,
}

impl State {
    /// Returns the registry as reads see it.
    pub(super) fn seen(&self) -> Snapshot {
        lock(&self.served).seen()
    }

    /// Does what a submission asks for, or says why not.
    pub(super) fn write(&self, asking: &Asking, submission: &Submission) -> Reply {
        self.try_write(asking, submission).unwrap_or_else(|refusal| refusal)
    }

    fn try_write(&self, Asking { access, options }: &Asking, submission: &Submission) -> Result<Reply, Reply> {
        let mut registry = Editing(lock(&self.served));
        let change = judge(Terms { registry: &registry, options, access }, submission)?;
        registry.hide_for(options.lag);
        let at = clock::moment(options.clock, registry.now);
        let done = change.carry_out(&mut registry, at).map_err(|gone| Reply::not_found(gone.kind))?;
        let status = StatusCode::from_u16(options.success).unwrap_or_default();
        Ok(Reply { status, ..answer(&done, submission, options.style) })
    }
}

/// The document that tells of what was done.
fn answer(done: &Done, submission: &Submission, style: Style) -> Reply {
    match done {
        Done::Net(net) => {
            let forms = Forms::of(style, &net.handle);
            let net = payload::net(net, &forms);
            let root = match submission {
                Submission::ModifyNet { .. } => net,
                Submission::Cut { .. }
                | Submission::RemoveNet { .. }
                | Submission::CreateCustomer { .. }
                | Submission::ModifyCustomer { .. }
                | Submission::DeleteCustomer { .. } => Element::new("ticketedRequest", vec![net]),
            };
            Reply::found(root.document(&forms))
        }
        Done::Customer(customer) => {
            let forms = Forms::of(style, &customer.handle);
            Reply::found(payload::customer(customer, &forms).document(&forms))
        }
    }
}
