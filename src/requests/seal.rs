//! The seals of requests: proof that a row is as the sidecar wrote it.
//!
//! Whoever may change rows in NetBox can change who asked for something, who approved it, and what is sent, and make any
//! digest that stands in the same row anew. So each row has a seal, an HMAC-SHA256 with a secret that is not in NetBox
//! (`requests.seal`): first over what was asked for and by whom, then over what was approved and by whom. Nothing is
//! approved, and nothing sent, whose seal is broken.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{
    change::Content,
    operation::Operation,
    record::{Approval, ChangeRequest, Destination},
    state::State,
};
use crate::{
    arin::Call,
    config::{self, Secret},
    hex,
    model::{Instance, NetBlock, RowId},
};

/// Makes seals, and tells whether one is whole.
#[derive(Debug, Clone)]
pub struct Sealer(Secret);

/// What is sealed when somebody asks for a change.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "they are called so")]
pub struct Asked<'a> {
    pub destination: &'a Destination,
    pub operation: Operation,
    pub range: Option<NetBlock>,
    pub content: &'a Content,
    pub by: &'a str,
    pub at: Timestamp,
}

/// A request that is not sent, whatever its row says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    /// Its row is not as the sidecar wrote it.
    #[error(
        "change request {0} is not as rir-sidecar wrote it: it was edited in NetBox, its RIR config was renamed or leads \
         elsewhere, or requests.seal is another one; withdraw or reject it and ask again"
    )]
    Broken(RowId),
    /// It is not approved.
    #[error("change request {0} is {1}, not approved")]
    NotApproved(RowId, State),
    /// The approval is over.
    #[error("the approval of change request {0} ended at {1}; ask again")]
    Expired(RowId, Timestamp),
}

/// Returns the digest by which people compare what is sent: SHA-256, in hex digits, of the registry instance and of every
/// byte of the call.
#[must_use]
pub fn digest(instance: &Instance, call: &Call) -> String {
    let mut text = Canonical::new("rir-sidecar call");
    text.add("instance", instance.to_string());
    text.call(Some(call));
    hex::encode(&Sha256::digest(&text.bytes))
}

impl Sealer {
    /// Makes one with the secret of the settings; `None` when there is none.
    #[must_use]
    pub fn new(settings: &config::Requests) -> Option<Self> {
        (!settings.seal.is_empty()).then(|| Self(settings.seal.clone()))
    }

    /// Returns the seal of what was asked for.
    #[must_use]
    pub fn ask(&self, asked: &Asked<'_>) -> String {
        self.seal(&asked.text("rir-sidecar asked"))
    }

    /// Returns the seal of an approval.
    #[must_use]
    pub fn approve(&self, id: RowId, asked: &Asked<'_>, approval: &Approval) -> String {
        self.seal(&approved(id, asked, approval))
    }

    /// Makes sure that a request which is not approved yet is as it was asked for.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify_asked(&self, request: &ChangeRequest, destination: &Destination) -> Result<(), NotSealed> {
        let text = Asked::of(request, destination).text("rir-sidecar asked");
        let whole = request.config == destination.config && self.is_whole(request, &text);
        if whole { Ok(()) } else { Err(NotSealed::Broken(request.id)) }
    }

    /// Returns the approval of a request, if it is the one that was given for exactly this. It has to have been given
    /// before, and may be over by now.
    ///
    /// # Errors
    /// When there is none, or the row is not as it was approved.
    pub fn verify_approved<'a>(
        &self,
        request: &'a ChangeRequest,
        destination: &Destination,
    ) -> Result<&'a Approval, NotSealed> {
        let is_approved = request.state == State::Approved || request.state.is_under_way();
        let Some(approval) = request.approval.as_ref().filter(|_| is_approved) else {
            return Err(NotSealed::NotApproved(request.id, request.state));
        };
        let text = approved(request.id, &Asked::of(request, destination), approval);
        let whole = request.config == destination.config && self.is_whole(request, &text);
        if whole { Ok(approval) } else { Err(NotSealed::Broken(request.id)) }
    }

    /// Returns the approval under which a request may be sent now.
    ///
    /// # Errors
    /// As [`Sealer::verify_approved`], and when the approval is over.
    pub fn valid_approval<'a>(
        &self,
        request: &'a ChangeRequest,
        destination: &Destination,
        now: Timestamp,
    ) -> Result<&'a Approval, NotSealed> {
        let approval = self.verify_approved(request, destination)?;
        if now < approval.expires { Ok(approval) } else { Err(NotSealed::Expired(request.id, approval.expires)) }
    }

    fn seal(&self, text: &Canonical) -> String {
        self.hmac(text).map(|hmac| hex::encode(&hmac.finalize().into_bytes())).unwrap_or_default()
    }

    /// Compares in constant time.
    fn is_whole(&self, request: &ChangeRequest, text: &Canonical) -> bool {
        let given = request.seal.as_ref().and_then(|seal| hex::decode(seal.as_bytes()));
        given.zip(self.hmac(text)).is_some_and(|(given, hmac)| hmac.verify_slice(&given).is_ok())
    }

    /// Takes the text. HMAC takes a secret of any length.
    fn hmac(&self, text: &Canonical) -> Option<Hmac<Sha256>> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(self.0.now().expose_secret().trim().as_bytes()).ok()?;
        hmac.update(&text.bytes);
        text.is_whole.then_some(hmac)
    }
}

impl<'a> Asked<'a> {
    /// Takes what a row says was asked for.
    #[must_use]
    pub fn of(request: &'a ChangeRequest, destination: &'a Destination) -> Self {
        Self {
            destination,
            operation: request.operation,
            range: request.range,
            content: &request.content,
            by: &request.requested_by,
            at: request.requested_at,
        }
    }

    fn text(&self, label: &str) -> Canonical {
        let Self { destination, operation, range, content, by, at } = self;
        let mut text = Canonical::new(label);
        text.add("config", destination.config.to_string());
        text.add("name", &destination.name);
        text.add("instance", destination.instance.to_string());
        text.add("operation", operation.name());
        text.add("range", range.map(|range| range.to_string()).unwrap_or_default());
        text.add("requested by", by);
        text.add("requested at", at.as_microsecond().to_string());
        match serde_json::to_string(&content.change) {
            Ok(change) => text.add("change", change),
            Err(_) => text.is_whole = false,
        }
        text.add("base", content.base.as_deref().unwrap_or_default());
        text.call(content.call.as_ref());
        text
    }
}

fn approved(id: RowId, asked: &Asked<'_>, approval: &Approval) -> Canonical {
    let mut text = asked.text("rir-sidecar approved");
    text.add("id", id.to_string());
    text.add("approved by", &approval.by);
    text.add("approved at", approval.at.as_microsecond().to_string());
    text.add("expires", approval.expires.as_microsecond().to_string());
    text
}

/// Named values one after the other, each with its length, so that no two lists of values have the same text.
struct Canonical {
    bytes: Vec<u8>,
    /// False if something could not be written down. Nothing is sealed then, and no seal fits.
    is_whole: bool,
}

impl Canonical {
    fn new(label: &str) -> Self {
        let mut text = Self { bytes: Vec::new(), is_whole: true };
        text.add("label", label);
        text
    }

    fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        self.bytes.extend_from_slice(format!("{name} {}\n", value.len()).as_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.push(b'\n');
    }

    fn call(&mut self, call: Option<&Call>) {
        let Some(Call { method, path, query, body }) = call else { return self.add("no call", "") };
        self.add("method", method.to_string());
        path.iter().for_each(|segment| self.add("path", segment));
        for (name, value) in query {
            self.add("parameter", name);
            self.add("value", value);
        }
        match body {
            Some(body) => self.add("body", body),
            None => self.add("no body", ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arin::Verb;
    use crate::requests::{
        change::Change,
        fixtures::{block, content, destination, new_net, request, time},
    };

    fn sealer() -> Sealer {
        Sealer("0123456789abcdef0123456789abcdef".into())
    }

    /// A request that ben has approved.
    fn sealed() -> ChangeRequest {
        let mut request = request();
        let (at, expires) = (time("2026-11-27T13:00:00Z"), time("2026-12-04T13:00:00Z"));
        let approval = Approval { by: "ben".to_owned(), at, expires };
        request.seal = Some(sealer().approve(request.id, &Asked::of(&request, &destination()), &approval));
        (request.state, request.approval) = (State::Approved, Some(approval));
        request
    }

    fn broken(edit: impl FnOnce(&mut ChangeRequest)) {
        let mut request = sealed();
        edit(&mut request);
        let verified = sealer().verify_approved(&request, &destination());
        assert_eq!(verified, Err(NotSealed::Broken(request.id)));
    }

    #[test]
    fn an_approval_holds_for_exactly_what_was_approved() {
        let request = sealed();
        let approval = sealer().verify_approved(&request, &destination()).unwrap();
        assert_eq!(approval.by, "ben");
        broken(|request| request.id = RowId(8));
        broken(|request| request.seal = None);
        broken(|request| request.seal = Some("x".to_owned()));
        broken(|request| request.seal = Some(String::new()));
        broken(|request| request.requested_by = "cid".to_owned());
        broken(|request| request.range = Some(block("192.0.2.0/25")));
        broken(|request| request.operation = Operation::Reallocate);
        broken(|request| request.config = RowId(4));
        broken(|request| request.content.base = Some("x".to_owned()));
        broken(|request| request.content.change = Some(Change::Create(new_net("192.0.2.0/25"))));
    }

    #[test]
    fn each_byte_of_the_call_is_sealed() {
        let call = |edit: fn(&mut Call)| broken(|request| edit(request.content.call.as_mut().unwrap()));
        call(|call| call.method = Verb::Delete);
        call(|call| call.path[1] = "NET-192-0-2-0-2".to_owned());
        call(|call| call.path = vec!["net/NET-192-0-2-0-1/reassign".to_owned()]);
        call(|call| call.body.as_mut().unwrap().push(' '));
        call(|call| call.body = None);
        broken(|request| request.content.call = None);
    }

    #[test]
    fn who_approved_it_and_until_when_is_sealed() {
        let approval = |edit: fn(&mut Approval)| broken(|request| edit(request.approval.as_mut().unwrap()));
        approval(|approval| approval.by = "ann".to_owned());
        approval(|approval| approval.at = time("2026-11-28T13:00:00Z"));
        approval(|approval| approval.expires = time("2027-12-04T13:00:00Z"));
    }

    #[test]
    fn an_approval_is_for_one_registry_and_for_one_name_of_the_config() {
        let request = sealed();
        let ote = Instance::of(&url::Url::parse(Instance::OTE).unwrap());
        for elsewhere in [
            Destination { instance: ote, ..destination() },
            Destination { name: "Other".to_owned(), ..destination() },
            Destination { config: RowId(4), ..destination() },
        ] {
            let verified = sealer().verify_approved(&request, &elsewhere);
            assert_eq!(verified, Err(NotSealed::Broken(request.id)), "{elsewhere:?}");
        }
    }

    #[test]
    fn a_row_that_was_made_approved_by_hand_is_not() {
        let mut forged = sealed();
        let asked = sealer().ask(&Asked::of(&forged, &destination()));
        // The seal of the request is not that of an approval, and nobody has the secret.
        forged.seal = Some(asked);
        assert_eq!(sealer().verify_approved(&forged, &destination()), Err(NotSealed::Broken(forged.id)));
        let other = Sealer("another0123456789abcdef0123456789".into());
        let approval = forged.approval.clone().unwrap();
        forged.seal = Some(other.approve(forged.id, &Asked::of(&forged, &destination()), &approval));
        assert_eq!(sealer().verify_approved(&forged, &destination()), Err(NotSealed::Broken(forged.id)));
    }

    #[test]
    fn an_approved_row_that_waits_again_is_not_approved() {
        for state in [State::Draft, State::Waiting, State::Expired, State::Rejected, State::Done] {
            let request = ChangeRequest { state, ..sealed() };
            let verified = sealer().verify_approved(&request, &destination());
            assert_eq!(verified, Err(NotSealed::NotApproved(request.id, state)));
        }
    }

    #[test]
    fn an_approval_ends() {
        let request = sealed();
        let valid = |now: &str| sealer().valid_approval(&request, &destination(), time(now)).map(drop);
        assert_eq!(valid("2026-12-04T12:59:59Z"), Ok(()));
        let expires = time("2026-12-04T13:00:00Z");
        assert_eq!(valid("2026-12-04T13:00:00Z"), Err(NotSealed::Expired(request.id, expires)));
    }

    #[test]
    fn whoever_asked_cannot_be_changed_before_the_approval() {
        let mut request = request();
        request.seal = Some(sealer().ask(&Asked::of(&request, &destination())));
        assert_eq!(sealer().verify_asked(&request, &destination()), Ok(()));
        let edited = ChangeRequest { requested_by: "cid".to_owned(), ..request.clone() };
        assert_eq!(sealer().verify_asked(&edited, &destination()), Err(NotSealed::Broken(request.id)));
        let edited = ChangeRequest { content: content("192.0.2.0/27"), ..request.clone() };
        assert_eq!(sealer().verify_asked(&edited, &destination()), Err(NotSealed::Broken(request.id)));
        // What the last check found is not part of it.
        request.content.checks.clear();
        assert_eq!(sealer().verify_asked(&request, &destination()), Ok(()));
    }

    #[test]
    fn a_digest_is_that_of_one_call_to_one_registry() {
        let call = content("192.0.2.0/26").call.unwrap();
        let made = digest(&destination().instance, &call);
        insta::assert_snapshot!(made, @"9fb4e32f1800cf8597672baaf809338fdcc0287cec005a29e92f49e73085a9f2");
        let ote = Instance::of(&url::Url::parse(Instance::OTE).unwrap());
        assert_ne!(digest(&ote, &call), made);
        let empty = Call { body: Some(String::new()), ..call.clone() };
        assert_ne!(digest(&ote, &Call { body: None, ..call.clone() }), digest(&ote, &empty));
        let joined = Call { path: vec![call.path.join("/")], ..call.clone() };
        assert_ne!(digest(&destination().instance, &joined), made);
    }
}
