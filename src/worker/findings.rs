//! Judges a config after something was learnt of it, and tells how that went.

use std::{collections::BTreeMap, error::Error};

use jiff::Timestamp;
use tracing::{info, warn};

use crate::{
    coordination::Coordination,
    error_chain::error_chain,
    findings::{self, Figures, Refreshed, refresh},
    model::{Config, RowId, Scope},
    sync::Context,
};

/// A config to judge.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The config.
    pub config: &'a Config,
    /// All configs.
    pub configs: &'a [Config],
    /// The part of it that is judged.
    pub scope: &'a Scope,
    /// The name of the run that it belongs to.
    pub run: &'a str,
}

/// Judges a config, or the part of it that a sync may have touched, and records what changed. Returns `None` for a
/// config that is not active: it is not judged.
///
/// # Errors
/// When NetBox cannot be read, or does not take a row. It is logged and counted already.
pub async fn refresh_findings(
    ctx: &Context,
    coordination: &Coordination,
    subject: Subject<'_>,
) -> Result<Option<Refreshed>, findings::Error> {
    let Subject { config, configs, scope, run } = subject;
    if !config.is_active {
        return Ok(None);
    }
    let instance = |config: &Config| Some((config.id, ctx.arin.instance(&config.api_url)?));
    let of_findings = findings::Context {
        netbox: ctx.netbox.clone(),
        settings: std::sync::Arc::clone(&ctx.settings),
        instances: configs.iter().filter(|config| config.is_active).filter_map(instance).collect::<BTreeMap<_, _>>(),
        stop: ctx.stop.clone(),
        now: Timestamp::now(),
        run: run.to_owned(),
    };
    let refreshed = refresh(&of_findings, config, scope).await.inspect_err(|error| {
        ctx.metrics.findings_not_refreshed();
        warn!(run, config = %config.name, error = %error_chain(error), "could not refresh the findings");
    })?;
    info!(run, config = %config.name, "findings: {}", refreshed.tally);
    if let Some(figures) = &refreshed.figures {
        keep(coordination, config.id, figures).await;
    }
    Ok(Some(refreshed))
}

/// Keeps how much was judged, for the process that reports it.
async fn keep(coordination: &Coordination, config: RowId, figures: &Figures) {
    let kept = async {
        let text = serde_json::to_string(figures)?;
        Ok::<_, Box<dyn Error>>(coordination.set_cursor(&findings::figures_of(config), &text).await?)
    };
    if let Err(error) = kept.await {
        warn!(error = %error_chain(&*error), "could not keep the figures of the findings");
    }
}
