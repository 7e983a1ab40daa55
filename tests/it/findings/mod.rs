//! A world in which everything is planted that can be found, beside what must not be: what comes out is exactly that.
//!
//! `world.txt` is the world, `plot.rs` reads it, `plant.rs` makes it of a NetBox and a registry.

mod plant;
mod plot;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::Timestamp;
use rir_sidecar::{
    findings::Kind,
    sync::{self, NoCheckpoint, Request, SyncRun},
};

use self::{plant::Planted, plot::Plot};
use crate::scene::{Scene, Target};

/// Kinds that are no part of the world, but of what happens to it.
const ELSEWHERE: [Kind; 2] = [Kind::OrgIncomplete, Kind::NotKnown];

static PLOT: LazyLock<Plot> = LazyLock::new(Plot::read);

#[test]
fn every_kind_is_planted_at_least_twice() {
    let mut planted: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, _) in PLOT.expected(&["finds", "if-voluntary"]).into_keys() {
        *planted.entry(kind).or_default() += 1;
    }
    let seldom = Kind::ALL.iter().filter(|kind| planted.get(kind.name()).is_none_or(|times| *times < 2));
    assert_eq!(seldom.copied().collect::<Vec<_>>(), ELSEWHERE);
    let unknown: BTreeSet<&String> = planted.keys().filter(|kind| Kind::from_name(kind).is_none()).collect();
    assert_eq!(unknown, BTreeSet::new());
}

/// Plants the world, and syncs as often as it takes until all that is to be found can be found: what is recorded first is
/// linked to tenants, what goes away then goes away, and what is missing has to be missing twice.
pub(crate) async fn planted(target: Target) -> Planted {
    let now = Timestamp::now();
    let scene = scene(target, now).await;
    let mut planted = Planted::new(&PLOT, scene, now).await;
    clean(&planted.scene.sync().await);
    planted.link_tenants().await;
    planted.add_requests().await;
    plant::change(&PLOT, &mut planted.scene.arin.registry());
    clean(&in_full(&planted.scene).await);
    clean(&planted.scene.sync().await);
    planted
}

/// A scene of the planted world, with settings that name what it has.
async fn scene(target: Target, now: Timestamp) -> Scene {
    let mut scene = Scene::new(target, plant::registered(&PLOT, now)).await;
    let slugs = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<String>>();
    let findings = &mut scene.settings.findings;
    findings.own_tenants = Some(slugs(&["us"]));
    findings.own_tenant_groups = Some(slugs(&["internal"]));
    findings.public_vrfs = slugs(&["internet"]);
    plant::SINCE_FIELD.clone_into(&mut findings.since_field);
    plant::LEGAL_NAME_FIELD.clone_into(&mut findings.legal_name_field);
    "announced".clone_into(&mut findings.announced_tag);
    "residential".clone_into(&mut findings.residential_tag);
    "opt-out".clone_into(&mut findings.opt_out_tag);
    "{tenant}".clone_into(&mut findings.net_name_template);
    scene.settings.sync.max_retired_share = 1.0;
    scene.settings.arin.whois_requests_per_second = 0;
    scene.settings.arin.whois_url = Some(scene.arin.whois_url().parse().unwrap());
    scene
}

/// Syncs and asks for everything: that a customer is gone shows in no listing.
async fn in_full(scene: &Scene) -> SyncRun {
    let ctx = scene.context();
    let configs = ctx.netbox.configs().await.unwrap();
    let config = configs.iter().find(|config| config.id == scene.config).unwrap();
    sync::run(&ctx, &Request { full: true, ..Request::of(config, &configs) }, &NoCheckpoint).await
}

/// Sees to it that a run has failed at nothing.
fn clean(run: &SyncRun) {
    assert_eq!(run.ended, None);
    let failures: Vec<String> = run.all_failures().into_iter().map(|failure| format!("{failure:?}")).collect();
    assert_eq!(failures, [""; 0]);
}

pub(crate) async fn the_planted_world_is_synced_without_a_failure(target: Target) {
    let planted = planted(target).await;
    assert_eq!(planted.scene.left_to_do().await.to_string(), "");
}
