//! Signed texts: JWS in its compact form (RFC 7515), with ES256 (RFC 7518, 3.4) and nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use super::key::{Keys, PublicKey};

/// The largest signed text. With a delta a minute an index names 1,440 files a day, in some 500 KB.
pub(super) const LARGEST: usize = 8 << 20;
/// The only way of signing that we take, which each server of the protocol has to offer.
const ALGORITHM: &str = "ES256";
/// The characters of a name that are shown.
const MOST_SHOWN: usize = 40;

/// A text whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What was signed.
    pub payload: Vec<u8>,
    /// Whose key it was.
    pub signed_by: SignedBy,
}

/// Which key of a source signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedBy {
    /// The one that did before.
    Current,
    /// The one that was announced: the source has rolled its key.
    Next,
}

/// The reasons to refuse a signed text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// It is larger than any index.
    #[error("the signed text has more than {LARGEST} bytes")]
    TooLarge,
    /// It is a web page, an index that nobody signed, or the like.
    #[error("this is no signed text: three parts in base64url with dots between them")]
    NoJws,
    /// Its header is none.
    #[error("the header of the signed text cannot be read")]
    Header,
    /// It is not signed, or in another way.
    #[error("it is signed by `{0}`, and only {ALGORITHM} is taken")]
    Algorithm(String),
    /// It asks for something that we do not know (RFC 7515, 4.1.11).
    #[error("its header asks for an extension, and none is known")]
    Critical,
    /// Nobody whom we trust signed this text.
    #[error("the signature is not by the key of the source, nor by the one that it announced")]
    Signature,
}

#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    crit: Option<Value>,
}

/// Verifies a signed text with the current key of a source, else with the one that it announced.
///
/// # Errors
/// When it is no such text, or not signed by these keys.
pub fn verify(text: &[u8], keys: &Keys) -> Result<Verified, JwsError> {
    if text.len() > LARGEST {
        return Err(JwsError::TooLarge);
    }
    let text = std::str::from_utf8(text).map_err(|_| JwsError::NoJws)?.trim();
    let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::NoJws)?;
    let (header, payload) = signed.split_once('.').ok_or(JwsError::NoJws)?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::NoJws);
    let (header, payload, signature) = (part(header)?, part(payload)?, part(signature)?);
    let header: JoseHeader = serde_json::from_slice(&header).map_err(|_| JwsError::Header)?;
    if header.alg != ALGORITHM {
        return Err(JwsError::Algorithm(header.alg.chars().take(MOST_SHOWN).collect()));
    }
    if header.crit.is_some() {
        return Err(JwsError::Critical);
    }
    let is_by = |key: &PublicKey| {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.point()).verify(signed.as_bytes(), &signature).is_ok()
    };
    if is_by(&keys.current) {
        Ok(Verified { payload, signed_by: SignedBy::Current })
    } else if keys.next.as_ref().is_some_and(is_by) {
        Ok(Verified { payload, signed_by: SignedBy::Next })
    } else {
        Err(JwsError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixtures::Signer, *};

    #[test]
    fn a_text_is_verified_by_the_current_key_and_then_by_the_next() {
        let (old, new) = (Signer::new(), Signer::new());
        let announced = Keys { current: old.public(), next: Some(new.public()) };
        let by =
            |signer: &Signer, keys: &Keys| verify(signer.sign(b"text").as_bytes(), keys).map(|text| text.signed_by);
        assert_eq!(by(&old, &announced), Ok(SignedBy::Current));
        assert_eq!(by(&new, &announced), Ok(SignedBy::Next));
        // Rolled without notice, and back to the old one.
        assert_eq!(by(&new, &Keys::new(old.public())), Err(JwsError::Signature));
        assert_eq!(by(&old, &Keys::new(new.public())), Err(JwsError::Signature));
        let text = format!("\r\n{}\n", old.sign(b"text"));
        assert_eq!(verify(text.as_bytes(), &announced).unwrap().payload, b"text");
    }

    #[test]
    fn what_is_not_signed_as_it_should_be_is_refused() {
        let signer = Signer::new();
        let keys = Keys::new(signer.public());
        let good = signer.sign(b"{}");
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let other = URL_SAFE_NO_PAD.encode("{ }");
        let told = |text: &str| verify(text.as_bytes(), &keys).unwrap_err().to_string();
        let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode("{}"));
        let texts = [
            "",
            "<html>",
            "{}",
            &unsigned,
            &signer.sign_with(r#"{"alg":"none"}"#, b"{}"),
            &signer.sign_with(r#"{"alg":"HS256"}"#, b"{}"),
            &signer.sign_with(r#"{"alg":"es256"}"#, b"{}"),
            &signer.sign_with(r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, b"{}"),
            &signer.sign_with(r#"{"typ":"JOSE"}"#, b"{}"),
            &signer.sign_with(r#"{"alg":"none","alg":"ES256"}"#, b"{}"),
            &format!("{signed}=.{signature}"),
            &format!("{signed}.{signature}.{signature}"),
            &format!("{header}.{other}.{signature}"),
            &format!("{signed}."),
            &Signer::new().sign(b"{}"),
        ];
        insta::assert_snapshot!(texts.map(told).join("\n"), @r"
        this is no signed text: three parts in base64url with dots between them
        this is no signed text: three parts in base64url with dots between them
        this is no signed text: three parts in base64url with dots between them
        it is signed by `none`, and only ES256 is taken
        it is signed by `none`, and only ES256 is taken
        it is signed by `HS256`, and only ES256 is taken
        it is signed by `es256`, and only ES256 is taken
        its header asks for an extension, and none is known
        the header of the signed text cannot be read
        the header of the signed text cannot be read
        this is no signed text: three parts in base64url with dots between them
        this is no signed text: three parts in base64url with dots between them
        the signature is not by the key of the source, nor by the one that it announced
        the signature is not by the key of the source, nor by the one that it announced
        the signature is not by the key of the source, nor by the one that it announced
        ");
        assert_eq!(verify(&vec![b'a'; LARGEST + 1], &keys), Err(JwsError::TooLarge));
    }
}
