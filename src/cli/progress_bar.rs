//! The progress of a run: bars on a terminal, one line a phase elsewhere, and a line for each finished aggregate.

use std::{
    collections::BTreeSet,
    fmt,
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar as Bar, ProgressState, ProgressStyle};
use tokio::{sync::watch, task::JoinHandle};

use super::output;
use crate::{
    model::RowId,
    sync::{
        Progress,
        progress::{Count, Phase, Snapshot},
    },
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

/// The aggregates that were shown as finished.
#[derive(Default)]
struct Shown(BTreeSet<RowId>);

impl Shown {
    /// Returns a line for each aggregate that has been finished since the last time.
    fn finished(&mut self, now: &Snapshot) -> Vec<String> {
        let over = now.lines().filter(|line| line.state.is_over());
        over.filter(|line| self.0.insert(line.aggregate)).map(ToString::to_string).collect()
    }
}

/// Prints one line for each phase of each config, and for each finished aggregate.
async fn lines(mut at: watch::Receiver<Snapshot>) {
    let (mut last, mut shown): (Option<(String, Phase)>, _) = (None, Shown::default());
    loop {
        let now = at.borrow_and_update().clone();
        let finished = shown.finished(&now);
        let step = (now.config, now.phase);
        if !step.0.is_empty() && last.as_ref() != Some(&step) {
            output::err(&format!("{}: {}", step.0, step.1.describe()));
            last = Some(step);
        }
        finished.iter().for_each(|line| output::err(line));
        if now.over || at.changed().await.is_err() {
            return;
        }
    }
}

async fn bars(at: watch::Receiver<Snapshot>) {
    let all = MultiProgress::new();
    let [configs, aggregates, prefixes, writes] =
        ["configs", "aggregates", "prefixes", "writes"].map(|name| all.add(bar(name)));
    let (mut tick, mut shown) = (tokio::time::interval(REDRAW_INTERVAL), Shown::default());
    loop {
        tick.tick().await;
        let now = at.borrow().clone();
        // A line that cannot be shown is no reason to end a sync.
        shown.finished(&now).iter().for_each(|line| drop(all.println(line)));
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
