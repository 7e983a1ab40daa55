//! Names as they are compared with those at ARIN, which are upper case ASCII, and as they are made for nets.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The most characters of a net's name (Reg-RWS takes no more).
const LONGEST_NET_NAME: usize = 50;

/// Endings that say what kind of company somebody is, and not who.
const LEGAL_FORMS: [&str; 12] = ["INC", "LLC", "LTD", "CORP", "CO", "LP", "LLP", "PLC", "ULC", "LTEE", "SA", "GMBH"];

/// Latin letters that are no letter with an accent, as they are written without them.
const LETTERS: [(char, &str); 14] = [
    ('ß', "SS"),
    ('Æ', "AE"),
    ('æ', "AE"),
    ('Œ', "OE"),
    ('œ', "OE"),
    ('Ø', "O"),
    ('ø', "O"),
    ('Ł', "L"),
    ('ł', "L"),
    ('Đ', "D"),
    ('đ', "D"),
    ('Þ', "TH"),
    ('þ', "TH"),
    ('ı', "I"),
];

/// Folds text to upper case ASCII: accents and full stops and apostrophes go, other punctuation and all space becomes one
/// space. Returns `None` for text with letters that have no such form, or with nothing else than punctuation.
#[must_use]
pub fn fold(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd() {
        if letter.is_ascii_alphanumeric() {
            folded.push(letter.to_ascii_uppercase());
        } else if let Some((_, written)) = LETTERS.iter().find(|(known, _)| *known == letter) {
            folded.push_str(written);
        } else if letter.is_alphanumeric() {
            return None;
        } else if !is_dropped(letter) && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    let folded = folded.trim();
    (!folded.is_empty()).then(|| folded.to_owned())
}

/// Returns whether a sign goes without leaving a space: full stops, apostrophes, and the accents that were on a letter.
fn is_dropped(sign: char) -> bool {
    matches!(sign, '.' | '\'' | '’' | '‘' | '`' | '´') || is_combining_mark(sign)
}

/// Returns what is left of a folded name without the legal forms at its end, as long as something is.
#[must_use]
pub fn core(folded: &str) -> &str {
    let mut rest = folded;
    while let Some((before, last)) = rest.rsplit_once(' ') {
        if !LEGAL_FORMS.contains(&last) {
            break;
        }
        rest = before;
    }
    rest
}

/// Makes the name of a net of a template with `{tenant}`, `{prefix}` and `{id}`: upper case letters, digits and hyphens, no
/// more than 50. Returns `None` if nothing is left, or the tenant's name has no such form.
#[must_use]
pub fn net_name(template: &str, tenant: &str, prefix: &str, id: u64) -> Option<String> {
    let tenant = if template.contains("{tenant}") { fold(tenant)? } else { String::new() };
    let text = template.replace("{tenant}", &tenant).replace("{prefix}", prefix).replace("{id}", &id.to_string());
    let mut name = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_uppercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let name: String = name.trim_matches('-').chars().take(LONGEST_NET_NAME).collect();
    let name = name.trim_end_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_accents_points_and_legal_forms() {
        let folded = |text: &str| fold(text).unwrap_or_else(|| "(not foldable)".to_owned());
        let all = [
            "Example, Inc.",
            "A.B.C. Co. Ltd",
            "O'Brien & Sons",
            "Société Générale d’Éclairage, Ltée",
            "Weiß Straßenbau GmbH",
            "Smørrebrød  ApS",
            "example-one/two",
            "日本電信電話",
            "Ελλάς",
            " -- ",
        ];
        insta::assert_snapshot!(all.map(|text| format!("{text}: {}", folded(text))).join("\n"), @"
        Example, Inc.: EXAMPLE INC
        A.B.C. Co. Ltd: ABC CO LTD
        O'Brien & Sons: OBRIEN SONS
        Société Générale d’Éclairage, Ltée: SOCIETE GENERALE DECLAIRAGE LTEE
        Weiß Straßenbau GmbH: WEISS STRASSENBAU GMBH
        Smørrebrød  ApS: SMORREBROD APS
        example-one/two: EXAMPLE ONE TWO
        日本電信電話: (not foldable)
        Ελλάς: (not foldable)
         -- : (not foldable)
        ");
        let cores = ["EXAMPLE INC", "EXAMPLE CO LTD", "INC", "CO LTD", "COCO", "EXAMPLE INC WEST"].map(core);
        assert_eq!(cores, ["EXAMPLE", "EXAMPLE", "INC", "CO", "COCO", "EXAMPLE INC WEST"]);
    }

    #[test]
    fn the_name_of_a_net_is_what_arin_takes() {
        let name = |template: &str, tenant: &str| net_name(template, tenant, "23.0.1.0/24", 17);
        assert_eq!(name("{tenant}-{prefix}", "Café 'Ole'").as_deref(), Some("CAFE-OLE-23-0-1-0-24"));
        assert_eq!(name("cust {id}", "x").as_deref(), Some("CUST-17"));
        assert_eq!(name("{tenant}", &"long name ".repeat(9)).map(|name| name.len()), Some(49));
        assert_eq!((name("{tenant}", "日本"), name("--", "x")), (None, None));
    }
}
