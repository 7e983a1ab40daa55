//! Where a file is fetched from.

use std::{fmt, path::PathBuf, str::FromStr};

use url::Url;

use crate::outbound::excerpt::presentable_url;

/// The place of a file: an `https`, `http` or `ftp` URL, or `file:///` and an absolute path. It holds no password, so it
/// may be shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(Url);

/// How a file is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Over HTTP, encrypted or not.
    Http,
    /// Over FTP: host, port, and the path below the folder where one is after the login.
    Ftp { host: String, port: u16, path: String },
    /// From the file system.
    File(PathBuf),
}

/// The reasons why text names no such place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLocation {
    /// It is something else.
    #[error("`{0}` is no URL that begins with https://, http://, ftp:// or file:///")]
    Scheme(String),
    /// It would be shown in logs and errors.
    #[error("`{0}` must not hold a user name or password: registries give their files to everyone")]
    Credentials(String),
    /// Nothing can be asked of a file.
    #[error("`{0}` must not go on with `?` or `#`")]
    Query(String),
    /// It names no file.
    #[error("`{0}` names no file: a path has to follow the host")]
    Path(String),
    /// Such a path means another thing to each FTP server.
    #[error("the path in `{0}` must be written without blanks, `%` and characters beyond ASCII")]
    Escaped(String),
    /// The file is on another machine.
    #[error("`{0}` must begin with file:/// and an absolute path on this machine")]
    Host(String),
}

/// The port of FTP servers (RFC 959).
const FTP_PORT: u16 = 21;

impl Location {
    /// Returns it as a URL.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Returns whether it is fetched over TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns the place of a file that is named relative to this one, as an index names its files.
    ///
    /// # Errors
    /// When that is no place of the same scheme and host.
    pub fn sibling(&self, relative: &str) -> Result<Self, NoLocation> {
        let joined = self.0.join(relative).map_err(|_| NoLocation::Path(shown(relative)))?;
        let sibling = Self::of(&joined, relative)?;
        let home = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port());
        if home(&joined) == home(&self.0) { Ok(sibling) } else { Err(NoLocation::Host(shown(relative))) }
    }

    /// Takes a URL that leads on from this place (RFC 9110, 15.4).
    pub(super) fn redirected(&self, to: &str) -> Result<Self, NoLocation> {
        let joined = self.0.join(to).map_err(|_| NoLocation::Scheme(shown(to)))?;
        Self::checked(joined, to, true)
    }

    /// Returns how the file is fetched. `None` is left for URLs that [`FromStr`] refuses.
    pub(super) fn way(&self) -> Option<Way> {
        match self.0.scheme() {
            "http" | "https" => Some(Way::Http),
            "ftp" => Some(Way::Ftp {
                host: self.0.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned(),
                port: self.0.port().unwrap_or(FTP_PORT),
                path: self.0.path().trim_start_matches('/').to_owned(),
            }),
            "file" => self.0.to_file_path().ok().map(Way::File),
            _ => None,
        }
    }

    fn of(url: &Url, text: &str) -> Result<Self, NoLocation> {
        Self::checked(url.clone(), text, false)
    }

    fn checked(url: Url, text: &str, may_ask: bool) -> Result<Self, NoLocation> {
        let shown = || shown(text);
        if !matches!(url.scheme(), "http" | "https" | "ftp" | "file") {
            return Err(NoLocation::Scheme(shown()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NoLocation::Credentials(shown()));
        }
        if !may_ask && (url.query().is_some() || url.fragment().is_some()) {
            return Err(NoLocation::Query(shown()));
        }
        if url.path().is_empty() || (url.path().ends_with('/') && !may_ask) {
            return Err(NoLocation::Path(shown()));
        }
        match url.scheme() {
            "ftp" if url.path().contains(['%', ';']) => Err(NoLocation::Escaped(shown())),
            "file" if url.host_str().is_some_and(|host| !host.is_empty()) => Err(NoLocation::Host(shown())),
            _ => Ok(Self(url)),
        }
    }
}

impl FromStr for Location {
    type Err = NoLocation;

    fn from_str(text: &str) -> Result<Self, NoLocation> {
        let scheme = || NoLocation::Scheme(shown(text));
        // `file:x` and `file://x` are URLs, too, of something else than one would think.
        let named = ["https://", "http://", "ftp://", "file:///"];
        let begins = |start: &&str| text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
        if !named.iter().any(begins) {
            return Err(scheme());
        }
        // A password with a `/` in it would hide in the path.
        if text.contains('@') {
            return Err(NoLocation::Credentials(shown(text)));
        }
        Self::of(&Url::parse(text).map_err(|_| scheme())?, text)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns what somebody took for such a place, without what may be a password.
fn shown(text: &str) -> String {
    let scheme = ["ftp", "file"]
        .into_iter()
        .find(|scheme| text.split_once("://").is_some_and(|(begin, _)| begin.eq_ignore_ascii_case(scheme)));
    scheme.map_or_else(|| presentable_url(text), |scheme| format!("{scheme}://{}", presentable_url(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        text.parse::<Location>().map_or_else(|error| error.to_string(), |location| location.to_string())
    }

    #[test]
    fn a_file_is_named_by_one_of_four_schemes() {
        let texts = [
            "https://ftp.arin.net/pub/rr/arin.db.gz",
            "HTTP://127.0.0.1:8080/x",
            "ftp://ftp.radb.net/radb/dbase/radb.db.gz",
            "file:///srv/irr/radb.db",
        ];
        insta::assert_snapshot!(texts.map(told).join("\n"), @r"
        https://ftp.arin.net/pub/rr/arin.db.gz
        http://127.0.0.1:8080/x
        ftp://ftp.radb.net/radb/dbase/radb.db.gz
        file:///srv/irr/radb.db
        ");
    }

    #[test]
    fn what_names_no_file_is_refused_with_a_sentence() {
        let texts = [
            "",
            "radb.db.gz",
            "gopher://example.net/x",
            "file://server/x",
            "file:x",
            "https://",
            "https://example.net/",
            "ftp://example.net/folder/",
            "ftp://me:secret@example.net/x",
            "https://me:sec/ret@example.net/x",
            "https://example.net/x?key=secret",
            "ftp://example.net/a b",
            "ftp://example.net/a%0d%0aDELE b",
        ];
        let all = texts.map(told).join("\n");
        assert!(!all.contains("secret") && !all.contains("sec/ret"), "{all}");
        insta::assert_snapshot!(all, @r"
        `` is no URL that begins with https://, http://, ftp:// or file:///
        `radb.db.gz` is no URL that begins with https://, http://, ftp:// or file:///
        `example.net/x` is no URL that begins with https://, http://, ftp:// or file:///
        `file://server/x` is no URL that begins with https://, http://, ftp:// or file:///
        `file:x` is no URL that begins with https://, http://, ftp:// or file:///
        `https://` is no URL that begins with https://, http://, ftp:// or file:///
        `https://example.net/` names no file: a path has to follow the host
        `ftp://example.net/folder/` names no file: a path has to follow the host
        `ftp://example.net/x` must not hold a user name or password: registries give their files to everyone
        `https://example.net/x` must not hold a user name or password: registries give their files to everyone
        `https://example.net/x` must not go on with `?` or `#`
        the path in `ftp://example.net/a b` must be written without blanks, `%` and characters beyond ASCII
        the path in `ftp://example.net/a%0d%0aDELE b` must be written without blanks, `%` and characters beyond ASCII
        ");
    }

    #[test]
    fn an_index_names_files_beside_it() {
        let index: Location = "https://example.net:8443/nrtm/RADB/update-notification-file.jose".parse().unwrap();
        let beside = |relative: &str| index.sibling(relative).map(|location| location.to_string()).ok();
        assert_eq!(beside("a/b.json.gz").unwrap(), "https://example.net:8443/nrtm/RADB/a/b.json.gz");
        assert_eq!(beside("https://example.org/x"), None);
        assert_eq!(beside("//example.org/x"), None);
        assert_eq!(beside("file:///etc/passwd"), None);
    }
}
