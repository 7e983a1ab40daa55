//! What something costs: the time that passes, processor time, memory.

use std::{
    collections::BTreeMap,
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::Command;

/// Ticks of the kernel's clock of CPU time in a second; the same on every Linux.
const TICKS: f64 = 100.0;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What a run cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    /// CPU seconds of the program.
    pub(crate) cpu: f64,
    /// CPU seconds of the database that it keeps things in.
    pub(crate) database_cpu: f64,
    /// The most memory of the program, in MB.
    pub(crate) peak: f64,
    /// What it printed.
    pub(crate) printed: String,
}

impl Cost {
    pub(crate) fn all_cpu(&self) -> f64 {
        self.cpu + self.database_cpu
    }
}

/// Runs a program to its end. `database` tells the CPU seconds of its database so far, and is called meanwhile, too.
pub(crate) async fn of(mut command: Command, mut database: impl FnMut() -> f64) -> Cost {
    let (before, database_before, began) = (ended_children(), database(), Instant::now());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let (pid, mut peak) = (child.id().unwrap(), 0.0);
    let status = loop {
        peak = memory(pid).unwrap_or(peak);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        database();
        tokio::time::sleep(LOOK).await;
    };
    let seconds = began.elapsed().as_secs_f64();
    let output = child.wait_with_output().await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    // 3 says that something is the matter with what was looked at.
    assert!(status.success() || status.code() == Some(3), "{command:?}: {printed}");
    Cost { seconds, cpu: ended_children() - before, database_cpu: database() - database_before, peak, printed }
}

/// The run in the middle by its processor time.
pub(crate) fn middle(mut runs: Vec<Cost>) -> Cost {
    runs.sort_by(|one, other| one.all_cpu().total_cmp(&other.all_cpu()));
    runs.swap_remove(runs.len() / 2)
}

/// The most memory that a process had in use, in MB.
pub(crate) fn memory(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// CPU seconds of a process.
pub(crate) fn cpu(pid: u32) -> f64 {
    Times::of(pid).unwrap().itself
}

/// CPU seconds of a process and all that it has started, whether they have ended or not.
pub(crate) fn cpu_of_family(pid: u32) -> f64 {
    family(pid).into_iter().filter_map(Times::of).map(|times| times.itself + times.ended_children).sum()
}

/// The most memory that one process of a family had in use, in MB.
pub(crate) fn memory_in_family(pid: u32) -> f64 {
    family(pid).into_iter().filter_map(memory).fold(0.0, f64::max)
}

/// A process and all that it has started and that have not ended.
fn family(pid: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some(times) = Times::of(pid) {
            children.entry(times.parent).or_default().push(pid);
        }
    }
    let (mut all, mut left) = (Vec::new(), vec![pid]);
    while let Some(pid) = left.pop() {
        all.push(pid);
        left.extend(children.remove(&pid).unwrap_or_default());
    }
    all
}

/// CPU seconds of the processes that this one started and that have ended.
fn ended_children() -> f64 {
    Times::of(std::process::id()).unwrap().ended_children
}

struct Times {
    parent: u32,
    itself: f64,
    ended_children: f64,
}

impl Times {
    /// Reads them, in seconds; `None` for a process that is gone.
    fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the name, which may hold anything: fields 3 and on, the parent the 4th, times from the 14th on.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let seconds = |field: usize| fields[field].parse::<f64>().unwrap() / TICKS;
        Some(Self {
            parent: fields[1].parse().ok()?,
            itself: seconds(11) + seconds(12),
            ended_children: seconds(13) + seconds(14),
        })
    }
}
