//! Judges what came back: an object, its absence, or which failure.
//!
//! | status | body | verdict |
//! |---|---|---|
//! | 200 | the payload wanted | the object |
//! | 404 | `error` with `E_OBJECT_NOT_FOUND` or no code; nothing at all | absence |
//! | any | `error` with `E_AUTHENTICATION` | [`Error::Unauthorized`] |
//! | any | `error` with `E_OUTAGE` | [`Error::Outage`] |
//! | 401 | any | [`Error::Unauthorized`] |
//! | 400 | `error` with `E_BAD_REQUEST` or no code; nothing at all | [`Error::Unauthorized`], unless the key has worked before |
//! | 5xx | any | [`Error::Outage`] |
//! | 3xx | any | [`Error::Redirected`] |
//! | any other | `error` | [`Error::Refused`] |
//! | 200 | XML that ends too early, nothing at all | [`Error::CutOff`] |
//! | 200 | anything else | [`Error::Invalid`] |
//! | any other | anything else, above all HTML | [`Error::NotRegRws`] |
//!
//! A 404 with somebody's HTML page or other words is a gateway's or a web server's: it says nothing about the object. A
//! 400 names no culprit, but the only thing that can be wrong with a GET is the key, as long as it has not worked yet.

use reqwest::StatusCode;

use super::{
    Decode, Error, Fault, Operation,
    convert::Unfit,
    element::Element,
    xml::{self, Malformed},
};

/// An answer, fully received.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Whether it calls itself HTML.
    pub(super) html: bool,
    /// Where a redirect points, fit to be shown.
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Judges the answer to `operation`; `proven` says that the key has worked before.
pub(super) fn judge<T>(
    operation: &Operation,
    answer: Answer,
    proven: bool,
    read: fn(&Element) -> Result<T, Unfit>,
) -> Result<Option<T>, Error> {
    let Answer { status, html, location, body } = answer;
    let question = Question { operation, status, proven };
    if status.is_redirection() {
        return Err(Error::Redirected { operation: operation.clone(), status: status.as_u16(), location });
    }
    if body.trim_ascii().is_empty() && !html {
        return question.judge_silence();
    }
    match xml::parse(&body) {
        Ok(root) if root.name == "error" => question.judge_fault(question.fault(&root)),
        Ok(root) if status == StatusCode::OK => {
            read(&root).map(Some).map_err(|unfit| question.invalid(&body, unfit.into()))
        }
        Err(Malformed::CutOff) if status == StatusCode::OK || root_name(&xml::decoded(&body)) == "error" => {
            Err(question.cut_off(body.len()))
        }
        Err(malformed) if status == StatusCode::OK => Err(question.invalid(&body, malformed.into())),
        Ok(_) | Err(_) => question.judge_foreign(&body),
    }
}

/// What the verdict depends on besides the body.
struct Question<'a> {
    operation: &'a Operation,
    status: StatusCode,
    proven: bool,
}

impl Question<'_> {
    fn judge_silence<T>(&self) -> Result<Option<T>, Error> {
        match self.status {
            StatusCode::OK => Err(self.cut_off(0)),
            odd if odd.is_success() => self.judge_foreign(&[]),
            _ => self.judge_fault(self.wordless()),
        }
    }

    fn judge_fault<T>(&self, fault: Fault) -> Result<Option<T>, Error> {
        let operation = self.operation.clone();
        let code = fault.code.as_deref();
        match self.status {
            _ if code == Some("E_AUTHENTICATION") => Err(Error::Unauthorized { operation, fault }),
            _ if code == Some("E_OUTAGE") => Err(Error::Outage { operation, fault }),
            StatusCode::NOT_FOUND if matches!(code, None | Some("E_OBJECT_NOT_FOUND")) => Ok(None),
            StatusCode::UNAUTHORIZED => Err(Error::Unauthorized { operation, fault }),
            StatusCode::BAD_REQUEST if matches!(code, None | Some("E_BAD_REQUEST")) && !self.proven => {
                Err(Error::Unauthorized { operation, fault })
            }
            status if status.is_server_error() => Err(Error::Outage { operation, fault }),
            _ => Err(Error::Refused { operation, fault }),
        }
    }

    /// Judges somebody else's words: only the status counts, and it must not read as absence.
    fn judge_foreign<T>(&self, body: &[u8]) -> Result<Option<T>, Error> {
        let (operation, status) = (self.operation.clone(), self.status.as_u16());
        match self.status {
            StatusCode::UNAUTHORIZED => Err(Error::Unauthorized { operation, fault: self.wordless() }),
            failed if failed.is_server_error() => Err(Error::Outage { operation, fault: self.wordless() }),
            _ => Err(Error::NotRegRws { operation, status, excerpt: excerpt(body) }),
        }
    }

    fn wordless(&self) -> Fault {
        Fault { status: self.status.as_u16(), code: None, message: None }
    }

    fn fault(&self, payload: &Element) -> Fault {
        let words = words(payload).join("; ");
        Fault {
            code: payload.text_of("code").map(|code| shortened(code, 60)),
            message: (!words.is_empty()).then(|| shortened(&words, 400)),
            ..self.wordless()
        }
    }

    fn cut_off(&self, received: usize) -> Error {
        Error::CutOff { operation: self.operation.clone(), received, source: None }
    }

    fn invalid(&self, body: &[u8], source: Decode) -> Error {
        Error::Invalid { operation: self.operation.clone(), excerpt: excerpt(body), source }
    }
}

/// The messages of an `error` payload, the general one first.
fn words(payload: &Element) -> Vec<String> {
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

/// How a body begins, on one line and without the XML declaration. Of a poc or a customer only the elements are shown: the
/// text between is somebody's name, address or telephone.
fn excerpt(body: &[u8]) -> String {
    let text = xml::decoded(body);
    let text = text.trim_start();
    let text = match text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_declaration, rest)) => rest,
        None => text,
    };
    match root_name(text) {
        _ if text.trim().is_empty() => "(nothing)".to_owned(),
        "poc" | "customer" => shortened(&without_text(text), 200),
        _ => shortened(text, 200),
    }
}

/// The local name of the first element that `text` begins to write.
fn root_name(text: &str) -> &str {
    let begun = text.split('<').find(|begun| begun.starts_with(|first: char| first.is_alphabetic()));
    let name = begun.and_then(|begun| begun.split(|end: char| end.is_whitespace() || "/>".contains(end)).next());
    name.and_then(|name| name.rsplit(':').next()).unwrap_or_default()
}

fn without_text(text: &str) -> String {
    let tags = text.split('<').skip(1).map(|tag| tag.split_once('>').map_or(tag, |(tag, _text)| tag));
    tags.map(|tag| format!("<{tag}>")).collect()
}

/// The beginning of a text on one line. NetBox, where it is recorded, takes no control characters.
fn shortened(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ").replace(char::is_control, "\u{fffd}");
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{convert, tests::fixture},
        *,
    };
    use crate::model::{Org, OrgHandle, PocHandle};

    fn answer(status: u16, body: Vec<u8>) -> Answer {
        let html = body.starts_with(b"<html") || body.starts_with(b"<!DOCTYPE html");
        Answer { status: StatusCode::from_u16(status).unwrap(), html, location: None, body }
    }

    fn org(answer: Answer, proven: bool) -> Result<Option<Org>, Error> {
        judge(&Operation::Org(OrgHandle::new("EXAMPLE-1").unwrap()), answer, proven, convert::org)
    }

    #[test]
    fn an_excerpt_is_fit_to_be_recorded() {
        assert_eq!(excerpt(b"\0PNG\x07\r\nand so on"), "\u{fffd}PNG\u{fffd} and so on");
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
            [(200, "org.xml"), (404, "error_not_found.xml"), (404, "")].map(|(status, name)| verdict(status, name)).join("\n"),
            @"
        200 org.xml: EXAMPLE-1
        404 error_not_found.xml: absent
        404 : absent
        "
        );
    }

    #[test]
    fn a_failure_is_never_an_absence() {
        let answers = [
            (404, "gateway_not_found.html"),
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
        404 gateway_not_found.html: the answer to org EXAMPLE-1 (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <html> <head><title>404 Not Found</title></head> <body><center><h1>404 Not Found</h1></center></body> </html>
        404 org.xml: the answer to org EXAMPLE-1 (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <org xmlns="http://www.arin.net/regrws/core/v1"> <city>Chantilly</city> <comment> <line number="1">Peering and abuse: see our web page.</line> <line number="0">Réseaux d'exemple &amp; fils</line> </co...
        404 truncated.xml: the answer to org EXAMPLE-1 (status 404) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: <org xmlns="http://www.arin.net/regrws/core/v1"> <city>Chantilly</city> <comment> <line number="1">Peering and abuse: see our web page.</line> <line number="0">Réseaux d'exemple &amp; fils</line> </co...
        404 error_outage.xml: ARIN could not answer org EXAMPLE-1 (status 404, E_OUTAGE: Reg-RWS is down for maintenance.)
        404 error_authentication.xml: ARIN did not accept the API key for org EXAMPLE-1 (status 404, E_AUTHENTICATION: The API key you specified is not valid.)
        404 error_entity.xml: ARIN refused org EXAMPLE-1 (status 404, E_ENTITY_VALIDATION: Payload entity failed to validate.; netBlock: The range is too large.; endAddress; See the user guide.)
        200 error_not_found.xml: ARIN refused org EXAMPLE-1 (status 200, E_OBJECT_NOT_FOUND: The object could not be found.)
        410 error_not_found.xml: ARIN refused org EXAMPLE-1 (status 410, E_OBJECT_NOT_FOUND: The object could not be found.)
        500 error_not_found.xml: ARIN could not answer org EXAMPLE-1 (status 500, E_OBJECT_NOT_FOUND: The object could not be found.)
        204 : the answer to org EXAMPLE-1 (status 204) is not one of Reg-RWS; the API URL of the RIR config may be wrong, or something stands in between: (nothing)
        200 : the answer to org EXAMPLE-1 was cut off after 0 bytes
        301 : org EXAMPLE-1 was redirected (status 301) to an unnamed place, which is not followed; the API URL of the RIR config may be wrong
        "#);
    }

    #[test]
    fn an_empty_404_that_calls_itself_html_is_a_gateways() {
        let judged = org(Answer { html: true, ..answer(404, Vec::new()) }, false);
        assert!(matches!(judged, Err(Error::NotRegRws { status: 404, .. })), "{judged:?}");
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
            assert!(matches!(judged, Error::Unauthorized { .. }) && judged.stops_config(), "{status} {name}: {judged}");
        }
    }

    #[test]
    fn a_bad_request_is_about_the_object_once_the_key_has_worked() {
        for (status, name) in
            [(400, "error_bad_request.xml"), (400, "error_entity.xml"), (403, "error_bad_request.xml")]
        {
            let judged = org(answer(status, fixture(name)), true).unwrap_err();
            assert!(matches!(judged, Error::Refused { .. }) && !judged.stops_config(), "{status} {name}: {judged}");
        }
    }

    #[test]
    fn a_refusal_repeats_what_arin_says() {
        insta::assert_snapshot!(verdict(400, "error_entity.xml"), @"400 error_entity.xml: ARIN refused org EXAMPLE-1 (status 400, E_ENTITY_VALIDATION: Payload entity failed to validate.; netBlock: The range is too large.; endAddress; See the user guide.)");
    }

    #[test]
    fn what_is_no_payload_is_shown_in_part() {
        let answers = [(200, "attack_doctype.xml"), (200, "poc_role.xml"), (200, "gateway_not_found.html")];
        insta::assert_snapshot!(answers.map(|(status, name)| verdict(status, name)).join("\n"), @r#"
        200 attack_doctype.xml: the answer to org EXAMPLE-1 is not a readable `org` payload: <!DOCTYPE org [ <!ENTITY a "EXAMPLE"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"> <!ENTITY file SYSTEM "file:///etc/hostname"> ]> <org xmlns="http://www.arin.net/regrws...
        200 poc_role.xml: the answer to org EXAMPLE-1 is not a readable `org` payload: <poc xmlns="http://www.arin.net/regrws/core/v1"><contactType></contactType><companyName></companyName><lastName></lastName><emails/><phones/><handle></handle></poc>
        200 gateway_not_found.html: the answer to org EXAMPLE-1 is not a readable `org` payload: <html> <head><title>404 Not Found</title></head> <body><center><h1>404 Not Found</h1></center></body> </html>
        "#);
    }

    #[test]
    fn nobodys_name_mail_or_telephone_is_shown() {
        let operation = Operation::Poc(PocHandle::new("EXADM-ARIN").unwrap());
        let broken = String::from_utf8(fixture("poc_person.xml")).unwrap().replace("</poc>", "</pod>");
        let error = judge(&operation, answer(200, broken.into_bytes()), true, convert::poc).unwrap_err();
        insta::assert_snapshot!(error, @r#"the answer to poc EXADM-ARIN is not a readable `poc` payload: <poc xmlns="http://www.arin.net/regrws/core/v1"><contactType></contactType><companyName></companyName><firstName></firstName><middleName/><lastName></lastName><emails><email></email><email></email></e..."#);
    }
}
