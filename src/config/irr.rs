//! The settings of routing registries: `[irr]` and a table for each source.

use std::{collections::BTreeSet, fmt, path::PathBuf, str::FromStr, time::Duration};

use ipnet::IpNet;
use serde::{
    Deserialize, Deserializer,
    de::{Error, value::StringDeserializer},
};
use url::Url;

use super::{duration, problem::Problem};
use crate::model::{RpslClass, SourceName};

/// The interval of a source that has none.
const USUAL_INTERVAL: Duration = Duration::from_secs(300);
/// The shortest interval.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest and usual interval of a source over NRTMv4 (RFC 10063: no more than once a minute).
const SHORTEST_NRTM4: Duration = Duration::from_secs(60);
/// The interval of a source that is asked and has none: its server serves others, too.
const USUAL_QUERY: Duration = Duration::from_secs(15 * 60);
/// The shortest interval of a source that is asked.
const SHORTEST_QUERY: Duration = Duration::from_secs(60);
/// The longest interval: a registry that is looked at less often is not mirrored.
const LONGEST_INTERVAL: Duration = Duration::from_secs(7 * 24 * 3600);
/// The most changes that a journal may keep. In Redis each takes about 200 bytes.
const MOST_KEPT: u64 = 10_000_000;
/// The changes that the journal of a source keeps that says nothing of it.
const USUAL_JOURNAL: u64 = 100_000;

/// What the list of VRPs is called as a source, as an IRRd calls it.
const RPKI: &str = "RPKI";

/// `[irr]`
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Irr {
    /// The ranges that are the operator's own; none stands for all aggregates of RIRs that are not private.
    #[serde(default)]
    pub own_space: Vec<IpNet>,
    /// The sources.
    #[serde(default)]
    pub source: Vec<IrrSource>,
}

/// `[[irr.source]]`
#[derive(Debug, Clone, Deserialize)]
pub struct IrrSource {
    /// What its registry calls it.
    pub name: SourceName,
    /// Where its objects come from.
    #[serde(default, deserialize_with = "written_kind")]
    pub kind: SourceKind,
    /// Where its dump is; several files are one dump together.
    #[serde(default)]
    pub dumps: Vec<Url>,
    /// Where the serial of the dump is.
    #[serde(default)]
    pub serial_url: Option<Url>,
    /// The server that tells its changes over NRTM.
    #[serde(default)]
    pub nrtm: Option<HostAndPort>,
    /// The version of NRTM that is asked for.
    #[serde(default)]
    nrtm_version: Option<NrtmVersion>,
    /// Where its update notification file is (NRTMv4).
    #[serde(default)]
    pub index: Option<Url>,
    /// File with the public key that the update notification file is signed with.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// The whois server that is asked, where the source is not mirrored.
    #[serde(default)]
    pub server: Option<HostAndPort>,
    #[serde(default, deserialize_with = "optional_duration")]
    interval: Option<Duration>,
    /// The classes that are mirrored; all if there are none.
    #[serde(default)]
    pub classes: BTreeSet<RpslClass>,
    #[serde(default)]
    journal_keep: Option<u64>,
    #[serde(default)]
    max_shrink: Option<f64>,
    /// For how long a list of VRPs counts after it was made. Dumps of registries do not say when that was.
    #[serde(skip)]
    pub max_age: Option<Duration>,
}

/// Where the objects of a source come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// From another registry or a mirror of it.
    #[default]
    Mirror,
    /// From the answers of a whois server about the operator's own space.
    Query,
    /// From a validator: the list of VRPs. `[rpki]` says where it is.
    #[serde(skip_deserializing)]
    Rpki,
}

impl SourceKind {
    /// Returns what all of its objects come in.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Mirror => "dump",
            Self::Query => "answer",
            Self::Rpki => "list",
        }
    }
}

/// A version of NRTM over TCP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub enum NrtmVersion {
    /// Changes have no serials of their own: each has the one after that of the change before.
    One,
    /// Each change has its serial, and serials may be left out.
    #[default]
    Three,
}

/// A host with a port: `rr.example.net:43`, `192.0.2.1:43` or `[2001:db8::1]:43`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// The name or address, an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A source that no settings name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(name, set))]
pub struct UnknownSource {
    name: SourceName,
    set: Vec<SourceName>,
}

fn told(name: &SourceName, set: &[SourceName]) -> String {
    if set.is_empty() {
        return format!("no source is set, so there is no {name}; write a table [[irr.source]] into the settings");
    }
    let set: Vec<&str> = set.iter().map(SourceName::as_str).collect();
    format!("{name} is no source of the settings, which are: {}", set.join(", "))
}

impl Irr {
    /// Returns the settings of a source.
    #[must_use]
    pub fn named(&self, name: &SourceName) -> Option<&IrrSource> {
        self.source.iter().find(|source| source.name == *name)
    }

    /// Returns the settings of a source that somebody asks for.
    ///
    /// # Errors
    /// When there are none. The message names the sources that there are.
    pub fn known(&self, name: &SourceName) -> Result<&IrrSource, UnknownSource> {
        let set = || self.source.iter().map(|source| source.name.clone()).collect();
        self.named(name).ok_or_else(|| UnknownSource { name: name.clone(), set: set() })
    }
}

impl IrrSource {
    /// Makes the source that a list of VRPs is.
    pub(super) fn of_vrps(url: Url, interval: Duration, max_shrink: f64, max_age: Duration) -> Option<Self> {
        Some(Self {
            name: RPKI.parse().ok()?,
            kind: SourceKind::Rpki,
            dumps: vec![url],
            serial_url: None,
            nrtm: None,
            nrtm_version: None,
            server: None,
            index: None,
            key_file: None,
            interval: Some(interval),
            classes: BTreeSet::new(),
            journal_keep: None,
            max_shrink: Some(max_shrink),
            max_age: Some(max_age),
        })
    }

    /// Returns how often the source is looked at.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let usual = match self.kind {
            SourceKind::Query => USUAL_QUERY,
            SourceKind::Mirror if self.index.is_some() => SHORTEST_NRTM4,
            SourceKind::Mirror | SourceKind::Rpki => USUAL_INTERVAL,
        };
        self.interval.unwrap_or(usual)
    }

    /// Returns the version of NRTM that is asked for.
    #[must_use]
    pub fn nrtm_version(&self) -> NrtmVersion {
        self.nrtm_version.unwrap_or_default()
    }

    /// Returns how many changes the journal keeps of those that the stored dump has already.
    #[must_use]
    pub fn journal_keep(&self) -> u64 {
        self.journal_keep.unwrap_or(USUAL_JOURNAL)
    }

    /// Returns the share (0 to 1) of the objects that a dump or an answer may lack of those that are there. A whole dump seldom
    /// has many fewer; of the few objects about somebody's own space half may go at once.
    #[must_use]
    pub fn max_shrink(&self) -> f64 {
        let usual = match self.kind {
            SourceKind::Mirror | SourceKind::Rpki => 0.1,
            SourceKind::Query => 1.0,
        };
        self.max_shrink.unwrap_or(usual)
    }

    /// Returns whether objects of a class are mirrored.
    #[must_use]
    pub fn wants(&self, class: RpslClass) -> bool {
        self.classes.is_empty() || self.classes.contains(&class)
    }

    /// Returns the port and the host under which everybody may see what it asks, for logs and rows.
    #[must_use]
    pub fn upstream(&self) -> String {
        match (&self.index, self.server.as_ref().or(self.nrtm.as_ref()), self.dumps.first()) {
            (Some(index), _, _) => index.to_string(),
            (None, Some(server), _) => server.to_string(),
            (None, None, dump) => dump.map(Url::to_string).unwrap_or_default(),
        }
    }
}

/// Reads the kind of a source that somebody has written down.
fn written_kind<'de, D: Deserializer<'de>>(from: D) -> Result<SourceKind, D::Error> {
    let text = String::deserialize(from)?;
    if text == "rpki" {
        return Err(D::Error::custom(
            "`rpki` is the kind of the list of VRPs; set `vrps` in [rpki] instead of this table",
        ));
    }
    SourceKind::deserialize(StringDeserializer::new(text))
}

fn optional_duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    duration::deserialize(from).map(Some)
}

impl TryFrom<u8> for NrtmVersion {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, &'static str> {
        match number {
            1 => Ok(Self::One),
            3 => Ok(Self::Three),
            _ => Err("NRTM over TCP has the versions 1 and 3; for version 4 set `index` instead of `nrtm`"),
        }
    }
}

impl fmt::Display for NrtmVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "1",
            Self::Three => "3",
        })
    }
}

impl FromStr for HostAndPort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WRONG: &str = "is no host with a port such as `rr.example.net:43`";
        let (host, port) = text.rsplit_once(':').ok_or(WRONG)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let port = port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(WRONG)?;
        // A colon without brackets is that of an IPv6 address whose last part would be taken for a port.
        let fits = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => url::Host::parse(host).is_ok() && !host.contains([':', '/', '@']),
        };
        fits.then(|| Self { host: bare.unwrap_or(host).to_owned(), port }).ok_or(WRONG)
    }
}

impl<'de> Deserialize<'de> for HostAndPort {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|wrong| D::Error::custom(format!("`{text}` {wrong}")))
    }
}

impl fmt::Display for HostAndPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Adds a problem for each setting of a source that cannot be used, and for those that exclude each other.
pub(super) fn check(irr: &Irr, problems: &mut Vec<Problem>) {
    for range in irr.own_space.iter().filter(|range| **range != range.trunc()) {
        let remedy = format!("holds `{range}`, which has bits set behind its length; write `{}`", range.trunc());
        problems.push(Problem::new("irr.own_space".to_owned(), remedy));
    }
    let mut names = BTreeSet::new();
    for source in &irr.source {
        let at = |field: &str| format!("irr.source[{}].{field}", source.name);
        let mut refuse = |wrong: bool, field: &str, remedy: &str| {
            if wrong {
                problems.push(Problem::new(at(field), remedy.to_owned()));
            }
        };
        let remedy = "is what the list of VRPs is called; set `vrps` in [rpki] if that is meant, and remove this table";
        refuse(source.name.is(RPKI), "name", remedy);
        refuse(!names.insert(&source.name), "name", "is there twice; a source has one table");
        match source.kind {
            SourceKind::Mirror => check_mirror(source, &mut refuse),
            SourceKind::Query => check_query(source, &mut refuse),
            // `[rpki]` is checked by itself.
            SourceKind::Rpki => {}
        }
        refuse(source.interval() > LONGEST_INTERVAL, "interval", "is too long; set it to 7days or less");
        refuse(
            !(0.0..=1.0).contains(&source.max_shrink()),
            "max_shrink",
            "is a share between 0 and 1; write 0.1 for 10 %",
        );
        refuse(source.journal_keep() > MOST_KEPT, "journal_keep", "is too large; set it to 10000000 or less");
    }
}

/// Takes whether something is wrong, in which setting, and what to do about it.
type Refuse<'a> = dyn FnMut(bool, &str, &str) + 'a;

fn check_mirror(source: &IrrSource, refuse: &mut Refuse<'_>) {
    let (dumps, index) = (!source.dumps.is_empty(), source.index.is_some());
    let others = dumps || source.serial_url.is_some() || source.nrtm.is_some();
    let remedy =
        "is set together with `dumps`, `serial_url` or `nrtm`; NRTMv4 brings its own snapshots, so remove these";
    refuse(index && others, "index", remedy);
    refuse(!index && !dumps, "dumps", "is empty; list where the dump is, or set `index` for NRTMv4");
    let remedy = "is not set; name the file with the registry's public key, without which anybody could sign";
    refuse(index && source.key_file.is_none(), "key_file", remedy);
    refuse(!index && source.key_file.is_some(), "key_file", "is for NRTMv4 only; remove it, or set `index`");
    let remedy =
        "is not set, but `nrtm` goes on from the serial of the dump; set it to the registry's CURRENTSERIAL file";
    refuse(!index && source.nrtm.is_some() && source.serial_url.is_none(), "serial_url", remedy);
    let files = ["https", "http", "ftp", "file"];
    let remedy = "is no https, http, ftp or file URL without user name and password; correct it";
    refuse(!source.dumps.iter().all(|url| is_url(url, &files)), "dumps", remedy);
    refuse(!source.serial_url.iter().all(|url| is_url(url, &files)), "serial_url", remedy);
    let remedy = "is no https, http or file URL without user name and password; correct it";
    refuse(!source.index.iter().all(|url| is_url(url, &["https", "http", "file"])), "index", remedy);
    let remedy = "is for sources that are asked; remove it, or set `kind = \"query\"`";
    refuse(source.server.is_some(), "server", remedy);
    let interval = source.interval();
    refuse(interval < SHORTEST_INTERVAL, "interval", "is too short; set it to 1s or more");
    let remedy = "is too short; NRTMv4 may be asked once a minute, so set 60s or more";
    refuse(index && interval < SHORTEST_NRTM4, "interval", remedy);
}

fn check_query(source: &IrrSource, refuse: &mut Refuse<'_>) {
    let remedy = "is not set; name the whois server that is asked, such as `whois.radb.net:43`";
    refuse(source.server.is_none(), "server", remedy);
    let of_mirrors = [
        ("dumps", !source.dumps.is_empty()),
        ("serial_url", source.serial_url.is_some()),
        ("nrtm", source.nrtm.is_some()),
        ("nrtm_version", source.nrtm_version.is_some()),
        ("index", source.index.is_some()),
        ("key_file", source.key_file.is_some()),
        ("classes", !source.classes.is_empty()),
        ("journal_keep", source.journal_keep.is_some()),
    ];
    for (field, is_set) in of_mirrors {
        let remedy = "is for sources that are mirrored; remove it, or set `kind = \"mirror\"` and remove `server`";
        refuse(is_set, field, remedy);
    }
    let remedy = "is too short; a server that is asked by many may be asked once a minute, so set 60s or more";
    refuse(source.interval() < SHORTEST_QUERY, "interval", remedy);
}

fn is_url(url: &Url, schemes: &[&str]) -> bool {
    let has_place = if url.scheme() == "file" { !url.has_host() } else { url.has_host() };
    schemes.contains(&url.scheme()) && has_place && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::list;

    fn told(text: &str) -> String {
        let irr: Irr = match toml::from_str(text) {
            Ok(irr) => irr,
            Err(error) => return error.message().to_owned(),
        };
        let mut problems = Vec::new();
        check(&irr, &mut problems);
        list(&problems)
    }

    #[test]
    fn a_mirror_has_a_dump_or_an_index_and_what_belongs_to_it() {
        let fine = [
            "dumps = ['https://rr.test/a.db.gz']",
            "dumps = ['ftp://rr.test/a.db.gz', 'file:///srv/b.db']\nserial_url = 'ftp://rr.test/A.CURRENTSERIAL'\nnrtm = 'rr.test:43'",
            "index = 'https://rr.test/update-notification-file.jose'\nkey_file = '/etc/key.pem'\ninterval = '60s'",
        ];
        for settings in fine {
            assert_eq!(told(&format!("[[source]]\nname = 'A'\n{settings}")), "", "{settings}");
        }
        let wrong = [
            "",
            "kind = 'rpki'",
            "dumps = ['gopher://rr.test/a.db', 'https://ann:secret@rr.test/']\nserial_url = 'file://host/a'",
            "dumps = ['https://rr.test/a.db']\nnrtm = 'rr.test:43'\nkey_file = '/etc/key.pem'\ninterval = '100ms'",
            "dumps = ['https://rr.test/a.db']\nnrtm = '2001:db8::1:43'",
            "dumps = ['https://rr.test/a.db']\nnrtm_version = 4",
            "index = 'ftp://rr.test/a.jose'\nnrtm = 'rr.test:43'\ninterval = '59s'\nmax_shrink = 10\njournal_keep = 10000001",
            "dumps = ['https://rr.test/a.db']\nclasses = ['route', 'routes']",
            "dumps = ['https://rr.test/a.db']\n[[source]]\nname = 'rpki'\ndumps = ['https://rr.test/a.db']",
            "dumps = ['https://rr.test/a.db']\ninterval = '8days'\n[[source]]\nname = 'a'\ndumps = ['https://rr.test/a.db']",
        ];
        let all: Vec<String> = wrong.iter().map(|text| told(&format!("[[source]]\nname = 'A'\n{text}"))).collect();
        insta::assert_snapshot!(all.join("\n---\n"), @r#"
          irr.source[A].dumps: is empty; list where the dump is, or set `index` for NRTMv4
        ---
        `rpki` is the kind of the list of VRPs; set `vrps` in [rpki] instead of this table
        ---
          irr.source[A].dumps: is no https, http, ftp or file URL without user name and password; correct it
          irr.source[A].serial_url: is no https, http, ftp or file URL without user name and password; correct it
        ---
          irr.source[A].key_file: is for NRTMv4 only; remove it, or set `index`
          irr.source[A].serial_url: is not set, but `nrtm` goes on from the serial of the dump; set it to the registry's CURRENTSERIAL file
          irr.source[A].interval: is too short; set it to 1s or more
        ---
        `2001:db8::1:43` is no host with a port such as `rr.example.net:43`
        ---
        NRTM over TCP has the versions 1 and 3; for version 4 set `index` instead of `nrtm`
        ---
          irr.source[A].index: is set together with `dumps`, `serial_url` or `nrtm`; NRTMv4 brings its own snapshots, so remove these
          irr.source[A].key_file: is not set; name the file with the registry's public key, without which anybody could sign
          irr.source[A].index: is no https, http or file URL without user name and password; correct it
          irr.source[A].interval: is too short; NRTMv4 may be asked once a minute, so set 60s or more
          irr.source[A].max_shrink: is a share between 0 and 1; write 0.1 for 10 %
          irr.source[A].journal_keep: is too large; set it to 10000000 or less
        ---
        "routes" is no class of objects
        ---
          irr.source[RPKI].name: is what the list of VRPs is called; set `vrps` in [rpki] if that is meant, and remove this table
        ---
          irr.source[A].interval: is too long; set it to 7days or less
          irr.source[A].name: is there twice; a source has one table
        "#);
    }

    #[test]
    fn a_source_that_is_asked_has_a_server_and_nothing_of_a_mirror() {
        assert_eq!(told("[[source]]\nname = 'A'\nkind = 'query'\nserver = 'whois.test:43'\nmax_shrink = 0.5"), "");
        let all = [
            "kind = 'query'",
            "kind = 'query'\nserver = 'whois.test:43'\ndumps = ['https://rr.test/a.db']\nserial_url = 'https://rr.test/a'\n\
             nrtm = 'rr.test:43'\nnrtm_version = 3\nindex = 'https://rr.test/'\nkey_file = '/etc/key.pem'\n\
             classes = ['route']\njournal_keep = 5\ninterval = '59s'",
            "dumps = ['https://rr.test/a.db']\nserver = 'whois.test:43'",
            "kind = 'asked'",
        ]
        .map(|text| told(&format!("[[source]]\nname = 'A'\n{text}")));
        insta::assert_snapshot!(all.join("\n---\n"), @r#"
          irr.source[A].server: is not set; name the whois server that is asked, such as `whois.radb.net:43`
        ---
          irr.source[A].dumps: is for sources that are mirrored; remove it, or set `kind = "mirror"` and remove `server`
          irr.source[A].serial_url: is for sources that are mirrored; remove it, or set `kind = "mirror"` and remove `server`
          irr.source[A].nrtm: is for sources that are mirrored; remove it, or set `kind = "mirror"` and remove `server`
          irr.source[A].nrtm_version: is for sources that are mirrored; remove it, or set `kind = "mirror"` and remove `server`
          irr.source[A].index: is for sources that are mirrored; remove it, or set `kind = "mirror"` and remove `server`
          irr.source[A].key_file: is for sources that are mirrored; remove it, or set `kind = "mirror"` and remove `server`
          irr.source[A].classes: is for sources that are mirrored; remove it, or set `kind = "mirror"` and remove `server`
          irr.source[A].journal_keep: is for sources that are mirrored; remove it, or set `kind = "mirror"` and remove `server`
          irr.source[A].interval: is too short; a server that is asked by many may be asked once a minute, so set 60s or more
        ---
          irr.source[A].server: is for sources that are asked; remove it, or set `kind = "query"`
        ---
        unknown variant `asked`, expected `mirror` or `query`
        "#);
    }

    #[test]
    fn own_space_is_told_without_host_bits() {
        assert_eq!(told("own_space = ['192.0.2.0/24', '2001:db8::/32']"), "");
        insta::assert_snapshot!(told("own_space = ['192.0.2.1/24']"), @"  irr.own_space: holds `192.0.2.1/24`, which has bits set behind its length; write `192.0.2.0/24`");
    }

    #[test]
    fn a_server_is_a_host_with_a_port() {
        let read = |text: &str| text.parse::<HostAndPort>().map(|server| (server.to_string(), server.host));
        assert_eq!(read("[2001:db8::1]:43"), Ok(("[2001:db8::1]:43".to_owned(), "2001:db8::1".to_owned())));
        assert_eq!(read("rr.test:4444"), Ok(("rr.test:4444".to_owned(), "rr.test".to_owned())));
        for wrong in ["rr.test", "rr.test:0", "rr.test:65536", ":43", "[rr.test]:43", "a b:43", "ann@rr.test:43"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn intervals_are_those_of_the_protocol_unless_set() {
        let interval = |settings: &str| {
            let irr: Irr = toml::from_str(&format!("[[source]]\nname = 'A'\n{settings}")).unwrap();
            irr.named(&"a".parse().unwrap()).unwrap().interval().as_secs()
        };
        assert_eq!(interval(""), 300);
        assert_eq!(interval("index = 'https://rr.test/'"), 60);
        assert_eq!(interval("kind = 'query'"), 900);
        assert_eq!(interval("interval = '10m'"), 600);
    }
}
