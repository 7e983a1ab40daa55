//! Faults: what a server may do instead of answering.

use std::time::Duration;

/// An event instead of an answer.
///
/// A write is done by the time of it, unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A bare status, without a payload. A write is not done.
    Status(u16),
    /// 503 with an `error` payload of code `E_OUTAGE`. A write is not done.
    Outage,
    /// The connection ends without an answer. A write is not done.
    LostBefore,
    /// The connection ends without an answer.
    LostAfter,
    /// The connection ends without an answer. A write is done only so much later, whatever happens meanwhile.
    LostAndLate(Duration),
    /// 500 with an `error` payload of code `E_UNSPECIFIED`.
    FailedAfter,
    /// The right answer, so much later.
    Slow(Duration),
    /// A write that can be answered by a ticket is answered by one, and is done when the ticket is accepted.
    Ticket,
    /// A `ticketedRequest` that has neither a net nor a ticket.
    Neither,
    /// The right answer, announced longer than it is, and then the connection closes.
    CutOff,
    /// A complete HTTP answer whose XML stops in the middle.
    TruncatedXml,
    /// No answer comes until the client gives up or the server stops.
    Hang,
    /// 404 with an HTML page, as from a proxy that knows nothing of ARIN. A write is not done.
    Html404,
    /// 200 with an HTML page, as from a portal that stands in between.
    Html200,
    /// This status with an `error` payload of this code. A write is not done.
    Refusal(u16, &'static str),
    /// 200 with bytes that are not XML.
    Garbage,
    /// 200 with the right payload behind a document type that declares entities in entities.
    Doctype,
}
