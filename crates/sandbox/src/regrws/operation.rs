//! The calls, and the paths they have.

use std::net::IpAddr;

/// The calls a server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `GET org/{handle}`
    Org,
    /// `GET poc/{handle}`
    Poc,
    /// `GET customer/{handle}`
    Customer,
    /// `GET net/{handle}`
    Net,
    /// `GET net/mostSpecificNet/{start}/{end}`
    MostSpecificNet,
    /// `GET net/parentNet/{start}/{end}`
    ParentNet,
    /// `PUT net/{parent}/reassign`
    Reassign,
    /// `PUT net/{parent}/reallocate`
    Reallocate,
    /// `POST net/{parent}/customer`
    CreateCustomer,
    /// `PUT customer/{handle}`
    ModifyCustomer,
    /// `DELETE customer/{handle}`
    DeleteCustomer,
    /// `PUT net/{handle}`
    ModifyNet,
    /// `DELETE net/{handle}`
    DeleteNet,
    /// `PUT net/{handle}/remove`
    RemoveNet,
    /// `GET net/{handle}/delegations`
    Delegations,
    /// `GET net/{handle}/routes`
    NetRoutes,
    /// `GET org/{handle}/routes`
    OrgRoutes,
    /// `GET ticket/{number}`
    Ticket,
    /// `GET ticket/{number}/summary`
    TicketSummary,
    /// `GET ticket;ticketType={type};ticketStatus={status}`
    Tickets,
    /// `GET ticket/summary;ticketType={type};ticketStatus={status}`
    TicketSummaries,
    /// `PUT ticket/{number}/ticketStatus/{status}`
    CloseTicket,
    /// `PUT ticket/{number}`
    ModifyTicket,
    /// `PUT ticket/{number}/message`
    AddMessage,
    /// `GET ticket/{number}/message/{id}`
    Message,
    /// `GET ticket/{number}/message/{id}/attachment/{id}`
    Attachment,
    /// `GET report/reassignment/{net}`, which makes a ticket
    ReassignmentReport,
    /// `GET report/associations`, which makes a ticket
    AssociationsReport,
    /// Anything else.
    Unknown,
}

impl Operation {
    /// Returns whether it changes anything.
    #[must_use]
    pub fn is_write(self) -> bool {
        match self {
            Self::Org
            | Self::Poc
            | Self::Customer
            | Self::Net
            | Self::MostSpecificNet
            | Self::ParentNet
            | Self::Delegations
            | Self::NetRoutes
            | Self::OrgRoutes
            | Self::Ticket
            | Self::TicketSummary
            | Self::Tickets
            | Self::TicketSummaries
            | Self::Message
            | Self::Attachment
            | Self::Unknown => false,
            Self::Reassign
            | Self::Reallocate
            | Self::CreateCustomer
            | Self::ModifyCustomer
            | Self::DeleteCustomer
            | Self::ModifyNet
            | Self::DeleteNet
            | Self::RemoveNet
            | Self::CloseTicket
            | Self::ModifyTicket
            | Self::AddMessage
            | Self::ReassignmentReport
            | Self::AssociationsReport => true,
        }
    }
}

/// Returns which call this is, and what it is about according to its path.
pub(super) fn call(method: &str, path: &str) -> (Operation, String) {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let Some(("rest", parts)) = parts.split_first().map(|(first, others)| (*first, others)) else {
        return (Operation::Unknown, path.to_owned());
    };
    let found = match method {
        "GET" => read(parts),
        "PUT" => put(parts),
        "POST" => post(parts),
        "DELETE" => delete(parts),
        _ => None,
    };
    found.map_or_else(
        || (Operation::Unknown, path.to_owned()),
        |(operation, target)| (operation, target.to_ascii_uppercase()),
    )
}

/// Returns whether there is a call at this path by another method.
pub(super) fn has_other_method(path: &str) -> bool {
    ["GET", "PUT", "POST", "DELETE"].iter().any(|method| call(method, path).0 != Operation::Unknown)
}

fn read(parts: &[&str]) -> Option<(Operation, String)> {
    Some(match parts {
        ["org", handle] => (Operation::Org, (*handle).to_owned()),
        ["poc", handle] => (Operation::Poc, (*handle).to_owned()),
        ["customer", handle] => (Operation::Customer, (*handle).to_owned()),
        ["net", handle] => (Operation::Net, (*handle).to_owned()),
        ["net", handle, "delegations"] => (Operation::Delegations, (*handle).to_owned()),
        ["net", handle, "routes"] => (Operation::NetRoutes, (*handle).to_owned()),
        ["org", handle, "routes"] => (Operation::OrgRoutes, (*handle).to_owned()),
        [tickets] if named(tickets, "ticket") => (Operation::Tickets, (*tickets).to_owned()),
        ["ticket", tickets] if named(tickets, "summary") => (Operation::TicketSummaries, (*tickets).to_owned()),
        ["ticket", number] => (Operation::Ticket, (*number).to_owned()),
        ["ticket", number, "summary"] => (Operation::TicketSummary, (*number).to_owned()),
        ["ticket", number, "message", message] => (Operation::Message, format!("{number}/{message}")),
        ["ticket", number, "message", message, "attachment", file] => {
            (Operation::Attachment, format!("{number}/{message}/{file}"))
        }
        ["report", "reassignment", net] => (Operation::ReassignmentReport, (*net).to_owned()),
        ["report", "associations"] => (Operation::AssociationsReport, String::new()),
        ["net", "mostSpecificNet", first, last] => (Operation::MostSpecificNet, tidy_range(first, last)),
        ["net", "parentNet", first, last] => (Operation::ParentNet, tidy_range(first, last)),
        _ => return None,
    })
}

fn put(parts: &[&str]) -> Option<(Operation, String)> {
    let (operation, handle) = match parts {
        ["net", parent, "reassign"] => (Operation::Reassign, parent),
        ["net", parent, "reallocate"] => (Operation::Reallocate, parent),
        ["net", handle, "remove"] => (Operation::RemoveNet, handle),
        ["net", handle] => (Operation::ModifyNet, handle),
        ["customer", handle] => (Operation::ModifyCustomer, handle),
        ["ticket", number] => (Operation::ModifyTicket, number),
        ["ticket", number, "ticketStatus", _] => (Operation::CloseTicket, number),
        ["ticket", number, "message"] => (Operation::AddMessage, number),
        _ => return None,
    };
    Some((operation, (*handle).to_owned()))
}

fn post(parts: &[&str]) -> Option<(Operation, String)> {
    match parts {
        ["net", parent, "customer"] => Some((Operation::CreateCustomer, (*parent).to_owned())),
        _ => None,
    }
}

fn delete(parts: &[&str]) -> Option<(Operation, String)> {
    match parts {
        ["customer", handle] => Some((Operation::DeleteCustomer, (*handle).to_owned())),
        ["net", handle] => Some((Operation::DeleteNet, (*handle).to_owned())),
        _ => None,
    }
}

/// Whether a part of a path has this name, with or without matrix parameters.
fn named(part: &str, name: &str) -> bool {
    part.split(';').next() == Some(name)
}

/// A range as `first/last`, with the addresses in their canonical form if they can be read.
fn tidy_range(first: &str, last: &str) -> String {
    match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
        (Ok(first), Ok(last)) => format!("{first}/{last}"),
        (Ok(_) | Err(_), _) => format!("{first}/{last}"),
    }
}
