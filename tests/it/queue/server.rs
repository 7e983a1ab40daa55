//! A Redis of a test's own, to be hurt.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rir_sidecar::config;
use tempfile::TempDir;

use super::bench::{Bench, settings};

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A `redis-server` on a port of its own that keeps what it was told.
pub(crate) struct Server {
    pub(crate) port: u16,
    folder: TempDir,
    options: Vec<String>,
    process: Child,
}

impl Server {
    pub(crate) async fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let port = free_port();
        let process = run(port, &folder.path().join("data"), &options);
        let server = Self { port, folder, options, process };
        server.answers().await;
        server
    }

    pub(crate) fn settings(&self) -> config::Queue {
        settings(&format!("redis://127.0.0.1:{}/", self.port))
    }

    pub(super) async fn bench(&self) -> Bench {
        Bench::open(self.settings()).await
    }

    /// Ends it as a power cut would.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again with the data it had.
    pub(super) async fn again(&mut self) {
        self.process = run(self.port, &self.folder.path().join("data"), &self.options);
        self.answers().await;
    }

    /// Stops it from doing anything, or lets it go on.
    pub(super) fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Waits until it answers, whatever it says.
    async fn answers(&self) {
        let begun = Instant::now();
        while !told(self.port, &["ping"]).contains("PONG") && !told(self.port, &["ping"]).contains("NOAUTH") {
            assert!(begun.elapsed() < Duration::from_secs(10), "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(port: u16, folder: &std::path::Path, options: &[String]) -> Child {
    fs::create_dir_all(folder).unwrap();
    let mut command = Command::new("redis-server");
    // Options begin with a configuration file, if there is one.
    let (file, options) = match options.split_first() {
        Some((first, rest)) if !first.starts_with("--") => (Some(first), rest),
        _ => (None, options),
    };
    command.args(file).args(["--port", &port.to_string(), "--bind", "127.0.0.1"]).arg("--dir").arg(folder);
    if !options.iter().any(|option| option == "--sentinel") {
        command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
    }
    command.args(options).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Returns the answer of `redis-cli`.
pub(crate) fn told(port: u16, command: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(command).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
