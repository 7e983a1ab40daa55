//! Files on this machine.

use std::path::Path;

use tokio::{fs::File, io::AsyncReadExt};
use tokio_util::bytes::{Bytes, BytesMut};

use super::error::FetchFailure;

/// The bytes that are read at once.
pub(super) const CHUNK: usize = 64 * 1024;

/// Opens a file and returns its size, too. A file that is written to while it is read fails.
pub(super) async fn open(path: &Path) -> Result<(File, u64), FetchFailure> {
    // Opening a pipe would wait for somebody to write to it.
    if !tokio::fs::metadata(path).await.map_err(FetchFailure::File)?.is_file() {
        return Err(FetchFailure::NoFile);
    }
    let file = File::open(path).await.map_err(FetchFailure::File)?;
    let size = file.metadata().await.map_err(FetchFailure::File)?.len();
    Ok((file, size))
}

/// Returns the next bytes.
pub(super) async fn next(file: &mut File) -> Result<Option<Bytes>, FetchFailure> {
    let mut chunk = BytesMut::with_capacity(CHUNK);
    let read = file.read_buf(&mut chunk).await.map_err(FetchFailure::File)?;
    Ok((read > 0).then(|| chunk.freeze()))
}
