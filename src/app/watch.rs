//! Shows how far a run is: bars on a terminal, one line a phase elsewhere.

use std::{
    fmt,
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use tokio::{sync::watch, task::JoinHandle};

use super::show;
use crate::sync::{
    Progress,
    progress::{Count, Phase, Snapshot},
};

/// How often bars are drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// Watches a run on standard error until [`Watch::end`].
pub(super) struct Watch(JoinHandle<()>);

impl Watch {
    pub(super) fn begin(progress: &Progress) -> Self {
        let at = progress.watch();
        Self(tokio::spawn(async move { if stderr().is_terminal() { bars(at).await } else { lines(at).await } }))
    }

    /// Ends the watching and clears the bars.
    pub(super) async fn end(self, progress: &Progress) {
        progress.update(|at| at.over = true);
        drop(self.0.await);
    }
}

/// One line for each phase of each config.
async fn lines(mut at: watch::Receiver<Snapshot>) {
    let mut last: Option<(String, Phase)> = None;
    loop {
        let now = at.borrow_and_update().clone();
        let step = (now.config, now.phase);
        if !step.0.is_empty() && last.as_ref() != Some(&step) {
            show::err(&format!("{}: {}", step.0, step.1.describe()));
            last = Some(step);
        }
        if now.over || at.changed().await.is_err() {
            return;
        }
    }
}

async fn bars(at: watch::Receiver<Snapshot>) {
    let all = MultiProgress::new();
    let [configs, aggregates, prefixes, writes] =
        ["configs", "aggregates", "prefixes", "writes"].map(|name| all.add(bar(name)));
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let now = at.borrow().clone();
        set(&configs, now.configs, &format!("{} - {}", now.config, now.phase.describe()));
        set(&aggregates, now.aggregates(), "");
        set(&prefixes, now.prefixes(), "");
        set(&writes, now.writes, "");
        if now.over {
            [configs, aggregates, prefixes, writes].iter().for_each(ProgressBar::finish_and_clear);
            return;
        }
    }
}

fn bar(name: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{prefix:>10} [{bar:30}] {pos:>6}/{len:<6} {rate:>7} {eta:>4} left  {wide_msg}");
    let bar = ProgressBar::new(0).with_prefix(name);
    match style {
        Ok(style) => bar.with_style(style.with_key("rate", rate).progress_chars("=> ")),
        Err(_) => bar,
    }
}

fn rate(state: &ProgressState, to: &mut dyn fmt::Write) {
    // A bar that cannot be drawn is no reason to end a sync.
    let _ = write!(to, "{:.0}/s", state.per_sec());
}

fn set(bar: &ProgressBar, count: Count, message: &str) {
    bar.set_length(count.total);
    bar.set_position(count.done);
    bar.set_message(message.to_owned());
}
