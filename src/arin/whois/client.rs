//! The client: asks the listing, and again about the parts of a range whose answer was cut off.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use ipnet::IpNet;
use parking_lot::Mutex;
use reqwest::Method;
use tokio::time::Instant;

use super::{
    super::exchange::{Exchange, Turn},
    answer::{Listing, judge},
    error::{WhoisError, WhoisErrorKind},
    inside::{Found, divided},
    question::{Question, Relation},
};
use crate::{
    model::{Instance, ListedNet, NetBlock},
    retry::Retry,
};

/// Questions about the parts of one range that are under way at once.
const PARTS_AT_ONCE: usize = 4;
/// The most answers that are read about one range.
const MOST_ANSWERS: usize = 4096;

/// A listing that did not answer is left alone for this long. Syncs get along without it, and would each wait for it.
const LEFT_ALONE: Duration = Duration::from_secs(300);

/// When each listing last did not answer; one that has answered since is not among them. All clients of a process share it.
#[derive(Debug, Clone, Default)]
pub(in crate::arin) struct Outages(Arc<Mutex<BTreeMap<Instance, Instant>>>);

impl Outages {
    fn note(&self, listing: &Instance, is_outage: bool) {
        let mut outages = self.0.lock();
        if is_outage {
            outages.insert(listing.clone(), Instant::now());
        } else {
            outages.remove(listing);
        }
    }
}

/// Asks one public listing. Cheap to clone; clones count their requests together.
#[derive(Debug, Clone)]
pub struct Whois {
    exchange: Arc<Exchange>,
    outages: Outages,
}

impl Whois {
    pub(in crate::arin) fn new(exchange: Exchange, outages: Outages) -> Self {
        Self { exchange: Arc::new(exchange), outages }
    }

    /// Returns whether the listing did not answer a moment ago, so that it is better left alone.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.outages.0.lock().get(self.instance()).is_some_and(|since| since.elapsed() < LEFT_ALONE)
    }

    /// Returns the name of the listing: `whois`, `whois-ote`, or `whois@` and its URL.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        &self.exchange.rate_limit.instance
    }

    /// Returns the number of requests sent so far, retries included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.exchange.http.requests()
    }

    /// Returns all nets inside a range, of all depths, in address order and the widest first. One that is the range itself is
    /// among them if the listing counts it so. Where an answer is cut off, the halves of its range are asked about.
    ///
    /// # Errors
    /// When the listing could not be asked, answered something that is no list, or contradicted itself.
    pub async fn inside(&self, range: IpNet) -> Result<Vec<ListedNet>, WhoisError> {
        let (mut found, mut under_way, mut answers) = (Found::inside(range), FuturesUnordered::new(), 0);
        let mut open = vec![Question::new(Relation::Inside, range)];
        loop {
            while under_way.len() < PARTS_AT_ONCE
                && let Some(question) = open.pop()
            {
                under_way.push(self.listing(question));
            }
            let Some(answer) = under_way.next().await else { return Ok(found.into_nets()) };
            let (question, Listing { nets, cut_off }) = answer?;
            answers += 1;
            found.add(nets).map_err(|handle| WhoisError::of(question, WhoisErrorKind::Changed(handle)))?;
            if cut_off {
                open.extend(divided(question).ok_or_else(|| cut_off_for_good(question))?);
            }
            if answers >= MOST_ANSWERS && !(open.is_empty() && under_way.is_empty()) {
                return Err(WhoisError::of(question, WhoisErrorKind::TooManyAnswers(answers)));
            }
        }
    }

    /// Returns the nets with exactly this range.
    ///
    /// # Errors
    /// As [`Whois::inside`].
    pub async fn at(&self, range: IpNet) -> Result<Vec<ListedNet>, WhoisError> {
        let mut nets = self.whole(Question::new(Relation::At, range)).await?;
        // Where there is none, the listing answers with the one around.
        nets.retain(|net| net.range() == Some(NetBlock::from(range.trunc())));
        Ok(nets)
    }

    /// Returns the nets around a range.
    ///
    /// # Errors
    /// As [`Whois::inside`].
    pub async fn around(&self, range: IpNet) -> Result<Vec<ListedNet>, WhoisError> {
        self.whole(Question::new(Relation::Around, range)).await
    }

    /// Returns an answer that must not be cut off.
    async fn whole(&self, question: Question) -> Result<Vec<ListedNet>, WhoisError> {
        match self.listing(question).await?.1 {
            Listing { nets, cut_off: false } => Ok(nets),
            Listing { cut_off: true, .. } => Err(cut_off_for_good(question)),
        }
    }

    /// Asks a question as often as it takes and is allowed.
    async fn listing(&self, question: Question) -> Result<(Question, Listing), WhoisError> {
        let Exchange { http, retries, .. } = self.exchange.as_ref();
        let wanted = Instant::now();
        let attempt = |retries| async move {
            let turn = Turn { name: question.name(), operation: &question, attempt: retries + 1, wanted };
            let listing = self.attempt(question, turn).await;
            listing.map_err(|kind| WhoisError::of(question, kind.shortened()))
        };
        let retry = |error: &WhoisError| match error.retry() {
            // The rate limit has held it back for as long as there is patience.
            Retry::After(_) => Retry::Never,
            retry @ (Retry::Backoff | Retry::Never) => retry,
        };
        let listing = http.repeat(question.name(), *retries, retry, attempt).await;
        let is_outage = listing.as_ref().is_err_and(WhoisError::is_outage);
        self.outages.note(self.instance(), is_outage);
        Ok((question, listing?))
    }

    async fn attempt(&self, question: Question, turn: Turn<'_>) -> Result<Listing, WhoisErrorKind> {
        let path = question.path();
        let mut url = self.exchange.url(path.iter().map(String::as_str));
        url.query_pairs_mut().append_pair("showDetails", "true");
        let response = self.exchange.answer(turn, || self.exchange.http.request(Method::GET, url.clone())).await?;
        judge(response, question)
    }
}

fn cut_off_for_good(question: Question) -> WhoisError {
    WhoisError::of(question, WhoisErrorKind::CutOff(question.range))
}
