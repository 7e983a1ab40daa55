//! The bytes of files on their way from the task that fetches them to whoever reads them.

use std::io::{self, BufRead, Read};

use sha2::{Digest, Sha256};
use tokio::sync::mpsc::Receiver;
use tokio_util::bytes::{Buf, Bytes};

use super::{
    error::{FetchError, FetchFailure, reading},
    location::Location,
    validators::Validators,
};

/// The pieces that may wait for the reader: a fetch is not ahead of it by more than some megabytes.
pub(super) const WAITING: usize = 32;

/// What goes from the task to the reader. Only the last one says that all is there.
pub(super) enum Piece {
    /// The next bytes of a file.
    Bytes(Bytes),
    /// The file ended as it should.
    FileEnd(Validators),
    /// So did the last one.
    End,
}

/// Reads the files of a fetch as they come, one after the other; each ends as a file does. It may block, so it belongs into
/// [`tokio::task::spawn_blocking`]; on a task of the runtime it panics.
pub struct Incoming {
    pieces: Receiver<Result<Piece, FetchError>>,
    locations: Vec<Location>,
    file: usize,
    chunk: Bytes,
    ended: Option<Validators>,
    over: bool,
    digest: Sha256,
    received: u64,
}

/// What is known of a file once all of it is read.
pub(super) struct Arrived {
    pub(super) validators: Validators,
    pub(super) sha256: [u8; 32],
    pub(super) received: u64,
}

impl Incoming {
    pub(super) fn new(pieces: Receiver<Result<Piece, FetchError>>, locations: Vec<Location>) -> Self {
        Self {
            pieces,
            locations,
            file: 0,
            chunk: Bytes::new(),
            ended: None,
            over: false,
            digest: Sha256::new(),
            received: 0,
        }
    }

    /// Makes an error of the file at hand.
    pub(super) fn error(&self, failure: FetchFailure) -> io::Error {
        let location = self.locations.get(self.file).or(self.locations.last());
        location.map_or_else(|| io::Error::other(FetchFailure::BrokenOff), |location| reading(location, failure))
    }

    /// Returns whether a file begins here; `false` after the last one.
    pub(super) fn begins(&mut self) -> io::Result<bool> {
        if self.chunk.is_empty() && self.ended.is_none() && !self.over {
            self.receive()?;
        }
        Ok(!self.over)
    }

    /// Returns whether the file goes on with these bytes, which stay there.
    pub(super) fn goes_on_with(&mut self, bytes: &[u8]) -> io::Result<bool> {
        while self.chunk.len() < bytes.len() && self.ended.is_none() && !self.over {
            let before = std::mem::take(&mut self.chunk);
            self.receive()?;
            // They seldom come one by one.
            self.chunk = [before, std::mem::take(&mut self.chunk)].concat().into();
        }
        Ok(self.chunk.starts_with(bytes))
    }

    /// Leaves a file that was read to its end for the next one. `None` when it was not.
    pub(super) fn next_file(&mut self) -> Option<Arrived> {
        let validators = self.ended.take_if(|_| self.chunk.is_empty())?;
        self.file = self.file.saturating_add(1);
        let (digest, received) = (std::mem::take(&mut self.digest), std::mem::take(&mut self.received));
        Some(Arrived { validators, sha256: digest.finalize().into(), received })
    }

    /// Waits for the next piece and puts it into its place.
    fn receive(&mut self) -> io::Result<()> {
        match self.pieces.blocking_recv() {
            Some(Ok(Piece::Bytes(bytes))) => {
                self.digest.update(&bytes);
                self.received = self.received.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                self.chunk = bytes;
                Ok(())
            }
            Some(Ok(Piece::FileEnd(validators))) => {
                self.ended = Some(validators);
                Ok(())
            }
            Some(Ok(Piece::End)) => {
                self.over = true;
                Ok(())
            }
            Some(Err(error)) => Err(io::Error::other(error)),
            None => Err(self.error(FetchFailure::BrokenOff)),
        }
    }
}

impl BufRead for Incoming {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.chunk.is_empty() && self.ended.is_none() && !self.over {
            self.receive()?;
        }
        Ok(&self.chunk)
    }

    fn consume(&mut self, amount: usize) {
        self.chunk.advance(amount.min(self.chunk.len()));
    }
}

impl Read for Incoming {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}
