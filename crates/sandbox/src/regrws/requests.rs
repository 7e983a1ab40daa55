//! The requests that a server was asked.

use std::net::IpAddr;

use crate::call::Call;

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
    /// `net/parentNet/{start}/{end}`
    ParentNet,
    /// Anything else.
    Unknown,
}

/// One request as received, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The call.
    pub operation: Operation,
    /// The handle in upper case, or the range as `first/last`; the path for [`Operation::Unknown`].
    pub target: String,
}

/// Requests in the order they came.
pub type Requests = crate::server::Requests<Request>;

impl Call for Request {
    type Operation = Operation;

    fn operation(&self) -> Operation {
        self.operation
    }

    fn target(&self) -> &str {
        &self.target
    }
}

impl Request {
    /// Reads the path of a request.
    pub(super) fn read(path: &str) -> Self {
        let (operation, target) = call(path);
        Self { operation, target }
    }
}

/// Returns which call a path is, and what it is about.
fn call(path: &str) -> (Operation, String) {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let (operation, target) = match parts.as_slice() {
        ["rest", "org", handle] => (Operation::Org, (*handle).to_owned()),
        ["rest", "poc", handle] => (Operation::Poc, (*handle).to_owned()),
        ["rest", "customer", handle] => (Operation::Customer, (*handle).to_owned()),
        ["rest", "net", handle] => (Operation::Net, (*handle).to_owned()),
        ["rest", "net", "mostSpecificNet", first, last] => (Operation::MostSpecificNet, tidy_range(first, last)),
        ["rest", "net", "parentNet", first, last] => (Operation::ParentNet, tidy_range(first, last)),
        _ => return (Operation::Unknown, path.to_owned()),
    };
    (operation, target.to_ascii_uppercase())
}

/// A range as `first/last`, with the addresses in their canonical form if they can be read.
fn tidy_range(first: &str, last: &str) -> String {
    match (first.parse::<IpAddr>(), last.parse::<IpAddr>()) {
        (Ok(first), Ok(last)) => format!("{first}/{last}"),
        (Ok(_) | Err(_), _) => format!("{first}/{last}"),
    }
}
