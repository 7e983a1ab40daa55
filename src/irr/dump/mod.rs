//! Fetches dumps and serial files, over HTTP, FTP or from the file system; nothing is put on disk.
//!
//! [`Fetcher::fetch`] asks for the files of a source, which together are one dump. A task takes them in while a reader
//! that may block, [`DumpText`], unpacks them; it belongs into [`tokio::task::spawn_blocking`]. [`Fetcher::serial`] reads
//! the small file with the serial that a dump is of, [`Fetcher::small`] any other small one.
//!
//! A dump that is cut off, stalls, is too large or is no dump at all ends the reader with an error, never with a clean end
//! of the file, and [`DumpText::finish`] alone says that all of it was read. Whether a dump may replace what is there is
//! for others to judge: an empty one is no error here, see [`Receipt::is_empty`].

mod error;
mod fetcher;
mod file;
mod ftp;
#[cfg(test)]
mod fuzz;
mod http;
mod incoming;
mod limits;
mod location;
mod serial_file;
#[cfg(test)]
mod tests;
mod text;
mod validators;

pub use error::{FetchError, FetchFailure, failure_of};
pub use fetcher::{Download, Fetched, Fetcher};
pub use incoming::Incoming;
pub use limits::FetchLimits;
pub use location::{Location, NoLocation};
pub use serial_file::{SerialFailure, SerialFileError};
pub use text::{DumpText, Receipt, ReceivedFile};
pub use validators::Validators;
