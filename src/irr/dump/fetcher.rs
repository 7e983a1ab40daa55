//! Asks for files and takes them in.

use std::path::Path;

use tokio::{
    fs::File,
    sync::mpsc::{Sender, channel},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::bytes::Bytes;

use super::{
    error::{FetchError, FetchFailure},
    file,
    ftp::{self, FtpFile},
    http::{self, HttpAnswer},
    incoming::{Incoming, Piece, WAITING},
    limits::FetchLimits,
    location::{Location, Way},
    text::DumpText,
    validators::Validators,
};
use crate::{config::Proxy, deadline, http_client, tls::Trust};

/// Fetches files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fetcher {
    http: reqwest::Client,
    limits: FetchLimits,
}

/// What came of a fetch.
pub enum Fetched {
    /// All files are the ones that we know.
    Unchanged,
    /// They are on their way.
    Coming(Box<Download>),
}

/// Files on their way. What is not read is not fetched; dropping it breaks the fetch off.
pub struct Download {
    incoming: Incoming,
    most_text: u64,
}

/// A file that its server has begun to send.
struct Opened {
    body: Body,
    /// The bytes that have to come, where that is known.
    announced: Option<u64>,
    validators: Validators,
}

enum Body {
    Http(reqwest::Response),
    Ftp(Box<FtpFile>),
    File(File),
}

impl Fetcher {
    /// Makes one that takes these authorities, too, and goes through this proxy for what comes over HTTP. Unless anything is
    /// `encrypted`, no authorities have to be installed.
    ///
    /// # Errors
    /// When certificates cannot be checked, or the proxy is not to be used.
    pub fn new(
        ca_file: Option<&Path>,
        proxy: &Proxy,
        encrypted: bool,
        limits: FetchLimits,
    ) -> Result<Self, http_client::Error> {
        let trust = Trust::of(ca_file, encrypted || proxy.may_be_encrypted());
        let http = http_client::build(trust, proxy, |builder| builder.connect_timeout(limits.connect))?;
        Ok(Self { http, limits })
    }

    /// Returns the same one with other limits.
    #[must_use]
    pub fn limited(&self, limits: FetchLimits) -> Self {
        Self { limits, ..self.clone() }
    }

    /// Asks for files that together are one dump. `known` are the validators of those that we have, in the same order; only
    /// when all of them are still the same, nothing comes.
    ///
    /// # Errors
    /// When the first file does not begin to come. What goes wrong later, the reader tells.
    pub async fn fetch(&self, locations: &[Location], known: &[Validators]) -> Result<Fetched, FetchError> {
        let until = deadline::after(self.limits.total);
        let Some((first, rest)) = locations.split_first() else { return Err(FetchFailure::NothingNamed.into()) };
        let opened = match self.other_than(locations, known, until).await? {
            Changes::None => return Ok(Fetched::Unchanged),
            Changes::First(opened) => opened,
            Changes::Some => self
                .open(first, &Validators::default(), until)
                .await?
                .ok_or_else(|| FetchError::of(first.clone(), FetchFailure::Status(304, String::new())))?,
        };
        let (sender, receiver) = channel(WAITING);
        let task = Feed { fetcher: self.clone(), sender, until, received: 0 };
        tokio::spawn(task.run(first.clone(), opened, rest.to_vec()));
        let incoming = Incoming::new(receiver, locations.to_vec());
        Ok(Fetched::Coming(Box::new(Download { incoming, most_text: self.limits.text })))
    }

    /// Reads the beginning of a small file, up to so many bytes and one more.
    pub(super) async fn beginning(&self, location: &Location, most: usize) -> Result<Vec<u8>, FetchError> {
        let until = deadline::after(self.limits.total);
        let fails = |failure| FetchError::of(location.clone(), failure);
        let opened = self.open(location, &Validators::default(), until).await?;
        let mut opened = opened.ok_or_else(|| fails(FetchFailure::Status(304, String::new())))?;
        let (mut bytes, mut received) = (Vec::new(), 0);
        while bytes.len() <= most {
            let next = timeout_at(until, opened.next(self.limits.idle, &mut received)).await;
            match next.unwrap_or(Err(FetchFailure::TooSlow(self.limits.total))).map_err(fails)? {
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => break,
            }
        }
        bytes.truncate(most.saturating_add(1));
        Ok(bytes)
    }

    /// Reads a small file, such as an index or a key.
    ///
    /// # Errors
    /// When it does not come, or has more than `most` bytes.
    pub async fn small(&self, location: &Location, most: usize) -> Result<Vec<u8>, FetchError> {
        let bytes = self.beginning(location, most).await?;
        if bytes.len() <= most {
            return Ok(bytes);
        }
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        Err(FetchError::of(location.clone(), FetchFailure::TooLarge(most)))
    }

    /// Looks whether any file is another one than we know.
    async fn other_than(
        &self,
        locations: &[Location],
        known: &[Validators],
        until: Instant,
    ) -> Result<Changes, FetchError> {
        if known.len() != locations.len() || known.iter().any(Validators::is_empty) {
            return Ok(Changes::Some);
        }
        for (place, (location, known)) in locations.iter().zip(known).enumerate() {
            match self.open(location, known, until).await? {
                None => {}
                Some(opened) if place == 0 => return Ok(Changes::First(opened)),
                Some(_) => return Ok(Changes::Some),
            }
        }
        Ok(Changes::None)
    }

    /// Asks for a file; `None` when it is the one that we know.
    async fn open(
        &self,
        location: &Location,
        known: &Validators,
        until: Instant,
    ) -> Result<Option<Opened>, FetchError> {
        let opened = timeout_at(until, self.opened(location, known)).await;
        let opened = opened.unwrap_or(Err(FetchFailure::TooSlow(self.limits.total)));
        opened.map_err(|failure| FetchError::of(location.clone(), failure))
    }

    async fn opened(&self, location: &Location, known: &Validators) -> Result<Option<Opened>, FetchFailure> {
        let (body, announced, validators) = match location.way().ok_or(FetchFailure::NothingNamed)? {
            Way::Http => match http::open(&self.http, location, known, self.limits.idle).await? {
                HttpAnswer::Unchanged => return Ok(None),
                HttpAnswer::File(answer) => {
                    let validators = Validators::of(answer.headers());
                    (Body::Http(answer), None, validators)
                }
            },
            Way::Ftp { host, port, path } => {
                let file = ftp::open(&host, port, &path, &self.limits).await?;
                let size = file.size;
                (Body::Ftp(Box::new(file)), size, Validators::default())
            }
            Way::File(path) => {
                let (file, size) = file::open(&path).await?;
                (Body::File(file), Some(size), Validators::default())
            }
        };
        let announced = match &body {
            Body::Http(answer) => answer.content_length(),
            Body::Ftp(_) | Body::File(_) => announced,
        };
        Ok(Some(Opened { body, announced, validators }))
    }
}

/// What is new.
enum Changes {
    None,
    /// The first file, which is coming.
    First(Opened),
    /// Something; all have to be asked for.
    Some,
}

impl Download {
    /// Returns a reader of the text.
    #[must_use]
    pub fn text(self) -> DumpText {
        DumpText::new(self.incoming, self.most_text)
    }

    /// Returns a reader of the bytes of the first file as they come.
    #[must_use]
    pub fn bytes(self) -> Incoming {
        self.incoming
    }
}

impl Opened {
    /// Returns the next bytes; `None` once all that was announced is there.
    async fn next(&mut self, idle: std::time::Duration, received: &mut u64) -> Result<Option<Bytes>, FetchFailure> {
        let next = async {
            match &mut self.body {
                Body::Http(answer) => http::next(answer, *received).await,
                Body::Ftp(file) => file.next().await,
                Body::File(file) => file::next(file).await,
            }
        };
        let next = timeout(idle, next).await.map_err(|_| FetchFailure::Silent(idle))??;
        if let Some(chunk) = &next {
            *received = received.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        } else if let Some(announced) = self.announced.filter(|announced| announced != received) {
            return Err(FetchFailure::Length { received: *received, announced });
        }
        Ok(next)
    }
}

/// Takes files in and hands them on.
struct Feed {
    fetcher: Fetcher,
    sender: Sender<Result<Piece, FetchError>>,
    until: Instant,
    /// The bytes of all files so far.
    received: u64,
}

/// Nobody reads any more.
struct Unwanted;

impl Feed {
    async fn run(mut self, first: Location, opened: Opened, rest: Vec<Location>) {
        if let Err(Unwanted) = self.files(first, opened, rest).await {
            tracing::debug!("a fetch is broken off, as nobody reads on");
        }
    }

    async fn files(&mut self, first: Location, opened: Opened, rest: Vec<Location>) -> Result<(), Unwanted> {
        if !self.file(&first, opened).await? {
            return Ok(());
        }
        for location in &rest {
            let opened = self.fetcher.open(location, &Validators::default(), self.until).await;
            let opened = opened.and_then(|opened| {
                opened.ok_or_else(|| FetchError::of(location.clone(), FetchFailure::Status(304, String::new())))
            });
            match opened {
                Ok(opened) => {
                    if !self.file(location, opened).await? {
                        return Ok(());
                    }
                }
                Err(error) => return self.tell(Err(error)).await,
            }
        }
        self.tell(Ok(Piece::End)).await
    }

    /// Hands a file on, and returns whether it came to its end.
    async fn file(&mut self, location: &Location, mut opened: Opened) -> Result<bool, Unwanted> {
        let limits = self.fetcher.limits;
        let mut received = 0;
        loop {
            let next = timeout_at(self.until, opened.next(limits.idle, &mut received)).await;
            let next = next.unwrap_or(Err(FetchFailure::TooSlow(limits.total)));
            let piece = match next {
                Ok(Some(bytes)) => self.counted(bytes),
                Ok(None) => Ok(Piece::FileEnd(opened.validators.clone())),
                Err(failure) => Err(failure),
            };
            let (ended, failed) = (matches!(piece, Ok(Piece::FileEnd(_))), piece.is_err());
            self.tell(piece.map_err(|failure| FetchError::of(location.clone(), failure))).await?;
            if ended || failed {
                return Ok(ended);
            }
        }
    }

    fn counted(&mut self, bytes: Bytes) -> Result<Piece, FetchFailure> {
        let most = self.fetcher.limits.received;
        self.received = self.received.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.received > most { Err(FetchFailure::TooLarge(most)) } else { Ok(Piece::Bytes(bytes)) }
    }

    /// Hands a piece on, as soon as the reader has room for it.
    async fn tell(&self, piece: Result<Piece, FetchError>) -> Result<(), Unwanted> {
        self.sender.send(piece).await.map_err(|_| Unwanted)
    }
}
