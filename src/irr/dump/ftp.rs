//! Files over FTP (RFC 959, RFC 2428): anonymous, binary, passive.
//!
//! The file comes from the machine that the commands go to, whatever address the server names for it: so it gets through
//! address translation, and a server cannot make us connect to somebody else.

use std::{io, time::Duration};

use suppaftp::{
    FtpError, Mode, Status,
    tokio::{AsyncFtpStream, AsyncNoTlsStream, TransferStream},
    types::FileType,
};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};
use tokio_util::bytes::{Bytes, BytesMut};

use super::{error::FetchFailure, file::CHUNK, limits::FetchLimits};

/// Who we say that we are, as the password of the anonymous login.
const PASSWORD: &str = "netbox-rir-sidecar@";

/// The number of [`Status::FileUnavailable`].
const NO_FILE: u16 = 550;

/// A file that is coming.
pub(super) struct FtpFile {
    /// `None` once it is all there.
    transfer: Option<TransferStream<AsyncNoTlsStream>>,
    /// Has to live as long as the transfer.
    _control: AsyncFtpStream,
    idle: Duration,
    received: u64,
    /// Its size, of servers that tell it.
    pub(super) size: Option<u64>,
}

/// Logs in and asks for a file.
pub(super) async fn open(host: &str, port: u16, path: &str, limits: &FetchLimits) -> Result<FtpFile, FetchFailure> {
    let idle = limits.idle;
    let stream = timeout(limits.connect, TcpStream::connect((host, port))).await;
    let stream = stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(FetchFailure::Unreachable)?;
    let mut control = step(idle, "a connection", AsyncFtpStream::connect_with_stream(stream)).await?;
    step(idle, "the anonymous login", control.login("anonymous", PASSWORD)).await?;
    step(idle, "binary files", control.transfer_type(FileType::Binary)).await?;
    let size = match within(idle, control.size(path)).await? {
        Ok(size) => u64::try_from(size).ok(),
        // RFC 3659 is no duty of a server, and one that has no such file says so again below.
        Err(FtpError::UnexpectedResponse(_)) => None,
        Err(error) => return Err(refused("the question for the size", error)),
    };
    let transfer = retrieve(&mut control, path, limits).await?;
    Ok(FtpFile { transfer: Some(transfer), _control: control, idle, received: 0, size })
}

/// Asks for the file by EPSV, and of a server that does not know that by PASV.
async fn retrieve(
    control: &mut AsyncFtpStream,
    path: &str,
    limits: &FetchLimits,
) -> Result<TransferStream<AsyncNoTlsStream>, FetchFailure> {
    // There is a connection to be made, too.
    let patience = limits.idle.saturating_add(limits.connect);
    control.set_passive_nat_workaround(true);
    control.set_mode(Mode::ExtendedPassive);
    match within(patience, control.retr_as_stream(path)).await? {
        Ok(transfer) => return Ok(transfer),
        Err(FtpError::UnexpectedResponse(answer)) if is_unknown(answer.status) => {}
        Err(error) => return Err(refused("the file", error)),
    }
    control.set_mode(Mode::Passive);
    within(patience, control.retr_as_stream(path)).await?.map_err(|error| refused("the file", error))
}

/// Returns whether a server means by this answer that it does not know a command.
fn is_unknown(status: Status) -> bool {
    [Status::BadCommand, Status::BadArguments, Status::NotImplemented, Status::NotImplementedParameter]
        .contains(&status)
        || status.code() == 522
}

impl FtpFile {
    /// Returns the next bytes; `None` once the server has said that this was all.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, FetchFailure> {
        let Some(transfer) = &mut self.transfer else { return Ok(None) };
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let read = transfer.read_buf(&mut chunk).await;
        let read = read.map_err(|error| FetchFailure::Broken(self.received, error))?;
        if read > 0 {
            self.received = self.received.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            return Ok(Some(chunk.freeze()));
        }
        if let Some(transfer) = self.transfer.take() {
            step(self.idle, "the end of the file", transfer.finish()).await?;
        }
        Ok(None)
    }
}

async fn step<T>(
    patience: Duration,
    name: &'static str,
    work: impl Future<Output = Result<T, FtpError>>,
) -> Result<T, FetchFailure> {
    within(patience, work).await?.map_err(|error| refused(name, error))
}

async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Result<T, FetchFailure> {
    timeout(patience, work).await.map_err(|_| FetchFailure::Silent(patience))
}

fn refused(name: &'static str, error: FtpError) -> FetchFailure {
    let missing = matches!(&error, FtpError::UnexpectedResponse(answer) if answer.status == Status::FileUnavailable);
    if missing { FetchFailure::Missing(NO_FILE) } else { FetchFailure::Ftp(name, Box::new(error)) }
}
