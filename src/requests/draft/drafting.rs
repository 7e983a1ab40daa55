//! Finds what a wish is about, and has it drafted.

use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    answers::{Answers, Question},
    fields::Field,
    page::Page,
    place::Place,
    refusal::NotAskedFor,
    wish::{About, Choice, Wish},
};
use crate::{
    arin::{Call, Document, Unfit, Unsendable},
    config,
    findings::{
        AddressPlan, Registrations,
        address_plan::{JudgingConfig, PlannedPrefix},
        judge::{Assignment, Assignments, written},
        registrations::RecordedNet,
    },
    model::{CustomerHandle, Holder, NetBlock, NetHandle, RowId, address_block::registrable},
    requests::{
        answered::Answered,
        change::{Change, Content},
        operation::Operation,
    },
};

/// What a request will be: its call, or what is missing for it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Draft {
    pub content: Content,
    pub operation: Operation,
    /// What it is about, as a sentence without names of people at home: `Reassign 192.0.2.0/24 to Example Inc`.
    pub summary: String,
    /// The range that it is about, by which open requests are told apart.
    pub range: Option<NetBlock>,
    /// The net that it is cut from.
    pub parent: Option<NetHandle>,
    pub links: Rows,
    /// What has to be asked for when it is done, as a sentence.
    pub follows: Option<String>,
}

/// The rows in NetBox that a draft is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called so")]
pub struct Rows {
    pub prefix: Option<RowId>,
    pub network: Option<RowId>,
    pub customer: Option<RowId>,
    pub organization: Option<RowId>,
}

/// All that drafts of one config are made of.
pub struct Drafting<'a> {
    pub(super) registrations: &'a Registrations,
    pub(super) policy: &'a config::Findings,
    pub(super) config: &'a JudgingConfig,
    pub(super) assignments: Assignments<'a>,
    pub(super) prefixes: BTreeMap<RowId, &'a PlannedPrefix>,
    by_range: BTreeMap<IpNet, Vec<&'a PlannedPrefix>>,
    pub(super) aggregates: Vec<(RowId, IpNet)>,
}

/// Why no draft can be made now.
pub(super) enum Stop {
    /// ARIN has to be asked first.
    Ask(Vec<Question>),
    Refused(NotAskedFor),
}

impl From<Unsendable> for Stop {
    fn from(why: Unsendable) -> Self {
        Self::Refused(why.into())
    }
}

impl From<NotAskedFor> for Stop {
    fn from(why: NotAskedFor) -> Self {
        Self::Refused(why)
    }
}

impl<'a> Drafting<'a> {
    /// Takes what NetBox has, for drafts of one config.
    ///
    /// # Errors
    /// When there is no such config.
    pub fn new(
        (plan, registrations): (&'a AddressPlan, &'a Registrations),
        policy: &'a config::Findings,
        now: Timestamp,
        config: RowId,
    ) -> Result<Self, NotAskedFor> {
        let config = plan.configs.iter().find(|it| it.id == config).ok_or(NotAskedFor::NoConfig(config))?;
        let assignments = Assignments::new((plan, registrations), policy, now, &config.instance);
        let mut by_range: BTreeMap<IpNet, Vec<&PlannedPrefix>> = BTreeMap::new();
        for prefix in &plan.prefixes {
            by_range.entry(prefix.prefix.trunc()).or_default().push(prefix);
        }
        Ok(Self {
            registrations,
            policy,
            config,
            assignments,
            prefixes: plan.prefixes.iter().map(|prefix| (prefix.id, prefix)).collect(),
            by_range,
            aggregates: plan.aggregates.iter().map(|aggregate| (aggregate.id, aggregate.prefix.trunc())).collect(),
        })
    }

    /// Returns what ARIN has to be asked before there can be a draft, besides what it was asked already.
    #[must_use]
    pub fn questions(&self, wish: &Wish, asked: &Answers) -> Vec<Question> {
        match self.attempt(wish, asked) {
            Err(Stop::Ask(questions)) => questions,
            Ok(_) | Err(Stop::Refused(_)) => Vec::new(),
        }
    }

    /// Makes the draft of a wish.
    ///
    /// # Errors
    /// When there is nothing to ask for, or ARIN was not asked all [`Drafting::questions`].
    pub fn draft(&self, wish: &Wish, asked: &Answers) -> Result<Draft, NotAskedFor> {
        self.attempt(wish, asked).map_err(|stop| match stop {
            Stop::Ask(questions) => NotAskedFor::NotAskedYet(questions),
            Stop::Refused(why) => why,
        })
    }

    fn attempt(&self, wish: &Wish, asked: &Answers) -> Result<Draft, Stop> {
        let operation = match wish.chosen {
            Some(Choice::RegisterAgain) => return self.again(wish, asked),
            Some(Choice::Operation(operation)) => Some(operation),
            None => None,
        };
        match (&wish.about, operation) {
            (About::Prefix(place), None) => self.create(wish, *place, None, asked),
            (About::Prefix(place), Some(operation)) if operation.creates() => {
                self.create(wish, *place, Some(operation), asked)
            }
            (About::Network(handle), None | Some(Operation::ChangeNetwork)) => self.change_network(wish, handle, asked),
            (About::Prefix(place), Some(Operation::ChangeNetwork)) => {
                self.change_network(wish, &self.net_of(*place, asked)?, asked)
            }
            (About::Network(handle), Some(Operation::RemoveNetwork)) => self.remove_network(wish, handle, asked),
            (About::Prefix(place), Some(Operation::RemoveNetwork)) => {
                self.remove_network(wish, &self.net_of(*place, asked)?, asked)
            }
            (About::Customer(handle), None | Some(Operation::ChangeCustomer)) => {
                self.change_customer(wish, handle, asked)
            }
            (About::Network(handle), Some(Operation::ChangeCustomer)) => {
                self.change_customer(wish, &self.customer_of(handle)?, asked)
            }
            (About::Prefix(place), Some(Operation::ChangeCustomer)) => {
                self.change_customer(wish, &self.customer_of(&self.net_of(*place, asked)?)?, asked)
            }
            (About::Customer(handle), Some(Operation::DeleteCustomer)) => self.delete_customer(wish, handle, asked),
            (About::Former(_), None) => self.again(wish, asked),
            (about, Some(operation)) => Err(other_object(operation, about).into()),
        }
    }

    /// Finds the prefix that somebody names, and what should be registered for it.
    pub(super) fn assignment(&self, place: Place) -> Result<Assignment<'_, 'a>, NotAskedFor> {
        let prefix = match place {
            Place::Row(row) => *self.prefixes.get(&row).ok_or(NotAskedFor::NoPrefix(place))?,
            Place::Range(range) => self.of_range(range)?,
        };
        let range = prefix.prefix.trunc();
        if !self.assignments.is_public(prefix.vrf) {
            return Err(NotAskedFor::NotPublic { range });
        }
        if let Err(why) = registrable(range) {
            return Err(NotAskedFor::NotRegistrable { range, why });
        }
        let assignment = self.assignments.of(prefix.id).ok_or(NotAskedFor::NoPrefix(place))?;
        let config = assignment.config().ok_or(NotAskedFor::NoPrefix(place))?;
        if config.id != self.config.id {
            return Err(NotAskedFor::OtherConfig { what: range.to_string(), config: config.name.clone() });
        }
        let others = prefix.tenant.zip(assignment.prefix().tenant).is_some_and(|(one, other)| one != other);
        if assignment.contradicts() || others {
            return Err(NotAskedFor::Contradicting(range));
        }
        if assignment.is_left_alone() {
            return Err(NotAskedFor::LeftAlone(range));
        }
        Ok(assignment)
    }

    /// Finds the prefix of a range. One that is there more than once, in whatever VRFs, has to be named by its row.
    fn of_range(&self, range: IpNet) -> Result<&'a PlannedPrefix, NotAskedFor> {
        let all = self.by_range.get(&range.trunc()).map_or(&[][..], Vec::as_slice);
        match all {
            [] => Err(NotAskedFor::NoPrefix(Place::Range(range))),
            [one] if self.assignments.is_public(one.vrf) => Ok(one),
            [_] => Err(NotAskedFor::NotPublic { range }),
            [_, _, ..] => {
                let mut rows: Vec<RowId> = all.iter().map(|prefix| prefix.id).collect();
                rows.sort_unstable();
                Err(NotAskedFor::SeveralPrefixes { range, rows })
            }
        }
    }

    /// Finds the net that is registered for exactly a prefix: the recorded one, else the one that ARIN has.
    fn net_of(&self, place: Place, asked: &Answers) -> Result<NetHandle, Stop> {
        let range = NetBlock::from(self.assignment(place)?.range());
        if let Some(handle) = self.assignments.registered(range) {
            return Ok(handle.clone());
        }
        let question = Question::Exact(range);
        match known(asked.exact.get(&range), &question)? {
            Answered::Found(net) if net.range() == Some(range) => Ok(net.handle.clone()),
            Answered::Found(_) | Answered::Absent => Err(NotAskedFor::NotRegistered(written(range)).into()),
            Answered::NotKnown(why) => Err(NotAskedFor::NotAnswered { question, why: why.clone() }.into()),
        }
    }

    /// Returns the customer who is recorded to hold a net.
    pub(super) fn customer_of(&self, net: &NetHandle) -> Result<CustomerHandle, NotAskedFor> {
        let holder = self.recorded(net).and_then(|net| net.holder.as_ref());
        match holder {
            Some(Holder::Customer(customer)) => Ok(customer.clone()),
            Some(Holder::Org(_)) | None => Err(NotAskedFor::NoCustomer(net.clone())),
        }
    }

    /// Refuses fields that an operation does not have.
    pub(super) fn takes(wish: &Wish, operation: Operation, fields: &[Field]) -> Result<(), NotAskedFor> {
        let org = wish.org.as_ref().map(|_| Field::OrgHandle);
        match wish.set.names().chain(org).find(|field| !fields.contains(field)) {
            Some(field) => {
                Err(NotAskedFor::FieldNotTaken { field, operation: operation.to_string(), takes: fields.to_vec() })
            }
            None => Ok(()),
        }
    }

    pub(super) fn recorded(&self, handle: &NetHandle) -> Option<&'a RecordedNet> {
        let nets = self.registrations.nets.iter();
        nets.into_iter().find(|net| net.instance == self.config.instance && net.handle == *handle)
    }
}

/// A draft whose content is still to be made of what was gathered for it.
pub(super) struct Outline {
    pub(super) operation: Operation,
    pub(super) summary: String,
    pub(super) range: Option<NetBlock>,
    pub(super) links: Rows,
}

impl Outline {
    /// Makes the draft. Without a change something is missing.
    pub(super) fn draft(
        self,
        page: Page,
        change: Option<(Change, Call)>,
        before: Value,
        base: Option<&Document>,
    ) -> Draft {
        let Page { missing, folded, checks } = page;
        let (change, call) = change.filter(|_| missing.is_empty()).unzip();
        let base = base.map(Document::digest).filter(|_| call.is_some());
        let parent = match &change {
            Some(Change::Create(net)) => Some(net.parent.clone()),
            Some(
                Change::ChangeNetwork(_)
                | Change::ChangeCustomer(_)
                | Change::RemoveNetwork(_)
                | Change::DeleteCustomer(_),
            )
            | None => None,
        };
        let content = Content { change, call, base, before, missing, folded, checks };
        let Self { operation, summary, range, links } = self;
        Draft { content, operation, summary, range, parent, links, follows: None }
    }
}

/// Returns an answer, or has the question asked first.
pub(super) fn known<'q, T>(answer: Option<&'q T>, question: &Question) -> Result<&'q T, Stop> {
    answer.ok_or_else(|| Stop::Ask(vec![question.clone()]))
}

/// Reads the document of a net or customer that ARIN has.
pub(super) fn read<'q, T>(
    answer: Option<&'q Answered<Document>>,
    question: &Question,
    convert: fn(&Document) -> Result<T, Unfit>,
) -> Result<(T, &'q Document), Stop> {
    let document = found(answer, question)?;
    let unreadable = |source| NotAskedFor::Unreadable { question: question.clone(), source };
    Ok((convert(document).map_err(unreadable)?, document))
}

/// Returns what ARIN has, if it has it.
pub(super) fn found<'q, T>(answer: Option<&'q Answered<T>>, question: &Question) -> Result<&'q T, Stop> {
    match known(answer, question)? {
        Answered::Found(found) => Ok(found),
        Answered::Absent => Err(NotAskedFor::Gone(question.to_string()).into()),
        Answered::NotKnown(why) => {
            Err(NotAskedFor::NotAnswered { question: question.clone(), why: why.clone() }.into())
        }
    }
}

fn other_object(operation: Operation, about: &About) -> NotAskedFor {
    let by = match operation {
        Operation::ReassignSimple | Operation::ReassignDetailed | Operation::Reallocate => "prefix",
        Operation::ChangeNetwork | Operation::RemoveNetwork => "network or prefix",
        Operation::ChangeCustomer => "customer, network or prefix",
        Operation::DeleteCustomer => "customer",
    };
    NotAskedFor::OtherObject { operation: operation.to_string(), about: about.to_string(), by }
}
