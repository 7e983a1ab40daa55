//! Whole syncs against an ARIN that takes so many requests a second and answers the others by 429.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rir_sandbox::{
    regrws::{Count, Limit, RetryAfter},
    world::World,
};
use rir_sidecar::sync::Verdict;

use crate::scene::{Scene, Target};

/// What a sync came to.
#[derive(Debug)]
struct Took {
    verdict: Verdict,
    time: Duration,
    /// The time that the limit asks for.
    asked_for: Duration,
    /// Share of 429s among all answers.
    share: f64,
}

/// Syncs a world of 40 prefixes against an ARIN with this limit, with so many requests a second by the settings.
async fn sync(limit: Option<Limit>, setting: u32) -> Took {
    let mut scene = Scene::new(Target::sandbox().await, World::sized(2, 40)).await;
    scene.settings.arin.requests_per_second = setting;
    scene.arin.configure(|options| options.limit.clone_from(&limit));
    let begun = Instant::now();
    let run = scene.sync().await;
    let (time, answers, throttled) = (begun.elapsed(), scene.arin.requests().total(), scene.arin.throttled());
    let each = limit.map_or(Duration::ZERO, |limit| limit.period.div_f64(f64::from(limit.requests)));
    Took {
        verdict: run.verdict(),
        time,
        asked_for: each.mul_f64((answers - throttled) as f64),
        share: throttled as f64 / answers as f64,
    }
}

/// Syncs against several servers at once, since they wait most of the time. One without a limit is with them, and says
/// how much time this machine needs for itself.
async fn all_succeed_in_the_time_that_is_asked_for(syncs: impl IntoIterator<Item = (Limit, u32)>) {
    let syncs: Vec<(Option<Limit>, u32)> = syncs.into_iter().map(|(limit, setting)| (Some(limit), setting)).collect();
    let all = [(None, 0)].iter().chain(&syncs).map(|(limit, setting)| sync(limit.clone(), *setting));
    let mut all = join_all(all).await.into_iter();
    let unlimited = all.next().unwrap().time;
    for (took, sync) in all.zip(syncs) {
        assert_eq!(took.verdict, Verdict::Changed, "{sync:?}");
        // A busy machine is late in everything. What the rate itself costs is tried where time is paused.
        assert!(took.time <= took.asked_for * 2 + unlimited, "{took:?} and {unlimited:?}: {sync:?}");
        assert!(took.share <= 0.15, "{took:?}: {sync:?}");
    }
}

#[tokio::test]
async fn a_sync_succeeds_in_the_time_that_arins_limit_asks_for_whatever_the_settings_say() {
    let limits = [Count::Window, Count::Bucket].map(|count| Limit::per_second(5, count));
    let all = limits.iter().flat_map(|limit| [0, 200, 5].map(|setting| (limit.clone(), setting)));
    all_succeed_in_the_time_that_is_asked_for(all).await;
}

#[tokio::test]
async fn it_does_so_whatever_a_429_says_about_when_to_come_back() {
    let texts = ["-1", "soon", "99999999", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"];
    let forms = [RetryAfter::Missing, RetryAfter::Date].into_iter().chain(texts.map(RetryAfter::Text));
    let limit = |retry_after| Limit { retry_after, ..Limit::per_second(5, Count::Window) };
    all_succeed_in_the_time_that_is_asked_for(forms.map(|retry_after| (limit(retry_after), 0))).await;
}
