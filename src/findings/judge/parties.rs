//! The findings about organizations, tickets and change requests.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{
    super::{
        finding::{Link, Links, Subject, day},
        kind::{Kind, Level},
        registrations::{ChangeRequest, Ticket},
    },
    sheet::Sheet,
    subjects::Spot,
    wanted,
};
use crate::model::{NetBlock, ObjectType, OrgHandle, RowId, Standing};

/// The states of a ticket in which ARIN waits for an answer of ours.
const WAITING: [&str; 2] = ["PENDING_CONFIRMATION", "PENDING_CUSTOMER_REVIEW"];
/// The states of a ticket that is over.
const OVER: [&str; 2] = ["RESOLVED", "CLOSED"];
/// The resolutions of a ticket that did not bring about what was asked for.
const FAILED: [&str; 5] = ["DENIED", "ABANDONED", "WITHDRAWN", "UNSUCCESSFUL", "DUPLICATE"];
/// Operations that take something back.
const REMOVE: &str = "remove-network";

impl<'a> Sheet<'_, 'a> {
    /// Judges the configs' own organizations, and those that assigned space should be given to.
    pub(super) fn organizations(&mut self, spots: &[Spot<'a>]) {
        let ground = self.ground;
        let mut told = BTreeSet::new();
        let own = |handle: &OrgHandle| ground.answer(ObjectType::Organization, handle.as_str());
        for config in &ground.configs {
            let Some(handle) = config.org.as_ref().filter(|handle| !told.contains(*handle)) else { continue };
            let Some(Standing::Found(recipient)) = own(handle).map(|answer| &answer.standing) else {
                continue;
            };
            let lacks: Vec<&str> = recipient.lacks().into_iter().collect();
            if lacks.is_empty() {
                continue;
            }
            told.insert(handle);
            let message = format!(
                "Our own organization {handle} lacks {}: ARIN asks for exactly one Admin, and at least one Tech and one Abuse \
                 contact.",
                lacks.join(" and ")
            );
            let row = ground.org(handle).map(|row| row.row);
            let links = Links { organization: Some(Link::perhaps_to(row, handle)), ..Links::default() };
            self.add((Kind::OrgIncomplete, Level::Alert), config.id, Subject::Org(handle.clone()), (links, message));
        }
        let judged = spots.iter().filter(|spot| !spot.left_alone);
        let tenants: BTreeSet<RowId> = judged.flat_map(|spot| spot.assigned.iter().copied()).collect();
        for tenant in tenants {
            for org in ground.orgs_of(tenant) {
                let unfit = wanted::unfit(ground, org);
                if unfit.is_empty() {
                    continue;
                }
                let message = format!(
                    "Nothing can be reassigned to tenant {} through organization {}: {}.",
                    ground.name_of(tenant),
                    org.name,
                    unfit.join("; ")
                );
                let links = Links { organization: Some(Link::to(org.row, &org.handle)), ..Links::default() };
                let config = self.config_of(org.config);
                let subject = Subject::Org(org.handle.clone());
                self.add((Kind::RecipientUnfit, Level::Notice), config, subject, (links, message));
            }
        }
    }

    /// Judges tickets, and change requests of which it is not known whether they were done. Returns the tickets of which nothing
    /// can be said now.
    pub(super) fn requests(&mut self, spots: &[Spot<'a>]) -> Vec<Subject> {
        let (ground, mut undecided) = (self.ground, Vec::new());
        let requests = ground.requests();
        for request in requests.iter().filter(|request| request.state == "unknown") {
            let message = format!(
                "It is not known whether ARIN did this: {} ({}). Look again before anything else is sent about it.",
                request.summary, request.operation
            );
            let links = Links { request: Some(Link::to(request.row, &request.summary)), ..Links::default() };
            let subject = Subject::Request(request.row);
            self.add((Kind::Uncertain, Level::Alert), request.config, subject, (links, message));
        }
        for ticket in &ground.registrations.tickets {
            let Some(request) = requests.iter().find(|request| Some(request.row) == ticket.request) else { continue };
            undecided.extend(self.ticket(ticket, request, spots));
        }
        undecided
    }

    fn ticket(&mut self, ticket: &Ticket, request: &ChangeRequest, spots: &[Spot<'a>]) -> Option<Subject> {
        let number = &ticket.number;
        let subject = Subject::Ticket(number.clone());
        let links = Links {
            ticket: Some(Link::to(ticket.row, number)),
            request: Some(Link::to(request.row, &request.summary)),
            ..Links::default()
        };
        let is_over = OVER.contains(&ticket.status.as_str());
        if !is_over && (ticket.waiting_for_us || WAITING.contains(&ticket.status.as_str())) {
            let message = format!(
                "Ticket {number} ({}) waits for us in ARIN Online: its state is {}.",
                request.summary, ticket.status
            );
            self.add((Kind::TicketWaits, Level::Alert), request.config, subject.clone(), (links.clone(), message));
        }
        let oldest = SignedDuration::try_from(self.ground.policy.ticket_age).unwrap_or(SignedDuration::MAX);
        if let Some(created) = ticket.created.filter(|_| !is_over)
            && self.ground.now.duration_since(created) > oldest
        {
            let message = format!(
                "Ticket {number} ({}) is open since {}: its state is {}.",
                request.summary,
                day(created),
                ticket.status
            );
            self.add((Kind::TicketOld, Level::Notice), request.config, subject.clone(), (links.clone(), message));
        }
        let resolution = ticket.resolution.as_deref().filter(|it| is_over && FAILED.contains(it))?;
        match self.is_as_wanted(request, spots) {
            Some(true) => None,
            Some(false) => {
                let message = format!(
                    "Ticket {number} ended as {resolution}, and what it was for was not done: {}.",
                    request.summary
                );
                self.add((Kind::TicketFailed, Level::Alert), request.config, subject, (links, message));
                None
            }
            None => Some(subject),
        }
    }

    /// Returns whether the registry has what a request asked for; `None` if that is not known.
    fn is_as_wanted(&self, request: &ChangeRequest, spots: &[Spot<'a>]) -> Option<bool> {
        let ground = self.ground;
        let net = ground.nets.all().find(|(_, net)| net.row.is_some() && net.row == request.network);
        let range = request.range.or(net.map(|(_, net)| net.range));
        if let Some(range) = range {
            let aggregate = ground.aggregate_around(range).and_then(|at| ground.aggregates.get(at));
            let of_spot = spots.iter().find(|spot| spot.block() == range).and_then(|spot| spot.unknown.as_ref());
            if of_spot.is_some() || aggregate.is_some_and(|aggregate| aggregate.unknown_net(range).is_some()) {
                return None;
            }
        }
        let is_registered = |range: NetBlock| ground.nets.exact(range).any(|(_, net)| net.is_passed_on());
        if request.creates() {
            Some(range.is_some_and(is_registered))
        } else if request.operation == REMOVE {
            Some(net.is_none() && !request.range.is_some_and(is_registered))
        } else {
            // Nothing recorded tells whether a name or an address is what was asked for.
            Some(false)
        }
    }
}
