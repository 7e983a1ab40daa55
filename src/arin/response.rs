//! Judges what came back: an object, its absence, or which failure.
//!
//! | status | body | result |
//! |---|---|---|
//! | 200 | the payload expected | the object |
//! | 404 | `error` with `E_OBJECT_NOT_FOUND` | absence |
//! | any | `error` with `E_OUTAGE` | [`ErrorKind::Outage`] |
//! | any | `error` with `E_AUTHENTICATION` | [`ErrorKind::Unauthorized`], for a key that has worked [`ErrorKind::NoAuthority`] |
//! | 401 | any | the same |
//! | 400, for a new key | `error` with `E_BAD_REQUEST` or no code; nothing at all | [`ErrorKind::Unauthorized`] |
//! | 5xx | any | [`ErrorKind::Outage`] |
//! | 3xx | any | [`ErrorKind::Redirected`] |
//! | any other | `error` | [`ErrorKind::Refused`] |
//! | 200 | XML that ends too early, nothing at all | [`AnswerLost::CutOff`] |
//! | 200 | anything else, the payload of another object too | [`ErrorKind::Invalid`] |
//! | any other | anything else, above all HTML | [`ErrorKind::NotRegRws`] |
//!
//! A 404 without ARIN's own words is a gateway's or a web server's: it says nothing about the object. Reg-RWS says the same
//! of an unknown key and of a good one that has no authority over the object asked for: what it means depends on whether
//! the key has brought an object before. A 400 names no culprit, but the only thing that can be wrong with a GET is the
//! key, as long as it has not worked yet.

use reqwest::StatusCode;

use super::{
    convert::Unfit,
    error::{Decode, ErrorKind, Fault, LONGEST_MESSAGE},
    request::Request,
    xml::{self, Element, Malformed},
};
use crate::outbound::{AnswerLost, NoAnswer, excerpt::excerpt};

/// Reads what is wanted from the root of an answer and its body.
pub(super) type Reading<T> = fn(&Element, &[u8]) -> Result<T, Decode>;

/// An answer, fully received.
pub(super) struct Response {
    pub(super) status: StatusCode,
    /// True if it calls itself HTML.
    pub(super) html: bool,
    /// The place that a redirect points to, fit to be shown.
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// Judges it as the answer to `request`; `key_has_worked` says that the key has brought an object before.
    pub(super) fn judge<T>(
        self,
        request: &Request,
        key_has_worked: bool,
        read: Reading<T>,
    ) -> Result<Option<T>, ErrorKind> {
        let Self { status, html, location, body } = self;
        if status.is_redirection() {
            return Err(ErrorKind::Redirected(status, location));
        }
        if body.trim_ascii().is_empty() && !html {
            return match status {
                StatusCode::OK => Err(cut_off(0)),
                StatusCode::NOT_FOUND => Err(foreign(status, &body, key_has_worked)),
                _ if status.is_success() => Err(foreign(status, &body, key_has_worked)),
                _ => denial(status, Fault::wordless(status), key_has_worked),
            };
        }
        let invalid = |source| ErrorKind::Invalid(request.expects, beginning(&body), source);
        match xml::parse(&body) {
            Ok(root) if root.name == "error" => denial(status, fault(status, &root), key_has_worked),
            Ok(root) if status == StatusCode::OK => {
                let object = expected(&root, request).map_err(Decode::from).and_then(|()| read(&root, &body));
                object.map(Some).map_err(invalid)
            }
            Err(Malformed::CutOff) if status == StatusCode::OK || root_name(&xml::decoded(&body)) == "error" => {
                Err(cut_off(body.len()))
            }
            Err(malformed) if status == StatusCode::OK => Err(invalid(malformed.into())),
            Ok(_) | Err(_) => Err(foreign(status, &body, key_has_worked)),
        }
    }
}

/// Judges what ARIN itself says instead of an object: that there is none, or a failure.
fn denial<T>(status: StatusCode, fault: Fault, key_has_worked: bool) -> Result<Option<T>, ErrorKind> {
    let code = fault.code.as_deref();
    match status {
        _ if code == Some("E_OUTAGE") => Err(ErrorKind::Outage(fault)),
        _ if code == Some("E_AUTHENTICATION") => Err(unauthorized(fault, key_has_worked)),
        StatusCode::UNAUTHORIZED => Err(unauthorized(fault, key_has_worked)),
        StatusCode::NOT_FOUND if code == Some("E_OBJECT_NOT_FOUND") => Ok(None),
        StatusCode::BAD_REQUEST if matches!(code, None | Some("E_BAD_REQUEST")) && !key_has_worked => {
            Err(ErrorKind::Unauthorized(fault))
        }
        _ if status.is_server_error() => Err(ErrorKind::Outage(fault)),
        _ => Err(ErrorKind::Refused(fault)),
    }
}

/// Judges somebody else's words: only the status counts, and it must not read as absence.
fn foreign(status: StatusCode, body: &[u8], key_has_worked: bool) -> ErrorKind {
    match status {
        StatusCode::UNAUTHORIZED => unauthorized(Fault::wordless(status), key_has_worked),
        _ if status.is_server_error() => ErrorKind::Outage(Fault::wordless(status)),
        _ => ErrorKind::NotRegRws(status, beginning(body)),
    }
}

fn unauthorized(fault: Fault, key_has_worked: bool) -> ErrorKind {
    if key_has_worked { ErrorKind::NoAuthority(fault) } else { ErrorKind::Unauthorized(fault) }
}

pub(super) fn cut_off(received: usize) -> ErrorKind {
    NoAnswer::Lost(AnswerLost::CutOff(received, None)).into()
}

/// Checks that a payload is of the kind asked for, and about the object asked for.
fn expected(root: &Element, Request { expects, handle, .. }: &Request) -> Result<(), Unfit> {
    if root.name != *expects {
        return Err(Unfit::Other(expects, excerpt(&root.name, 40)));
    }
    let name = if *expects == "ticket" { "ticketNo" } else { "handle" };
    match (handle, root.text_of(name)) {
        (Some(asked), Some(answered)) if answered.trim().to_uppercase() != *asked => {
            Err(Unfit::OtherHandle(excerpt(answered, 60)))
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

pub(super) fn fault(status: StatusCode, payload: &Element) -> Fault {
    let words = messages(payload).join("; ");
    Fault {
        code: payload.text_of("code").map(|code| excerpt(code, 60)),
        message: (!words.is_empty()).then(|| excerpt(&words, LONGEST_MESSAGE)),
        ..Fault::wordless(status)
    }
}

/// Returns the messages of an `error` payload, the general one first.
fn messages(payload: &Element) -> Vec<String> {
    let general = payload.text_of("message").map(str::to_owned);
    let components = payload.items("components", "component").filter_map(|component| {
        match (component.text_of("name"), component.text_of("message")) {
            (Some(name), Some(message)) => Some(format!("{name}: {message}")),
            (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
            (None, None) => None,
        }
    });
    let more = payload.items("additionalInfo", "message").filter_map(Element::text).map(str::to_owned);
    general.into_iter().chain(components).chain(more).collect()
}

/// Returns the beginning of a body, on one line and without the XML declaration. Of what may be about a person it has only
/// the elements: the text between is somebody's name, address or telephone.
pub(super) fn beginning(body: &[u8]) -> String {
    let text = xml::decoded(body);
    let text = text.trim_start();
    let text = match text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_declaration, rest)) => rest,
        None => text,
    };
    match root_name(text) {
        _ if text.trim().is_empty() => "(nothing)".to_owned(),
        "poc" | "customer" | "ticketedRequest" | "ticket" | "collection" => excerpt(&without_text(text), 200),
        _ => excerpt(text, 200),
    }
}

/// Returns the local name of the first element that `text` begins to write.
pub(super) fn root_name(text: &str) -> &str {
    let begun = text.split('<').find(|begun| begun.starts_with(|first: char| first.is_alphabetic()));
    let name = begun.and_then(|begun| begun.split(|end: char| end.is_whitespace() || "/>".contains(end)).next());
    name.and_then(|name| name.rsplit(':').next()).unwrap_or_default()
}

fn without_text(text: &str) -> String {
    let tags = text.split('<').skip(1).map(|tag| tag.split_once('>').map_or(tag, |(tag, _text)| tag));
    tags.map(|tag| format!("<{tag}>")).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{convert, fixtures::fixture},
        *,
    };
    use crate::{
        arin::error::Error,
        model::{Org, OrgHandle, PocHandle},
    };

    fn answer(status: u16, body: Vec<u8>) -> Response {
        let html = body.starts_with(b"<html") || body.starts_with(b"<!DOCTYPE html");
        Response { status: StatusCode::from_u16(status).unwrap(), html, location: None, body }
    }

    fn org(response: Response, key_has_worked: bool) -> Result<Option<Org>, Error> {
        let request = Request::org(&OrgHandle::new("EXAMPLE-1").unwrap());
        response
            .judge(&request, key_has_worked, |root, _| Ok(convert::org(root)?))
            .map_err(|kind| Error::of(request, kind))
    }

    #[test]
    fn an_excerpt_is_fit_to_be_recorded() {
        assert_eq!(beginning(b"\0PNG\x07\r\nand so on"), "\u{fffd}PNG\u{fffd} and so on");
    }

    /// The verdict on a fixture, or on no body at all, for a key that has not worked before.
    fn verdict(status: u16, name: &str) -> String {
        let body = if name.is_empty() { Vec::new() } else { fixture(name) };
        match org(answer(status, body), false) {
            Ok(Some(org)) => format!("{status} {name}: {}", org.handle),
            Ok(None) => format!("{status} {name}: absent"),
            Err(error) => format!("{status} {name}: {error}"),
        }
    }

    #[test]
    fn the_object_or_its_absence() {
        insta::assert_snapshot!(
            [(200, "org.xml"), (404, "error_not_found.xml")].map(|(status, name)| verdict(status, name)).join("\n"),
            @"
        200 org.xml: EXAMPLE-1
        404 error_not_found.xml: absent
        "
        );
    }

    #[test]
    fn a_failure_is_never_an_absence() {
        let answers = [
            (404, ""),
            (404, "gateway_not_found.html"),
            (404, "error_bad_request.xml"),
            (404, "org.xml"),
            (404, "truncated.xml"),
            (404, "error_outage.xml"),
            (404, "error_authentication.xml"),
            (404, "error_entity.xml"),
            (200, "error_not_found.xml"),
            (410, "error_not_found.xml"),
            (500, "error_not_found.xml"),
            (204, ""),
            (200, ""),
            (301, ""),
        ];
        insta::assert_snapshot!(answers.map(|(status, name)| verdict(status, name)).join("\n"), @r#"
        404 : org EXAMPLE-1: the answer (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: (nothing)
        404 gateway_not_found.html: org EXAMPLE-1: the answer (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <html> <head><title>404 Not Found</title></head> <body><center><h1>404 Not Found</h1></center></body> </html>
        404 error_bad_request.xml: org EXAMPLE-1: ARIN refused it (status 404, E_BAD_REQUEST: There was a problem with the request.)
        404 org.xml: org EXAMPLE-1: the answer (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <org xmlns="http://www.arin.net/regrws/core/v1"> <city>Chantilly</city> <comment> <line number="1">Peering and abuse: see our web page.</line> <line number="0">Réseaux d'exemple &amp; fils</line> </co…
        404 truncated.xml: org EXAMPLE-1: the answer (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <org xmlns="http://www.arin.net/regrws/core/v1"> <city>Chantilly</city> <comment> <line number="1">Peering and abuse: see our web page.</line> <line number="0">Réseaux d'exemple &amp; fils</line> </co…
        404 error_outage.xml: org EXAMPLE-1: ARIN could not answer (status 404, E_OUTAGE: Reg-RWS is down for maintenance.)
        404 error_authentication.xml: org EXAMPLE-1: ARIN did not accept the API key (status 404, E_AUTHENTICATION: The API key you specified is not valid.); `rir-sidecar check` tries it and says what to do
        404 error_entity.xml: org EXAMPLE-1: ARIN refused it (status 404, E_ENTITY_VALIDATION: Payload entity failed to validate.; netBlock: The range is too large.; endAddress; See the user guide.)
        200 error_not_found.xml: org EXAMPLE-1: ARIN refused it (status 200, E_OBJECT_NOT_FOUND: The object could not be found.)
        410 error_not_found.xml: org EXAMPLE-1: ARIN refused it (status 410, E_OBJECT_NOT_FOUND: The object could not be found.)
        500 error_not_found.xml: org EXAMPLE-1: ARIN could not answer (status 500, E_OBJECT_NOT_FOUND: The object could not be found.)
        204 : org EXAMPLE-1: the answer (status 204) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: (nothing)
        200 : org EXAMPLE-1: ARIN sent an answer that was cut off after 0 bytes
        301 : org EXAMPLE-1: redirected (status 301) to an unnamed place, which is not followed; the API URL of the RIR config may be wrong
        "#);
    }

    #[test]
    fn an_empty_404_that_calls_itself_html_is_a_gateways() {
        let judged = org(Response { html: true, ..answer(404, Vec::new()) }, false);
        assert!(
            matches!(judged, Err(Error { kind: ErrorKind::NotRegRws(StatusCode::NOT_FOUND, _), .. })),
            "{judged:?}"
        );
    }

    #[test]
    fn a_refused_key_stops_the_config() {
        let answers = [
            (400, "error_authentication.xml"),
            (400, "error_bad_request.xml"),
            (400, ""),
            (401, "error_bad_request.xml"),
            (401, "gateway_not_found.html"),
            (401, ""),
        ];
        for (status, name) in answers {
            let body = if name.is_empty() { Vec::new() } else { fixture(name) };
            let judged = org(answer(status, body), false).unwrap_err();
            assert!(
                matches!(judged.kind, ErrorKind::Unauthorized(_)) && judged.stops_config(),
                "{status} {name}: {judged}"
            );
        }
    }

    #[test]
    fn an_error_without_a_code_is_no_absence() {
        for code in ["", "<code/>", "<code>E_NOT_FOUND</code>", "<code>e_object_not_found_here</code>"] {
            let body = format!("<error><message>No such record.</message>{code}</error>");
            let judged = org(answer(404, body.into_bytes()), true);
            assert!(matches!(judged, Err(Error { kind: ErrorKind::Refused(_), .. })), "{code}: {judged:?}");
        }
    }

    #[test]
    fn a_key_that_has_worked_has_no_authority_over_one_object() {
        for (status, name) in [
            (401, "error_bad_request.xml"),
            (401, ""),
            (401, "gateway_not_found.html"),
            (400, "error_authentication.xml"),
        ] {
            let body = if name.is_empty() { Vec::new() } else { fixture(name) };
            let judged = org(answer(status, body), true).unwrap_err();
            assert!(
                matches!(judged.kind, ErrorKind::NoAuthority(_)) && !judged.stops_config(),
                "{status} {name}: {judged}"
            );
        }
    }

    #[test]
    fn the_payload_of_another_object_is_no_answer() {
        let other = org(answer(200, b"<org><handle>OTHER-1</handle></org>".to_vec()), true).unwrap_err();
        insta::assert_snapshot!(std::error::Error::source(&other).unwrap(), @"it is about `OTHER-1`, which was not asked for");
        let same = org(answer(200, b"<org><handle> example-1</handle></org>".to_vec()), true);
        assert!(matches!(same, Ok(Some(_))), "{same:?}");
    }

    #[test]
    fn a_bad_request_is_about_the_object_once_the_key_has_worked() {
        for (status, name) in
            [(400, "error_bad_request.xml"), (400, "error_entity.xml"), (403, "error_bad_request.xml")]
        {
            let judged = org(answer(status, fixture(name)), true).unwrap_err();
            assert!(
                matches!(judged.kind, ErrorKind::Refused(_)) && !judged.stops_config(),
                "{status} {name}: {judged}"
            );
        }
    }

    #[test]
    fn a_refusal_repeats_what_arin_says() {
        insta::assert_snapshot!(verdict(400, "error_entity.xml"), @"400 error_entity.xml: org EXAMPLE-1: ARIN refused it (status 400, E_ENTITY_VALIDATION: Payload entity failed to validate.; netBlock: The range is too large.; endAddress; See the user guide.)");
    }

    #[test]
    fn what_is_no_payload_is_shown_in_part() {
        let answers = [(200, "attack_doctype.xml"), (200, "poc_role.xml"), (200, "gateway_not_found.html")];
        insta::assert_snapshot!(answers.map(|(status, name)| verdict(status, name)).join("\n"), @r#"
        200 attack_doctype.xml: org EXAMPLE-1: the answer is not a readable `org` payload: <!DOCTYPE org [ <!ENTITY a "EXAMPLE"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"> <!ENTITY file SYSTEM "file:///etc/hostname"> ]> <org xmlns="http://www.arin.net/regrws…
        200 poc_role.xml: org EXAMPLE-1: the answer is not a readable `org` payload: <poc xmlns="http://www.arin.net/regrws/core/v1"><contactType></contactType><companyName></companyName><lastName></lastName><emails/><phones/><handle></handle></poc>
        200 gateway_not_found.html: org EXAMPLE-1: the answer is not a readable `org` payload: <html> <head><title>404 Not Found</title></head> <body><center><h1>404 Not Found</h1></center></body> </html>
        "#);
    }

    #[test]
    fn nobodys_name_mail_or_telephone_is_shown() {
        let request = Request::poc(&PocHandle::new("EXADM-ARIN").unwrap());
        let broken = String::from_utf8(fixture("poc_person.xml")).unwrap().replace("</poc>", "</pod>");
        let error =
            answer(200, broken.into_bytes()).judge(&request, true, |root, _| Ok(convert::poc(root)?)).unwrap_err();
        insta::assert_snapshot!(error, @r#"the answer is not a readable `poc` payload: <poc xmlns="http://www.arin.net/regrws/core/v1"><contactType></contactType><companyName></companyName><firstName></firstName><middleName/><lastName></lastName><emails><email></email><email></email></e…"#);
    }

    #[test]
    fn another_payload_is_named() {
        let error = org(answer(200, b"<poc><handle>EX-ARIN</handle></poc>".to_vec()), false).unwrap_err();
        insta::assert_snapshot!(std::error::Error::source(&error).unwrap(), @"it is `poc` where `org` was expected");
    }
}
