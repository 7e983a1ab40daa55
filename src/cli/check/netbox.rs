//! NetBox: whether it answers, its versions, what the token may do there, and whether its workers know our types.

use jiff::Timestamp;

use super::trial::{Trials, Trouble, trouble, trouble_of};
use crate::{
    config::Settings,
    netbox::{
        self, Client, ErrorKind, Need, Permission,
        schema::{self, Document, Workers},
    },
    outbound::{NoAnswer, NotSent},
};

/// Returns whether NetBox answers and lets the token write, without which no further trial of it makes sense.
pub(super) async fn answers(client: &Client, settings: &Settings, trials: &mut Trials) -> bool {
    let url = &settings.netbox.url;
    match client.whoami().await {
        Ok(user) => trials.ok("NetBox", format!("{url} knows the token of {}", user.name)),
        Err(error) => {
            trials.failed_of("NetBox", (&error, error.retry()), remedy(&error));
            return false;
        }
    }
    if settings.netbox.is_read_by_proxy() {
        let problem = "the proxy of netbox.proxy reads NetBox's token, as netbox.url is not encrypted";
        trials.note("proxy", problem, "set netbox.url to an https URL");
    }
    let writes = token_may_write(client, trials).await;
    let versions = async {
        let status = client.status().await?;
        let found = format!("{}, plugin {}", status.netbox, status.custom_objects().unwrap_or("missing"));
        Ok::<_, netbox::Error>((found, schema::requirements(client).await?))
    };
    let result = match versions.await {
        Ok((found, unmet)) if unmet.is_empty() => Ok(found),
        Ok((_, unmet)) => {
            let join = |of: fn(&schema::Unmet) -> &String| unmet.iter().map(of).cloned().collect::<Vec<_>>().join("; ");
            Err(trouble(join(|unmet| &unmet.problem), join(|unmet| &unmet.remedy)))
        }
        Err(error) => Err(trouble_of(&error, error.retry(), "give the user of the token access to /api/status/")),
    };
    let good = writes && result.is_ok();
    trials.add("versions", result);
    good
}

/// Says what to do when NetBox does not answer, or does not know the token.
fn remedy(error: &netbox::Error) -> &'static str {
    let distrusts = |kind: &ErrorKind| matches!(kind, ErrorKind::NoAnswer(NoAnswer::NotSent(NotSent::Distrusted(..))));
    match () {
        () if error.is_forbidden() => {
            "make the token valid in NetBox (Admin, API Tokens), or put another one into netbox.token_file"
        }
        () if distrusts(&error.kind) => {
            "make sure that NetBox presents the right certificate (`openssl s_client -connect HOST:443 </dev/null` \
             shows it), then put it, or that of the authority that signed it, into a PEM file and set netbox.ca_file \
             to its path"
        }
        () => "check netbox.url, netbox.proxy and the token",
    }
}

/// Returns whether the token may write at all. Where NetBox does not show that, the trials of each permission will.
async fn token_may_write(client: &Client, trials: &mut Trials) -> bool {
    match client.token_may_write().await {
        Ok(Some(false)) => {
            let remedy = "switch on \"Write enabled\" for the token in NetBox (Admin, API Tokens)";
            trials.failed("token", "NetBox lets it only read, whatever its user may do", remedy);
            false
        }
        Ok(Some(true)) => {
            trials.ok("token", "may write what its user may");
            true
        }
        Ok(None) | Err(_) => true,
    }
}

/// Returns whether all permissions are there that the settings ask for.
pub(super) async fn all_is_permitted(client: &Client, settings: &Settings, trials: &mut Trials) -> bool {
    let mut all = true;
    for need in netbox::needs(!settings.sweep.interval.is_zero(), settings) {
        let result = permitted(client, &need).await;
        all &= result.is_ok();
        trials.add(need.list(), result);
    }
    all
}

async fn permitted(client: &Client, need: &Need) -> Result<String, Trouble> {
    let Need { path, permissions, .. } = need;
    let words = |permissions: &[Permission]| permissions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut missing = Vec::new();
    for permission in *permissions {
        match client.may(path, *permission).await {
            Ok(true) => {}
            Ok(false) => missing.push(*permission),
            Err(error) if error.is_not_found() => {
                return Err(trouble("NetBox has no such type", "run `rir-sidecar bootstrap`"));
            }
            Err(error) => return Err(trouble_of(&error, error.retry(), "ask again when NetBox answers")),
        }
    }
    if missing.is_empty() {
        return Ok(format!("may {}", words(permissions)));
    }
    let missing = words(&missing);
    let remedy = format!("give the token's user the permission to {missing} {} in NetBox", need.objects);
    Err(trouble(format!("may not {missing}, without which {}", need.without), remedy))
}

/// Tells whether each worker of NetBox that takes a question knows the types as they are.
pub(super) async fn workers_know_the_types(client: &Client, trials: &mut Trials) {
    let (what, remedy) = (
        "NetBox's workers",
        "run `rir-sidecar bootstrap` once more; if that does not help, restart NetBox's web workers",
    );
    match schema::ask_workers(client, Document::current()).await {
        Ok(Workers::Current) => trials.ok(what, "all know the types as they are"),
        Ok(Workers::Stale(type_)) => trials.failed(what, format!("one has an older form of a type ({type_})"), remedy),
        Err(error) => trials.failed_of(what, (&error, error.retry()), "ask again when NetBox answers"),
    }
}

/// Tells whether the clocks of NetBox and of this machine agree, without which nobody can tell when a config was last synced.
pub(super) fn clocks_agree(client: &Client, trials: &mut Trials) {
    let Some(netbox) = client.clock() else { return };
    let apart = netbox.duration_since(Timestamp::now());
    let seconds = apart.as_secs().unsigned_abs();
    if apart.abs() <= netbox::CLOCK_TOLERANCE {
        return trials.ok("clocks", "NetBox's and the one here agree");
    }
    let way = if apart.is_negative() { "behind" } else { "ahead of" };
    trials.note(
        "clocks",
        format!("NetBox's is {seconds} s {way} the one here, so that nobody can tell when a config was last synced"),
        "set both by the same time server",
    );
}
