//! The registry and the tickets behind a server, as writes find them and leave them.
//!
//! Of the two locks, that of the tickets is taken first.

use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use jiff::civil::DateTime;

use super::{
    access::Access,
    change::{Change, Done},
    clock,
    forms::Forms,
    judge::{Terms, judge, may_report},
    options::{Jobs, Options, Style},
    payload,
    reply::Reply,
    requests::Operation,
    submission::Submission,
    tickets::{self, Message, Resolution, Store, Ticket, TicketStatus, Way, Work},
    xml::Element,
};
use crate::{
    served::{Editing, Served, Snapshot},
    server::lock,
    world::Registry,
};

/// What requests share. A clone is the same.
#[derive(Clone)]
pub(super) struct State {
    pub(super) served: Arc<Mutex<Served>>,
    pub(super) tickets: Arc<Mutex<Store>>,
}

/// Who asks, and how the server behaves.
#[derive(Clone)]
pub(super) struct Asking {
    pub(super) access: Access,
    pub(super) options: Options,
    /// What can become a ticket becomes one.
    pub(super) by_ticket: bool,
}

impl State {
    pub(super) fn new(served: Arc<Mutex<Served>>) -> Self {
        Self { served, tickets: Arc::default() }
    }

    /// Returns the registry as reads see it.
    pub(super) fn seen(&self) -> Snapshot {
        lock(&self.served).seen()
    }

    /// Does what a submission asks for, or makes a ticket of it, or says why not.
    pub(super) fn write(&self, asking: &Asking, operation: Operation, submission: &Submission) -> Reply {
        self.try_write(asking, operation, submission).unwrap_or_else(|refusal| refusal)
    }

    fn try_write(&self, asking: &Asking, operation: Operation, submission: &Submission) -> Result<Reply, Reply> {
        let Asking { access, options, by_ticket } = asking;
        let tickets = &mut *lock(&self.tickets);
        let mut registry = Editing(lock(&self.served));
        let change = judge(Terms { registry: &registry, options, access }, submission)?;
        let at = clock::moment(options.clock, registry.now);
        let ticket_type = tickets::ticket_type(&change);
        let way = match ticket_type {
            None => Way::AtOnce,
            Some(_) if *by_ticket || change.is_job() => Way::Ticket,
            Some(_) => tickets.way(operation),
        };
        let ticket_type = ticket_type.filter(|_| way != Way::AtOnce);
        let ticket = ticket_type.map(|ticket_type| opened(tickets, asking, (submission, ticket_type), at));
        let forms = Forms::of(options.style, &access.user);
        let mut inside: Vec<Element> = ticket.iter().map(|ticket| tickets::ticket(ticket, &forms)).collect();
        let at_once = way != Way::Ticket || (change.is_job() && options.jobs == Jobs::AtOnce);
        if at_once {
            let done = carry_out(change, &mut registry, (options, at))?;
            match way {
                Way::AtOnce => {
                    return Ok(Reply { status: success(options), ..answer(&done, submission, options.style) });
                }
                Way::Both => inside.push(element(&done, options.style)),
                Way::Ticket => {}
            }
        }
        if let Some(ticket) = ticket {
            if at_once {
                ticket.resolve(Resolution::Processed, at);
                ticket.set_status(TicketStatus::Closed, at);
            } else {
                ticket.work = Some(Work::Write(access.clone(), Box::new(submission.clone())));
            }
        }
        Ok(Reply { status: success(options), ..Reply::found(tickets::ticketed(inside, &forms)) })
    }

    /// Does what a ticket asks for, or returns the status and the document of the refusal.
    pub(super) fn do_later(
        &self,
        options: &Options,
        access: Access,
        submission: &Submission,
    ) -> Result<Resolution, (u16, String)> {
        let mut registry = Editing(lock(&self.served));
        let refused = |reply: Reply| (reply.status.as_u16(), reply.body);
        let change = judge(Terms { registry: &registry, options, access: &access }, submission).map_err(refused)?;
        let resolution = if change.is_job() { Resolution::Processed } else { Resolution::Accepted };
        let at = clock::moment(options.clock, registry.now);
        carry_out(change, &mut registry, (options, at)).map_err(refused)?;
        Ok(resolution)
    }

    /// Refuses a report on a net of which there is none.
    pub(super) fn may_report(&self, Asking { access, options, .. }: &Asking, net: &str) -> Result<(), Reply> {
        let registry = Editing(lock(&self.served));
        may_report(Terms { registry: &registry, options, access }, net)
    }

    /// Attaches a report to its ticket, which is closed by that.
    pub(super) fn finish_report(&self, tickets: &mut Store, number: &str, at: DateTime) {
        let Some(Work::Report(net)) = tickets.work(number) else { return };
        let report = report(&Editing(lock(&self.served)), net.as_deref());
        let message = Message::new("Your report", "The report is attached.").with("report.csv", report.as_bytes());
        let message = tickets.numbered(message, at);
        tickets.change(number, |ticket| {
            ticket.work = None;
            ticket.messages.push(message);
            ticket.resolve(Resolution::Processed, at);
            ticket.set_status(TicketStatus::Closed, at);
        });
    }
}

fn success(options: &Options) -> StatusCode {
    StatusCode::from_u16(options.success).unwrap_or_default()
}

/// Makes a ticket of this type for a submission, with what was said along with it.
fn opened<'s>(
    tickets: &'s mut Store,
    asking: &Asking,
    (submission, ticket_type): (&Submission, &'static str),
    at: DateTime,
) -> &'s mut Ticket {
    let said: Vec<Message> = submission.messages().iter().map(|said| tickets.numbered(said.clone(), at)).collect();
    let ticket = tickets.open(ticket_type, &asking.access.user, at);
    ticket.messages = said;
    ticket
}

fn carry_out(change: Change, registry: &mut Editing<'_>, (options, at): (&Options, DateTime)) -> Result<Done, Reply> {
    registry.hide_for(options.lag);
    change.carry_out(registry, at).map_err(|gone| Reply::not_found(gone.kind))
}

/// The nets below a net, a line each. What ARIN's file looks like is not documented.
fn report(registry: &Registry, net: Option<&str>) -> String {
    let below = net.map(|net| registry.below(net)).unwrap_or_default();
    let nets = below.iter().filter_map(|handle| registry.nets.get(handle));
    let line = |net: &crate::world::Net| {
        let (first, last) = net.range()?;
        Some(format!("{},{},{first},{last}\n", net.handle, net.name))
    };
    nets.filter_map(line).collect()
}

fn element(done: &Done, style: Style) -> Element {
    match done {
        Done::Net(net) => payload::net(net, &Forms::of(style, &net.handle)),
        Done::Customer(customer) => payload::customer(customer, &Forms::of(style, &customer.handle)),
    }
}

/// The document that tells of what was done.
fn answer(done: &Done, submission: &Submission, style: Style) -> Reply {
    let forms = match done {
        Done::Net(net) => Forms::of(style, &net.handle),
        Done::Customer(customer) => Forms::of(style, &customer.handle),
    };
    let element = element(done, style);
    Reply::found(match submission {
        Submission::Cut { .. } | Submission::RemoveNet { .. } => tickets::ticketed(vec![element], &forms),
        Submission::ModifyNet { .. }
        | Submission::CreateCustomer { .. }
        | Submission::ModifyCustomer { .. }
        | Submission::DeleteCustomer { .. } => element.document(&forms),
    })
}
