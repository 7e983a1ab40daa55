//! A stand-in for a routing registry: a dump with its serial over HTTP, and over TCP the changes since (NRTMv3) and an IRRd's
//! search for routes (`!r`).

use std::{
    fmt::Write,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, routing::get};
use ipnet::IpNet;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::server::{StartError, lock, loopback};

/// The longest question that is read, in bytes.
const LONGEST_QUESTION: u64 = 200;

/// A running registry with one source. It stops when dropped.
#[derive(Debug)]
pub struct Server {
    files: SocketAddr,
    changes: SocketAddr,
    registry: Arc<Mutex<Registry>>,
    stopping: CancellationToken,
}

#[derive(Debug)]
struct Registry {
    source: String,
    /// Of the newest change.
    serial: u64,
    objects: Vec<String>,
    /// What was added or deleted, with its serial.
    journal: Vec<(u64, &'static str, String)>,
}

impl Server {
    /// Starts a registry whose source has these objects at a serial.
    ///
    /// # Errors
    /// When there is no port to listen on.
    pub async fn start(source: &str, serial: u64, objects: &[String]) -> Result<Self, StartError> {
        let (files, changes) = (listen().await?, listen().await?);
        let registry = Registry { source: source.to_owned(), serial, objects: objects.to_vec(), journal: Vec::new() };
        let this = Self {
            files: files.1,
            changes: changes.1,
            registry: Arc::new(Mutex::new(registry)),
            stopping: CancellationToken::new(),
        };
        let routes = Router::new()
            .route("/dump", get(async |State(registry): State<Arc<Mutex<Registry>>>| lock(&registry).dump()))
            .route(
                "/serial",
                get(async |State(registry): State<Arc<Mutex<Registry>>>| lock(&registry).serial.to_string()),
            )
            .with_state(Arc::clone(&this.registry));
        let serve = axum::serve(files.0, routes).with_graceful_shutdown(this.stopping.clone().cancelled_owned());
        tokio::spawn(async move { serve.await });
        tokio::spawn(this.stopping.clone().run_until_cancelled_owned(tell(changes.0, Arc::clone(&this.registry))));
        Ok(this)
    }

    /// Returns the settings of a mirror of it, as TOML.
    #[must_use]
    pub fn settings(&self) -> String {
        let Self { files, changes, registry, .. } = self;
        let source = &lock(registry).source;
        format!(
            "name = '{source}'\ndumps = ['http://{files}/dump']\nserial_url = 'http://{files}/serial'\nnrtm = '{changes}'\n"
        )
    }

    /// Returns the settings of a source that is asked instead, as TOML.
    #[must_use]
    pub fn query_settings(&self) -> String {
        format!("name = '{}'\nkind = 'query'\nserver = '{}'\n", lock(&self.registry).source, self.changes)
    }

    /// Adds an object, or another version of one.
    pub fn add(&self, text: &str) {
        let mut registry = lock(&self.registry);
        registry.objects.push(text.to_owned());
        registry.note("ADD", text);
    }

    /// Deletes an object.
    pub fn delete(&self, text: &str) {
        let mut registry = lock(&self.registry);
        registry.objects.retain(|object| object != text);
        registry.note("DEL", text);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl Registry {
    fn note(&mut self, operation: &'static str, text: &str) {
        self.serial = self.serial.saturating_add(1);
        self.journal.push((self.serial, operation, text.to_owned()));
    }

    fn dump(&self) -> String {
        self.objects.join("\n") + "\n# EOF\n"
    }

    /// Answers a question such as `-g EXAMPLE:3:1001-LAST`, or one of [`Registry::whois`].
    fn answer(&self, question: &str) -> String {
        if let Some(command) = question.strip_prefix('!') {
            return self.whois(command);
        }
        let Self { source, serial, .. } = self;
        let first = question.strip_prefix(&format!("-g {source}:3:")).and_then(|rest| rest.strip_suffix("-LAST"));
        let Some(first) = first.and_then(|first| first.parse::<u64>().ok()) else {
            return "%ERROR: no such question is answered here\n\n\n".to_owned();
        };
        if first > *serial {
            return "% Warning: there are no newer updates available\n\n\n".to_owned();
        }
        let mut answer = format!("%START Version: 3 {source} {first}-{serial}\n\n");
        for (serial, operation, text) in self.journal.iter().filter(|(serial, ..)| *serial >= first) {
            // Writing to a string does not fail.
            let _ = write!(answer, "{operation} {serial}\n\n{text}\n");
        }
        answer + &format!("%END {source}\n\n\n")
    }

    /// Answers `!sEXAMPLE`, `!fno-rpki-filter`, and `!r` with `L` or `M`.
    fn whois(&self, command: &str) -> String {
        if command == "fno-rpki-filter" {
            return counted("Filtering out RPKI invalids is disabled for the rest of this connection.\n");
        }
        if let Some(source) = command.strip_prefix('s') {
            let is_ours = self.source.eq_ignore_ascii_case(source);
            return if is_ours { "C\n" } else { "F One or more selected sources are unavailable.\n" }.to_owned();
        }
        let search = command.strip_prefix('r').and_then(|search| search.split_once(','));
        let search = search.and_then(|(range, extent)| Some((range.parse::<IpNet>().ok()?, extent)));
        let fits = |prefix: IpNet| match search {
            Some((range, "L")) => Some(prefix.contains(&range)),
            Some((range, "M")) => Some(range.contains(&prefix) && range != prefix),
            Some(_) | None => None,
        };
        let mut found = String::new();
        for object in &self.objects {
            match prefix_of(object).map(fits) {
                Some(Some(true)) => found.push_str(&format!("{object}\n")),
                Some(None) => return "F Invalid input for route search\n".to_owned(),
                Some(Some(false)) | None => {}
            }
        }
        if found.is_empty() { "D\n".to_owned() } else { counted(&found) }
    }
}

/// Returns the prefix of a route.
fn prefix_of(object: &str) -> Option<IpNet> {
    let (class, prefix) = object.lines().next()?.split_once(':')?;
    ["route", "route6"].contains(&class).then(|| prefix.trim().parse::<IpNet>().ok())?.map(|prefix| prefix.trunc())
}

/// Returns the answer with this text.
fn counted(text: &str) -> String {
    format!("A{}\n{text}C\n", text.len())
}

async fn listen() -> Result<(TcpListener, SocketAddr), StartError> {
    let address = loopback(0);
    let listening = async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listening.await.map_err(|source| StartError { address, source })
}

/// Answers one connection after the other.
async fn tell(listener: TcpListener, registry: Arc<Mutex<Registry>>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever hangs up before the answer does not want it.
        let _ = answer(stream, &registry).await;
    }
}

/// Answers one question, or as many as come behind `!!`.
async fn answer(mut stream: TcpStream, registry: &Mutex<Registry>) -> io::Result<()> {
    let (from, mut to) = stream.split();
    let (mut from, mut stays) = (BufReader::new(from), false);
    loop {
        let mut question = String::new();
        if (&mut from).take(LONGEST_QUESTION).read_line(&mut question).await? == 0 {
            return Ok(());
        }
        if question.trim() == "!!" {
            stays = true;
            continue;
        }
        let answer = lock(registry).answer(question.trim());
        to.write_all(answer.as_bytes()).await?;
        if !stays {
            return Ok(());
        }
    }
}
