//! The small file beside a dump that holds its serial, such as `RADB.CURRENTSERIAL`.

use super::{error::FetchError, fetcher::Fetcher, location::Location};
use crate::{irr::source::Serial, outbound::excerpt::excerpt};

/// The most bytes of the file. The longest serial has 20 digits; registries end it with a line feed, or do not.
const MOST: usize = 100;
/// The characters that are shown of something else.
const MOST_SHOWN: usize = 60;

/// A serial that is not known; shown as `ftp://example.net/X.CURRENTSERIAL: the file is empty`.
#[derive(Debug, thiserror::Error)]
pub enum SerialFileError {
    /// The file did not come.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Something else stands in it.
    #[error("{0}: {1}")]
    Content(Location, SerialFailure),
}

/// What stands in a serial file instead of a serial.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SerialFailure {
    /// Nothing.
    #[error("the file is empty")]
    Empty,
    /// A page for people.
    #[error("a web page came instead of a serial: {0}")]
    WebPage(String),
    /// A number below zero.
    #[error("{0} is no serial, as it is negative")]
    Negative(String),
    /// A number that no serial can be.
    #[error("{0} is larger than a serial can be")]
    TooLarge(String),
    /// Something else.
    #[error("{0:?} is no serial")]
    NoNumber(String),
}

impl Fetcher {
    /// Reads the serial in a file.
    ///
    /// # Errors
    /// When the file does not come, or something else stands in it.
    pub async fn serial(&self, location: &Location) -> Result<Serial, SerialFileError> {
        let bytes = self.beginning(location, MOST).await?;
        serial(&bytes).map_err(|failure| SerialFileError::Content(location.clone(), failure))
    }
}

/// Reads the serial that a file is made of, with blanks and line ends around it.
pub(super) fn serial(bytes: &[u8]) -> Result<Serial, SerialFailure> {
    let text = bytes.trim_ascii();
    let shown = || excerpt(&String::from_utf8_lossy(text), MOST_SHOWN);
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    match text {
        [] if bytes.len() <= MOST => Err(SerialFailure::Empty),
        [b'<', ..] => Err(SerialFailure::WebPage(shown())),
        [b'-', digits @ ..] if is_number(digits) => Err(SerialFailure::Negative(shown())),
        digits if is_number(digits) => {
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
            // Of a longer file we know the beginning alone.
            let number = number.filter(|_| bytes.len() <= MOST);
            number.map(Serial).ok_or_else(|| SerialFailure::TooLarge(shown()))
        }
        _ => Err(SerialFailure::NoNumber(shown())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_stands_alone_with_blanks_around_it() {
        for text in ["255031", "255031\n", " 255031\r\n", "\n0255031"] {
            assert_eq!(serial(text.as_bytes()), Ok(Serial(255_031)), "{text:?}");
        }
        assert_eq!(serial(b"18446744073709551615"), Ok(Serial(u64::MAX)));
        let told = |text: &str| serial(text.as_bytes()).unwrap_err().to_string();
        let long = " ".repeat(101);
        let texts = ["", " \n", "<html>", "-5", "18446744073709551616", "+5", "1 2", "1e3", "n/a", &long];
        insta::assert_snapshot!(texts.map(told).join("\n"), @r#"
        the file is empty
        the file is empty
        a web page came instead of a serial: <html>
        -5 is no serial, as it is negative
        18446744073709551616 is larger than a serial can be
        "+5" is no serial
        "1 2" is no serial
        "1e3" is no serial
        "n/a" is no serial
        "" is no serial
        "#);
    }
}
