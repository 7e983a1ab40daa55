//! The processes: Redis, and the replicas of the program.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    sync::Mutex,
    time::{Instant, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::places::Places;

pub(crate) const REPLICAS: usize = 3;
/// The longest that a process may take to begin or to end.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Redis and the replicas.
pub(crate) struct Processes {
    redis: Mutex<Option<Child>>,
    replicas: [Mutex<Option<Child>>; REPLICAS],
    /// The command of each replica begins anew with these.
    variables: [Vec<(String, String)>; REPLICAS],
    pub(crate) urls: [String; REPLICAS],
    folder: PathBuf,
    port: u16,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Processes {
    pub(crate) async fn start(places: &Places) -> Self {
        let (folder, port) = (places.folder.path().to_owned(), free_port());
        let addresses: [String; REPLICAS] = std::array::from_fn(|_| format!("127.0.0.1:{}", free_port()));
        let redis = format!("redis://127.0.0.1:{port}/0");
        let variables = addresses.each_ref().map(|address| {
            let own = [("HTTP__LISTEN", address.as_str()), ("QUEUE__URL", redis.as_str())];
            places.variables(&own).into_iter().collect()
        });
        let urls = addresses.map(|address| format!("http://{address}"));
        let processes = Self { redis: Mutex::default(), replicas: Default::default(), variables, urls, folder, port };
        processes.start_again(None).await;
        for replica in 0..REPLICAS {
            processes.start_again(Some(replica)).await;
        }
        processes
    }

    pub(crate) fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// The file with all that the processes of a replica have logged.
    pub(crate) fn log(&self, replica: usize) -> PathBuf {
        self.folder.join(format!("replica-{replica}.log"))
    }

    /// Starts a replica, or Redis, and waits until it answers.
    pub(crate) async fn start_again(&self, replica: Option<usize>) {
        match replica {
            Some(replica) => {
                let log = File::options().create(true).append(true).open(self.log(replica)).unwrap();
                let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
                command.env_clear().envs(self.variables[replica].iter().cloned()).arg("serve").stderr(log);
                *self.replicas[replica].lock().await = Some(spawn(command));
                let live = format!("{}/health/live", self.urls[replica]);
                until("a replica answers", async || reqwest::get(&live).await.is_ok()).await;
            }
            None => {
                let folder = self.folder.join("redis");
                fs::create_dir_all(&folder).unwrap();
                let port = self.port.to_string();
                let mut command = Command::new("redis-server");
                command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "yes"]);
                command.arg("--dir").arg(folder).stdout(Stdio::null());
                *self.redis.lock().await = Some(spawn(command));
                let queue = redis::Client::open(self.redis_url()).unwrap();
                let answers = async || {
                    let connection = queue.get_multiplexed_async_connection().await;
                    let Ok(mut connection) = connection else { return false };
                    redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
                };
                until("Redis answers", answers).await;
            }
        }
    }

    fn child(&self, replica: Option<usize>) -> &Mutex<Option<Child>> {
        replica.map_or(&self.redis, |replica| &self.replicas[replica])
    }

    /// Ends a replica, or Redis, by SIGKILL.
    pub(crate) async fn kill(&self, replica: Option<usize>) {
        let child = self.child(replica).lock().await.take();
        let mut child = child.unwrap();
        assert!(child.try_wait().unwrap().is_none(), "{replica:?} has ended by itself");
        child.kill().await.unwrap();
    }

    /// Ends all replicas by SIGTERM, and Redis stays. Returns how many replicas did not end well.
    pub(crate) async fn end(&self) -> usize {
        let mut badly = 0;
        for replica in &self.replicas {
            let mut child = replica.lock().await.take().unwrap();
            let pid = child.id().unwrap().to_string();
            assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
            let ended = timeout(LONGEST_WAIT, child.wait()).await;
            badly += usize::from(!ended.is_ok_and(|status| status.unwrap().success()));
        }
        badly
    }

    /// Looks at the memory that a replica has in use, in MB, every five seconds.
    pub(crate) async fn measure_memory(&self, replica: usize, ended: &CancellationToken) -> Vec<f64> {
        let mut seen = Vec::new();
        let mut tick = interval(Duration::from_secs(5));
        while !ended.is_cancelled() {
            tokio::select! {
                _ = tick.tick() => {}
                () = ended.cancelled() => break,
            }
            let pid = self.replicas[replica].lock().await.as_ref().and_then(Child::id);
            seen.extend(pid.and_then(memory));
        }
        seen
    }
}

fn spawn(mut command: Command) -> Child {
    command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap()
}

/// Returns the memory that a process has in use, in MB.
fn memory(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse::<f64>().ok().map(|kib| kib / 1024.0)
}

async fn until(what: &str, true_yet: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !true_yet().await {
        assert!(began.elapsed() < LONGEST_WAIT, "waited in vain until {what}");
        sleep(Duration::from_millis(50)).await;
    }
}
