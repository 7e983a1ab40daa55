//! Threads of their own for jobs.
//!
//! A plan over a large inventory keeps a thread busy for seconds. On the threads of everything else it would hold up the
//! heartbeats of all jobs of the process, its answers to probes, and its connection to Redis.

use std::{io, thread};

use tokio::runtime::{Builder, Handle, Runtime};

/// The threads that jobs run on. Dropping it does not wait for them.
#[derive(Debug)]
pub struct JobThreads(Option<Runtime>);

impl JobThreads {
    /// Starts as many threads as there are processors.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from);
        Builder::new_multi_thread().worker_threads(count).thread_name("job").enable_all().build().map(Some).map(Self)
    }

    /// Returns where to spawn a job.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for JobThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
