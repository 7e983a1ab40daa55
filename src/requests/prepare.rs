//! Prepares requests: reads NetBox, asks ARIN what a draft depends on, drafts, checks, and keeps them for approval.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{FutureExt, StreamExt, stream};
use jiff::Timestamp;

use super::{
    answered::Answered,
    checks::{self, Known, UnderWay, check},
    decisions::NotDecided,
    draft::{About, Answers, Choice, Draft, Drafting, Fields, NotAskedFor, Place, Question, Rows, Wish},
    open::{NewRequest, NotOpened, open},
    record::{Destination, Subject},
    seal::{Sealer, digest},
    state::State,
};
use crate::{
    arin,
    config::{
        Settings,
        keys::{Keyring, NoKey},
    },
    findings,
    model::{Config, CustomerHandle, NetHandle, OrgHandle, RowId, Scope},
    netbox::{self, FindingFilter, RequestFilter, RequestLinks, findings::OPEN},
    retry::Retry,
};

/// What requests are prepared with.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Preparing<'a> {
    pub netbox: &'a netbox::Client,
    pub arin: &'a arin::Pool,
    pub keys: &'a Keyring,
    pub settings: &'a Settings,
}

/// What somebody asks for.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Order {
    /// The NetBox user, whose API key ARIN is asked with.
    pub user: String,
    pub subject: OrderSubject,
    /// What is to be done; `None` for what settles the matter.
    pub chosen: Option<Choice>,
    /// The organization that gets the range.
    pub org: Option<OrgHandle>,
    pub set: Fields,
    /// True if the requests are kept for somebody to approve.
    pub keep: bool,
}

/// What an order is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the others say it")]
pub enum OrderSubject {
    Prefix(Place),
    Network(NetHandle),
    Customer(CustomerHandle),
    /// What settles a finding, by its row.
    Finding(RowId),
    /// All of an aggregate that should be registered and is not.
    Aggregate(Place),
    /// What an earlier request has ended, by its row.
    Request(RowId),
}

/// What came of an order.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Prepared {
    pub requests: Vec<PreparedRequest>,
    /// How many more there are than may be prepared at once.
    pub left_out: usize,
}

/// One request that was prepared, or why there is none.
#[derive(Debug)]
pub struct PreparedRequest {
    /// What it is about, as somebody would say it.
    pub about: String,
    /// The draft, with what was checked.
    pub drafted: Result<Box<Draft>, NotAskedFor>,
    /// The digest of what would be sent.
    pub digest: Option<String>,
    /// The row; `None` if it was not to be kept, or there is no draft.
    pub opened: Option<Result<RowId, NotOpened>>,
}

/// An order of which nothing came.
#[derive(Debug, thiserror::Error)]
pub enum NotPrepared {
    /// Whoever asks has no key.
    #[error("could not ask ARIN")]
    NoKey(#[from] NoKey),
    /// The registry of the config is not to be asked.
    #[error("the RIR config cannot be used")]
    NoClient(#[from] arin::Error),
    /// Its API URL names no registry that may be asked.
    #[error("the API URL of RIR config {0:?} is not in arin.allowed_base_urls")]
    NoInstance(String),
    /// There is nothing that could be asked for.
    #[error(transparent)]
    NotAskedFor(#[from] NotAskedFor),
    /// There is no such finding.
    #[error("there is no finding {0}")]
    NoFinding(RowId),
    /// The earlier request is not there, or cannot be understood.
    #[error(transparent)]
    NotDecided(#[from] NotDecided),
    /// Nothing can be sealed.
    #[error(
        "requests.seal_file is not set, without which no request is kept; set it, or add --plan-only to see the draft"
    )]
    NoSeal,
    /// NetBox cannot be asked.
    #[error("could not read what the draft is made of")]
    Read(#[from] netbox::Error),
}

impl NotPrepared {
    /// Returns whether trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::NoKey(_)
            | Self::NoClient(_)
            | Self::NoInstance(_)
            | Self::NotAskedFor(_)
            | Self::NoFinding(_)
            | Self::NoSeal => Retry::Never,
            Self::NotDecided(why) => why.retry(),
            Self::Read(why) => why.retry(),
        }
    }
}

impl PreparedRequest {
    /// Returns the state that it has.
    #[must_use]
    pub fn state(&self) -> State {
        let ready = self.drafted.as_ref().is_ok_and(|draft| draft.content.is_ready());
        if ready { State::Waiting } else { State::Draft }
    }

    /// Returns what there is to say of it.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        self.drafted.as_ref().ok().and_then(|draft| message(draft))
    }
}

impl Preparing<'_> {
    /// Prepares what somebody asks for.
    ///
    /// # Errors
    /// When nothing can be prepared at all.
    pub async fn prepare(
        &self,
        (config, configs): (&Config, &[Config]),
        order: &Order,
    ) -> Result<Prepared, NotPrepared> {
        if order.keep && Sealer::new(&self.settings.requests).is_none() {
            return Err(NotPrepared::NoSeal);
        }
        let destination = self.destination(config)?;
        let key = self.keys.choose(&config.name, Some(&order.user), None)?;
        let client = self.arin.client(&config.api_url, key.secret.clone())?;
        let instances = configs.iter().filter(|it| it.is_active || it.id == config.id);
        let instances: BTreeMap<_, _> =
            instances.filter_map(|it| Some((it.id, self.arin.instance(&it.api_url)?))).collect();
        let scope = match &order.subject {
            OrderSubject::Prefix(Place::Row(prefix)) => Scope::Prefixes(BTreeSet::from([*prefix])),
            OrderSubject::Prefix(Place::Range(_))
            | OrderSubject::Network(_)
            | OrderSubject::Customer(_)
            | OrderSubject::Finding(_)
            | OrderSubject::Aggregate(_)
            | OrderSubject::Request(_) => Scope::Config,
        };
        let (plan, registrations) = findings::read::read(self.netbox, &instances, self.settings, &scope).await?;
        let drafting = Drafting::new((&plan, &registrations), &self.settings.findings, Timestamp::now(), config.id)?;
        let (wishes, left_out) = self.wishes(&drafting, order).await?;
        let filter = RequestFilter { states: UnderWay::states(), ..RequestFilter::default() };
        let under_way = self.netbox.request_rows(&filter).await?.iter().filter_map(UnderWay::of).collect();
        let known = Known::new((&plan, &registrations), &self.settings.findings, &destination, under_way);
        let at_once = self.settings.arin.max_in_flight;
        let drafted: Vec<_> = wishes.into_iter().map(|wish| one(&client, &drafting, &known, wish).boxed()).collect();
        let mut requests: Vec<PreparedRequest> = stream::iter(drafted).buffered(at_once).collect().await;
        if order.keep {
            self.keep(config, order, &mut requests).await?;
        }
        Ok(Prepared { requests, left_out })
    }

    /// Keeps what was prepared for an order, for somebody to approve.
    ///
    /// # Errors
    /// When nothing can be sealed, or NetBox cannot be asked.
    pub async fn keep(
        &self,
        config: &Config,
        order: &Order,
        requests: &mut [PreparedRequest],
    ) -> Result<(), NotPrepared> {
        let sealer = Sealer::new(&self.settings.requests).ok_or(NotPrepared::NoSeal)?;
        let destination = self.destination(config)?;
        let at = Timestamp::now();
        let new = |request: &PreparedRequest| {
            let draft = request.drafted.as_ref().ok()?;
            Some(NewRequest {
                destination: destination.clone(),
                subject: taken(draft)?,
                operation: draft.operation,
                summary: draft.summary.clone(),
                message: message(draft),
                parent: draft.parent.clone(),
                links: links(draft),
                content: draft.content.clone(),
                requested_by: order.user.clone(),
                requested_at: at,
            })
        };
        let (places, new): (Vec<usize>, Vec<NewRequest>) =
            requests.iter().enumerate().filter_map(|(place, request)| Some((place, new(request)?))).unzip();
        for (place, opened) in places.into_iter().zip(open(self.netbox, &sealer, &new).await?) {
            if let Some(request) = requests.get_mut(place) {
                request.opened = Some(opened);
            }
        }
        Ok(())
    }

    fn destination(&self, config: &Config) -> Result<Destination, NotPrepared> {
        let instance = self.arin.instance(&config.api_url);
        let instance = instance.ok_or_else(|| NotPrepared::NoInstance(config.name.clone()))?;
        Ok(Destination::new(config, instance))
    }
    /// Returns what has to be drafted for an order, and how many more there would be.
    async fn wishes(&self, drafting: &Drafting<'_>, order: &Order) -> Result<(Vec<Wish>, usize), NotPrepared> {
        let (wishes, left_out) = match &order.subject {
            OrderSubject::Prefix(place) => (vec![Wish::about(About::Prefix(*place))], 0),
            OrderSubject::Network(handle) => (vec![Wish::about(About::Network(handle.clone()))], 0),
            OrderSubject::Customer(handle) => (vec![Wish::about(About::Customer(handle.clone()))], 0),
            OrderSubject::Finding(id) => {
                let row = self.netbox.finding_row(*id).await?.ok_or(NotPrepared::NoFinding(*id))?;
                (drafting.of_finding(&row)?, 0)
            }
            OrderSubject::Aggregate(place) => {
                let filter = FindingFilter { config: None, state: Some(OPEN.to_owned()) };
                let rows = self.netbox.finding_rows(&filter).await?;
                let found = drafting.of_aggregate(*place, &rows, self.settings.requests.max_at_once)?;
                (found.wishes, found.left_out)
            }
            OrderSubject::Request(id) => {
                let row = self.netbox.request_row(*id).await?.ok_or(NotDecided::NoSuchRequest(*id))?;
                let request = super::record::ChangeRequest::try_from(row).map_err(NotDecided::from)?;
                (vec![Wish::about(About::Former(request.content.before))], 0)
            }
        };
        let with = |wish: Wish| wish.with(order.chosen, order.org.clone(), order.set.clone());
        Ok((wishes.into_iter().map(with).collect::<Result<_, _>>()?, left_out))
    }
}

/// Drafts a wish, with all that ARIN has to be asked, and checks it.
async fn one(client: &arin::Client, drafting: &Drafting<'_>, known: &Known, wish: Wish) -> PreparedRequest {
    let mut asked = Answers::default();
    loop {
        let questions = drafting.questions(&wish, &asked);
        if questions.is_empty() {
            break;
        }
        for question in questions {
            ask(client, question, &mut asked).await;
        }
    }
    let mut drafted = drafting.draft(&wish, &asked).map(Box::new);
    if let Ok(draft) = &mut drafted
        && let Some(change) = &draft.content.change
    {
        let live = checks::ask(client, change).await;
        let checks = check(change, &draft.content, &live, known);
        // What the draft has told already is not told again.
        let told: BTreeSet<&str> = checks.iter().map(|check| check.name.as_str()).collect();
        draft.content.checks.retain(|check| !told.contains(check.name.as_str()));
        let checks = std::mem::take(&mut draft.content.checks).into_iter().chain(checks).collect();
        draft.content.checks = checks;
    }
    let call = drafted.as_ref().ok().and_then(|draft| draft.content.call.as_ref());
    let digest = call.map(|call| digest(&known.instance, call));
    PreparedRequest { about: wish.about.to_string(), drafted, digest, opened: None }
}

/// Asks ARIN one question. A question that fails is answered as well: that it could not be asked.
async fn ask(client: &arin::Client, question: Question, asked: &mut Answers) {
    match question {
        Question::Parent(range) => {
            drop(asked.parents.insert(range, Answered::of(client.parent_net(range).await)));
        }
        Question::Exact(range) => {
            drop(asked.exact.insert(range, Answered::of(client.most_specific_net(range).await)));
        }
        Question::Net(handle) => {
            let net = Answered::of(client.net_document(&handle).await);
            asked.nets.insert(handle, net);
        }
        Question::Customer(handle) => {
            let customer = Answered::of(client.customer_document(&handle).await);
            asked.customers.insert(handle, customer);
        }
        Question::Org(handle) => {
            let org = Answered::of(client.org(&handle).await);
            asked.orgs.insert(handle, org);
        }
        Question::Delegations(handle) => {
            let names = Answered::list(client.delegations(&handle).await);
            asked.delegations.insert(handle, names);
        }
        Question::Routes(handle) => {
            let routes = Answered::list(client.routes(&handle).await);
            asked.routes.insert(handle, routes);
        }
    }
}

fn links(draft: &Draft) -> RequestLinks {
    let Rows { prefix, network, customer, organization } = draft.links;
    RequestLinks { prefix, network, customer, organization }
}

/// Returns what a draft keeps others from.
fn taken(draft: &Draft) -> Option<Subject> {
    match &draft.content.change {
        Some(change) => Subject::of(change),
        None => draft.range.map(Subject::Range),
    }
}

/// Returns what there is to say of a draft: what is missing, or what blocks it.
fn message(draft: &Draft) -> Option<String> {
    let content = &draft.content;
    let missing: Vec<&str> = content.missing.iter().map(|missing| missing.what.as_str()).collect();
    let text = if !missing.is_empty() {
        Some(format!("Missing: {}.", missing.join(", ")))
    } else if content.is_blocked() {
        Some(content.blocked_because())
    } else {
        None
    };
    let texts: Vec<String> = text.into_iter().chain(draft.follows.clone()).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}
