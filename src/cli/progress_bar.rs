//! The progress of a run: bars on a terminal, one line a phase elsewhere.

use std::{
    fmt,
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar as Bar, ProgressState, ProgressStyle};
use tokio::{sync::watch, task::JoinHandle};

use super::output;
use crate::sync::{
    Progress,
    progress::{Count, Phase, Snapshot},
};

/// The time after which bars are drawn anew.
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Shows the progress of a run on standard error until [`ProgressBar::end`].
pub(super) struct ProgressBar(JoinHandle<()>);

impl ProgressBar {
    pub(super) fn begin(progress: &Progress) -> Self {
        let at = progress.watch();
        Self(tokio::spawn(async move { if stderr().is_terminal() { bars(at).await } else { lines(at).await } }))
    }

    /// Ends the showing and clears the bars.
    pub(super) async fn end(self, progress: &Progress) {
        progress.update(|at| at.over = true);
        drop(self.0.await);
    }
}

/// Prints one line for each phase of each config.
async fn lines(mut at: watch::Receiver<Snapshot>) {
    let mut last: Option<(String, Phase)> = None;
    loop {
        let now = at.borrow_and_update().clone();
        let step = (now.config, now.phase);
        if !step.0.is_empty() && last.as_ref() != Some(&step) {
            output::err(&format!("{}: {}", step.0, step.1.describe()));
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
    let mut tick = tokio::time::interval(REDRAW_INTERVAL);
    loop {
        tick.tick().await;
        let now = at.borrow().clone();
        set(&configs, now.configs, &format!("{} - {}", now.config, now.phase.describe()));
        set(&aggregates, now.aggregates(), "");
        set(&prefixes, now.prefixes(), "");
        set(&writes, now.writes, "");
        if now.over {
            [configs, aggregates, prefixes, writes].iter().for_each(Bar::finish_and_clear);
            return;
        }
    }
}

fn bar(name: &'static str) -> Bar {
    let style =
        ProgressStyle::with_template("{prefix:>10} [{bar:30}] {pos:>6}/{len:<6} {rate:>7} {eta:>4} left  {wide_msg}");
    let bar = Bar::new(0).with_prefix(name);
    match style {
        Ok(style) => bar.with_style(style.with_key("rate", rate).progress_chars("=> ")),
        Err(_) => bar,
    }
}

fn rate(state: &ProgressState, to: &mut dyn fmt::Write) {
    // A bar that cannot be drawn is no reason to end a sync.
    let _ = write!(to, "{:.0}/s", state.per_sec());
}

fn set(bar: &Bar, count: Count, message: &str) {
    bar.set_length(count.total);
    bar.set_position(count.done);
    bar.set_message(message.to_owned());
}
