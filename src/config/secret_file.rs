//! Files that hold secrets. One rule holds for all of them: the file belongs to the user that the process runs as, or to
//! root, and nobody but its owner and its group can do anything with it.
//!
//! What lies on a read-only mount or under `/run/secrets` is taken whatever its mode is: so an orchestrator hands a secret
//! to one container, with a mode that means nothing there and that nobody can change.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use secrecy::SecretString;

use crate::shell_word::shell_word;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The reasons why a file with a secret cannot be used. Each text goes on after the file's path.
#[derive(Debug, thiserror::Error)]
pub enum UnusableFile {
    /// It cannot be read.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    /// Everybody on this machine may read or change it.
    #[error(
        "is open to everybody on this machine; take that away with `chmod o-rwx {0}` (only on a read-only mount or \
         under /run/secrets its mode does not matter)"
    )]
    Exposed(String),
    /// Somebody else can change it.
    #[error(
        "belongs to the user with the id {owner}, who can change it; give it to the user that rir-sidecar runs as, with \
         `chown {us} {path}`, or to root"
    )]
    #[expect(missing_docs, reason = "the names say it")]
    Foreign { owner: u32, us: u32, path: String },
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It is larger than any secret.
    #[error("has more than {LARGEST} bytes")]
    TooLarge,
    /// What it holds is too easily guessed.
    #[error("holds fewer than {0} characters; make a longer one with `openssl rand -hex 32`")]
    TooShort(usize),
}

/// The facts about a file that decide whether it is used.
#[cfg(unix)]
#[derive(Debug, Clone, Copy)]
struct Facts {
    mode: u32,
    owner: u32,
    /// True if it is where orchestrators put the secrets of one container.
    handed_over: bool,
}

/// Reads a file that holds nothing but one secret; surrounding space is not part of it.
pub(super) fn read_secret(path: &Path) -> Result<SecretString, UnusableFile> {
    let text = read_private(path)?;
    match text.trim() {
        "" => Err(UnusableFile::Empty),
        secret => Ok(SecretString::from(secret)),
    }
}

/// Reads a file that holds secrets.
pub(super) fn read_private(path: &Path) -> Result<String, UnusableFile> {
    let file = File::open(path).map_err(UnusableFile::Unreadable)?;
    refuse_open_to_others(path, &file)?;
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text).map_err(UnusableFile::Unreadable)?;
    if read as u64 > LARGEST { Err(UnusableFile::TooLarge) } else { Ok(text) }
}

#[cfg(unix)]
fn refuse_open_to_others(path: &Path, file: &File) -> Result<(), UnusableFile> {
    use std::os::unix::fs::MetadataExt;

    use rustix::{
        fs::{StatVfsMountFlags, fstatvfs},
        process::geteuid,
    };

    let metadata = file.metadata().map_err(UnusableFile::Unreadable)?;
    let read_only = fstatvfs(file).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::RDONLY));
    let of_a_container = path.canonicalize().is_ok_and(|path| path.starts_with("/run/secrets"));
    let facts = Facts { mode: metadata.mode(), owner: metadata.uid(), handed_over: read_only || of_a_container };
    judge(path, facts, geteuid().as_raw())
}

#[cfg(not(unix))]
fn refuse_open_to_others(_path: &Path, _file: &File) -> Result<(), UnusableFile> {
    Ok(())
}

/// Applies the rule. Root, for whom every file is its own, may be told to read anybody's.
#[cfg(unix)]
fn judge(path: &Path, Facts { mode, owner, handed_over }: Facts, us: u32) -> Result<(), UnusableFile> {
    let path = shell_word(&path.to_string_lossy()).into_owned();
    match () {
        () if handed_over => Ok(()),
        () if mode & 0o007 != 0 => Err(UnusableFile::Exposed(path)),
        () if ![0, owner].contains(&us) && owner != 0 => Err(UnusableFile::Foreign { owner, us, path }),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    const US: u32 = 1000;

    fn verdict(mode: u32, owner: u32, handed_over: bool) -> String {
        match judge(Path::new("/etc/rir-sidecar/my token"), Facts { mode, owner, handed_over }, US) {
            Ok(()) => "used".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_file_of_ours_or_of_root_is_for_owner_and_group_alone() {
        for (mode, owner) in [(0o600, US), (0o400, US), (0o640, US), (0o640, 0), (0o440, 0)] {
            assert_eq!(verdict(mode, owner, false), "used", "{mode:o} {owner}");
        }
        for mode in [0o644, 0o444, 0o604, 0o602, 0o601] {
            insta::allow_duplicates! {
                insta::assert_snapshot!(verdict(mode, US, false), @"is open to everybody on this machine; take that away with `chmod o-rwx '/etc/rir-sidecar/my token'` (only on a read-only mount or under /run/secrets its mode does not matter)");
            }
        }
    }

    #[test]
    fn a_file_that_somebody_else_can_change_is_refused() {
        insta::assert_snapshot!(verdict(0o600, 1001, false), @"belongs to the user with the id 1001, who can change it; give it to the user that rir-sidecar runs as, with `chown 1000 '/etc/rir-sidecar/my token'`, or to root");
        assert!(
            judge(Path::new("x"), Facts { mode: 0o600, owner: 1001, handed_over: false }, 0).is_ok(),
            "we are root"
        );
    }

    #[test]
    fn what_an_orchestrator_handed_over_is_taken_as_it_is() {
        for (mode, owner) in [(0o444, 0), (0o444, 1001), (0o777, 1001)] {
            assert_eq!(verdict(mode, owner, true), "used", "{mode:o} {owner}");
        }
    }

    #[test]
    fn the_rule_is_applied_to_the_file_itself() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "secret\n").unwrap();
        std::fs::set_permissions(file.path(), Permissions::from_mode(0o644)).unwrap();
        let link = file.path().with_extension("link");
        std::os::unix::fs::symlink(file.path(), &link).unwrap();
        let read = read_secret(&link);
        std::fs::remove_file(&link).unwrap();
        assert!(matches!(read, Err(UnusableFile::Exposed(_))), "{read:?}");
        std::fs::set_permissions(file.path(), Permissions::from_mode(0o640)).unwrap();
        assert!(read_secret(file.path()).is_ok());
    }

    #[test]
    fn a_file_with_nothing_or_too_much_in_it_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " \n").unwrap();
        assert!(matches!(read_secret(file.path()), Err(UnusableFile::Empty)));
        std::fs::write(file.path(), vec![b'x'; LARGEST as usize + 1]).unwrap();
        assert!(matches!(read_secret(file.path()), Err(UnusableFile::TooLarge)));
    }
}
