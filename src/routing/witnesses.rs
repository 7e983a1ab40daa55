//! What is known of routing: the sources with how old they are, and what they say of the operator's own space.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use super::{
    assess::{Testimony, Witness},
    claims::{Claims, RouteObject},
    judge::Freshness,
    own_routes::OwnRoutes,
};
use crate::{
    config::{IrrSource, Settings, SourceKind},
    irr::{
        roa::{Vrp, Vrps},
        store::{SourceState, Store, StoreError},
    },
    model::{Ranges, SourceName},
};

/// What all sources say of some space.
#[derive(Debug, Clone, Default)]
pub struct Witnesses {
    /// The sources of routes.
    pub sources: Vec<Witness>,
    /// What they say.
    pub claims: Claims,
    /// The VRPs, if they are asked.
    pub vrps: Option<(Vrps, Witness)>,
}

impl Witnesses {
    /// Reads what all sources say of this space.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn read(
        (store, own): (&Store, &OwnRoutes),
        settings: &Settings,
        space: &Ranges,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (mut witnesses, mut routes) = (Self::default(), Vec::new());
        for source in &settings.irr.source {
            let objects = own.of(store, &source.name, space).await?.unwrap_or_default();
            let witness = witness_of(store, settings, source, now).await?;
            if source.kind == SourceKind::Rpki {
                let vrps = objects.values().filter_map(Vrp::read).collect();
                witnesses.vrps = Some((vrps, witness));
            } else {
                routes.extend(objects.values().filter_map(|object| RouteObject::read(&source.name, object)));
                witnesses.sources.push(witness);
            }
        }
        witnesses.claims = routes.into_iter().collect();
        Ok(witnesses)
    }

    /// Returns them as what a plan is judged by.
    #[must_use]
    pub fn testimony<'a>(&'a self, counting: &'a BTreeSet<SourceName>) -> Testimony<'a> {
        let vrps = self.vrps.as_ref().map(|(vrps, witness)| (vrps, witness.freshness));
        Testimony { claims: &self.claims, sources: &self.sources, vrps, counting }
    }

    /// Returns all that is judged by, the list of VRPs included.
    pub fn all(&self) -> impl Iterator<Item = &Witness> {
        self.sources.iter().chain(self.vrps.as_ref().map(|(_, witness)| witness))
    }

    /// Returns the sources of which nothing is known now.
    #[must_use]
    pub fn silent(&self) -> BTreeSet<&SourceName> {
        let silent = self.sources.iter().filter(|source| source.freshness == Freshness::Never);
        silent.map(|source| &source.name).collect()
    }
}

/// Says what a source is to be taken for now.
///
/// # Errors
/// When the store does not answer.
pub(super) async fn witness_of(
    store: &Store,
    settings: &Settings,
    source: &IrrSource,
    now: Timestamp,
) -> Result<Witness, StoreError> {
    let max_age = source.max_age.unwrap_or(settings.routing.max_age);
    Ok(witness(source, &store.state(&source.name).await?, max_age, now))
}

/// Says what each source is to be taken for now.
///
/// # Errors
/// When the store does not answer.
pub async fn witnesses_of(store: &Store, settings: &Settings, now: Timestamp) -> Result<Vec<Witness>, StoreError> {
    let mut witnesses = Vec::new();
    for source in &settings.irr.source {
        witnesses.push(witness_of(store, settings, source, now).await?);
    }
    Ok(witnesses)
}

/// Says what a source is to be taken for.
fn witness(source: &IrrSource, state: &SourceState, max_age: Duration, now: Timestamp) -> Witness {
    let notes = &state.notes;
    let as_of = notes.checked.map(|checked| notes.generated.map_or(checked, |generated| generated.min(checked)));
    let is_old = |at: Timestamp| now.duration_since(at).unsigned_abs() > max_age;
    let freshness = match (&state.holding, as_of) {
        _ if notes.refused.is_some() && !state.shrink_is_accepted() => Freshness::Refused,
        (None, _) | (_, None) => Freshness::Never,
        (Some(_), Some(at)) if is_old(at) => Freshness::Old(at),
        (Some(_), Some(_)) => Freshness::Fresh,
    };
    let asked = (source.kind == SourceKind::Query).then(|| notes.asked.iter().copied().collect());
    Witness { name: source.name.clone(), freshness, asked, as_of }
}
