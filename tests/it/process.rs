//! A process of the real program, with everything it says.

use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use tokio::process::{Child, Command};

use crate::scene::{CONFIG, Scene};

/// Longest wait for anything here.
const WAIT_LIMIT: Duration = Duration::from_secs(40);

/// The settings of a process that works for a scene.
pub(crate) struct Means {
    folder: tempfile::TempDir,
    set: Vec<(String, String)>,
}

/// A process under way.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Means {
    /// A keys file with this API key, and these settings besides the usual ones.
    pub(crate) fn new(scene: &Scene, key: &str, more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.toml");
        fs::write(&keys, format!("[[key]]\nconfig = \"{CONFIG}\"\nuser = \"ann\"\napi_key = \"{key}\"\n")).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
        let (arin, listen) = (scene.arin.url(), free_address());
        let usual = [
            ("NETBOX__URL", scene.netbox.url.as_str()),
            ("NETBOX__TOKEN", scene.netbox.token.as_str()),
            ("ARIN__ALLOWED_BASE_URLS", arin.as_str()),
            ("ARIN__REQUESTS_PER_SECOND", "0"),
            ("ARIN__RETRY_BACKOFF", "5ms"),
            ("ARIN__TIMEOUT", "2s"),
            ("ARIN__CONNECT_TIMEOUT", "1s"),
            ("KEYS__FILE", keys.to_str().unwrap()),
            ("QUEUE__RETRY_BACKOFF", "10ms"),
            ("HTTP__LISTEN", listen.as_str()),
            ("SCHEDULE__ENABLED", "false"),
            ("SWEEP__INTERVAL", "0s"),
            ("WEBHOOK__DEBOUNCE", "0s"),
        ];
        let set = usual.iter().chain(more).map(|(name, value)| (format!("RIR_SIDECAR__{name}"), (*value).to_owned()));
        let set = set.collect();
        Self { folder, set }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
        command.env_clear().envs(self.set.iter().cloned()).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().await.unwrap()
    }

    /// Starts a command whose words [`Means::said`] tells.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        self.command(arguments).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    /// Starts a process and waits until it answers.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Process {
        let child = self.spawn(arguments);
        let listen = self.set.iter().rev().find(|(name, _)| name.ends_with("HTTP__LISTEN")).unwrap().1.clone();
        let process = Process { child, url: format!("http://{listen}") };
        until("the process answers", async || reqwest::get(process.url("/health/live")).await.is_ok()).await;
        process
    }

    /// All that the processes have said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Process {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The status and the text at a path.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(self.url(path)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// SIGTERM.
    pub(crate) async fn terminate(&self) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    }

    /// SIGTERM, and waits until it has ended well.
    pub(crate) async fn end(self) {
        self.terminate().await;
        self.ended().await;
    }

    /// Waits until it has ended well.
    pub(crate) async fn ended(mut self) {
        let ended = tokio::time::timeout(WAIT_LIMIT, self.child.wait()).await;
        assert!(ended.unwrap().unwrap().success());
    }
}

/// An address of this machine that nobody listens on.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, true_yet: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !true_yet().await {
        assert!(began.elapsed() < WAIT_LIMIT, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
