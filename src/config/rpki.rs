//! The settings of RPKI: `[rpki]`. What they name becomes a source beside those of `[[irr.source]]`.

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

use super::{
    duration,
    http_url::{HttpUrl, UnfitUrl, describe},
    irr::IrrSource,
};

/// `[rpki]`
#[derive(Debug, Clone, Deserialize)]
pub struct Rpki {
    /// Where a validator's list of VRPs is; none are known without it.
    #[serde(deserialize_with = "unless_empty")]
    pub vrps: Option<VrpsUrl>,
    /// How often it is looked at.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// Share (0 to 1) of the VRPs that a list may lack of those that are there.
    pub max_shrink: f64,
    /// For how long a list counts after it was made.
    #[serde(with = "duration")]
    pub max_age: Duration,
}

/// The place of a list of VRPs: an `http` or `https` URL as [`HttpUrl`] takes it, or `file:///` and an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VrpsUrl(Url);

impl Rpki {
    /// Returns the source that the list of VRPs is.
    #[must_use]
    pub fn source(&self) -> Option<IrrSource> {
        IrrSource::of_vrps(self.vrps.as_ref()?.0.clone(), self.interval, self.max_shrink, self.max_age)
    }
}

impl VrpsUrl {
    /// Returns whether it ends where a file would have to be named.
    pub(super) fn names_no_file(&self) -> bool {
        self.0.path().ends_with('/')
    }
}

impl FromStr for VrpsUrl {
    type Err = UnfitUrl;

    fn from_str(text: &str) -> Result<Self, UnfitUrl> {
        if !text.starts_with("file:///") {
            return text.parse().map(|url: HttpUrl| Self(url.as_url().clone()));
        }
        if text.contains('@') {
            return Err(UnfitUrl::Credentials);
        }
        let url = Url::parse(text).map_err(|_| UnfitUrl::NotHttp)?;
        if url.query().is_some() || url.fragment().is_some() { Err(UnfitUrl::Query) } else { Ok(Self(url)) }
    }
}

fn unless_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Option<VrpsUrl>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|unfit| D::Error::custom(describe(&text, unfit)))
}
