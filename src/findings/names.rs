//! Names and addresses as they are compared with those at ARIN, which are upper case ASCII, and names as they are made
//! for nets.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::model::Address;

/// The most characters of a net's name (Reg-RWS takes no more).
const LONGEST_NET_NAME: usize = 50;

/// The beginning of the name that ARIN shows of a private customer.
const PRIVATE: &str = "PRIVATE CUSTOMER";

/// Endings that say what kind of company somebody is, and not who.
const LEGAL_FORMS: [&str; 12] = ["INC", "LLC", "LTD", "CORP", "CO", "LP", "LLP", "PLC", "ULC", "LTEE", "SA", "GMBH"];

/// Signs that are no ASCII letter with an accent, as they are written in ASCII.
const SIGNS: [(char, &str); 45] = [
    ('ß', "ss"),
    ('ẞ', "SS"),
    ('Æ', "AE"),
    ('æ', "ae"),
    ('Œ', "OE"),
    ('œ', "oe"),
    ('Ø', "O"),
    ('ø', "o"),
    ('Ł', "L"),
    ('ł', "l"),
    ('Đ', "D"),
    ('đ', "d"),
    ('Ð', "D"),
    ('ð', "d"),
    ('Þ', "Th"),
    ('þ', "th"),
    ('ı', "i"),
    ('’', "'"),
    ('‘', "'"),
    ('‛', "'"),
    ('′', "'"),
    ('´', "'"),
    ('`', "'"),
    ('ʼ', "'"),
    ('ʻ', "'"),
    ('‚', ","),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('«', "\""),
    ('»', "\""),
    ('‐', "-"),
    ('\u{2011}', "-"),
    ('‒', "-"),
    ('–', "-"),
    ('—', "-"),
    ('―', "-"),
    ('−', "-"),
    ('·', "-"),
    ('•', "-"),
    ('⁄', "/"),
    // What nobody sees: a soft hyphen, joiners, and the mark at the beginning of a file.
    ('\u{ad}', ""),
    ('\u{200b}', ""),
    ('\u{200d}', ""),
    ('\u{feff}', ""),
];

/// Writes text in ASCII, as ARIN takes it: accents go, quotes and dashes become the plain ones, signs that have no such form
/// become space, and all space one space. Case and punctuation stay. Returns `None` for letters that have no such form.
#[must_use]
pub fn ascii(text: &str) -> Option<String> {
    let mut written = String::with_capacity(text.len());
    for sign in text.chars() {
        if let Some((_, ascii)) = SIGNS.iter().find(|(known, _)| *known == sign) {
            written.push_str(ascii);
            continue;
        }
        for part in std::iter::once(sign).nfkd().filter(|part| !is_combining_mark(*part)) {
            match SIGNS.iter().find(|(known, _)| *known == part) {
                Some((_, ascii)) => written.push_str(ascii),
                None if part.is_ascii_graphic() => written.push(part),
                None if part.is_alphanumeric() => return None,
                None => written.push(' '),
            }
        }
    }
    Some(written.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

/// Folds text to upper case ASCII: accents and full stops and apostrophes go, other punctuation and all space becomes one
/// space. Returns `None` for text with letters that have no such form, or with nothing else than punctuation.
#[must_use]
pub fn fold(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for sign in ascii(text)?.chars() {
        if sign.is_ascii_alphanumeric() {
            folded.push(sign.to_ascii_uppercase());
        } else if !matches!(sign, '.' | '\'') && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    let folded = folded.trim();
    (!folded.is_empty()).then(|| folded.to_owned())
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

/// Returns whether a name is the one that ARIN shows in place of a private customer's.
#[must_use]
pub fn is_masked(name: &str) -> bool {
    name.trim().to_uppercase().starts_with(PRIVATE)
}

/// Returns whether two addresses are different places, however they are written.
#[must_use]
pub fn is_other_place(one: &Address, other: &Address) -> bool {
    let text = |part: &Option<String>| part.as_deref().and_then(fold).unwrap_or_default();
    let street = |address: &Address| fold(&address.street.join(" ")).unwrap_or_default();
    let countries = (text(&one.country), text(&other.country));
    // ARIN has both forms of a country's code, and nothing here says which ones are the same.
    let same_form = countries.0.len() == countries.1.len();
    street(one) != street(other)
        || text(&one.city) != text(&other.city)
        || text(&one.state_province) != text(&other.state_province)
        || text(&one.postal_code) != text(&other.postal_code)
        || (same_form && countries.0 != countries.1)
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
    fn a_text_in_ascii_keeps_its_case_and_punctuation() {
        let all = [
            "Example, Inc.",
            "Société Générale d’Éclairage — Montréal",
            "Weiß & Łódź „Straßenbau“ GmbH",
            "Smørrebrød\u{a0} ApS",
            "O´Brien\tand\nSons…",
            "soft\u{ad}hyphen ½ ™ ® 🙂 end",
            "１２３ Ｗｉｄｅ",
            "日本電信電話",
            "Ελλάς 5",
        ];
        let written = |text: &str| ascii(text).unwrap_or_else(|| "(not in ASCII)".to_owned());
        insta::assert_snapshot!(all.map(written).join("\n"), @r#"
        Example, Inc.
        Societe Generale d'Eclairage - Montreal
        Weiss & Lodz "Strassenbau" GmbH
        Smorrebrod ApS
        O'Brien and Sons...
        softhyphen 1/2 TM end
        123 Wide
        (not in ASCII)
        (not in ASCII)
        "#);
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_in_ascii_is_the_same_name(text in ".{0,30}") {
            if let Some(written) = ascii(&text) {
                proptest::prop_assert!(written.chars().all(|sign| sign.is_ascii_graphic() || sign == ' '));
                proptest::prop_assert_eq!(fold(&written), fold(&text));
                proptest::prop_assert_eq!(ascii(&written), Some(written));
            } else {
                proptest::prop_assert_eq!(fold(&text), None);
            }
        }
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
