//! What comes of a call that changes something.
//!
//! | status | body | result |
//! |---|---|---|
//! | 200, 201, 202 | `ticketedRequest` with a net, a ticket or both; the object itself for a modification | [`Receipt`] |
//! | 4xx of the table below | `error` with a code of ARIN's | refused: nothing was done |
//! | any other | any | unknown: it may have been done |
//!
//! | status | it is refused unless the code is |
//! |---|---|
//! | 400, 401, 403, 405, 406, 409, 413, 415 | `E_OUTAGE`, `E_TOO_MANY_REQUESTS`, `E_UNSPECIFIED` |
//! | 404 | any other than `E_OBJECT_NOT_FOUND`; of a removal with a reason a 404 proves nothing at all |
//!
//! All refusals are about this one object: neither a 401 nor a 400 says anything about the key.

use reqwest::StatusCode;

use super::call::CallKind;
use crate::{
    arin::{
        convert::{self, Unfit},
        error::{Decode, Error, ErrorKind, Fault},
        response::{Response, beginning, cut_off, fault, root_name},
        ticket::{Ticket, ticket},
        xml::{self, Element, Malformed},
    },
    model::{Customer, Net, Payload},
    outbound::excerpt::excerpt,
};

/// What ARIN answered to a call that it took. Whether that is what was asked for is for the caller to see.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The net that was made or changed, or as it was before it was removed.
    pub net: Option<Net>,
    /// The customer, likewise.
    pub customer: Option<Customer>,
    /// The ticket that was made. Without a net or customer beside it nothing is done yet.
    pub ticket: Option<Ticket>,
    /// The whole answer.
    pub document: Payload,
}

/// The reasons why a call is not known to be done: three different things that never share a variant.
#[derive(Debug, thiserror::Error)]
pub enum Unwritten {
    /// Not a byte of it can have arrived. It may be sent again.
    #[error(transparent)]
    NotSent(Error),
    /// ARIN said that it does not do it. Nothing was changed.
    #[error(transparent)]
    Refused(Error),
    /// It may have been done. It must be looked up before it may be sent again.
    #[error(transparent)]
    Unknown(Error),
}

impl Unwritten {
    /// Returns the failure itself.
    #[must_use]
    pub fn error(&self) -> &Error {
        match self {
            Self::NotSent(error) | Self::Refused(error) | Self::Unknown(error) => error,
        }
    }

    /// Returns whether ARIN said that it has no such object. What was to be removed is gone, then.
    #[must_use]
    pub fn says_gone(&self) -> bool {
        matches!(self, Self::Refused(Error { kind: ErrorKind::Refused(fault), .. }) if is_absence(fault))
    }
}

/// Failures after the call was sent.
#[derive(Debug)]
pub(in crate::arin) enum Failure {
    Refused(ErrorKind),
    Unknown(ErrorKind),
}

impl From<ErrorKind> for Failure {
    fn from(kind: ErrorKind) -> Self {
        Self::Unknown(kind)
    }
}

/// Judges the answer to a call; `key_has_worked` says that the key has brought an object before.
pub(in crate::arin) fn judge(response: Response, call: CallKind, key_has_worked: bool) -> Result<Receipt, Failure> {
    let Response { status, html, location, body } = response;
    if status.is_redirection() {
        return Err(ErrorKind::Redirected(status, location).into());
    }
    let is_trouble = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let root = match xml::parse(&body) {
        Ok(root) if !html && (root.name == "error" || !is_trouble) => root,
        Ok(_) | Err(_) if is_trouble => return Err(ErrorKind::Outage(Fault::wordless(status)).into()),
        Err(Malformed::CutOff) if !html && (status.is_success() || root_name(&xml::decoded(&body)) == "error") => {
            return Err(cut_off(body.len()).into());
        }
        Err(malformed) if status.is_success() => return Err(invalid(call, &body, malformed.into()).into()),
        Ok(_) | Err(_) => return Err(ErrorKind::NotRegRws(status, beginning(&body)).into()),
    };
    match root.name.as_str() {
        "error" => Err(refusal(fault(status, &root), call, key_has_worked)),
        _ if matches!(status.as_u16(), 200..=202) => {
            receipt(&root, call).map_err(|unfit| invalid(call, &body, unfit.into()).into())
        }
        _ => Err(ErrorKind::NotRegRws(status, beginning(&body)).into()),
    }
}

fn invalid(call: CallKind, body: &[u8], source: Decode) -> ErrorKind {
    ErrorKind::Invalid(call.expects(), beginning(body), source)
}

/// Tells ARIN's own no from a failure of ARIN's.
fn refusal(fault: Fault, call: CallKind, key_has_worked: bool) -> Failure {
    let code = fault.code.as_deref().unwrap_or_default();
    let is_definite = match (fault.status, code) {
        (_, "E_OUTAGE" | "E_TOO_MANY_REQUESTS" | "E_UNSPECIFIED") => false,
        (404, _) => is_absence(&fault) && call != CallKind::RemoveNetSaying,
        (400 | 401 | 403 | 405 | 406 | 409 | 413 | 415, code) => code.starts_with("E_"),
        _ => false,
    };
    let is_about_key = code == "E_AUTHENTICATION" || fault.status == 401;
    match is_definite {
        true if is_about_key && key_has_worked => Failure::Refused(ErrorKind::NoAuthority(fault)),
        true => Failure::Refused(ErrorKind::Refused(fault)),
        false => Failure::Unknown(ErrorKind::Outage(fault)),
    }
}

fn is_absence(fault: &Fault) -> bool {
    fault.status == 404 && fault.code.as_deref() == Some("E_OBJECT_NOT_FOUND")
}

/// Reads the answer to a call that was taken. Empty elements do not count.
fn receipt(root: &Element, call: CallKind) -> Result<Receipt, Unfit> {
    let whole = |name: &str| (root.name == name && call.expects() == name).then_some(root);
    let is_ticketed = root.name == "ticketedRequest" && call != CallKind::CloseTicket;
    let inner = |name: &'static str| root.children(name).find(|child| is_ticketed && !child.is_silent());
    let part = |name: &'static str| whole(name).or_else(|| inner(name));
    let receipt = Receipt {
        net: part("net").map(convert::net).transpose()?,
        customer: part("customer").map(convert::customer).transpose()?,
        ticket: part("ticket").map(ticket).transpose()?,
        document: Payload::new(&root.to_json()),
    };
    let has_nothing = receipt.net.is_none() && receipt.customer.is_none() && receipt.ticket.is_none();
    match has_nothing {
        false => Ok(receipt),
        true if is_ticketed => Err(Unfit::Nothing),
        true => Err(Unfit::Other(call.expects(), excerpt(&root.name, 40))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{arin::fixtures::fixture, error_chain::error_chain};

    fn answered(status: u16, body: &str, call: CallKind) -> Result<Receipt, Failure> {
        let html = body.starts_with("<html") || body.starts_with("<!DOCTYPE html");
        let status = StatusCode::from_u16(status).unwrap();
        judge(Response { status, html, location: None, body: body.as_bytes().to_vec() }, call, true)
    }

    /// What the caller gets to know, in one line.
    fn verdict(status: u16, body: &str, call: CallKind) -> String {
        match answered(status, body, call) {
            Ok(Receipt { net, customer, ticket, .. }) => {
                let net = net.map(|net| format!(" net {}", net.handle)).unwrap_or_default();
                let customer = customer.map(|customer| format!(" customer {}", customer.handle)).unwrap_or_default();
                let ticket = ticket.map(|ticket| format!(" ticket {}", ticket.number)).unwrap_or_default();
                format!("{status} taken:{net}{customer}{ticket}")
            }
            Err(Failure::Refused(kind)) => format!("{status} refused: {}", error_chain(&kind)),
            Err(Failure::Unknown(kind)) => format!("{status} unknown: {}", error_chain(&kind)),
        }
    }

    fn net() -> String {
        String::from_utf8(fixture("net.xml")).unwrap().split_once("?>").unwrap().1.to_owned()
    }

    fn error(code: &str) -> String {
        format!("<error xmlns='http://www.arin.net/regrws/core/v1'><code>{code}</code><message>So.</message></error>")
    }

    const TICKET: &str = "<ticket><ticketNo>20260922-X1</ticketNo></ticket>";

    #[test]
    fn a_ticketed_request_has_a_net_or_a_ticket_or_both() {
        let ticketed = |inner: &str| format!("<ticketedRequest>{inner}</ticketedRequest>");
        let verdicts =
            [&net(), TICKET, &format!("{TICKET}{}", net()), &format!("<net/>{TICKET}"), "", "<net/><ticket/>"]
                .map(|inner| verdict(200, &ticketed(inner), CallKind::Reassign));
        insta::assert_snapshot!(verdicts.join("\n"), @"
        200 taken: net NET-192-0-2-0-1
        200 taken: ticket 20260922-X1
        200 taken: net NET-192-0-2-0-1 ticket 20260922-X1
        200 taken: ticket 20260922-X1
        200 unknown: the answer is not a readable `ticketedRequest` payload: <ticketedRequest></ticketedRequest>: it has neither a net nor a ticket
        200 unknown: the answer is not a readable `ticketedRequest` payload: <ticketedRequest><net/><ticket/></ticketedRequest>: it has neither a net nor a ticket
        ");
    }

    #[test]
    fn each_call_is_answered_by_its_own_element() {
        let customer = String::from_utf8(fixture("customer.xml")).unwrap();
        let ticketed = format!("<ticketedRequest>{TICKET}</ticketedRequest>");
        let verdicts = [
            verdict(
                201,
                &format!("<t:ticketedRequest xmlns:t='urn:t'>{}</t:ticketedRequest>", net()),
                CallKind::Reallocate,
            ),
            verdict(200, &format!("<ticketedRequest>{}</ticketedRequest>", net()), CallKind::RemoveNet),
            verdict(200, &net(), CallKind::ChangeNet),
            verdict(202, &ticketed, CallKind::ChangeNet),
            verdict(200, &customer, CallKind::ChangeCustomer),
            verdict(200, &customer, CallKind::DeleteCustomer),
            verdict(200, TICKET, CallKind::CloseTicket),
            verdict(200, &ticketed, CallKind::CloseTicket),
            verdict(200, &net(), CallKind::Reassign),
            verdict(200, TICKET, CallKind::Reassign),
            verdict(200, &customer, CallKind::ChangeNet),
        ];
        insta::assert_snapshot!(verdicts.join("\n"), @r#"
        201 taken: net NET-192-0-2-0-1
        200 taken: net NET-192-0-2-0-1
        200 taken: net NET-192-0-2-0-1
        202 taken: ticket 20260922-X1
        200 taken: customer C00000001
        200 taken: customer C00000001
        200 taken: ticket 20260922-X1
        200 unknown: the answer is not a readable `ticket` payload: <ticketedRequest><ticket><ticketNo></ticketNo></ticket></ticketedRequest>: it is `ticketedRequest` where `ticket` was expected
        200 unknown: the answer is not a readable `ticketedRequest` payload: <net xmlns="http://www.arin.net/regrws/core/v1" xmlns:ns2="http://www.arin.net/regrws/rpki/v1"> <version>4</version> <comment/> <registrationDate>2011-11-07T14:04:28-05:00</registrationDate> <handle>N…: it is `net` where `ticketedRequest` was expected
        200 unknown: the answer is not a readable `ticketedRequest` payload: <ticket><ticketNo></ticketNo></ticket>: it is `ticket` where `ticketedRequest` was expected
        200 unknown: the answer is not a readable `net` payload: <customer xmlns="http://www.arin.net/regrws/core/v1"><customerName></customerName><iso3166-1><name></name><code2></code2><code3></code3><e164></e164></iso3166-1><handle></handle><streetAddress><line><…: it is `customer` where `net` was expected
        "#);
    }

    #[test]
    fn only_arins_own_no_is_a_refusal() {
        let refusals = [
            (400, "E_ENTITY_VALIDATION"),
            (400, "E_SCHEMA_VALIDATION"),
            (400, "E_BAD_REQUEST"),
            (400, "E_NEW_ONE"),
            (401, "E_AUTHENTICATION"),
            (403, "E_BAD_REQUEST"),
            (404, "E_OBJECT_NOT_FOUND"),
            (405, "E_METHOD_NOT_ALLOWED"),
            (406, "E_NOT_ACCEPTABLE"),
            (409, "E_NOT_REMOVEABLE"),
            (413, "E_BAD_REQUEST"),
            (415, "E_UNSUPPORTED_MEDIA_TYPE"),
        ];
        for (status, code) in refusals {
            for key_has_worked in [true, false] {
                let response = Response {
                    status: StatusCode::from_u16(status).unwrap(),
                    html: false,
                    location: None,
                    body: error(code).into_bytes(),
                };
                let judged = judge(response, CallKind::Reassign, key_has_worked);
                let Err(Failure::Refused(kind)) = judged else { panic!("{status} {code}: {judged:?}") };
                assert!(!Error::from(kind).stops_config(), "{status} {code}");
            }
        }
    }

    #[test]
    fn everything_else_may_have_been_done() {
        let page = "<html><body>Sign in</body></html>";
        let net = net();
        let answers = [
            (200, ""),
            (204, ""),
            (206, net.as_str()),
            (200, page),
            (200, "OK"),
            (200, "<ticketedRequest><net><handle>NET-1"),
            (200, "<ticketedRequest><net><handle>NET-1</handle></net></ticketedRequest>"),
            (200, "<ticketedRequest><ticket><webTicketStatus>X</webTicketStatus></ticket></ticketedRequest>"),
            (200, "<something><net/></something>"),
            (302, ""),
            (400, ""),
            (400, page),
            (400, "<error><message>So.</message></error>"),
            (400, "<error><code>E_BAD_REQ"),
            (403, page),
            (401, ""),
            (404, ""),
            (404, page),
            (408, ""),
            (429, ""),
            (500, ""),
            (502, page),
            (503, net.as_str()),
        ];
        let verdicts = answers.map(|(status, body)| verdict(status, body, CallKind::Reassign));
        insta::assert_snapshot!(verdicts.join("\n"), @r#"
        200 unknown: ARIN sent an answer that was cut off after 0 bytes
        204 unknown: ARIN sent an answer that was cut off after 0 bytes
        206 unknown: the answer (status 206) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <net xmlns="http://www.arin.net/regrws/core/v1" xmlns:ns2="http://www.arin.net/regrws/rpki/v1"> <version>4</version> <comment/> <registrationDate>2011-11-07T14:04:28-05:00</registrationDate> <handle>N…
        200 unknown: the answer (status 200) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <html><body>Sign in</body></html>
        200 unknown: the answer is not a readable `ticketedRequest` payload: OK: there is text outside of the XML element
        200 unknown: ARIN sent an answer that was cut off after 35 bytes
        200 unknown: the answer is not a readable `ticketedRequest` payload: <ticketedRequest><net><handle></handle></net></ticketedRequest>: it has no netBlock, or one that cannot be read
        200 unknown: the answer is not a readable `ticketedRequest` payload: <ticketedRequest><ticket><webTicketStatus></webTicketStatus></ticket></ticketedRequest>: it has no handle
        200 unknown: the answer is not a readable `ticketedRequest` payload: <something><net/></something>: it is `something` where `ticketedRequest` was expected
        302 unknown: redirected (status 302) to an unnamed place, which is not followed; the API URL of the RIR config may be wrong
        400 unknown: the answer (status 400) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: (nothing)
        400 unknown: the answer (status 400) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <html><body>Sign in</body></html>
        400 unknown: ARIN could not answer (status 400: So.)
        400 unknown: ARIN sent an answer that was cut off after 22 bytes
        403 unknown: the answer (status 403) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <html><body>Sign in</body></html>
        401 unknown: the answer (status 401) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: (nothing)
        404 unknown: the answer (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: (nothing)
        404 unknown: the answer (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <html><body>Sign in</body></html>
        408 unknown: the answer (status 408) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: (nothing)
        429 unknown: ARIN could not answer (status 429)
        500 unknown: ARIN could not answer (status 500)
        502 unknown: ARIN could not answer (status 502)
        503 unknown: ARIN could not answer (status 503)
        "#);
    }

    #[test]
    fn an_error_of_arins_that_says_no_no_is_none() {
        let answers = [
            (200, "E_ENTITY_VALIDATION"),
            (400, "E_OUTAGE"),
            (400, "E_UNSPECIFIED"),
            (400, "E_TOO_MANY_REQUESTS"),
            (404, "E_UNSPECIFIED"),
            (404, "E_BAD_REQUEST"),
            (410, "E_OBJECT_NOT_FOUND"),
            (429, "E_TOO_MANY_REQUESTS"),
            (500, "E_UNSPECIFIED"),
            (500, "E_ENTITY_VALIDATION"),
            (503, "E_OUTAGE"),
        ];
        let verdicts = answers.map(|(status, code)| verdict(status, &error(code), CallKind::Reassign));
        insta::assert_snapshot!(verdicts.join("\n"), @"
        200 unknown: ARIN could not answer (status 200, E_ENTITY_VALIDATION: So.)
        400 unknown: ARIN could not answer (status 400, E_OUTAGE: So.)
        400 unknown: ARIN could not answer (status 400, E_UNSPECIFIED: So.)
        400 unknown: ARIN could not answer (status 400, E_TOO_MANY_REQUESTS: So.)
        404 unknown: ARIN could not answer (status 404, E_UNSPECIFIED: So.)
        404 unknown: ARIN could not answer (status 404, E_BAD_REQUEST: So.)
        410 unknown: ARIN could not answer (status 410, E_OBJECT_NOT_FOUND: So.)
        429 unknown: ARIN could not answer (status 429, E_TOO_MANY_REQUESTS: So.)
        500 unknown: ARIN could not answer (status 500, E_UNSPECIFIED: So.)
        500 unknown: ARIN could not answer (status 500, E_ENTITY_VALIDATION: So.)
        503 unknown: ARIN could not answer (status 503, E_OUTAGE: So.)
        ");
    }

    #[test]
    fn a_404_says_gone_but_for_a_removal_with_a_reason() {
        let refused = |call| match answered(404, &error("E_OBJECT_NOT_FOUND"), call) {
            Err(Failure::Refused(kind)) => Unwritten::Refused(kind.into()).says_gone(),
            _ => false,
        };
        assert!(refused(CallKind::RemoveNet) && refused(CallKind::DeleteCustomer));
        assert!(!refused(CallKind::RemoveNetSaying));
        let fault = Fault { status: 409, ..Fault::absence() };
        assert!(!Unwritten::Refused(ErrorKind::Refused(fault).into()).says_gone());
    }

    #[test]
    fn all_that_is_wrong_is_told_by_its_name() {
        let component = |number: usize| {
            format!(
                "<component><name>element{number}</name><message>It has a character that is not allowed.</message></component>"
            )
        };
        let components: String = (0..20).map(component).collect();
        let body = format!("<error><code>E_ENTITY_VALIDATION</code><components>{components}</components></error>");
        let Err(Failure::Refused(kind)) = answered(400, &body, CallKind::Reassign) else { panic!("it is refused") };
        let told = kind.without("API-KEY").to_string();
        assert!((0..20).all(|number| told.contains(&format!("element{number}: It has a character"))), "{told}");
    }

    #[test]
    fn nobodys_name_is_in_what_cannot_be_read() {
        for body in [
            "<ticketedRequest><net><customerName>Jane Doe</customerName></net></ticketedRequest>",
            "<ticket><text>Jane Doe</text></ticket>",
        ] {
            let told = verdict(200, body, CallKind::Reassign);
            assert!(told.contains("unknown") && !told.contains("Jane"), "{told}");
        }
    }
}
