//! The connection on which a question is asked.

use std::{collections::BTreeSet, io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    answer::{AnswerReader, Reply},
    no_answer::NoAnswer,
    question::Question,
};
use crate::irr::rpsl::Class;

/// How much is read at once, in bytes.
const PIECE: usize = 64 << 10;

/// What an answer may take, or a whois server's answers on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskLimits {
    /// The time until the connection stands.
    pub connect: Duration,
    /// The time in which something has to come, again and again.
    pub idle: Duration,
    /// The time until the answer has ended.
    pub total: Duration,
    /// The bytes of the answer, all of which may have to be kept until it has ended.
    pub bytes: u64,
}

impl Default for AskLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            // An upstream looks the changes up before it sends the first one.
            idle: Duration::from_secs(30),
            // An IRRd sends 10,000 changes in less than a second; a slow line takes 64 MiB in this time.
            total: Duration::from_secs(300),
            // About 200,000 changes. Whoever lacks more of them is sooner done with a dump.
            bytes: 64 << 20,
        }
    }
}

/// Asks an upstream, such as `whois.radb.net:43`, for changes. Those of objects of classes that are not wanted are dropped; without
/// `wanted` all classes are.
///
/// # Errors
///
/// There is no answer, not a whole one, or one that does not hold. Nothing is known of the changes then.
pub async fn ask(
    address: &str,
    question: &Question,
    wanted: Option<&BTreeSet<Class>>,
    limits: &AskLimits,
) -> Result<Reply, NoAnswer> {
    let stream = connected(TcpStream::connect(address), address, limits).await?;
    exchange(stream, address, question, wanted, limits).await
}

/// Waits for the connection.
pub(super) async fn connected<S>(
    connecting: impl Future<Output = io::Result<S>>,
    address: &str,
    limits: &AskLimits,
) -> Result<S, NoAnswer> {
    match timeout(limits.connect, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(source)) => Err(NoAnswer::Unreachable { address: address.to_owned(), source }),
        Err(_) => Err(NoAnswer::NotConnected { address: address.to_owned(), limit: limits.connect }),
    }
}

/// Asks on a connection, and closes it: an upstream may keep it open behind its answer.
pub(super) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    address: &str,
    question: &Question,
    wanted: Option<&BTreeSet<Class>>,
    limits: &AskLimits,
) -> Result<Reply, NoAnswer> {
    let answered = timeout(limits.total, talk(stream, address, question, wanted, limits)).await;
    answered.unwrap_or_else(|_| Err(NoAnswer::Slow { address: address.to_owned(), limit: limits.total }))
}

async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: &str,
    question: &Question,
    wanted: Option<&BTreeSet<Class>>,
    limits: &AskLimits,
) -> Result<Reply, NoAnswer> {
    let broken = |source| NoAnswer::Broken { address: address.to_owned(), source };
    let silent = |_| NoAnswer::Silent { address: address.to_owned(), limit: limits.idle };
    let line = format!("{question}\n");
    timeout(limits.idle, stream.write_all(line.as_bytes())).await.map_err(silent)?.map_err(broken)?;
    let mut reader = AnswerReader::new(question, wanted);
    let mut piece = vec![0; PIECE];
    let mut left = limits.bytes;
    loop {
        let read = timeout(limits.idle, stream.read(&mut piece)).await.map_err(silent)?.map_err(broken)?;
        left = left.checked_sub(read as u64).ok_or(NoAnswer::TooLarge { limit: limits.bytes })?;
        if read == 0 || reader.feed(piece.get(..read).unwrap_or_default())? {
            return reader.finish();
        }
    }
}
