//! Faults: what a listing may do instead of answering.

/// An event instead of an answer, or an answer that is wrong in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A bare status, without a page.
    Status(u16),
    /// 503 with a page that says so.
    Outage,
    /// The right answer, announced longer than it is, and then the connection closes.
    CutOff,
    /// A complete HTTP answer whose XML stops in the middle.
    TruncatedXml,
    /// No answer comes until the client gives up or the server stops.
    Hang,
    /// 404 with an HTML page, as from a proxy that knows nothing of ARIN.
    Html404,
    /// 200 with an HTML page, as from a portal that stands in between.
    Html200,
    /// This status with an `error` payload of this code, as from a Reg-RWS at this URL.
    Refusal(u16, &'static str),
    /// 200 with bytes that are not XML.
    Garbage,
    /// 200 with the right document behind a document type that declares entities in entities.
    Doctype,
    /// The right elements in this namespace.
    Namespace(&'static str),
    /// The right answer of when the server started.
    OldSnapshot,
    /// This net is not in the answer, as if it were not registered.
    Missing(String),
    /// A list says that it is cut off, however short it is; so does one without a net.
    LimitExceeded,
    /// A list has this net again at its end, with another name and date of change.
    Twice(String),
}
