//! What tells one version of a file from another, in the words of the server.

use jiff::Timestamp;
use reqwest::{
    RequestBuilder,
    header::{ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use serde::{Deserialize, Serialize};

/// The longest of these words that is kept; a longer one is of no use to anyone.
const LONGEST: usize = 512;

/// The validators of a file (RFC 9110, 8.8). None of them is there for files that do not come over HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// Its `ETag`, quotation marks and all.
    pub etag: Option<String>,
    /// Its `Last-Modified`, as it was written.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Returns whether there is nothing to ask by.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    /// Returns when the file was last changed, if its server says so.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        let at = httpdate::parse_http_date(self.last_modified.as_deref()?).ok()?;
        at.try_into().ok()
    }

    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().filter(|text| text.len() <= LONGEST);
        Self { etag: text(ETAG).map(str::to_owned), last_modified: text(LAST_MODIFIED).map(str::to_owned) }
    }

    /// Asks for the file only if it is another one.
    pub(super) fn condition(&self, request: RequestBuilder) -> RequestBuilder {
        let known = [(IF_NONE_MATCH, &self.etag), (IF_MODIFIED_SINCE, &self.last_modified)];
        let known = known.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        known.fold(request, |request, (name, value)| request.header(name, value))
    }
}
