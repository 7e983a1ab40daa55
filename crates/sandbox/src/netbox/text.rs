//! The filters of text fields.

use super::{field::Filter, filter::Test};

/// The test of a text field by a lookup; none when there is no such lookup.
///
/// Of several values one has to fit, or with a negated lookup none may. Without a lookup, `filter` says whether it
/// has to be the whole text.
pub(super) fn test<'a>(field: &'a str, lookup: &str, filter: Filter, values: &[&str]) -> Option<Test<'a>> {
    let wanted: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    if lookup == "empty" {
        let empty = match values.last().copied() {
            Some("true" | "True") => true,
            Some("false" | "False") => false,
            Some(_) | None => return None,
        };
        return Some(Box::new(move |_, row| row.text(field).is_none_or(str::is_empty) == empty));
    }
    let (negated, lookup) = match lookup {
        "" => (false, if filter == Filter::Whole { "exact" } else { "ic" }),
        "n" => (true, "exact"),
        "nic" | "nie" | "nisw" | "niew" => (true, lookup.trim_start_matches('n')),
        other => (false, other),
    };
    let fits = fits(lookup)?;
    Some(Box::new(move |_, row| {
        let text = row.text(field);
        negated != text.is_some_and(|text| wanted.iter().any(|wanted| fits(text, wanted)))
    }))
}

fn fits(lookup: &str) -> Option<fn(&str, &str) -> bool> {
    Some(match lookup {
        "exact" => |text, wanted| text == wanted,
        "ic" => |text, wanted| text.to_lowercase().contains(&wanted.to_lowercase()),
        "ie" => |text, wanted| text.to_lowercase() == wanted.to_lowercase(),
        "isw" => |text, wanted| text.to_lowercase().starts_with(&wanted.to_lowercase()),
        "iew" => |text, wanted| text.to_lowercase().ends_with(&wanted.to_lowercase()),
        _ => return None,
    })
}
