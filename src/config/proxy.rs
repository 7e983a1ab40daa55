//! Proxies between the program and a system. None is used unless a setting says so.

use std::{collections::BTreeMap, fmt, str::FromStr};

use hyper_util::client::proxy::matcher::Matcher;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

use super::{
    http_url::{HttpUrl, UnfitUrl, describe, is_this_machine},
    problem::Problem,
};

/// The word that lets the variables of the environment hold.
const ENVIRONMENT: &str = "environment";

/// The way to a system. To this machine it is straight in any case.
#[derive(Debug, Clone, Default)]
pub enum Proxy {
    /// Straight to it.
    #[default]
    None,
    /// Through this proxy.
    At(HttpUrl),
    /// As the variables of the environment say.
    Environment(Variables),
}

/// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, in capitals or not.
#[derive(Clone, Default)]
pub struct Variables {
    /// The proxy for what is not encrypted. May hold a password.
    pub(crate) http: Option<SecretString>,
    /// The proxy for what is. May hold a password.
    pub(crate) https: Option<SecretString>,
    /// The hosts and networks that are reached without a proxy.
    pub(crate) exempt: String,
}

impl Proxy {
    /// Returns whether the way to the proxy itself may be encrypted.
    pub(crate) fn may_be_encrypted(&self) -> bool {
        match self {
            Self::None => false,
            Self::At(url) => url.as_url().scheme() == "https",
            Self::Environment(_) => true,
        }
    }

    /// Returns whether requests to this URL go through a proxy that can read them.
    pub(super) fn takes_unencrypted(&self, url: &Url) -> bool {
        let is_used = match self {
            Self::None => false,
            Self::At(_) => true,
            Self::Environment(variables) => variables.intercept(url),
        };
        is_used && url.scheme() == "http" && !is_this_machine(url)
    }

    /// Takes what the environment says, if that is to hold, and adds a problem for each variable that is no proxy.
    pub(super) fn take(&mut self, key: &str, environment: &BTreeMap<String, String>, problems: &mut Vec<Problem>) {
        let Self::Environment(variables) = self else { return };
        let set = |name: &str| {
            let value = environment.get(name).or_else(|| environment.get(&name.to_lowercase()));
            value.map(|value| value.trim()).filter(|value| !value.is_empty())
        };
        let mut proxy = |name: &'static str| {
            let (name, value) = [name, "ALL_PROXY"].into_iter().find_map(|name| Some((name, set(name)?)))?;
            let proxy = proxy_of_variable(value);
            // It is not shown, as it may hold a password.
            let remedy = format!("takes {name} from the environment, which is no http or https URL; correct it");
            let problem = Problem::new(key, remedy);
            if proxy.is_none() && !problems.contains(&problem) {
                problems.push(problem);
            }
            proxy
        };
        *variables = Variables {
            http: proxy("HTTP_PROXY"),
            https: proxy("HTTPS_PROXY"),
            exempt: set("NO_PROXY").unwrap_or_default().to_owned(),
        };
    }
}

impl Variables {
    /// Returns whether a URL that is not encrypted is reached through a proxy.
    fn intercept(&self, url: &Url) -> bool {
        let Ok(uri) = url.as_str().parse() else { return false };
        // Which proxy it is does not matter.
        let rules = Matcher::builder().http("http://proxy.invalid").no(self.exempt.as_str()).build();
        self.http.is_some() && rules.intercept(&uri).is_some()
    }
}

/// Reads a proxy as programs write it in the environment: a URL, or host and port alone.
fn proxy_of_variable(value: &str) -> Option<SecretString> {
    let text = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    Some(SecretString::from(url.to_string()))
}

impl FromStr for Proxy {
    type Err = UnfitUrl;

    fn from_str(text: &str) -> Result<Self, UnfitUrl> {
        match text {
            "" => Ok(Self::None),
            ENVIRONMENT => Ok(Self::Environment(Variables::default())),
            url => url.parse().map(Self::At),
        }
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|unfit| D::Error::custom(describe(&text, unfit)))
    }
}

/// Shows which variables are set only.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables")
            .field("http", &self.http.is_some())
            .field("https", &self.https.is_some())
            .field("exempt", &self.exempt)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn taken(variables: &[(&str, &str)]) -> (Variables, Vec<Problem>) {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (mut proxy, mut problems) = ("environment".parse::<Proxy>().unwrap(), Vec::new());
        proxy.take("netbox.proxy", &environment, &mut problems);
        let Proxy::Environment(variables) = proxy else { panic!("{proxy:?}") };
        (variables, problems)
    }

    fn https(variables: &[(&str, &str)]) -> Option<String> {
        let (variables, problems) = taken(variables);
        assert!(problems.is_empty(), "{problems:?}");
        variables.https.map(|url| url.expose_secret().to_owned())
    }

    #[test]
    fn the_variables_are_those_that_other_programs_know() {
        assert_eq!(https(&[]), None);
        assert_eq!(https(&[("HTTPS_PROXY", "")]), None);
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            for value in ["http://proxy.test:3128", "proxy.test:3128", " http://proxy.test:3128/ "] {
                assert_eq!(https(&[(name, value)]).as_deref(), Some("http://proxy.test:3128/"), "{name}={value}");
            }
        }
        let both = [("HTTPS_PROXY", "https://one.test"), ("ALL_PROXY", "http://all.test")];
        assert_eq!(https(&both).as_deref(), Some("https://one.test/"));
        let (variables, _) = taken(&[("HTTP_PROXY", "http://user:canary@one.test"), ("no_proxy", ".test")]);
        assert_eq!(variables.http.as_ref().unwrap().expose_secret(), "http://user:canary@one.test/");
        assert_eq!((variables.https.is_some(), variables.exempt.as_str()), (false, ".test"));
        assert!(!format!("{variables:?}").contains("canary"));
    }

    #[test]
    fn a_variable_that_is_no_proxy_is_named_but_not_shown() {
        let (_, problems) = taken(&[("ALL_PROXY", "socks5://user:canary@proxy.test:1080")]);
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(told.join("\n"), @"netbox.proxy: takes ALL_PROXY from the environment, which is no http or https URL; correct it");
    }

    #[test]
    fn what_is_not_encrypted_is_read_by_a_proxy_on_the_way_to_another_machine() {
        let read = |proxy: &str, url: &str| {
            let mut proxy = proxy.parse::<Proxy>().unwrap();
            let variables = [("HTTP_PROXY", "proxy.test"), ("NO_PROXY", ".svc, 10.0.0.0/8")];
            let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            proxy.take("x", &environment, &mut Vec::new());
            proxy.takes_unencrypted(&url.parse().unwrap())
        };
        assert!(read("http://proxy.test:3128", "http://netbox.test/") && read("environment", "http://netbox.test/"));
        assert!(!read("", "http://netbox.test/"));
        assert!(!read("environment", "http://netbox.svc/") && !read("environment", "http://10.0.0.7:8000/"));
        assert!(!read("http://proxy.test:3128", "https://netbox.test/"));
        assert!(!read("http://proxy.test:3128", "http://127.0.0.1:8000/"));
    }
}
