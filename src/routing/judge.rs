//! Judges a prefix: pure.
//!
//! | verdict | when | level |
//! |---|---|---|
//! | `stale` | something that is needed is too old, or a dump of it was refused | warning |
//! | `unknown` | something that is needed was never read, or nobody has said who announces the prefix | none |
//! | `unclaimed-space` | NetBox does not have the range | warning |
//! | `unexpected` | there are objects, and by its status or its VRF nothing of the prefix is announced | info |
//! | `wrong-origin` | there are objects, none with an expected origin | danger |
//! | `missing` | an expected origin has no object, also not of a wider range | danger |
//! | `other-origin` | another origin, too | warning; danger if it is in a source that counts |
//! | `elsewhere` | an expected origin has its object only where it does not count | warning |
//! | `covered` | no object, but one of a wider range with the right origin | info |
//! | `not-announced` | no object, and it is announced with what is around it | none |
//! | `ok` | else | ok |
//!
//! The first that holds is the verdict. An announcement that RPKI says is invalid (RFC 6811) is a danger whatever the
//! verdict; one without a VRP could be better. A range that is not registered has to be put right.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::Timestamp;

use super::{
    claims::{Claims, RouteObject},
    expected::Expected,
    health::{Found, Health, Level, Registration, RpkiState, Verdict},
};
use crate::{
    irr::roa::{Validity, Vrps},
    model::{Asn, SourceName},
};

/// What is judged.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Subject<'a> {
    pub range: IpNet,
    /// Says that NetBox has it, as a prefix or as an aggregate.
    pub is_planned: bool,
    /// Says that by its status or its VRF in NetBox nothing of it is announced.
    pub is_idle: bool,
    pub expected: &'a Expected,
    /// The sources that count; all do if there are none.
    pub counting: &'a BTreeSet<SourceName>,
    pub registration: Registration,
}

/// What it is judged by.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Evidence<'a> {
    pub claims: &'a Claims,
    /// All sources that are asked, and whether what is known of each may be judged by.
    pub sources: &'a [(SourceName, Freshness)],
    /// The VRPs, if any are to be asked.
    pub vrps: Option<(&'a Vrps, Freshness)>,
}

/// Whether something may be judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It may.
    Fresh,
    /// It was read too long ago.
    Old(Timestamp),
    /// What came of it was refused as it had too little.
    Refused,
    /// It was never read.
    Never,
}

/// Judges a range.
#[must_use]
pub fn judge(subject: &Subject<'_>, evidence: &Evidence<'_>) -> Health {
    let judging = Judging::new(subject, evidence);
    let (verdict, level) = judging.verdict();
    let rpki = judging.rpki();
    let level = level.max(of_rpki(rpki)).max(of_registration(subject));
    let advice = judging.advice(verdict, rpki);
    Health { verdict, level, rpki, registration: subject.registration, found: judging.found(), advice }
}

/// Returns what the VRPs say of a prefix with these origins: the worst of it.
pub(super) fn rpki_state(
    vrps: Option<(&Vrps, Freshness)>,
    range: &IpNet,
    origins: impl IntoIterator<Item = Asn>,
) -> RpkiState {
    let vrps = match vrps {
        Some((vrps, Freshness::Fresh)) => vrps,
        Some((_, Freshness::Old(_) | Freshness::Refused)) => return RpkiState::Stale,
        Some((_, Freshness::Never)) | None => return RpkiState::Unknown,
    };
    let states = origins.into_iter().map(|origin| match vrps.validity(range, origin) {
        Validity::Valid => RpkiState::Valid,
        Validity::NotFound => RpkiState::NotFound,
        Validity::InvalidLength => RpkiState::InvalidLength,
        Validity::InvalidOrigin => RpkiState::InvalidOrigin,
        Validity::InvalidBoth => RpkiState::InvalidBoth,
    });
    states.max().unwrap_or(RpkiState::NoOrigin)
}

fn of_rpki(rpki: RpkiState) -> Level {
    match rpki {
        RpkiState::InvalidLength | RpkiState::InvalidOrigin | RpkiState::InvalidBoth => Level::Danger,
        RpkiState::Stale => Level::Warning,
        RpkiState::NotFound => Level::Info,
        RpkiState::Valid | RpkiState::NoOrigin | RpkiState::Unknown => Level::None,
    }
}

fn of_registration(subject: &Subject<'_>) -> Level {
    match subject.registration {
        Registration::NotFound if subject.is_planned && !subject.is_idle => Level::Warning,
        Registration::NotFound | Registration::Registered | Registration::Unknown => Level::None,
    }
}

/// What is known of a range, put together.
struct Judging<'a> {
    subject: &'a Subject<'a>,
    evidence: &'a Evidence<'a>,
    /// The objects of exactly the range, by their origins.
    exact: BTreeMap<Asn, Vec<&'a RouteObject>>,
    /// An object of a wider range for each expected origin that has one.
    covering: BTreeMap<Asn, &'a RouteObject>,
}

impl<'a> Judging<'a> {
    fn new(subject: &'a Subject<'a>, evidence: &'a Evidence<'a>) -> Self {
        let mut exact: BTreeMap<Asn, Vec<&RouteObject>> = BTreeMap::new();
        for object in evidence.claims.exact(&subject.range) {
            exact.entry(object.origin).or_default().push(object);
        }
        let mut covering = BTreeMap::new();
        for object in evidence.claims.covering(&subject.range) {
            if subject.expected.origins.contains(&object.origin) {
                covering.entry(object.origin).or_insert(object);
            }
        }
        Self { subject, evidence, exact, covering }
    }

    fn verdict(&self) -> (Verdict, Level) {
        let Subject { is_planned, is_idle, expected, .. } = *self.subject;
        let witness = |fits: fn(Freshness) -> bool| self.witness(fits).is_some();
        if witness(|freshness| matches!(freshness, Freshness::Old(_) | Freshness::Refused)) {
            return (Verdict::Stale, Level::Warning);
        }
        if self.evidence.sources.is_empty() || witness(|freshness| freshness == Freshness::Never) {
            return (Verdict::Unknown, Level::None);
        }
        if !is_planned {
            return (Verdict::UnclaimedSpace, Level::Warning);
        }
        if is_idle && expected.origins.is_empty() {
            let nothing = (Verdict::NotAnnounced, Level::None);
            return if self.exact.is_empty() { nothing } else { (Verdict::Unexpected, Level::Info) };
        }
        if expected.origins.is_empty() {
            return (Verdict::Unknown, Level::None);
        }
        let is_right = |origin: &Asn| expected.origins.contains(origin);
        if self.exact.is_empty() {
            let all_covered = expected.origins.iter().all(|origin| self.covering.contains_key(origin));
            return match (all_covered, expected.by_itself) {
                (true, _) => (Verdict::Covered, Level::Info),
                (false, true) => (Verdict::Missing, Level::Danger),
                (false, false) => (Verdict::NotAnnounced, Level::None),
            };
        }
        if !self.exact.keys().any(is_right) {
            return (Verdict::WrongOrigin, Level::Danger);
        }
        if expected.by_itself && self.missing().next().is_some() {
            return (Verdict::Missing, Level::Danger);
        }
        let mut others = self.exact.iter().filter(|(origin, _)| !is_right(origin)).map(|(_, objects)| objects);
        if let Some(first) = others.next() {
            let is_counting = |objects: &Vec<&RouteObject>| objects.iter().any(|object| self.counts(object));
            let in_one_that_counts = is_counting(first) || others.any(is_counting);
            return (Verdict::OtherOrigin, if in_one_that_counts { Level::Danger } else { Level::Warning });
        }
        match self.elsewhere().next() {
            Some(_) => (Verdict::Elsewhere, Level::Warning),
            None => (Verdict::Ok, Level::Ok),
        }
    }

    /// Returns the expected origins that have no object, also not of a wider range.
    fn missing(&self) -> impl Iterator<Item = Asn> {
        let all = self.subject.expected.origins.iter().copied();
        all.filter(|origin| !self.exact.contains_key(origin) && !self.covering.contains_key(origin))
    }

    /// Returns the expected origins that have objects only where they do not count.
    fn elsewhere(&self) -> impl Iterator<Item = Asn> {
        let expected = self.exact.iter().filter(|(origin, _)| self.subject.expected.origins.contains(origin));
        expected.filter(|(_, objects)| !objects.iter().any(|object| self.counts(object))).map(|(origin, _)| *origin)
    }

    fn counts(&self, object: &RouteObject) -> bool {
        self.subject.counting.is_empty() || self.subject.counting.contains(&object.source)
    }

    /// Returns what something of this freshness is called.
    fn witness(&self, fits: fn(Freshness) -> bool) -> Option<(String, Freshness)> {
        let mut sources = self.evidence.sources.iter().map(|(name, freshness)| (name.to_string(), *freshness));
        let vrps = || self.evidence.vrps.map(|(_, freshness)| ("the list of VRPs".to_owned(), freshness));
        sources.find(|(_, freshness)| fits(*freshness)).or_else(|| vrps().filter(|(_, freshness)| fits(*freshness)))
    }

    /// Returns what RPKI says of what is announced: of the prefix itself with the expected origins, or else of the objects
    /// that there are. What is a part of something wider is not announced.
    fn rpki(&self) -> RpkiState {
        let Subject { range, expected, .. } = self.subject;
        let origins: BTreeSet<Asn> =
            if expected.by_itself { expected.origins.clone() } else { self.exact.keys().copied().collect() };
        rpki_state(self.evidence.vrps, range, origins)
    }

    fn found(&self) -> Vec<Found> {
        let sources = |objects: &[&RouteObject]| objects.iter().map(|object| object.source.clone()).collect();
        self.exact.iter().map(|(origin, objects)| Found { origin: *origin, sources: sources(objects) }).collect()
    }

    /// Says the next step: what keeps from judging first, then what is a danger, then all else.
    fn advice(&self, verdict: Verdict, rpki: RpkiState) -> String {
        let range = self.subject.range;
        let invalid = rpki.is_invalid().then(|| self.about_invalid(rpki));
        let unregistered = (of_registration(self.subject) == Level::Warning)
            .then(|| format!("Register {range} at the RIR: no recorded network has it or is around it."));
        let about = self.about(verdict);
        let told = match verdict {
            Verdict::Stale => about,
            Verdict::Missing | Verdict::WrongOrigin => about,
            Verdict::OtherOrigin
            | Verdict::Elsewhere
            | Verdict::UnclaimedSpace
            | Verdict::Unexpected
            | Verdict::Unknown => invalid.or(about).or(unregistered),
            Verdict::Covered | Verdict::NotAnnounced | Verdict::Ok => invalid
                .or(unregistered)
                .or(about)
                .or_else(|| (rpki == RpkiState::NotFound).then(|| self.about_no_vrp())),
        };
        told.unwrap_or_default()
    }

    fn about(&self, verdict: Verdict) -> Option<String> {
        let Subject { range, expected, .. } = self.subject;
        let place = self.place();
        match verdict {
            Verdict::Ok | Verdict::NotAnnounced => None,
            Verdict::Stale => {
                let (name, freshness) =
                    self.witness(|freshness| matches!(freshness, Freshness::Old(_) | Freshness::Refused))?;
                let why = if let Freshness::Old(read) = freshness {
                    format!("{name} was last read at {read:.0}")
                } else {
                    format!("what was last read of {name} had too little in it, and was refused")
                };
                Some(format!("Nothing is judged: {why}. `rir-sidecar irr status` says what to do."))
            }
            Verdict::Unknown => Some(match self.witness(|freshness| freshness == Freshness::Never) {
                Some((name, _)) => {
                    format!("Nothing is judged: {name} was not read yet. `rir-sidecar irr status` says why.")
                }
                None if self.evidence.sources.is_empty() => {
                    "Nothing is judged: no source of routes is set ([[irr.source]]).".to_owned()
                }
                None => format!(
                    "Say in NetBox which AS announces {range}: in its field `origin_asns`, or in that of what is around it."
                ),
            }),
            Verdict::Missing => {
                let origins = self.missing().map(|origin| origin.to_string()).collect::<Vec<_>>().join(" and ");
                Some(format!("Make a {} object for {range} with origin {origins}{place}.", class(range)))
            }
            Verdict::Covered => {
                let wider = self.covering.values().next()?;
                let add = if expected.by_itself {
                    format!("; make one for {range} if it is to be accepted by itself")
                } else {
                    String::new()
                };
                Some(format!("Only {} has a {} object, in {}{add}.", wider.prefix, class(range), wider.source))
            }
            Verdict::Elsewhere => {
                let origin = self.elsewhere().next()?;
                let sources = self.found().into_iter().find(|found| found.origin == origin)?;
                Some(format!(
                    "Make the {} object for {range} with origin {origin}{place}: so far only {} has it.",
                    class(range),
                    sources.sources.iter().map(SourceName::as_str).collect::<Vec<_>>().join(" and ")
                ))
            }
            Verdict::OtherOrigin => self.about_other(),
            Verdict::WrongOrigin => {
                let make = self.subject.expected.origins.iter().map(Asn::to_string).collect::<Vec<_>>().join(" and ");
                let other = self.about_other()?;
                Some(format!("Make a {} object for {range} with origin {make}{place}. {other}", class(range)))
            }
            Verdict::UnclaimedSpace => {
                let object = self.exact.values().flatten().next()?;
                Some(format!(
                    "Add {range} to NetBox, or have {} in {} deleted{}.",
                    object.key(),
                    object.source,
                    by(object)
                ))
            }
            Verdict::Unexpected => {
                let object = self.exact.values().flatten().next()?;
                let what = format!("have {} in {} deleted{}", object.key(), object.source, by(object));
                Some(format!(
                    "By its status or its VRF nothing of {range} is announced: correct that in NetBox, or {what}."
                ))
            }
        }
    }

    /// Says what to do about an object of an origin that is not expected: first of those that count.
    fn about_other(&self) -> Option<String> {
        let is_other = |object: &&&RouteObject| !self.subject.expected.origins.contains(&object.origin);
        let others = || self.exact.values().flatten().filter(is_other);
        let object = others().find(|object| self.counts(object)).or_else(|| others().next())?;
        Some(format!(
            "Have {} in {} deleted{}, or add {} to the expected origins.",
            object.key(),
            object.source,
            by(object),
            object.origin
        ))
    }

    fn about_invalid(&self, rpki: RpkiState) -> String {
        let range = self.subject.range;
        if rpki == RpkiState::InvalidLength {
            format!("Correct the ROA: by its maximal length {range} is too long, and others drop it.")
        } else {
            format!("Correct the ROA: it gives {range} to another AS, and others drop what is announced.")
        }
    }

    fn about_no_vrp(&self) -> String {
        format!("Make a ROA for {}: there is none yet.", self.subject.range)
    }

    /// Says in which source an object has to be.
    fn place(&self) -> String {
        self.subject.counting.iter().next().map(|source| format!(" in {source}")).unwrap_or_default()
    }
}

/// Returns the class of a route object for a range.
const fn class(range: &IpNet) -> &'static str {
    match range {
        IpNet::V4(_) => "route",
        IpNet::V6(_) => "route6",
    }
}

/// Says who may delete an object.
fn by(object: &RouteObject) -> String {
    if object.maintainers.is_empty() { String::new() } else { format!(" by {}", object.maintainers.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{irr::roa::Vrp, routing::expected::Expectation};

    const OURS: &str = "192.0.2.0/24";

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn source(name: &str) -> SourceName {
        name.parse().unwrap()
    }

    fn asns(numbers: &[u32]) -> BTreeSet<Asn> {
        numbers.iter().copied().map(Asn).collect()
    }

    /// A world with ARIN, which counts, and RADB, and a prefix that AS64496 announces.
    struct World {
        objects: Vec<RouteObject>,
        sources: Vec<(SourceName, Freshness)>,
        vrps: Option<(Vec<Vrp>, Freshness)>,
        expected: Expected,
        is_planned: bool,
        is_idle: bool,
        registration: Registration,
        range: IpNet,
    }

    fn world() -> World {
        let fresh = |name| (source(name), Freshness::Fresh);
        World {
            objects: Vec::new(),
            sources: vec![fresh("ARIN"), fresh("RADB")],
            vrps: None,
            expected: Expected { origins: asns(&[64496]), by: Some(Expectation::Itself), by_itself: true },
            is_planned: true,
            is_idle: false,
            registration: Registration::Registered,
            range: net(OURS),
        }
    }

    impl World {
        /// Adds an object of this prefix, origin and source.
        fn with(mut self, prefix: &str, origin: u32, name: &str) -> Self {
            let maintainers = vec![format!("MAINT-{origin}")];
            let (prefix, origin, source) = (net(prefix), Asn(origin), source(name));
            self.objects.push(RouteObject { prefix, origin, source, maintainers, last_modified: String::new() });
            self
        }

        fn expecting(mut self, origins: &[u32], by_itself: bool) -> Self {
            self.expected = Expected { origins: asns(origins), by: None, by_itself };
            self
        }

        fn validated(mut self, prefix: &str, max_length: u8, origin: u32) -> Self {
            let vrp = Vrp { prefix: net(prefix), max_length, origin: Asn(origin) };
            self.vrps = Some((vec![vrp], Freshness::Fresh));
            self
        }

        fn health(&self) -> Health {
            let claims: Claims = self.objects.iter().cloned().collect();
            let counting = [source("ARIN")].into();
            let vrps: Option<(Vrps, Freshness)> =
                self.vrps.as_ref().map(|(vrps, freshness)| (vrps.iter().copied().collect(), *freshness));
            let subject = Subject {
                range: self.range,
                is_planned: self.is_planned,
                is_idle: self.is_idle,
                expected: &self.expected,
                counting: &counting,
                registration: self.registration,
            };
            let vrps = vrps.as_ref().map(|(vrps, freshness)| (vrps, *freshness));
            judge(&subject, &Evidence { claims: &claims, sources: &self.sources, vrps })
        }

        /// Returns the verdict, its level and the advice.
        fn told(&self) -> String {
            let Health { verdict, level, advice, .. } = self.health();
            format!("{verdict} ({level}) {advice}")
        }

        fn rpki(&self) -> RpkiState {
            self.health().rpki
        }
    }

    #[test]
    fn what_is_there_as_expected_is_ok() {
        let world = world().with(OURS, 64496, "ARIN").with(OURS, 64496, "RADB");
        assert_eq!(world.told(), "ok (ok) ");
        let found: Vec<String> = world.health().found.iter().map(Found::to_string).collect();
        assert_eq!(found, ["AS64496 in ARIN, RADB"]);
    }

    #[test]
    fn what_has_no_object_is_missing_or_covered() {
        assert_eq!(
            world().told(),
            "missing (danger) Make a route object for 192.0.2.0/24 with origin AS64496 in ARIN."
        );
        let covered = world().with("192.0.0.0/16", 64496, "RADB").with("192.0.2.0/25", 64496, "ARIN");
        assert_eq!(
            covered.told(),
            "covered (info) Only 192.0.0.0/16 has a route object, in RADB; make one for 192.0.2.0/24 if it is to be \
             accepted by itself."
        );
        let by_another = world().with("192.0.0.0/16", 64499, "RADB");
        assert_eq!(by_another.health().verdict, Verdict::Missing);
        let one_of_two = world().expecting(&[64496, 64497], true).with(OURS, 64496, "ARIN");
        assert_eq!(
            one_of_two.told(),
            "missing (danger) Make a route object for 192.0.2.0/24 with origin AS64497 in ARIN."
        );
        let other_covered = one_of_two.with("192.0.0.0/16", 64497, "ARIN");
        assert_eq!(other_covered.health().verdict, Verdict::Ok);
    }

    #[test]
    fn an_object_counts_only_in_the_sources_that_do() {
        assert_eq!(
            world().with(OURS, 64496, "RADB").told(),
            "elsewhere (warning) Make the route object for 192.0.2.0/24 with origin AS64496 in ARIN: so far only RADB has it."
        );
    }

    #[test]
    fn other_origins_are_told() {
        let stale_proxy = world().with(OURS, 64496, "ARIN").with(OURS, 64511, "RADB");
        assert_eq!(
            stale_proxy.told(),
            "other-origin (warning) Have 192.0.2.0/24AS64511 in RADB deleted by MAINT-64511, or add AS64511 to the \
             expected origins."
        );
        let worse = stale_proxy.with(OURS, 64510, "ARIN");
        assert_eq!(
            worse.told(),
            "other-origin (danger) Have 192.0.2.0/24AS64510 in ARIN deleted by MAINT-64510, or add AS64510 to the \
             expected origins."
        );
        assert_eq!(
            world().with(OURS, 64511, "RADB").with("192.0.0.0/16", 64496, "ARIN").told(),
            "wrong-origin (danger) Make a route object for 192.0.2.0/24 with origin AS64496 in ARIN. Have \
             192.0.2.0/24AS64511 in RADB deleted by MAINT-64511, or add AS64511 to the expected origins."
        );
    }

    #[test]
    fn a_part_of_what_is_announced_needs_nothing() {
        let part = || world().expecting(&[64496], false);
        assert_eq!(part().told(), "not-announced (none) ");
        assert_eq!(
            part().with("192.0.0.0/16", 64496, "ARIN").told(),
            "covered (info) Only 192.0.0.0/16 has a route object, in ARIN."
        );
        assert_eq!(part().with(OURS, 64496, "ARIN").told(), "ok (ok) ");
        assert_eq!(part().with(OURS, 64511, "RADB").health().verdict, Verdict::WrongOrigin);
        let one_of_two = world().expecting(&[64496, 64497], false).with(OURS, 64496, "ARIN");
        assert_eq!(one_of_two.health().verdict, Verdict::Ok, "it is announced by one of them");
    }

    #[test]
    fn without_an_expectation_nothing_is_said_but_of_what_nobody_announces() {
        let unknown = || world().expecting(&[], false).with(OURS, 64496, "ARIN");
        assert_eq!(
            unknown().told(),
            "unknown (none) Say in NetBox which AS announces 192.0.2.0/24: in its field `origin_asns`, or in that of \
             what is around it."
        );
        assert_eq!(
            World { is_idle: true, ..unknown() }.told(),
            "unexpected (info) By its status or its VRF nothing of 192.0.2.0/24 is announced: correct that in NetBox, or have \
             192.0.2.0/24AS64496 in ARIN deleted by MAINT-64496."
        );
        let idle = World { is_idle: true, objects: Vec::new(), ..unknown() };
        assert_eq!(idle.told(), "not-announced (none) ");
    }

    #[test]
    fn space_that_somebody_claims_and_netbox_does_not_have_is_told() {
        let world = World { is_planned: false, ..world().with(OURS, 64511, "RADB") };
        assert_eq!(
            world.told(),
            "unclaimed-space (warning) Add 192.0.2.0/24 to NetBox, or have 192.0.2.0/24AS64511 in RADB deleted by \
             MAINT-64511."
        );
    }

    #[test]
    fn nothing_is_judged_by_what_is_old_refused_or_was_never_read() {
        let at = "2026-11-01T10:00:00Z".parse().unwrap();
        let fresh = |name| (source(name), Freshness::Fresh);
        for place in 0..2 {
            let told = |freshness, world: World| {
                let mut sources = vec![fresh("ARIN"), fresh("RADB")];
                sources[place].1 = freshness;
                World { sources, ..world }.health().verdict
            };
            for objects in [world(), world().with(OURS, 64496, "ARIN")] {
                assert_eq!(
                    told(Freshness::Old(at), World { objects: objects.objects.clone(), ..world() }),
                    Verdict::Stale
                );
                assert_eq!(
                    told(Freshness::Refused, World { objects: objects.objects.clone(), ..world() }),
                    Verdict::Stale
                );
                assert_eq!(told(Freshness::Never, objects), Verdict::Unknown);
            }
        }
        let old = World { sources: vec![fresh("ARIN"), (source("RADB"), Freshness::Old(at))], ..world() };
        assert_eq!(
            old.told(),
            "stale (warning) Nothing is judged: RADB was last read at 2026-11-01T10:00:00Z. `rir-sidecar irr status` \
             says what to do."
        );
        let refused = World { vrps: Some((Vec::new(), Freshness::Refused)), ..world().with(OURS, 64496, "ARIN") };
        assert_eq!((refused.health().verdict, refused.rpki()), (Verdict::Stale, RpkiState::Stale));
        let none = World { sources: Vec::new(), ..world() };
        assert_eq!(none.told(), "unknown (none) Nothing is judged: no source of routes is set ([[irr.source]]).");
    }

    #[test]
    fn what_rpki_says_is_invalid_is_a_danger_whatever_else_holds() {
        let ok = || world().with(OURS, 64496, "ARIN");
        assert_eq!(ok().validated(OURS, 24, 64496).told(), "ok (ok) ");
        assert_eq!(
            ok().validated("192.0.0.0/16", 16, 64496).told(),
            "ok (danger) Correct the ROA: by its maximal length 192.0.2.0/24 is too long, and others drop it."
        );
        assert_eq!(
            ok().validated(OURS, 24, 64511).told(),
            "ok (danger) Correct the ROA: it gives 192.0.2.0/24 to another AS, and others drop what is announced."
        );
        assert_eq!(
            ok().validated("198.51.100.0/24", 24, 64496).told(),
            "ok (info) Make a ROA for 192.0.2.0/24: there is none yet."
        );
        let part = world().expecting(&[64496], false).validated("192.0.0.0/16", 16, 64496);
        assert_eq!((part.rpki(), part.health().level), (RpkiState::NoOrigin, Level::None), "it is not announced");
    }

    #[test]
    fn what_is_not_registered_has_to_be_put_right() {
        let unregistered = World { registration: Registration::NotFound, ..world().with(OURS, 64496, "ARIN") };
        assert_eq!(
            unregistered.told(),
            "ok (warning) Register 192.0.2.0/24 at the RIR: no recorded network has it or is around it."
        );
        let idle = World { is_idle: true, ..unregistered.expecting(&[], false) };
        assert_ne!(idle.health().level, Level::Warning);
    }
}
