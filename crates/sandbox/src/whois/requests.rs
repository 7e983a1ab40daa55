//! The requests that a listing was asked.

use axum::http::request::Parts;
use ipnet::IpNet;

use super::PATH;
use crate::call::Call;

/// The calls a listing knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `cidr/{address}/{length}/more`
    More,
    /// `cidr/{address}/{length}`
    Exact,
    /// `cidr/{address}/{length}/less`
    Less,
    /// `net/{handle}`
    Net,
    /// `net/{handle}/children`
    Children,
    /// `org/{handle}/nets`
    OrgNets,
    /// Anything else.
    Unknown,
}

/// One request as received, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The call.
    pub operation: Operation,
    /// The handle, or the range as `address/length`, in upper case; the path for [`Operation::Unknown`].
    pub target: String,
    /// Whole nets are asked for, and not references.
    pub details: bool,
    /// Nets that ARIN holds itself are asked for, too.
    pub show_arin: bool,
    /// Something that is or looks like an API key came along: an `Authorization` header, `apikey` in the query, or
    /// `API-` anywhere in the address or a header.
    pub key: bool,
}

/// Requests in the order they came.
pub type Requests = crate::server::Requests<Request>;

impl Requests {
    /// Returns how many brought an API key along, which is a secret that does not belong here.
    #[must_use]
    pub fn with_key(&self) -> usize {
        self.0.iter().filter(|request| request.key).count()
    }
}

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
    pub(super) fn read(head: &Parts) -> Self {
        let (operation, target) = call(head.uri.path());
        let query = || url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
        let says = |name: &str, value: &str| query().any(|(key, text)| key == name && text.eq_ignore_ascii_case(value));
        Self {
            operation,
            target,
            details: says("showDetails", "true"),
            show_arin: !says("showARIN", "false"),
            key: has_key(head) || query().any(|(name, _)| name.eq_ignore_ascii_case("apikey")),
        }
    }

    /// Returns the range asked about; `None` when it is none, or its address is not the first one.
    pub(super) fn range(&self) -> Option<IpNet> {
        self.target.parse().ok().filter(|range: &IpNet| range.addr() == range.network())
    }
}

/// Returns which call a path is, and what it is about.
fn call(path: &str) -> (Operation, String) {
    let parts: Vec<&str> = path.strip_prefix(PATH).unwrap_or_default().split('/').skip(1).collect();
    let (operation, target) = match parts.as_slice() {
        ["cidr", address, length, "more"] => (Operation::More, range(address, length)),
        ["cidr", address, length, "less"] => (Operation::Less, range(address, length)),
        ["cidr", address, length] => (Operation::Exact, range(address, length)),
        ["net", handle] => (Operation::Net, (*handle).to_owned()),
        ["net", handle, "children"] => (Operation::Children, (*handle).to_owned()),
        ["org", handle, "nets"] => (Operation::OrgNets, (*handle).to_owned()),
        _ => return (Operation::Unknown, path.to_owned()),
    };
    (operation, target.to_ascii_uppercase())
}

/// A range as `address/length`, in its canonical form if it can be read.
fn range(address: &str, length: &str) -> String {
    let text = format!("{address}/{length}");
    text.parse::<IpNet>().map_or(text, |range| range.to_string())
}

fn has_key(head: &Parts) -> bool {
    let secret = |bytes: &[u8]| bytes.windows(4).any(|some| some.eq_ignore_ascii_case(b"API-"));
    head.headers.contains_key("authorization")
        || secret(head.uri.to_string().as_bytes())
        || head.headers.iter().any(|(name, value)| secret(name.as_ref()) || secret(value.as_bytes()))
}
