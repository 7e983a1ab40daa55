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
    xml::{self, Element, Malformed},
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

fn shortened(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
