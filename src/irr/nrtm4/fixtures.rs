//! What a server publishes, made by other means than it is read.

use std::{io::Write, ops::RangeBounds};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::*;
use crate::irr::source::SourceName;

pub(in crate::irr) const SESSION: &str = "ca128382-78d9-41d1-8927-1ecb3c9e7e11";
pub(in crate::irr) const OTHER_SESSION: &str = "0f3a1b52-11aa-4bcd-9f00-000000000001";

/// Signs as a source does.
pub(in crate::irr) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(in crate::irr) fn new() -> Self {
        let rng = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &rng).unwrap())
    }

    pub(in crate::irr) fn public(&self) -> PublicKey {
        PublicKey::of_point(self.0.public_key().as_ref()).unwrap()
    }

    pub(in crate::irr) fn sign(&self, payload: &[u8]) -> String {
        self.sign_with(r#"{"alg":"ES256"}"#, payload)
    }

    /// Signs, whatever the header says.
    pub(in crate::irr) fn sign_with(&self, header: &str, payload: &[u8]) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub(in crate::irr) fn source() -> SourceName {
    "TEST".parse().unwrap()
}

pub(in crate::irr) fn session() -> SessionId {
    SessionId::parse(SESSION).unwrap()
}

/// An index with files of made-up hashes, which differ by session, kind and version.
pub(in crate::irr) fn notification(session: &str, version: u64, snapshot: u64, deltas: impl RangeBounds<u64>) -> Value {
    let file = |kind: &str, version: u64| {
        let hash = Sha256Hash::of(format!("{session} {kind} {version}").as_bytes()).to_string();
        json!({ "version": version, "url": format!("nrtm-{kind}.{version}.TEST.json.gz"), "hash": hash })
    };
    let deltas = (1..=version).filter(|version| deltas.contains(version)).map(|version| file("delta", version));
    json!({
        "nrtm_version": 4,
        "timestamp": "2026-11-06T12:00:00Z",
        "type": "notification",
        "source": "TEST",
        "session_id": session,
        "version": version,
        "snapshot": file("snapshot", snapshot),
        "deltas": deltas.collect::<Vec<_>>(),
        "next_signing_key": null,
    })
}

pub(in crate::irr) fn index(session: &str, version: u64, snapshot: u64, deltas: impl RangeBounds<u64>) -> Index {
    let payload = notification(session, version, snapshot, deltas);
    read_index(payload.to_string().as_bytes(), &source()).unwrap()
}

/// Names these bytes as an index would.
pub(in crate::irr) fn file_ref(version: u64, name: &str, bytes: &[u8]) -> FileRef {
    let mut payload = notification(SESSION, version, version, 0..0);
    payload["snapshot"]["url"] = name.into();
    payload["snapshot"]["hash"] = Sha256Hash::of(bytes).to_string().into();
    read_index(payload.to_string().as_bytes(), &source()).unwrap().snapshot
}

pub(in crate::irr) fn header(kind: &str, session: &str, version: u64) -> String {
    format!(r#"{{"nrtm_version":4,"type":"{kind}","source":"TEST","session_id":"{session}","version":{version}}}"#)
}

pub(in crate::irr) fn sequence(header: &str, records: &[&str]) -> Vec<u8> {
    let records = [header].into_iter().chain(records.iter().copied());
    records.map(|record| format!("\u{1e}{record}\n")).collect::<String>().into_bytes()
}

pub(in crate::irr) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
