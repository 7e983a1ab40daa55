//! Whether somebody may approve a request: pure rules.
//!
//! Whether somebody may change the row of the request is for NetBox to say, which takes the approval with their token or does not.
//! What stands in NetBox may have been edited by anybody who may; so the seal of the request is looked at, too, by whoever
//! asks these rules ([`super::decisions`]).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

use super::{
    change::Verdict,
    record::{Approval, ChangeRequest},
    state::State,
};
use crate::{
    config,
    model::{NetBlock, RowId},
};

/// Somebody who decides about a request, and what is known of them.
#[derive(Debug, Clone, Copy)]
pub struct Approver<'a> {
    /// The NetBox user.
    pub name: &'a str,
    /// Says that they asked NetBox with a token of their own.
    pub with_own_token: bool,
    /// Says that they have an API key for the request's config.
    pub has_key: bool,
    /// The digest of what they saw.
    pub saw: &'a str,
}

/// Why somebody may not approve a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the names say it")]
pub enum NotApproved {
    /// Nothing may be changed at the registry.
    #[error("changes at the registry are switched off; set requests.enabled to allow them")]
    Disabled,
    /// They did not show who they are.
    #[error(
        "{person} has to approve with a NetBox token of their own (netbox.token_file), not with that of the service"
    )]
    NoOwnToken { person: String },
    /// NetBox does not let them.
    #[error("{person} needs the permission to change change request {id} in NetBox to approve it")]
    NotPermitted { id: RowId, person: String },
    /// There is nothing to approve, or not any more.
    #[error("change request {id} is {state}; only one that is waiting can be approved")]
    NotWaiting { id: RowId, state: State },
    /// They asked for it.
    #[error(
        "{person} has asked for change request {id}; somebody else has to approve it (or set requests.self_approval)"
    )]
    OwnRequest { id: RowId, person: String },
    /// It could not be sent with their key.
    #[error(
        "{person} has no API key for the RIR config {config:?}, with which it would be sent; add one to the keys file"
    )]
    NoKey { config: String, person: String },
    /// Something is missing.
    #[error("change request {id} is not complete; missing: {missing}")]
    Incomplete { id: RowId, missing: String },
    /// A check does not hold.
    #[error("change request {id} is blocked: {reasons}")]
    Blocked { id: RowId, reasons: String },
    /// It is not what they saw.
    #[error("change request {id} is not what was looked at; what would be sent now has the digest {digest}")]
    OtherDigest { id: RowId, digest: String },
}

/// Why nobody has approved a request by what they set in NetBox beforehand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the names say it")]
pub enum NotStanding {
    /// It would need somebody's approval in any case.
    #[error(transparent)]
    NotApproved(#[from] NotApproved),
    /// Nothing is approved beforehand.
    #[error("requests.auto_per_day is 0")]
    Off,
    /// Only new registrations are.
    #[error("only new registrations are approved beforehand")]
    NotNew,
    /// No network says so.
    #[error("it is not inside a network with \"Auto reassign\" set")]
    NotInside,
    /// Nobody is known to have made the change that it follows from.
    #[error("it was not asked for by whoever changed the prefix")]
    NotByChange,
    /// It could not be sent with their key.
    #[error("{person} has no API key for its RIR config")]
    NoKey { person: String },
    /// Somebody has to look at it.
    #[error("the check {0:?} did not pass")]
    NotPassed(String),
    /// There were enough today.
    #[error("{0} were approved beforehand today, as many as requests.auto_per_day allows")]
    TooMany(u32),
}

/// What decides whether a request was approved beforehand.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The ranges of the config's recorded networks with "Auto reassign" set.
    pub inside: &'a [NetBlock],
    /// Who changed the prefix that the request follows from.
    pub changed_by: Option<&'a str>,
    /// Says that they have an API key for the request's config.
    pub has_key: bool,
    /// How many were approved beforehand today.
    pub today: u32,
}

/// Returns the approval that somebody gives, if they may.
///
/// `digest` is that of what would be sent now.
///
/// # Errors
/// The first reason why they may not.
pub fn may_approve(
    request: &ChangeRequest,
    (approver, config, digest): (&Approver<'_>, &str, &str),
    settings: &config::Requests,
    now: Timestamp,
) -> Result<Approval, NotApproved> {
    let (id, person) = (request.id, approver.name.to_owned());
    if !settings.enabled {
        return Err(NotApproved::Disabled);
    }
    if !approver.with_own_token {
        return Err(NotApproved::NoOwnToken { person });
    }
    is_ready(request)?;
    if request.requested_by == approver.name && !settings.self_approval {
        return Err(NotApproved::OwnRequest { id, person });
    }
    if !approver.has_key {
        return Err(NotApproved::NoKey { config: config.to_owned(), person });
    }
    if approver.saw != digest {
        return Err(NotApproved::OtherDigest { id, digest: digest.to_owned() });
    }
    Ok(approval(approver.name, settings.expires, now))
}

/// Returns the approval that stands for a request by what is set in NetBox, if one does.
///
/// # Errors
/// The first reason why none does.
pub fn standing(
    request: &ChangeRequest,
    standing: &Standing<'_>,
    settings: &config::Requests,
    now: Timestamp,
) -> Result<Approval, NotStanding> {
    if !settings.enabled {
        return Err(NotApproved::Disabled.into());
    }
    if settings.auto_per_day == 0 {
        return Err(NotStanding::Off);
    }
    if !request.operation.creates() {
        return Err(NotStanding::NotNew);
    }
    is_ready(request)?;
    let passed = |name: &str, verdict| if verdict == Verdict::Passed { Ok(()) } else { Err(name.to_owned()) };
    let all = request.content.checks.iter().try_for_each(|check| passed(&check.name, check.verdict));
    all.map_err(NotStanding::NotPassed)?;
    if request.content.checks.is_empty() {
        return Err(NotStanding::NotPassed("none was made".to_owned()));
    }
    let is_inside = |range: &NetBlock| standing.inside.iter().any(|net| net.covers(range));
    if !request.range.as_ref().is_some_and(is_inside) {
        return Err(NotStanding::NotInside);
    }
    if standing.changed_by != Some(request.requested_by.as_str()) {
        return Err(NotStanding::NotByChange);
    }
    if !standing.has_key {
        return Err(NotStanding::NoKey { person: request.requested_by.clone() });
    }
    if standing.today >= settings.auto_per_day {
        return Err(NotStanding::TooMany(standing.today));
    }
    Ok(approval(&request.requested_by, settings.expires, now))
}

/// Returns whether the approval of a request is over.
#[must_use]
pub fn is_expired(request: &ChangeRequest, now: Timestamp) -> bool {
    request.state == State::Approved && request.approval.as_ref().is_some_and(|approval| approval.expires <= now)
}

fn is_ready(request: &ChangeRequest) -> Result<(), NotApproved> {
    let (id, content) = (request.id, &request.content);
    if request.state != State::Waiting {
        return Err(NotApproved::NotWaiting { id, state: request.state });
    }
    if content.call.is_none() || !content.missing.is_empty() {
        let missing = content.missing.iter().map(|missing| missing.what.as_str()).collect::<Vec<_>>().join(", ");
        return Err(NotApproved::Incomplete { id, missing });
    }
    if content.is_blocked() {
        let blocked = content.checks.iter().filter(|check| check.verdict == Verdict::Blocked);
        let reasons = blocked.map(|check| check.reason.as_str()).collect::<Vec<_>>().join(" ");
        return Err(NotApproved::Blocked { id, reasons });
    }
    Ok(())
}

/// Makes an approval. NetBox keeps times to the microsecond.
fn approval(by: &str, expires: Duration, now: Timestamp) -> Approval {
    let at = now.round(Unit::Microsecond).unwrap_or(now);
    let span = SignedDuration::try_from(expires).unwrap_or(SignedDuration::MAX);
    Approval { by: by.to_owned(), at, expires: at.saturating_add(span).unwrap_or(Timestamp::MAX) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::requests::{
        change::{Change, Check, Missing, NetTarget, NetworkRemoval},
        fixtures::{block, request, time},
        operation::Operation,
    };

    const NOW: &str = "2026-11-27T13:00:00.123456789Z";
    const BEN: Approver<'static> = Approver { name: "ben", with_own_token: true, has_key: true, saw: "abc" };

    fn settings(set: &[(&str, &str)]) -> config::Requests {
        let seal = "0123456789abcdef0123456789abcdef";
        let needed = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", "t"), ("REQUESTS__SEAL", seal)];
        let enabled = [("REQUESTS__ENABLED", "true")];
        let all = needed.iter().chain(&enabled).chain(set);
        let all: BTreeMap<_, _> =
            all.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), (*value).to_owned())).collect();
        config::load_from(None, &all).unwrap().requests
    }

    fn approval(
        request: &ChangeRequest,
        approver: &Approver<'_>,
        set: &[(&str, &str)],
    ) -> Result<Approval, NotApproved> {
        may_approve(request, (approver, "Example", "abc"), &settings(set), time(NOW))
    }

    fn told(request: &ChangeRequest, approver: &Approver<'_>, set: &[(&str, &str)]) -> String {
        approval(request, approver, set).unwrap_err().to_string()
    }

    fn with_check(verdict: Verdict) -> ChangeRequest {
        let mut request = request();
        let check = Check { name: "overlap".to_owned(), verdict, reason: "NET-7 is inside.".to_owned() };
        request.content.checks.push(check);
        request
    }

    #[test]
    fn somebody_else_approves_what_they_saw_for_a_week() {
        let approval = approval(&request(), &BEN, &[]).unwrap();
        let (at, expires) = (time("2026-11-27T13:00:00.123457Z"), time("2026-12-04T13:00:00.123457Z"));
        assert_eq!(approval, Approval { by: "ben".to_owned(), at, expires });
    }

    #[test]
    fn nobody_approves_anything_while_it_is_switched_off() {
        insta::assert_snapshot!(told(&request(), &BEN, &[("REQUESTS__ENABLED", "false")]), @"changes at the registry are switched off; set requests.enabled to allow them");
    }

    #[test]
    fn whoever_asked_does_not_approve_unless_that_is_set() {
        let ann = Approver { name: "ann", ..BEN };
        insta::assert_snapshot!(told(&request(), &ann, &[]), @"ann has asked for change request 7; somebody else has to approve it (or set requests.self_approval)");
        assert_eq!(approval(&request(), &ann, &[("REQUESTS__SELF_APPROVAL", "true")]).unwrap().by, "ann");
    }

    #[test]
    fn an_approval_needs_a_token_and_a_key() {
        let of_service = Approver { with_own_token: false, ..BEN };
        insta::assert_snapshot!(told(&request(), &of_service, &[]), @"ben has to approve with a NetBox token of their own (netbox.token_file), not with that of the service");
        let without_key = Approver { has_key: false, ..BEN };
        insta::assert_snapshot!(told(&request(), &without_key, &[]), @r#"ben has no API key for the RIR config "Example", with which it would be sent; add one to the keys file"#);
    }

    #[test]
    fn what_was_not_seen_is_not_approved() {
        let saw_another = Approver { saw: "abd", ..BEN };
        insta::assert_snapshot!(told(&request(), &saw_another, &[]), @"change request 7 is not what was looked at; what would be sent now has the digest abc");
    }

    #[test]
    fn only_what_waits_is_approved() {
        for state in State::ALL {
            let request = ChangeRequest { state, ..request() };
            let expected =
                if state == State::Waiting { None } else { Some(NotApproved::NotWaiting { id: request.id, state }) };
            assert_eq!(approval(&request, &BEN, &[]).err(), expected);
        }
    }

    #[test]
    fn what_is_incomplete_or_blocked_is_not_approved() {
        insta::assert_snapshot!(told(&with_check(Verdict::Blocked), &BEN, &[]), @"change request 7 is blocked: NET-7 is inside.");
        assert!(approval(&with_check(Verdict::Look), &BEN, &[]).is_ok(), "the approver has looked at it");
        let mut incomplete = request();
        incomplete.content.missing = vec![Missing { what: "city".to_owned(), where_to: "Set it.".to_owned() }];
        insta::assert_snapshot!(told(&incomplete, &BEN, &[]), @"change request 7 is not complete; missing: city");
        incomplete.content.call = None;
        assert!(approval(&incomplete, &BEN, &[]).is_err());
    }

    fn ground(inside: &[NetBlock]) -> Standing<'_> {
        Standing { inside, changed_by: Some("ann"), has_key: true, today: 9 }
    }

    fn stands(request: &ChangeRequest, ground: &Standing<'_>, set: &[(&str, &str)]) -> Result<Approval, String> {
        standing(request, ground, &settings(set), time(NOW)).map_err(|why| why.to_string())
    }

    #[test]
    fn a_new_net_inside_one_that_says_so_is_approved_beforehand_by_whoever_made_the_prefix() {
        let inside = [block("192.0.2.0/24")];
        assert_eq!(stands(&request(), &ground(&inside), &[]).unwrap().by, "ann");
    }

    #[test]
    fn everything_else_waits_for_somebody() {
        let inside = [block("192.0.2.0/24")];
        let ground = ground(&inside);
        let told = |request: &ChangeRequest, ground: &Standing<'_>| stands(request, ground, &[]).unwrap_err();
        let net = NetTarget {
            handle: "NET-1".to_owned().try_into().unwrap(),
            range: block("192.0.2.0/26"),
            holder: None,
            registered_on: None,
        };
        let mut removal = request();
        removal.operation = Operation::RemoveNetwork;
        removal.content.change = Some(Change::RemoveNetwork(NetworkRemoval { net, reason: None }));
        insta::assert_snapshot!(told(&removal, &ground), @"only new registrations are approved beforehand");
        insta::assert_snapshot!(told(&with_check(Verdict::Look), &ground), @r#"the check "overlap" did not pass"#);
        insta::assert_snapshot!(told(&with_check(Verdict::Blocked), &ground), @"change request 7 is blocked: NET-7 is inside.");
        let mut unchecked = request();
        unchecked.content.checks.clear();
        insta::assert_snapshot!(told(&unchecked, &ground), @r#"the check "none was made" did not pass"#);
        insta::assert_snapshot!(told(&request(), &Standing { inside: &[], ..ground }), @r#"it is not inside a network with "Auto reassign" set"#);
        let narrower = [block("192.0.2.0/27")];
        assert!(stands(&request(), &Standing { inside: &narrower, ..ground }, &[]).is_err());
        insta::assert_snapshot!(told(&request(), &Standing { changed_by: Some("ben"), ..ground }), @"it was not asked for by whoever changed the prefix");
        assert!(stands(&request(), &Standing { changed_by: None, ..ground }, &[]).is_err());
        insta::assert_snapshot!(told(&request(), &Standing { has_key: false, ..ground }), @"ann has no API key for its RIR config");
        insta::assert_snapshot!(told(&request(), &Standing { today: 10, ..ground }), @"10 were approved beforehand today, as many as requests.auto_per_day allows");
        insta::assert_snapshot!(stands(&request(), &ground, &[("REQUESTS__AUTO_PER_DAY", "0")]).unwrap_err(), @"requests.auto_per_day is 0");
        insta::assert_snapshot!(stands(&request(), &ground, &[("REQUESTS__ENABLED", "false")]).unwrap_err(), @"changes at the registry are switched off; set requests.enabled to allow them");
        assert!(stands(&ChangeRequest { state: State::Draft, ..request() }, &ground, &[]).is_err());
    }

    #[test]
    fn only_an_approval_ends() {
        let (at, expires) = (time("2026-11-20T13:00:00Z"), time("2026-11-27T13:00:00Z"));
        let approval = Some(Approval { by: "ben".to_owned(), at, expires });
        let approved = ChangeRequest { state: State::Approved, approval, ..request() };
        assert!(is_expired(&approved, expires) && !is_expired(&approved, time("2026-11-27T12:59:59Z")));
        assert!(!is_expired(&ChangeRequest { state: State::Submitting, ..approved }, expires), "it may have been sent");
    }
}
