//! A write as it was asked for: its call and its document.

use super::{
    options::Style,
    reply::Reply,
    requests::{Operation, Request},
    schema,
    submitted::{SubmittedCustomer, SubmittedNet},
    tickets::{Message, submitted_messages},
};

/// What is to be written, before anybody has looked whether it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Submission {
    /// A part of the net `parent` is to be reassigned or reallocated.
    Cut {
        parent: String,
        kind: Kind,
        net: Box<SubmittedNet>,
    },
    CreateCustomer {
        parent: String,
        customer: Box<SubmittedCustomer>,
    },
    ModifyCustomer {
        handle: String,
        customer: Box<SubmittedCustomer>,
    },
    DeleteCustomer {
        handle: String,
    },
    ModifyNet {
        handle: String,
        net: Box<SubmittedNet>,
    },
    /// The net is to be removed; `net` is what was sent with that, if anything was.
    RemoveNet {
        handle: String,
        net: Option<Box<SubmittedNet>>,
    },
}

/// The way in which a part of a net is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reassign,
    Reallocate,
}

impl Kind {
    /// The code of the net's type.
    pub(super) fn net_type(self) -> &'static str {
        match self {
            Self::Reassign => "S",
            Self::Reallocate => "A",
        }
    }
}

impl Submission {
    /// Reads a request; `None` if it is no write of a net or a customer.
    pub(super) fn read(request: &Request, style: Style) -> Result<Option<Self>, Reply> {
        let handle = request.handle();
        Ok(Some(match request.operation {
            Operation::Reassign => Self::Cut { parent: handle, kind: Kind::Reassign, net: net(request, style)? },
            Operation::Reallocate => Self::Cut { parent: handle, kind: Kind::Reallocate, net: net(request, style)? },
            Operation::CreateCustomer => Self::CreateCustomer { parent: handle, customer: customer(request, style)? },
            Operation::ModifyCustomer => Self::ModifyCustomer { handle, customer: customer(request, style)? },
            Operation::DeleteCustomer => Self::DeleteCustomer { handle },
            Operation::ModifyNet => Self::ModifyNet { handle, net: net(request, style)? },
            Operation::DeleteNet => Self::RemoveNet { handle, net: None },
            Operation::RemoveNet => Self::RemoveNet { handle, net: Some(net(request, style)?) },
            Operation::Org
            | Operation::Poc
            | Operation::Customer
            | Operation::Net
            | Operation::MostSpecificNet
            | Operation::ParentNet
            | Operation::Delegations
            | Operation::NetRoutes
            | Operation::OrgRoutes
            | Operation::Ticket
            | Operation::TicketSummary
            | Operation::Tickets
            | Operation::TicketSummaries
            | Operation::CloseTicket
            | Operation::ModifyTicket
            | Operation::AddMessage
            | Operation::Message
            | Operation::Attachment
            | Operation::ReassignmentReport
            | Operation::AssociationsReport
            | Operation::Unknown => return Ok(None),
        }))
    }

    /// Returns what was said along with it.
    pub(super) fn messages(&self) -> &[Message] {
        match self {
            Self::Cut { net, .. } | Self::ModifyNet { net, .. } | Self::RemoveNet { net: Some(net), .. } => {
                &net.messages
            }
            Self::RemoveNet { net: None, .. }
            | Self::CreateCustomer { .. }
            | Self::ModifyCustomer { .. }
            | Self::DeleteCustomer { .. } => &[],
        }
    }
}

fn net(request: &Request, style: Style) -> Result<Box<SubmittedNet>, Reply> {
    let root = schema::NET.read(&request.body, style).map_err(|why| Reply::schema(&why))?;
    let messages = submitted_messages(&root).map_err(|why| Reply::invalid_element("messages", why))?;
    Ok(Box::new(SubmittedNet { messages, ..SubmittedNet::read(&root) }))
}

fn customer(request: &Request, style: Style) -> Result<Box<SubmittedCustomer>, Reply> {
    let root = schema::CUSTOMER.read(&request.body, style).map_err(|why| Reply::schema(&why))?;
    Ok(Box::new(SubmittedCustomer::read(&root)))
}
