//! The connection on which questions are asked.

use std::io::{self, ErrorKind};

use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    answer::{WhoisAnswer, WhoisReader},
    error::WhoisError,
};
use crate::irr::{nrtm3::AskLimits, source::SourceName};

/// How much is read at once, in bytes.
const PIECE: usize = 64 << 10;
/// So many ranges are asked about before the answers are read: a server that is far away is waited for less often. The
/// questions fit into what any connection takes without anybody reading.
const AT_ONCE: usize = 16;
/// What is around a range, itself included, and what is inside.
const EXTENTS: [char; 2] = ['L', 'M'];

/// Asks an IRRd, such as `whois.radb.net:43`, for the route objects of a source about ranges: equal to them, around and inside.
/// Hands the text of each answer on with the range that it is about.
///
/// # Errors
///
/// There is no answer to a question, or `take` does not take one. What was handed on before is not all there is then.
pub async fn ask(
    address: &str,
    source: &SourceName,
    ranges: &[IpNet],
    limits: &AskLimits,
    take: impl FnMut(&IpNet, &[u8]) -> Result<(), WhoisError>,
) -> Result<(), WhoisError> {
    let stream = connected(TcpStream::connect(address), address, limits).await?;
    exchange(stream, address, (source, ranges), limits, take).await
}

/// Waits for the connection.
pub(super) async fn connected<S>(
    connecting: impl Future<Output = io::Result<S>>,
    address: &str,
    limits: &AskLimits,
) -> Result<S, WhoisError> {
    match timeout(limits.connect, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(source)) => Err(WhoisError::Unreachable { address: address.to_owned(), source }),
        Err(_) => Err(WhoisError::NotConnected { address: address.to_owned(), limit: limits.connect }),
    }
}

/// Asks on a connection, and closes it.
pub(super) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    address: &str,
    (source, ranges): (&SourceName, &[IpNet]),
    limits: &AskLimits,
    mut take: impl FnMut(&IpNet, &[u8]) -> Result<(), WhoisError>,
) -> Result<(), WhoisError> {
    let (reader, piece, left) = (WhoisReader::default(), vec![0; PIECE], limits.bytes);
    let mut line = Line { stream, address, limits, reader, piece, left, answers: 0 };
    let asking = async {
        line.choose(source).await?;
        for some in ranges.chunks(AT_ONCE) {
            let questions: Vec<(&IpNet, String)> =
                some.iter().flat_map(|range| EXTENTS.map(|extent| (range, format!("!r{range},{extent}")))).collect();
            line.send(&questions.iter().map(|(_, question)| format!("{question}\n")).collect::<String>()).await?;
            for (range, question) in questions {
                if let Some(text) = line.answer_to(&question).await? {
                    take(range, &text)?;
                }
            }
        }
        Ok(())
    };
    let asked = timeout(limits.total, asking).await;
    asked.unwrap_or_else(|_| Err(WhoisError::Slow { address: address.to_owned(), limit: limits.total }))
}

/// A connection to a server.
struct Line<'a, S> {
    stream: S,
    address: &'a str,
    limits: &'a AskLimits,
    reader: WhoisReader,
    piece: Vec<u8>,
    /// The bytes that may still come.
    left: u64,
    /// The answers that have come.
    answers: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<'_, S> {
    /// Has the server keep the connection, and answer with objects of one source.
    async fn choose(&mut self, source: &SourceName) -> Result<(), WhoisError> {
        let question = format!("!s{source}");
        // To the first there is no answer.
        self.send(&format!("!!\n{question}\n")).await?;
        self.answer_to(&question).await?;
        // What contradicts ROAs is left out otherwise. A server that knows nothing of them refuses this, and leaves nothing out.
        self.send("!fno-rpki-filter\n").await?;
        self.answer().await.map(drop)
    }

    async fn send(&mut self, questions: &str) -> Result<(), WhoisError> {
        let sending = timeout(self.limits.idle, self.stream.write_all(questions.as_bytes()));
        sending.await.map_err(|_| self.silent())?.map_err(|source| self.broken(source))
    }

    /// Returns the text that a question is answered with, if there is any.
    async fn answer_to(&mut self, question: &str) -> Result<Option<Vec<u8>>, WhoisError> {
        match self.answer().await? {
            WhoisAnswer::Text(text) => Ok(Some(text)),
            WhoisAnswer::Nothing => Ok(None),
            WhoisAnswer::Refused(said) => {
                let (address, question) = (self.address.to_owned(), question.to_owned());
                Err(WhoisError::Refused { address, question, said })
            }
        }
    }

    async fn answer(&mut self) -> Result<WhoisAnswer, WhoisError> {
        let address = self.address;
        let address = || address.to_owned();
        loop {
            let next = self.reader.next().map_err(|fault| WhoisError::NoAnswer { address: address(), fault })?;
            if let Some(answer) = next {
                self.answers += 1;
                return Ok(answer);
            }
            let reading = timeout(self.limits.idle, self.stream.read(&mut self.piece));
            let read = reading.await.map_err(|_| self.silent())?.map_err(|source| self.broken(source))?;
            if read == 0 {
                return Err(match self.reader.fault() {
                    Some(fault) => WhoisError::NoAnswer { address: address(), fault },
                    None => WhoisError::HungUp { address: address(), answers: self.answers },
                });
            }
            let Some(left) = self.left.checked_sub(read as u64) else {
                return Err(WhoisError::TooLarge { address: address(), limit: self.limits.bytes });
            };
            self.left = left;
            self.reader.feed(self.piece.get(..read).unwrap_or_default());
        }
    }

    fn silent(&self) -> WhoisError {
        WhoisError::Silent { address: self.address.to_owned(), limit: self.limits.idle }
    }

    fn broken(&self, source: io::Error) -> WhoisError {
        // What was sent to a server that had hung up already may come back so.
        let hung_up = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted, ErrorKind::BrokenPipe];
        let (address, answers) = (self.address.to_owned(), self.answers);
        if hung_up.contains(&source.kind()) {
            WhoisError::HungUp { address, answers }
        } else {
            WhoisError::Broken { address, answers, source }
        }
    }
}
