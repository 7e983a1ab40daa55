//! Faults: what a server may do instead of answering.

/// An event instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A bare status, without a payload.
    Status(u16),
    /// 503 with an `error` payload of code `E_OUTAGE`.
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
    /// This status with an `error` payload of this code.
    Refusal(u16, &'static str),
    /// 200 with bytes that are not XML.
    Garbage,
    /// 200 with the right payload behind a document type that declares entities in entities.
    Doctype,
}
