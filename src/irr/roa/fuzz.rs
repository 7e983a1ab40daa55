//! Fuzz target: whatever comes as a list of VRPs, reading it ends, and what is taken is kept as it was said.

use super::{Vrp, read_vrps};
use crate::{
    error_chain::error_chain,
    fuzzing::Corpus,
    irr::rpsl::{Checked, check},
};

#[test]
fn a_vrp_that_is_taken_is_kept_as_it_was_said() {
    let source = "RPKI".parse().unwrap();
    let seeds = [
        r#"{"metadata": {"generated": 1700000000, "generatedTime": "2023-11-14T22:13:20Z"}, "roas": [
            {"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 25, "ta": "arin"}]}"#,
        r#"{"metadata": {"buildtime": "2026-11-27T12:00:00Z"}, "roas": [{"asn": 64496, "prefix": "2001:db8::/32", "maxLength": 48,
            "ta": "arin", "expires": 1900000000}], "aspas": [[{}]]}"#,
        r#"{"roas": [{"asn": 0, "prefix": "::ffff:192.0.2.0/120", "maxLength": 128}, {"prefix": "\n"}]}"#,
        "<html>",
    ];
    let words =
        ["\"roas\"", "\"metadata\"", "{\"asn\": 1, ", "\"AS0\"", "/0", "::", "\\n", "\\u0000", "[", "]", "{", "}", ","];
    Corpus::new(seeds).words(&words).run(|input| {
        let now = "2026-11-28T00:00:00Z".parse().unwrap();
        let read = read_vrps(input, now, |entry| match entry {
            Ok(vrp) => match check(&vrp.text(&source), &source, None) {
                Checked::Taken(object) => assert_eq!(Vrp::read(&object), Some(vrp)),
                // Nobody announces IPv4 addresses as IPv6 ones, which no registry writes.
                Checked::Rejected(_) => assert!(vrp.prefix.to_string().contains("::ffff:"), "{vrp:?}"),
                Checked::Unwanted(_) | Checked::Leftover => panic!("{vrp:?}"),
            },
            Err(rejected) => {
                assert!(!rejected.begins.contains('\n') && rejected.to_string().len() < 2000, "{rejected}");
            }
        });
        if let Err(error) = read {
            assert!(error_chain(&error).len() < 10_000, "{error}");
        }
    });
}
