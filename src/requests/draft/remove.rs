//! Drafts of what is taken back: nets, the smallest first, and customers whose net is gone.

use serde_json::{Map, Value};

use super::{
    again::Former,
    answers::{Answers, Question},
    drafting::{Draft, Drafting, Outline, Stop, found, known},
    fields::Field,
    modify::target,
    page::Page,
    refusal::NotAskedFor,
    wish::Wish,
};
use crate::{
    arin::{Call, Document},
    findings::{judge::written, registrations::RecordedNet},
    model::{CustomerHandle, Holder, Net, NetHandle, NetType},
    requests::{
        answered::Answered,
        change::{Change, CustomerRemoval, NetTarget, NetworkRemoval},
        operation::Operation,
    },
};

/// The most handles and zones that a sentence names.
const NAMED: usize = 10;

impl Drafting<'_> {
    pub(super) fn remove_network(&self, wish: &Wish, handle: &NetHandle, asked: &Answers) -> Result<Draft, Stop> {
        let operation = Operation::RemoveNetwork;
        Self::takes(wish, operation, &[Field::Reason])?;
        let (net, document) = self.net(handle, asked)?;
        Self::may_be_returned(&net)?;
        let target = target(&net).ok_or_else(|| NotAskedFor::NothingKept(handle.to_string()))?;
        let customer = hanging_on(&net, asked)?;
        let mut page = Page::default();
        self.inner_nets(&mut page, &target);
        lost_with_it(&mut page, handle, asked);
        if let Some(customer) = net.customer() {
            page.look(
                "customer",
                format!("customer {customer} stays at ARIN when {handle} is gone, and has to be deleted then"),
            );
        }
        let range = target.range;
        let reason = wish.set.lines(Field::Reason).map(|lines| lines.join("\n"));
        let call = match &reason {
            Some(reason) => Call::remove_net_saying(handle, document, reason)?,
            None => Call::remove_net(handle),
        };
        let mut before = Map::from_iter([("net".to_owned(), document.json())]);
        before.extend(customer.map(|document| ("customer".to_owned(), document.json())));
        let former = Former::of(&net, customer.and_then(|document| document.customer().ok()).as_ref());
        before.extend(former.map(|former| ("former".to_owned(), former.to_json())));
        let outline = Outline {
            operation,
            summary: format!("Return {} ({handle})", written(range)),
            range: Some(range),
            links: self.rows_of(handle),
        };
        let change = Change::RemoveNetwork(NetworkRemoval { net: target, reason: reason.clone() });
        // Only a call with the document depends on what the document is.
        let base = reason.as_ref().map(|_| document);
        let draft = outline.draft(page, Some((change, call)), Value::Object(before), base);
        let range = written(range);
        let follows = wish.is_followed.then(|| {
            format!(
                "When {handle} is gone, {range} is unregistered: ask then for what is assigned there, so that it is \
                     registered again."
            )
        });
        Ok(Draft { follows, ..draft })
    }

    /// Refuses a net that was not passed on. One that we hold ourselves is told of by a check.
    fn may_be_returned(net: &Net) -> Result<(), NotAskedFor> {
        if !matches!(net.kind, Some(NetType::Reassigned | NetType::Reallocated)) {
            return Err(NotAskedFor::Allocated(net.handle.clone()));
        }
        Ok(())
    }

    /// Says which nets have to go first. ARIN would return them together with the one around them, unseen by anybody.
    fn inner_nets(&self, page: &mut Page, target: &NetTarget) {
        let inner: Vec<String> = self
            .assignments
            .inside_of_net(&target.handle, target.range)
            .map(|net| format!("{} ({})", net.handle, written(net.range)))
            .collect();
        if !inner.is_empty() {
            page.block("inner networks", format!("return the networks inside first: {}", named(&inner)));
        }
    }

    pub(super) fn delete_customer(&self, wish: &Wish, handle: &CustomerHandle, asked: &Answers) -> Result<Draft, Stop> {
        let operation = Operation::DeleteCustomer;
        Self::takes(wish, operation, &[])?;
        let question = Question::Customer(handle.clone());
        let document = found(asked.customers.get(handle), &question)?;
        let recorded = self.net_of_customer(handle).ok_or_else(|| NotAskedFor::NoNetKnown(handle.clone()))?;
        let mut page = Page::default();
        let question = Question::Net(recorded.handle.clone());
        match known(asked.nets.get(&recorded.handle), &question)? {
            Answered::Absent => {}
            Answered::Found(net) if net.net().is_ok_and(|net| net.customer() != Some(handle)) => {}
            Answered::Found(_) => {
                page.block("network", format!("{handle} still holds {}: return that one first", recorded.handle))
            }
            Answered::NotKnown(why) => {
                return Err(NotAskedFor::NotAnswered { question, why: why.clone() }.into());
            }
        }
        let net = recorded_target(recorded, handle);
        let range = net.as_ref().map(|net| net.range);
        let mut links = self.rows_of(&recorded.handle);
        links.customer = self.assignments.customer(handle).map(|row| row.row);
        let was = range.map(|range| format!(", who held {}", written(range))).unwrap_or_default();
        let outline = Outline { operation, summary: format!("Delete customer {handle}{was}"), range, links };
        let change = Change::DeleteCustomer(CustomerRemoval { customer: handle.clone(), net });
        let before = Value::Object(Map::from_iter([("customer".to_owned(), document.json())]));
        Ok(outline.draft(page, Some((change, Call::delete_customer(handle))), before, None))
    }
}

/// Returns the net that a customer had, as it is recorded.
fn recorded_target(net: &RecordedNet, customer: &CustomerHandle) -> Option<NetTarget> {
    Some(NetTarget {
        handle: net.handle.clone(),
        range: crate::model::NetBlock::spanning(&net.blocks)?,
        holder: Some(Holder::Customer(customer.clone())),
        // A handle that is used again has the row of the one that was before it.
        registered_on: net.registered_on.filter(|_| net.holder.as_ref() == Some(&Holder::Customer(customer.clone()))),
    })
}

/// Returns the customer of a net, and sees that all that hangs on the net was asked for.
fn hanging_on<'q>(net: &Net, asked: &'q Answers) -> Result<Option<&'q Document>, Stop> {
    let handle = &net.handle;
    let customer = net.customer();
    let open = [
        (!asked.delegations.contains_key(handle)).then(|| Question::Delegations(handle.clone())),
        (!asked.routes.contains_key(handle)).then(|| Question::Routes(handle.clone())),
        customer.filter(|customer| !asked.customers.contains_key(customer)).cloned().map(Question::Customer),
    ];
    let open: Vec<Question> = open.into_iter().flatten().collect();
    if !open.is_empty() {
        return Err(Stop::Ask(open));
    }
    Ok(match customer.and_then(|customer| asked.customers.get(customer)) {
        Some(Answered::Found(document)) => Some(document),
        Some(Answered::Absent | Answered::NotKnown(_)) | None => None,
    })
}

/// Says what is lost together with a net.
fn lost_with_it(page: &mut Page, handle: &NetHandle, asked: &Answers) {
    let all = [
        ("delegations", "the name servers of its reverse zones go with it", asked.delegations.get(handle)),
        ("routes", "there are route objects for it, of which nobody knows what becomes", asked.routes.get(handle)),
    ];
    for (name, what, answer) in all {
        match answer {
            Some(Answered::Found(lost)) if !lost.is_empty() => page.look(name, format!("{what}: {}", named(lost))),
            Some(Answered::NotKnown(why)) => page.look(name, format!("ARIN could not be asked for them: {why}")),
            Some(Answered::Found(_) | Answered::Absent) | None => {}
        }
    }
}

fn named(all: &[String]) -> String {
    let mut words: Vec<String> = all.iter().take(NAMED).cloned().collect();
    if all.len() > NAMED {
        words.push(format!("{} more", all.len() - NAMED));
    }
    words.join(", ")
}
