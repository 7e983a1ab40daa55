//! The types of media that requests have and want.

use axum::http::StatusCode;

use super::{
    options::ContentType,
    reply::{Code, Reply},
    requests::Request,
};

const XML: &str = "application/xml";

/// Refuses a request of another type, or one that wants an answer of another type.
pub(super) fn accept(request: &Request, needed: ContentType) -> Result<(), Reply> {
    let has_body = matches!(request.method.as_str(), "PUT" | "POST");
    let needs_type = has_body || needed == ContentType::Always;
    if needs_type && request.content_type.as_deref().is_none_or(|sent| essence(sent) != XML) {
        let message = "The Content-Type has to be application/xml.";
        return Err(Reply::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, message));
    }
    let wanted = |accept: &str| accept.split(',').any(|one| [XML, "application/*", "*/*"].contains(&&*essence(one)));
    if request.accept.as_deref().is_some_and(|accept| !wanted(accept)) {
        let message = "Answers are application/xml only.";
        return Err(Reply::error(StatusCode::NOT_ACCEPTABLE, Code::NotAcceptable, message));
    }
    Ok(())
}

/// A type of media without its parameters.
fn essence(media: &str) -> String {
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
