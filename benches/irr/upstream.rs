//! An upstream: the changes of sources over NRTMv3, of which it tells those that have happened.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use crate::routes::route;

/// The serial of each dump.
pub(crate) const DUMPED: u64 = 1000;

/// A server that others ask for changes.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) port: u16,
    sources: Arc<Mutex<BTreeMap<String, Source>>>,
}

/// A source whose changes have happened up to a serial.
#[derive(Clone, Copy)]
struct Source {
    objects: u64,
    newest: u64,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let upstream = Self { port, sources: Arc::default() };
        let this = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                let answer = this.answer(line.trim());
                // Who has asked may have gone.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        upstream
    }

    /// Makes changes happen up to a serial.
    pub(crate) fn release(&self, source: &str, objects: u64, newest: u64) {
        self.sources.lock().unwrap().insert(source.to_owned(), Source { objects, newest });
    }

    fn answer(&self, question: &str) -> String {
        let parts: Vec<&str> = question.trim_start_matches("-g ").split(':').collect();
        let [name, "3", range] = parts[..] else { panic!("not asked that way: {question}") };
        let first: u64 = range.split('-').next().unwrap().parse().unwrap();
        let source = self.sources.lock().unwrap().get(name).copied();
        let Some(Source { objects, newest }) = source.filter(|source| source.newest >= first) else {
            return "% Warning: there are no newer updates available\n\n\n".to_owned();
        };
        let mut text = format!("%START Version: 3 {name} {first}-{newest}\n\n");
        for serial in first..=newest {
            text.push_str(&change(name, objects, serial));
        }
        write!(text, "%END {name}\n\n\n").unwrap();
        text
    }
}

/// Of four changes two are new versions of objects, one is a new object, and one deletes one.
fn change(source: &str, objects: u64, serial: u64) -> String {
    let nth = serial - DUMPED;
    // No object twice, for as many changes as a fifth of the objects.
    let old = nth * 5 % objects;
    match nth % 4 {
        0 => format!("DEL {serial}\n\n{}\n", route(source, old, 0)),
        1 => format!("ADD {serial}\n\n{}\n", route(source, objects + nth, 0)),
        _ => format!("ADD {serial}\n\n{}\n", route(source, old, 1)),
    }
}
