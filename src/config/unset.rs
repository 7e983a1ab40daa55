//! Defaults that give way. Some settings bound each other; a default that nobody chose must not contradict a value that
//! somebody did.

use std::time::Duration;

use super::settings::{LONGEST_SWEEP, Settings};

/// Brings settings that nobody set within the bounds of those that somebody did. `is_set` says which ones those are.
pub(super) fn give_way(settings: &mut Settings, is_set: impl Fn(&str) -> bool) {
    let Settings { arin, rpki, webhook, sweep, .. } = settings;
    for ((inner, shorter), (outer, longer)) in [
        (("arin.connect_timeout", &mut arin.connect_timeout), ("arin.timeout", &mut arin.timeout)),
        (("rpki.interval", &mut rpki.interval), ("rpki.max_age", &mut rpki.max_age)),
        (("webhook.debounce", &mut webhook.debounce), ("webhook.debounce_longest", &mut webhook.debounce_longest)),
    ] {
        if *shorter > *longer && !is_set(inner) {
            *shorter = *longer;
        } else if *shorter > *longer && !is_set(outer) {
            *longer = *shorter;
        }
    }
    if sweep.is_too_long() && !is_set("sweep.settle") {
        sweep.settle = LONGEST_SWEEP.saturating_sub(sweep.interval);
    } else if sweep.is_too_long() && !is_set("sweep.interval") {
        sweep.interval = LONGEST_SWEEP.saturating_sub(sweep.settle).max(Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::config::{Settings, load_from};

    fn with(set: &[(&str, &str)]) -> Settings {
        let needed = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", "t")];
        let all = needed.iter().chain(set).map(|(name, value)| (format!("RIR_SIDECAR__{name}"), (*value).to_owned()));
        load_from(None, &all.collect::<BTreeMap<_, _>>()).unwrap()
    }

    #[test]
    fn a_default_gives_way_to_a_shorter_bound() {
        let arin = with(&[("ARIN__TIMEOUT", "3s")]).arin;
        assert_eq!((arin.connect_timeout.as_secs(), arin.timeout.as_secs()), (3, 3));
        let webhook = with(&[("WEBHOOK__DEBOUNCE_LONGEST", "1s")]).webhook;
        assert_eq!((webhook.debounce.as_secs(), webhook.debounce_longest.as_secs()), (1, 1));
        let sweep = with(&[("SWEEP__INTERVAL", "1h")]).sweep;
        assert_eq!((sweep.interval.as_secs(), sweep.settle.as_secs()), (3600, 0));
    }

    #[test]
    fn a_default_bound_gives_way_to_a_longer_value() {
        let arin = with(&[("ARIN__CONNECT_TIMEOUT", "40s")]).arin;
        assert_eq!((arin.connect_timeout.as_secs(), arin.timeout.as_secs()), (40, 40));
        let webhook = with(&[("WEBHOOK__DEBOUNCE", "2m")]).webhook;
        assert_eq!((webhook.debounce.as_secs(), webhook.debounce_longest.as_secs()), (120, 120));
        let rpki = with(&[("RPKI__INTERVAL", "12h")]).rpki;
        assert_eq!((rpki.interval.as_secs(), rpki.max_age.as_secs()), (12 * 3600, 12 * 3600));
        let sweep = with(&[("SWEEP__SETTLE", "59m")]).sweep;
        assert_eq!((sweep.interval.as_secs(), sweep.settle.as_secs()), (60, 59 * 60));
    }

    #[test]
    fn what_contradicts_nothing_stays() {
        let arin = with(&[("ARIN__TIMEOUT", "20s")]).arin;
        assert_eq!((arin.connect_timeout.as_secs(), arin.timeout.as_secs()), (10, 20));
        let sweep = with(&[("SWEEP__INTERVAL", "0s"), ("SWEEP__SETTLE", "59m")]).sweep;
        assert_eq!((sweep.interval.as_secs(), sweep.settle.as_secs()), (0, 59 * 60));
    }
}
