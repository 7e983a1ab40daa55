//! Reports the findings in the metrics, as NetBox has them: whoever ignores one there sees the figures follow, and what
//! another process judged is told as well.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::error::Error;
use crate::{
    findings::{Figures, Tally, figures_of},
    model::Config,
    netbox::{FindingFilter, FindingRow, findings::OPEN},
    services::Services,
    telemetry::metrics::FindingFigures,
};

/// The time between two readings.
const PERIOD: Duration = Duration::from_secs(300);

/// The reports of one process.
#[derive(Debug, Default)]
pub(super) struct FindingMetrics {
    last: Option<Instant>,
}

impl FindingMetrics {
    /// Reports what NetBox has, unless that was done a moment ago. A NetBox without findings has none to report.
    pub(super) async fn report(&mut self, services: &Services, configs: &[Config]) -> Result<(), Error> {
        if self.last.is_some_and(|last| last.elapsed() < PERIOD) {
            return Ok(());
        }
        self.last = Some(Instant::now());
        let open = FindingFilter { config: None, state: Some(OPEN.to_owned()) };
        let rows = match services.netbox.finding_rows(&open).await {
            Err(error) if error.is_not_found() => Vec::new(),
            rows => rows?,
        };
        let now = Timestamp::now();
        let mut all = Vec::new();
        for config in configs {
            all.push(figures(config, &rows, known(services, config).await?, now));
        }
        services.metrics.findings(&all);
        Ok(())
    }

    /// Leaves it to another replica.
    pub(super) fn leave(&mut self, services: &Services) {
        self.last = None;
        services.metrics.leave_findings();
    }
}

/// Returns how much of a config was judged last, if some process has said so.
async fn known(services: &Services, config: &Config) -> Result<Option<Figures>, Error> {
    let text = services.coordination.cursor(&figures_of(config.id)).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn figures<'a>(config: &'a Config, rows: &[FindingRow], known: Option<Figures>, now: Timestamp) -> FindingFigures<'a> {
    let tally = Tally::of(rows.iter().filter(|row| row.config == Some(config.id)), now);
    let subjects = known.as_ref().map(|figures| {
        BTreeMap::from([
            ("subjects", figures.subjects),
            ("assigned", figures.assigned),
            ("must", figures.must),
            ("registered", figures.registered),
            ("unknown", figures.unknown),
        ])
    });
    FindingFigures {
        config: &config.name,
        counts: tally.counts.iter().map(|((kind, level), count)| ((kind.name(), level.name()), *count)).collect(),
        overdue_days: tally.overdue_days,
        subjects: subjects.unwrap_or_default(),
        judged: config.last_sync.map(|_| config.judged.unwrap_or_default()),
        last_complete_look: known.and_then(|figures| figures.last_complete_look),
    }
}
