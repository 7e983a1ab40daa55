//! Servers that do as a test says.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What an HTTP server says, and whether it then goes silent instead of closing the connection.
pub(super) struct Reply {
    pub(super) bytes: Vec<u8>,
    pub(super) silent: bool,
}

/// Answers each request as a function of its head says; returns the URL, without a slash.
pub(super) async fn http(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                let reply = answer(&String::from_utf8_lossy(&head));
                stream.write_all(&reply.bytes).await?;
                if reply.silent {
                    std::future::pending::<()>().await;
                }
                stream.shutdown().await
            });
        }
    });
    url
}

pub(super) fn reply(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    Reply { bytes: [head.as_bytes(), body].concat(), silent: false }
}

pub(super) fn ok(body: impl AsRef<[u8]>) -> Reply {
    reply("200 OK", "", body)
}

/// Serves one body under one name; returns the URL as a list.
pub(super) async fn file(name: &str, body: impl Into<Vec<u8>>) -> [String; 1] {
    let body = body.into();
    [format!("{}/{name}", http(move |_| ok(&body)).await)]
}

/// An FTP server.
#[derive(Clone)]
pub(super) struct Ftp {
    pub(super) file: Vec<u8>,
    /// The size it tells.
    pub(super) size: Option<usize>,
    /// Whether it knows EPSV.
    pub(super) extended: bool,
    /// What it says after the file; nothing, and it hangs up.
    pub(super) end: &'static str,
    /// What it was told, in order.
    pub(super) heard: Arc<Mutex<Vec<String>>>,
}

impl Ftp {
    pub(super) fn with(file: impl Into<Vec<u8>>) -> Self {
        let file = file.into();
        Self { size: Some(file.len()), file, extended: true, end: "226 Done", heard: Arc::default() }
    }

    /// Returns the URL, without a slash.
    pub(super) async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ftp://{}", listener.local_addr().unwrap());
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.session(stream).await });
            }
        });
        url
    }

    async fn session(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let (mut line, mut data) = (String::new(), None);
        stream.write_all(b"220-Welcome to\r\n220 this mirror\r\n").await?;
        while stream.read_line(&mut line).await? > 0 {
            let (command, argument) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            self.heard.lock().unwrap().push(line.trim().to_owned());
            let answer = match command {
                "USER" => "331 Your address, please".to_owned(),
                "PASS" => "230-Be welcome\r\n230 in".to_owned(),
                "TYPE" => "200 Binary".to_owned(),
                "SIZE" => self.size.map_or("502 No".to_owned(), |size| format!("213 {size}")),
                "EPSV" if !self.extended => "500 What?".to_owned(),
                "EPSV" | "PASV" => {
                    let listener = TcpListener::bind("127.0.0.1:0").await?;
                    let port = listener.local_addr()?.port();
                    data = Some(listener);
                    match command {
                        "EPSV" => format!("229 Entering (|||{port}|)"),
                        // An address behind which nobody is.
                        _ => format!("227 Entering (192,0,2,1,{},{})", port >> 8, port & 255),
                    }
                }
                "RETR" if argument == "irr/test.db.gz" => {
                    stream.write_all(b"150 Here it comes\r\n").await?;
                    let (mut data, _) = data.take().unwrap().accept().await?;
                    data.write_all(&self.file).await?;
                    data.shutdown().await?;
                    if self.end.is_empty() {
                        return Ok(());
                    }
                    self.end.to_owned()
                }
                "RETR" => "550 No such file".to_owned(),
                _ => "500 What?".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            line.clear();
        }
        Ok(())
    }
}
