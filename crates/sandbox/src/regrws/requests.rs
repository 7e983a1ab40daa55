//! What a server was asked.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, Uri, header};

/// The calls a server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `org/{handle}`
    Org,
    /// `poc/{handle}`
    Poc,
    /// `customer/{handle}`
    Customer,
    /// `net/{handle}`
    Net,
    /// `net/mostSpecificNet/{start}/{end}`
    MostSpecificNet,
    /// `net/netsByIpRange/{start}/{end}`
    NetsByIpRange,
    /// `net/parentNet/{start}/{end}`
    ParentNet,
    /// Anything else.
    Unknown,
}

/// How a request proved who it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// With this key in the `Authorization` header.
    Header(String),
    /// With this key in the query.
    Query(String),
    /// Not at all.
    Missing,
}

/// One request as received, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which call it was.
    pub operation: Operation,
    /// The handle in upper case, or the range as `first/last`; the path for [`Operation::Unknown`].
    pub target: String,
    /// HTTP method.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// How it proved who it is from.
    pub auth: Auth,
}

/// Requests in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests(pub Vec<Request>);

impl Requests {
    /// How many there were of one operation.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.0.iter().filter(|request| request.operation == operation).count()
    }

    /// How often an operation was asked about one handle, or one range as `first/last`.
    #[must_use]
    pub fn count_about(&self, operation: Operation, target: &str) -> usize {
        let target = target.to_ascii_uppercase();
        self.0.iter().filter(|request| request.operation == operation && request.target == target).count()
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.len()
    }
}

impl Request {
    /// Reads the head of a request.
    pub(super) fn read(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let (operation, target) = call(uri.path());
        let (method, path) = (method.to_string(), uri.path().to_owned());
        Self { operation, target, method, path, auth: Auth::read(uri, headers) }
    }
}

impl Auth {
    fn read(uri: &Uri, headers: &HeaderMap) -> Self {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let query = pairs.filter(|(name, _)| name == "apikey").map(|(_, key)| key.into_owned()).next();
        match (header.and_then(|value| value.split_once(' ')), query) {
            (Some((scheme, key)), _) if scheme.eq_ignore_ascii_case("ApiKey") => Self::Header(key.trim().to_owned()),
            (_, Some(key)) => Self::Query(key),
            (_, None) => Self::Missing,
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Header(key) | Self::Query(key) => Some(key),
            Self::Missing => None,
        }
    }
}

/// Which call a path is, and what it is about.
fn call(path: &str) -> (Operation, String) {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let (operation, target) = match parts.as_slice() {
        ["rest", "org", handle] => (Operation::Org, (*handle).to_owned()),
        ["rest", "poc", handle] => (Operation::Poc, (*handle).to_owned()),
        ["rest", "customer", handle] => (Operation::Customer, (*handle).to_owned()),
        ["rest", "net", handle] => (Operation::Net, (*handle).to_owned()),
        ["rest", "net", "mostSpecificNet", first, last] => (Operation::MostSpecificNet, tidy_range(first, last)),
        ["rest", "net", "netsByIpRange", first, last] => (Operation::NetsByIpRange, tidy_range(first, last)),
        ["rest", "net", "parentNet", first, last] => (Operation::ParentNet, tidy_range(first, last)),
        _ => return (Operation::Unknown, path.to_owned()),
    };
    (operation, target.to_ascii_uppercase())
}

/// A range in the form of [`range_target`], if its addresses can be read.
fn tidy_range(first: &str, last: &str) -> String {
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => range_target(first, last),
        (Ok(_) | Err(_), _) => format!("{first}/{last}"),
    }
}

/// The [`Request::target`] of a range.
#[must_use]
pub fn range_target(first: IpAddr, last: IpAddr) -> String {
    format!("{first}/{last}").to_ascii_uppercase()
}
