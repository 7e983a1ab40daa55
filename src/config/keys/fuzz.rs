//! Fuzz target: whatever stands in the keys file, nobody is shown a key over it.

use secrecy::ExposeSecret;

use super::{ApiKey, Keyring};
use crate::{
    config::fuzz::{CANARY, file, is_discreet},
    error_chain::error_chain,
    fuzzing::Corpus,
};

#[test]
fn a_keys_file_is_read_or_refused_without_showing_a_key() {
    let table = |config: &str, user: &str, key: &str| {
        format!("[[key]]\nconfig = \"{config}\"\nuser = \"{user}\"\napi_key = \"{key}\"\n")
    };
    let seeds = [
        table("A", "ann", CANARY),
        table("A", "ann", CANARY) + &table("B", "bob", "API-2") + "[[key]]\napi_key_file = \"/nowhere\"\n",
        format!("key = [{{ config = 'A', user = \"\"\"\nann\"\"\", api_key = \"\\u0041{CANARY}\" }}]"),
        // What somebody may write who has not read how.
        format!("key = \"{CANARY}\"\n"),
        format!("key = [\"{CANARY}\"]\n"),
        format!("[[key]]\nconfig = \"A\"\nuser = \"ann\"\napi_key = [\"{CANARY}\"]\n"),
        format!("[[key]]\nconfig = \"A\"\nuser = \"ann\"\napi_key = {CANARY}\n"),
        format!("{CANARY}\n"),
    ];
    Corpus::new(seeds)
        .words(&[
            "[[key]]",
            "[key]",
            "api_key",
            "api_key_file",
            " = ",
            "'''",
            "\"\"\"",
            "\\u0000",
            "{",
            "}",
            "\n",
            CANARY,
        ])
        .run(|input| {
            let text = String::from_utf8_lossy(input);
            let told = match Keyring::load(file(text.as_bytes()).path()) {
                Ok(keyring) => {
                    assert_eq!(Keyring::load(file(written(&keyring).as_bytes()).path()).unwrap(), keyring);
                    format!("{keyring:?}")
                }
                Err(error) => {
                    let told = error_chain(&error);
                    assert!(told.len() <= 4 * text.len() + 2_000, "{} bytes", told.len());
                    format!("{told} {error:?}")
                }
            };
            let is_key = |path: &str| !["key.config", "key.user", "key.api_key_file"].contains(&path);
            assert!(!is_discreet(&text, is_key) || !told.contains(CANARY), "{told}");
        });
}

/// Writes keys as a file has them. What JSON writes as text, TOML reads as the same, but for one character.
fn written(keyring: &Keyring) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f");
    let table = |ApiKey { config, user, secret }: &ApiKey| {
        let (config, user, secret) = (quoted(config), quoted(user), quoted(secret.expose_secret()));
        format!("[[key]]\nconfig = {config}\nuser = {user}\napi_key = {secret}\n")
    };
    keyring.keys.iter().map(table).collect()
}
