//! Output for people: lines, tables, and the text of a run.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

use crate::{
    model::ObjectType,
    sync::{Preview, SyncRun, json::RunView, outcome::Counts, text},
};

/// The form of a command's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables and sentences
    Text,
    /// One JSON document
    Json,
}

/// Writes to standard output. A reader that is gone, as after `head`, is no error.
pub(super) fn out(text: &str) {
    drop(writeln!(io::stdout().lock(), "{}", text.trim_end()));
}

/// Writes to standard error.
pub(super) fn err(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", text.trim_end()));
}

/// The width of a table that is not shown on a terminal, in columns.
const WIDTH_ELSEWHERE: u16 = 110;

/// Draws a table with a header; columns from `numbers` on are aligned to the right.
pub(super) fn table(header: &[&str], rows: Vec<Vec<impl Into<Cell>>>, numbers: usize) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(WIDTH_ELSEWHERE);
    }
    table.set_header(header.iter().copied());
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Describes a finished run: the counts of each type of object, the failures, and the end.
pub(super) fn run(run: &SyncRun) -> String {
    let header = ["", "created", "updated", "not found", "unchanged", "skipped", "failed"];
    let counts = run.counts();
    let rows = counts.iter().map(|(object, counts)| counts_row(*object, counts)).collect();
    let mut lines = format!("{}: {}\n{}\n", run.config, run.verdict(), table(&header, rows, 1));
    for skip in &run.skips {
        lines.push_str(&format!("skipped {} {}: {}\n", skip.object, skip.handle, skip.message));
    }
    for failure in run.all_failures() {
        lines.push_str(&format!("failed {} {}: {}\n", failure.object, failure.handle, failure.message));
    }
    lines + &text::ending(&RunView::of_run(run))
}

fn counts_row(object: ObjectType, counts: &Counts) -> Vec<String> {
    let number = |count: usize| if count == 0 { "-".to_owned() } else { count.to_string() };
    let Counts { created, updated, retired, unchanged, skipped, failed } = *counts;
    let numbers = [created, updated, retired, unchanged, skipped, failed].map(number);
    std::iter::once(object.name().to_owned()).chain(numbers).collect()
}

/// Describes a preview: the rows that a run would write, and what could not be found out.
pub(super) fn preview(preview: &Preview) -> String {
    let view = RunView::of_preview(preview);
    format!("{}{}{}", text::heading(&view), preview.plan, text::closing(&view))
}
