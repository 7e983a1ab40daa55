//! What a server was asked.

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
