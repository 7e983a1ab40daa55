//! The public listing of a registry, which spares questions, and what it means when it does not answer.

use std::time::Instant;

use ipnet::{IpNet, Ipv4Net};

use super::trial::Trials;
use crate::{
    arin::{AnswerLost, NoAnswer, NotSent, Pool, WhoisError, WhoisErrorKind},
    error_chain::error_chain,
    model::Config,
};

/// ARIN's own net, which stands in the documentation of the listing. Whether it is listed does not matter.
const ASKED: IpNet = IpNet::V4(Ipv4Net::new_assert(std::net::Ipv4Addr::new(192, 149, 252, 0), 24));

/// Tries the listing that the syncs of an RIR config use, if there is one. They get along without.
pub(super) async fn answers(pool: &Pool, config: &Config, trials: &mut Trials) {
    let Some(listing) = pool.listing(&config.api_url).filter(|_| config.is_active) else { return };
    let (what, begun) = (format!("{}, public listing", config.name), Instant::now());
    match listing.at(ASKED).await {
        Ok(_) => trials.ok(what, format!("{} answers ({} ms)", listing.instance(), begun.elapsed().as_millis())),
        Err(error) => {
            let problem = format!("{}; without it each sync asks ARIN for every prefix", error_chain(&error));
            trials.note(what, problem, remedy(&error));
        }
    }
}

fn remedy(error: &WhoisError) -> &'static str {
    match &error.kind {
        WhoisErrorKind::NoAnswer(NoAnswer::NotSent(NotSent::Distrusted(..))) => {
            "put the certificate of whoever signed it into a PEM file and set arin.ca_file to its path"
        }
        WhoisErrorKind::NoAnswer(
            NoAnswer::NotSent(NotSent::Unreachable(_))
            | NoAnswer::Lost(AnswerLost::TimedOut(_) | AnswerLost::Disconnected(_)),
        ) => {
            "let this machine reach the listing (whois.arin.net, whois.ote.arin.net, or what arin.whois_url names): DNS, \
             firewall, arin.proxy; or set arin.listing = \"off\""
        }
        WhoisErrorKind::Redirected(..) | WhoisErrorKind::NotWhois(..) | WhoisErrorKind::Invalid(..) => {
            "correct arin.whois_url: the part before /cidr, which ends in /rest; or see what stands in between"
        }
        WhoisErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::TooLarge(_))) => "raise arin.max_body_bytes",
        WhoisErrorKind::Outage(_)
        | WhoisErrorKind::Throttled(_)
        | WhoisErrorKind::Changed(_)
        | WhoisErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::CutOff(..))) => "try again later",
        WhoisErrorKind::CutOff(_) | WhoisErrorKind::TooManyAnswers(_) => "report it: this answer is not documented",
    }
}
