//! A process that is asked to end loses no request of a client that keeps its connection.

use std::time::Duration;

use rir_sandbox::regrws::KEY;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use crate::{
    process::{Means, Process},
    scene::{Scene, Target, small},
};

/// The clients that ask again and again, and the pause of each between two questions.
const CLIENTS: usize = 8;
const PAUSE: Duration = Duration::from_millis(20);

/// A client that keeps its connection, and that sends nothing twice.
struct Client(TcpStream);

impl Client {
    async fn connect(process: &Process) -> Self {
        Self(TcpStream::connect(process.url.trim_start_matches("http://")).await.unwrap())
    }

    /// Asks, and returns the answer's head and body.
    async fn ask(&mut self, path: &str) -> String {
        let question = format!("GET {path} HTTP/1.1\r\nHost: rir-sidecar\r\n\r\n");
        self.0.write_all(question.as_bytes()).await.unwrap();
        let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
        while !is_whole(&answer) {
            let read = self.0.read(&mut piece).await.unwrap();
            assert!(read > 0, "the connection ended before the answer: {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..read]);
        }
        String::from_utf8(answer).unwrap()
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() == length.parse::<usize>().unwrap()
}

fn is_last(answer: &str) -> bool {
    answer.to_lowercase().contains("\r\nconnection: close\r\n")
}

/// Asks until it is told that the connection ends.
async fn keep_asking(mut client: Client, answered: mpsc::Sender<()>) {
    loop {
        let answer = client.ask("/health/live").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        if is_last(&answer) {
            return;
        }
        // Nobody listens any more once the process was asked to end.
        let _ = answered.try_send(());
        tokio::time::sleep(PAUSE).await;
    }
}

#[tokio::test]
async fn a_process_that_ends_loses_no_request_on_a_kept_connection() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let means = Means::new(&scene, KEY, &[]);
    let process = means.start(&["serve"]).await;
    let mut idle = Client::connect(&process).await;
    assert!(!is_last(&idle.ask("/health/ready").await));
    let (answered, mut answers) = mpsc::channel(CLIENTS);
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(tokio::spawn(keep_asking(Client::connect(&process).await, answered.clone())));
    }
    for _ in 0..3 * CLIENTS {
        answers.recv().await.unwrap();
    }
    process.terminate().await;
    for client in clients {
        client.await.unwrap();
    }
    // Whoever comes now is still answered, and told to go elsewhere; and so is who has kept a connection until now.
    for mut client in [Client::connect(&process).await, idle] {
        let answer = client.ask("/health/ready").await;
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("the service is going away"), "{answer}");
        assert!(is_last(&answer), "{answer}");
    }
    process.ended().await;
    assert!(!means.said().contains("not everything ended in time"), "{}", means.said());
}
