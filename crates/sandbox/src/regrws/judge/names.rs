//! Texts that may have only certain characters.

/// Returns the name of a net as ARIN keeps it, in capitals.
pub(super) fn net_name(name: Option<&str>, longest: usize) -> Result<String, String> {
    let Some(name) = name else { return Err("The name is required.".to_owned()) };
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' ')) {
        return Err("The name may have letters, digits, hyphens and spaces only.".to_owned());
    }
    if name.len() > longest {
        return Err(format!("The name may have {longest} characters at most."));
    }
    Ok(name.to_ascii_uppercase())
}

/// Returns a text outside of comments, in which only ASCII may be.
pub(super) fn ascii(text: &str) -> Result<String, &'static str> {
    if text.is_ascii() { Ok(text.to_owned()) } else { Err("Only ASCII characters may be in here.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_in_capitals_and_refused_for_its_characters() {
        let name = |name: &str| net_name(Some(name), 10).ok();
        assert_eq!(name("Acme 1-a"), Some("ACME 1-A".to_owned()));
        let refused = ["acme_1", "acme.1", "acme/29", "\u{e9}", "elevenchars"];
        assert_eq!(refused.map(name), [const { None }; 5]);
        assert!(net_name(None, 10).is_err());
    }
}
