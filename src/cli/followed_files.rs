//! The files that are read again while the process runs, as secrets and API keys in them change.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::exit::AnyError;
use crate::{
    config::{
        Settings,
        keys::{InvalidKeys, Keyring},
    },
    error_chain::error_chain,
};

/// The time after which the files are read again.
const INTERVAL: Duration = Duration::from_secs(10);

/// All files with secrets that the settings name.
pub(super) struct FollowedFiles(Vec<FollowedFile>);

/// One file, with the setting that names it.
struct FollowedFile {
    setting: String,
    /// Reads the file again and says whether something in it has changed.
    read_again: Box<dyn FnMut() -> Result<bool, AnyError> + Send>,
    /// True if that worked the last time, so that trouble is logged once.
    well: bool,
}

impl FollowedFiles {
    /// Names the files of the settings, and reads that of the API keys for the first time.
    pub(super) fn of(settings: &Settings) -> Result<(Self, watch::Receiver<Keyring>), InvalidKeys> {
        let mut files = Vec::new();
        for (setting, secret) in settings.secrets() {
            if secret.file().is_some() {
                let secret = secret.clone();
                files.push(FollowedFile::new(format!("{setting}_file"), move || Ok(secret.read_again()?)));
            }
        }
        let (sender, keys) = watch::channel(Keyring::default());
        if let Some(path) = settings.keys.file.clone() {
            sender.send_replace(Keyring::load(&path)?);
            files.push(FollowedFile::new("keys.file".to_owned(), move || Ok(replace(&sender, Keyring::load(&path)?))));
        }
        Ok((Self(files), keys))
    }

    /// Reads them again and again until the process ends.
    pub(super) async fn follow(&mut self, end: CancellationToken) {
        while timeout(INTERVAL, end.cancelled()).await.is_err() {
            self.0.iter_mut().for_each(FollowedFile::look);
        }
    }
}

impl FollowedFile {
    fn new(setting: String, read_again: impl FnMut() -> Result<bool, AnyError> + Send + 'static) -> Self {
        Self { setting, read_again: Box::new(read_again), well: true }
    }

    fn look(&mut self) {
        let Self { setting, read_again, well } = self;
        match read_again() {
            Ok(changed) => {
                if changed {
                    info!("the file of {setting} has changed; what is in it now is used from now on");
                }
                *well = true;
            }
            Err(error) => {
                if *well {
                    error!(
                        error = %error_chain(&*error),
                        "cannot use the file of {setting} any more; going on with what was in it before"
                    );
                }
                *well = false;
            }
        }
    }
}

/// Puts the keys in the place of those before; returns whether they are others.
fn replace(held: &watch::Sender<Keyring>, keys: Keyring) -> bool {
    held.send_if_modified(|held| {
        let others = *held != keys;
        if others {
            *held = keys;
        }
        others
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::config;

    #[tokio::test(start_paused = true)]
    async fn what_changes_in_a_file_is_known_without_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let keys = |user: &str| format!("[[key]]\nconfig = \"A\"\nuser = \"{user}\"\napi_key = \"API-X\"\n");
        let set = [
            ("NETBOX__URL", "http://netbox.test/".to_owned()),
            ("NETBOX__TOKEN_FILE", write("token", "first")),
            ("QUEUE__URL_FILE", write("url", "redis://first/")),
            ("WEBHOOK__SECRET_FILE", write("secret", "first-0123456789abcdef")),
            ("WEBHOOK__PREVIOUS_SECRET_FILE", write("previous", "first-0123456789abcdef")),
            ("REQUESTS__SEAL_FILE", write("seal", "first-0123456789abcdef-0123456789abcdef")),
            ("TELEMETRY__OTLP_AUTHORIZATION_FILE", write("otlp", "Bearer first")),
            ("KEYS__FILE", write("keys.toml", &keys("ann"))),
        ];
        let set: BTreeMap<_, _> =
            set.into_iter().map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value)).collect();
        let settings = config::load_from(None, &set).unwrap();
        let (mut files, ring) = FollowedFiles::of(&settings).unwrap();
        let end = CancellationToken::new();
        let stop = end.clone();
        let following = tokio::spawn(async move { files.follow(stop).await });
        write("token", "second");
        write("url", "redis://second/");
        write("secret", "second-0123456789abcdef");
        write("previous", "second-0123456789abcdef");
        write("seal", "second-0123456789abcdef-0123456789abcdef");
        write("otlp", "Bearer second");
        write("keys.toml", &keys("bob"));
        tokio::time::sleep(INTERVAL * 2).await;
        for (setting, secret) in settings.secrets() {
            assert!(secret.now().expose_secret().contains("second"), "{setting}");
        }
        assert_eq!(ring.borrow().of("A").map(|key| key.user.as_str()).collect::<Vec<_>>(), ["bob"]);
        end.cancel();
        following.await.unwrap();
    }
}
