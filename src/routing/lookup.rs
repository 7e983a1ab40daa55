//! What all registries and RPKI say of any prefix, in the operator's own space or not.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::Timestamp;

use super::{assess::Witness, claims::RouteObject, health::RpkiState, judge::rpki_state, witnesses::witness_of};
use crate::{
    config::{Settings, SourceKind},
    irr::{
        roa::{Vrp, Vrps},
        store::{Store, StoreError},
    },
    model::Ranges,
};

/// The most objects that are returned: a short prefix has a large part of a registry in it.
pub const MOST_FOUND: usize = 1000;

/// A route object about a prefix, one around it or one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called so")]
pub struct FoundRoute {
    pub object: RouteObject,
    pub rpki: RpkiState,
}

/// What is said of a prefix.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// The objects, those around the prefix first.
    pub routes: Vec<FoundRoute>,
    /// Says that there are more.
    pub is_cut: bool,
    /// The sources that were looked at.
    pub sources: Vec<Witness>,
}

/// Looks a prefix up in what is held of all sources, which are read as streams.
///
/// # Errors
/// When the store does not answer.
pub async fn lookup(store: &Store, settings: &Settings, prefix: IpNet, now: Timestamp) -> Result<Lookup, StoreError> {
    let (prefix, mut found, mut routes) = (prefix.trunc(), Lookup::default(), BTreeSet::new());
    let (range, mut vrps, mut rpki) = (Ranges::from_iter([prefix]), Vec::new(), None);
    for source in &settings.irr.source {
        let witness = witness_of(store, settings, source, now).await?;
        let is_rpki = source.kind == SourceKind::Rpki;
        let Some(mut objects) = store.objects(&source.name).await? else {
            found.sources.push(witness);
            continue;
        };
        while let Some(some) = objects.next_of(|key| key.touches(&range)).await? {
            if is_rpki {
                vrps.extend(some.iter().filter_map(Vrp::read));
                continue;
            }
            for object in &some {
                routes.extend(RouteObject::read(&source.name, object));
                if routes.len() > MOST_FOUND {
                    found.is_cut = true;
                    drop(routes.pop_last());
                }
            }
        }
        if is_rpki {
            rpki = Some(witness.freshness);
        }
        found.sources.push(witness);
    }
    let vrps: Vrps = vrps.into_iter().collect();
    let vrps = rpki.map(|freshness| (&vrps, freshness));
    let with_state =
        |object: RouteObject| FoundRoute { rpki: rpki_state(vrps, &object.prefix, [object.origin]), object };
    found.routes = routes.into_iter().map(with_state).collect();
    Ok(found)
}
