//! Findings as a table for spreadsheets (RFC 4180, with a line feed as the end of a line).

use serde_json::Value;

use crate::http::FindingView;

/// The columns: the fields that JSON has, what people look for first.
const COLUMNS: [&str; 20] = [
    "level",
    "kind",
    "subject",
    "due",
    "message",
    "prefix",
    "aggregate",
    "network",
    "customer",
    "organization",
    "request",
    "ticket",
    "since",
    "since_at_least",
    "state",
    "ignored",
    "note",
    "config_name",
    "config",
    "id",
];

/// With these a spreadsheet begins a formula, or may come to do so once it has taken white space away.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Returns the header and a line for each finding.
pub(super) fn document(findings: &[FindingView]) -> Result<String, serde_json::Error> {
    let mut lines = vec![COLUMNS.join(",")];
    for finding in findings {
        let fields = serde_json::to_value(finding)?;
        let cells = COLUMNS.iter().map(|column| cell(fields.get(column).unwrap_or(&Value::Null)));
        lines.push(cells.collect::<Vec<_>>().join(","));
    }
    Ok(lines.join("\n"))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Quotes text where that is needed. What a spreadsheet would take for a formula gets an apostrophe before it, as names
/// and notes are other people's words.
fn quoted(text: &str) -> String {
    let text = if text.trim_start_matches(' ').starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() };
    let plain = text.trim() == text && !text.contains([',', '"', '\r', '\n', '\'']);
    if plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cli::findings::list::row;

    #[test]
    fn it_has_a_column_for_each_field_of_json() {
        let fields = serde_json::to_value(FindingView::new(row(1), None)).unwrap();
        let fields: BTreeSet<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(BTreeSet::from(COLUMNS), fields);
    }

    #[test]
    fn a_line_is_a_finding() {
        insta::assert_snapshot!(document(&[FindingView::new(row(1), Some("ours".to_owned()))]).unwrap(), @r#"
        level,kind,subject,due,message,prefix,aggregate,network,customer,organization,request,ticket,since,since_at_least,state,ignored,note,config_name,config,id
        alert,overdue,23.144.14.0/28,2026-11-08,"It is assigned to Sample Bakery since 2026-11-01, and not registered.",23.144.14.0/28,,,,,,,2026-11-01T09:30:00Z,true,open,false,,ours,1,1
        "#);
    }

    #[test]
    fn text_is_quoted_where_it_would_be_read_otherwise() {
        for (text, cell) in [
            ("plain", "plain"),
            ("2600::/48", "2600::/48"),
            ("", ""),
            ("a, b", "\"a, b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            (" blank", "\" blank\""),
        ] {
            assert_eq!(quoted(text), cell);
        }
    }

    #[test]
    fn no_text_is_a_formula() {
        for begin in FORMULA {
            for text in [format!("{begin}cmd|' /C calc'!A0"), format!("  {begin}1+1")] {
                assert!(quoted(&text).starts_with("\"'"), "{text}");
            }
        }
        assert_eq!(quoted("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
    }
}
