//! The forms of texts.

use std::net::IpAddr;

use super::super::tree::Node;

/// First and last address as numbers, and whether they are of IPv4.
pub(super) type Range = (bool, u128, u128);

/// Whether an element is of a form.
pub(super) fn is_of(form: &str, node: &Node) -> bool {
    let text = node.text.trim();
    let only = |allowed: fn(char) -> bool| !text.is_empty() && text.chars().all(allowed);
    let has = |names: &[&str]| names.iter().all(|name| node.attributes.contains_key(*name));
    let numbered = node.attributes.get("number").is_some_and(|number| number.parse::<u32>().is_ok());
    match form {
        "elements" => text.is_empty(),
        "empty" => text.is_empty() && node.children.is_empty(),
        "text" | "date" => node.children.is_empty(),
        "ascii" => text.is_ascii(),
        "line" => numbered,
        "ascii-line" => numbered && text.is_ascii(),
        "handle" => only(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'),
        "name" => {
            only(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
                && !text.starts_with('-')
                && text.len() <= 50
        }
        "any-name" => only(|c| c.is_ascii_alphanumeric() || c == '-' || c == ' '),
        "type" => only(|c| c.is_ascii_uppercase()),
        "version" => matches!(text, "4" | "6"),
        "length" => text.parse::<u8>().is_ok_and(|length| length <= 128),
        "truth" => matches!(text, "true" | "false"),
        "code2" => text.len() == 2 && only(|c| c.is_ascii_uppercase()),
        "code3" => text.len() == 3 && only(|c| c.is_ascii_uppercase()),
        "category" => matches!(text, "NONE" | "JUSTIFICATION"),
        "base64" => {
            text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=') || c.is_whitespace())
        }
        "poc" => has(&["handle", "function"]) && matches!(function(node), "T" | "AB" | "N"),
        "address" => address(text).is_some(),
        _ => false,
    }
}

fn function(link: &Node) -> &str {
    link.attributes.get("function").map(String::as_str).unwrap_or_default()
}

/// The version of a block's addresses.
pub(super) fn version(block: &Node) -> &'static str {
    if block.text_of("startAddress").is_some_and(|address| address.contains(':')) { "6" } else { "4" }
}

/// The range of a block, of which the end, the length or both are there and agree.
pub(super) fn range(block: &Node) -> Option<Range> {
    let (is_v4, first) = address(&block.text_of("startAddress")?)?;
    let last = match block.text_of("endAddress") {
        Some(last) => Some(address(&last)?),
        None => None,
    };
    let by_length = match block.text_of("cidrLength") {
        Some(length) => {
            let bits: u32 = if is_v4 { 32 } else { 128 };
            let host = bits.checked_sub(length.parse().ok()?)?;
            let mask = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
            if first & mask != 0 {
                return None;
            }
            Some((is_v4, first | mask))
        }
        None => None,
    };
    let end = match (last, by_length) {
        (Some(last), Some(by_length)) if last != by_length => return None,
        (Some(end), _) | (None, Some(end)) => end,
        (None, None) => return None,
    };
    (end.0 == is_v4 && first <= end.1).then_some((is_v4, first, end.1))
}

/// Whether ranges make up one, without gaps and overlaps.
pub(super) fn is_one(ranges: &[Range]) -> bool {
    let mut ranges = ranges.to_vec();
    ranges.sort_unstable();
    let touch = |((one_v4, _, last), (other_v4, first, _)): (&Range, &Range)| {
        one_v4 == other_v4 && last.checked_add(1) == Some(*first)
    };
    !ranges.is_empty() && ranges.iter().zip(ranges.iter().skip(1)).all(touch)
}

/// An address as a number; the parts of IPv4 may have leading zeros.
fn address(text: &str) -> Option<(bool, u128)> {
    if text.contains(':') {
        return match text.parse().ok()? {
            IpAddr::V6(v6) => Some((false, v6.into())),
            IpAddr::V4(_) => None,
        };
    }
    let parts: Vec<u32> =
        text.split('.').map(|part| part.parse().ok().filter(|part| *part < 256)).collect::<Option<_>>()?;
    (parts.len() == 4).then(|| (true, parts.iter().fold(0, |sum, part| sum * 256 + u128::from(*part))))
}
