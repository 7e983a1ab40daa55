//! The answers to calls about tickets, and those that make reports.

use jiff::civil::DateTime;

use super::{
    payload::{self, Messages},
    store::{Store, Work},
    ticket::{Message, Resolution, Ticket, TicketStatus},
};
use crate::{
    regrws::{
        clock,
        forms::Forms,
        options::Jobs,
        reply::Reply,
        requests::{Operation, Request},
        schema,
        state::{Asking, State},
        xml::Element,
    },
    server::lock,
};

/// Octets that files of a ticket have at most, or it is not shown with them.
const MOST_OCTETS: usize = 1024 * 1024;

/// Returns the answer to a call about tickets; `None` if it is another one.
pub(in super::super) fn answer(state: &State, asking: &Asking, request: &Request) -> Option<Reply> {
    let call = Call { asking, at: clock::moment(asking.options.clock, lock(&state.served).now()) };
    let tickets = &mut *lock(&state.tickets);
    let answered = match request.operation {
        Operation::TicketSummary => call.show(tickets, request, Messages::None),
        Operation::Ticket => call.show(tickets, request, messages(request)),
        Operation::TicketSummaries => call.list(tickets, request, Messages::None),
        Operation::Tickets => call.list(tickets, request, messages(request)),
        Operation::CloseTicket => call.close(tickets, request),
        Operation::ModifyTicket => call.modify(tickets, request),
        Operation::AddMessage => call.add_message(tickets, request),
        Operation::Message => call.message(tickets, request),
        Operation::Attachment => call.attachment(tickets, request),
        Operation::ReassignmentReport => call.report(tickets, state, Some(request.target.clone())),
        Operation::AssociationsReport => call.report(tickets, state, None),
        Operation::Org
        | Operation::Poc
        | Operation::Customer
        | Operation::Net
        | Operation::MostSpecificNet
        | Operation::ParentNet
        | Operation::Delegations
        | Operation::NetRoutes
        | Operation::OrgRoutes
        | Operation::Reassign
        | Operation::Reallocate
        | Operation::CreateCustomer
        | Operation::ModifyCustomer
        | Operation::DeleteCustomer
        | Operation::ModifyNet
        | Operation::DeleteNet
        | Operation::RemoveNet
        | Operation::Unknown => return None,
    };
    Some(answered.unwrap_or_else(|refusal| refusal))
}

fn messages(request: &Request) -> Messages {
    let wants_references = request.query.split('&').any(|pair| pair.eq_ignore_ascii_case("msgRefs=true"));
    if wants_references { Messages::References } else { Messages::Whole }
}

/// A call at a moment.
struct Call<'a> {
    asking: &'a Asking,
    at: DateTime,
}

impl Call<'_> {
    /// Returns the ticket in the path, which has to be one of the user's.
    fn ticket<'s>(&self, tickets: &'s mut Store, request: &Request) -> Result<&'s mut Ticket, Reply> {
        let found = tickets.find(&request.handle()).ok_or_else(|| Reply::not_found("ticket"))?;
        if found.user == self.asking.access.user { Ok(found) } else { Err(Reply::no_authority()) }
    }

    fn forms(&self, ticket: &Ticket) -> Forms {
        Forms::of(self.asking.options.style, &ticket.number)
    }

    fn shown(&self, ticket: &Ticket, messages: Messages) -> Result<Reply, Reply> {
        let files = ticket.messages.iter().flat_map(|message| &message.attachments);
        if messages == Messages::Whole && files.map(|file| file.data.len()).sum::<usize>() > MOST_OCTETS {
            return Err(Reply::too_large("The attachments are too large; ask for references to them."));
        }
        let forms = self.forms(ticket);
        Ok(Reply::found(payload::document(ticket, messages, &forms).document(&forms)))
    }

    fn show(&self, tickets: &mut Store, request: &Request, messages: Messages) -> Result<Reply, Reply> {
        self.shown(self.ticket(tickets, request)?, messages)
    }

    fn list(&self, tickets: &Store, request: &Request, messages: Messages) -> Result<Reply, Reply> {
        let wanted = |name: &str| request.matrix(name).unwrap_or_else(|| "ANY".to_owned());
        let (ticket_type, status) = (wanted("ticketType"), wanted("ticketStatus"));
        let known = TicketStatus::ALL.map(TicketStatus::code);
        if !known.contains(&status.as_str()) && !["ANY", "ANY_OPEN"].contains(&status.as_str()) {
            return Err(Reply::bad_request("There is no such ticket status."));
        }
        let fits = |ticket: &&Ticket| {
            let has_status = match status.as_str() {
                "ANY" => true,
                "ANY_OPEN" => ticket.status != TicketStatus::Closed,
                status => ticket.status.code() == status,
            };
            has_status && (ticket_type == "ANY" || ticket_type == ticket.ticket_type)
        };
        let own = tickets.tickets.iter().filter(|ticket| ticket.user == self.asking.access.user);
        let forms = Forms::of(self.asking.options.style, "TICKETS");
        let found = own.filter(fits).map(|ticket| payload::document(ticket, messages, &forms));
        Ok(Reply::found(Element::new("collection", found.collect()).document(&forms)))
    }

    /// Only a resolved ticket can be closed.
    fn close(&self, tickets: &mut Store, request: &Request) -> Result<Reply, Reply> {
        let status = request.path.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
        self.closed(self.ticket(tickets, request)?, &status, messages(request))
    }

    fn modify(&self, tickets: &mut Store, request: &Request) -> Result<Reply, Reply> {
        let sent = schema::TICKET.read(&request.body, self.asking.options.style).map_err(|why| Reply::schema(&why))?;
        let ticket = self.ticket(tickets, request)?;
        let fixed = [
            ("ticketNo", Some(ticket.number.as_str())),
            ("webTicketType", Some(ticket.ticket_type)),
            ("webTicketResolution", ticket.resolution.map(Resolution::code)),
        ];
        if let Some((name, _)) = fixed.into_iter().find(|(name, value)| sent.text_of(name).as_deref() != *value) {
            return Err(Reply::invalid_element(name, "This element cannot be modified."));
        }
        let status = sent.text_of("webTicketStatus").unwrap_or_default();
        self.closed(ticket, &status, messages(request))
    }

    fn closed(&self, ticket: &mut Ticket, status: &str, messages: Messages) -> Result<Reply, Reply> {
        if status != TicketStatus::Closed.code() {
            return Err(Reply::bad_request("The status of a ticket can be set to CLOSED only."));
        }
        if ticket.status != TicketStatus::Resolved {
            return Err(Reply::bad_request("Only a RESOLVED ticket can be closed."));
        }
        ticket.set_status(TicketStatus::Closed, self.at);
        self.shown(ticket, messages)
    }

    fn add_message(&self, tickets: &mut Store, request: &Request) -> Result<Reply, Reply> {
        let sent = schema::MESSAGE.read(&request.body, self.asking.options.style).map_err(|why| Reply::schema(&why))?;
        let sent = Message::read(&sent).map_err(|why| Reply::invalid_element("attachments", why))?;
        if self.ticket(tickets, request)?.status == TicketStatus::Closed {
            return Err(Reply::bad_request("The ticket is closed."));
        }
        let message = tickets.numbered(sent, self.at);
        let ticket = self.ticket(tickets, request)?;
        ticket.updated = self.at;
        ticket.messages.push(message.clone());
        let forms = self.forms(ticket);
        Ok(Reply::found(payload::message(&message, &forms).document(&forms)))
    }

    fn find_message<'s>(&self, tickets: &'s mut Store, request: &Request) -> Result<(Forms, &'s Message), Reply> {
        let ticket = self.ticket(tickets, request)?;
        let id = request.path.split('/').nth(5).unwrap_or_default();
        let message = ticket.messages.iter().find(|message| message.id == id);
        Ok((self.forms(ticket), message.ok_or_else(|| Reply::not_found("message"))?))
    }

    fn message(&self, tickets: &mut Store, request: &Request) -> Result<Reply, Reply> {
        let (forms, message) = self.find_message(tickets, request)?;
        Ok(Reply::found(payload::message(message, &forms).document(&forms)))
    }

    fn attachment(&self, tickets: &mut Store, request: &Request) -> Result<Reply, Reply> {
        let (_, message) = self.find_message(tickets, request)?;
        let id = request.path.split('/').nth(7).unwrap_or_default();
        let file = message.attachments.iter().find(|file| file.id == id);
        let file = file.ok_or_else(|| Reply::not_found("attachment"))?;
        Ok(Reply::file(&file.filename, file.data.clone()))
    }

    /// Makes a ticket for a report, which closes itself when the report is there.
    fn report(&self, tickets: &mut Store, state: &State, net: Option<String>) -> Result<Reply, Reply> {
        if let Some(net) = &net {
            state.may_report(self.asking, net)?;
        }
        let ticket_type = if net.is_some() { "REASSIGNMENT_REPORT" } else { "ASSOCIATIONS_REPORT" };
        let ticket = tickets.open(ticket_type, &self.asking.access.user, self.at);
        ticket.work = Some(Work::Report(net));
        let (shown, number) = (self.shown(ticket, Messages::Whole), ticket.number.clone());
        if self.asking.options.jobs == Jobs::AtOnce {
            state.finish_report(tickets, &number, self.at);
        }
        shown
    }
}
