//! Fuzz targets: nothing that is not signed is taken, no file lies outside of its index's folder, and a file is whole or none.

use super::{
    fixtures::{SESSION, file_ref, gz, header, notification, sequence, session, source},
    *,
};
use crate::{fuzzing::Corpus, irr::dump::Location};

/// The example of RFC 7515, appendix A.3, and its key.
const SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const KEY: [&str; 2] = ["f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"];

fn key() -> PublicKey {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let halves = KEY.map(|half| URL_SAFE_NO_PAD.decode(half).unwrap());
    PublicKey::of_point(&[&[4], halves[0].as_slice(), &halves[1]].concat()).unwrap()
}

#[test]
fn nothing_is_taken_that_was_not_signed() {
    let signed = verify(SIGNED.as_bytes(), &Keys::new(key())).unwrap();
    let none = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    Corpus::new([SIGNED, none]).words(&[".", "..", "=", "A"]).run(|input| {
        if let Ok(verified) = verify(input, &Keys::new(key())) {
            assert_eq!(verified, signed);
        }
    });
}

#[test]
fn a_key_that_is_read_is_written_alike() {
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", key());
    Corpus::new([pem, key().to_string()]).words(&["\n", "=", "-----BEGIN PUBLIC KEY-----"]).run(|input| {
        if let Ok(key) = String::from_utf8_lossy(input).parse::<PublicKey>() {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    });
}

#[test]
fn an_index_is_sound_or_refused() {
    let seeds = [notification(SESSION, 4, 2, 2..=4), notification(SESSION, 1, 1, 0..0)].map(|index| index.to_string());
    let home: Location = "https://example.net/nrtm/TEST/update-notification-file.jose".parse().unwrap();
    Corpus::new(seeds).words(&["..", "/", "%2e", "https://", "\\", "null", "[", "{"]).run(|input| {
        let Ok(index) = read_index(input, &source()) else { return };
        assert!(index.version > 0 && index.snapshot.version <= index.version);
        for (_, file) in index.files() {
            let place = home.sibling(file.url.as_str()).unwrap().to_string();
            assert_eq!(place, format!("https://example.net/nrtm/TEST/{}", file.url));
        }
        // Whoever is at the snapshot's version has all deltas that lead on.
        let loaded = Local::loaded(&index);
        let step = decide(Some(&loaded), &index, index.timestamp).step;
        assert!(matches!(step, Step::Nothing | Step::Deltas(_)), "{step:?}");
    });
}

#[test]
fn a_file_is_read_whole_or_not_at_all() {
    let snapshot = sequence(&header("snapshot", SESSION, 4), &[r#"{"object":"mntner: M\n"}"#]);
    let delta =
        sequence(&header("delta", SESSION, 4), &[r#"{"action":"delete","object_class":"mntner","primary_key":"M"}"#]);
    let seeds = [gz(&snapshot), gz(&delta), snapshot.clone(), delta.clone()];
    let (source, session) = (source(), session());
    let limits = FileLimits { text: 1 << 20, record: 1 << 16, changes: 100 };
    Corpus::new(seeds.clone()).words(&["\u{1e}", "\n", "{}", "null"]).run(|input| {
        for name in ["a.json", "a.json.gz"] {
            let whole = |bytes: &[u8], named: &[u8]| {
                let file = file_ref(4, name, named);
                let wanted = Wanted { source: &source, session: &session, file: &file };
                let snapshot = SnapshotReader::begin(bytes, wanted, limits).and_then(SnapshotReader::finish).is_ok();
                snapshot || read_delta(bytes, wanted, limits).is_ok()
            };
            whole(input, input);
            for seed in &seeds {
                assert!(!whole(input, seed) || input == seed.as_slice(), "it is another file than the index names");
            }
        }
    });
}
