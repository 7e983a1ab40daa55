//! The documented forms, of which each payload takes some.

use super::{fnv::fnv, options::Style};

/// The choices for one payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forms {
    pub(super) namespace: Namespace,
    pub(super) absent: Absent,
    pub(super) country: CountryForm,
    pub(super) date: DateForm,
    /// IPv4 addresses have three digits in each part.
    pub(super) padded: bool,
    /// IPv6 addresses are in capitals.
    pub(super) capitals: bool,
    /// The number of the first street or comment line.
    pub(super) first_line: usize,
    /// Elements that no documentation tells of are mixed in.
    pub(super) surprises: bool,
    /// Elements stand on lines of their own.
    pub(super) indented: bool,
    /// Characters beyond ASCII are written as references.
    pub(super) references: bool,
    /// The root's children come in the opposite order.
    pub(super) reversed: bool,
}

/// The way in which elements are tied to ARIN's namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    /// As the default namespace.
    Default,
    /// As the default namespace, with others declared and unused.
    WithOthers,
    /// By the prefix `ns4`.
    Prefixed,
}

/// The form of an element that has nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    Missing,
    SelfClosed,
    Empty,
}

/// The parts of `iso3166-1` that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountryForm {
    Whole,
    Code2,
    Code3,
}

/// The form of moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateForm {
    /// `2011-11-07T14:04:28-05:00`
    Iso,
    /// `2011-11-07T14:04:28.000-05:00`
    IsoMillis,
    /// `Mon Nov 07 14:04:28 EST 2011`
    Spoken,
}

impl Forms {
    /// The forms of [`Style::Plain`].
    pub(super) const PLAIN: Self = Self {
        namespace: Namespace::Default,
        absent: Absent::Missing,
        country: CountryForm::Whole,
        date: DateForm::Iso,
        padded: true,
        capitals: false,
        first_line: 1,
        surprises: false,
        indented: false,
        references: false,
        reversed: false,
    };

    /// The forms that the object with this handle takes.
    pub(super) fn of(style: Style, handle: &str) -> Self {
        match style {
            Style::Plain => Self::PLAIN,
            Style::Odd => Self::mixed(handle),
        }
    }

    fn mixed(handle: &str) -> Self {
        let mut rng = fastrand::Rng::with_seed(fnv(handle.as_bytes()));
        Self {
            namespace: rng
                .choice([Namespace::Default, Namespace::WithOthers, Namespace::Prefixed])
                .unwrap_or(Namespace::Default),
            absent: rng.choice([Absent::Missing, Absent::SelfClosed, Absent::Empty]).unwrap_or(Absent::Missing),
            country: rng
                .choice([CountryForm::Whole, CountryForm::Code2, CountryForm::Code3])
                .unwrap_or(CountryForm::Whole),
            date: rng.choice([DateForm::Iso, DateForm::IsoMillis, DateForm::Spoken]).unwrap_or(DateForm::Iso),
            padded: rng.u8(..4) != 0,
            capitals: rng.bool(),
            first_line: rng.usize(..2),
            surprises: rng.bool(),
            indented: rng.bool(),
            references: rng.bool(),
            reversed: rng.bool(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_object_always_looks_the_same() {
        assert_eq!(Forms::of(Style::Odd, "NET-23-0-0-0-1"), Forms::of(Style::Odd, "NET-23-0-0-0-1"));
    }

    #[test]
    fn among_a_hundred_objects_every_form_shows_up() {
        let forms: Vec<Forms> = (0..100).map(|n| Forms::of(Style::Odd, &format!("NET-23-0-0-0-{n}"))).collect();
        let kinds = |of: fn(&Forms) -> String| forms.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(kinds(|f| format!("{:?}", f.namespace)), 3);
        assert_eq!(kinds(|f| format!("{:?}", f.absent)), 3);
        assert_eq!(kinds(|f| format!("{:?}", f.country)), 3);
        assert_eq!(kinds(|f| format!("{:?}", f.date)), 3);
        assert_eq!(kinds(|f| format!("{}{}{}", f.padded, f.capitals, f.first_line)), 8);
        assert_eq!(kinds(|f| format!("{}{}{}", f.surprises, f.indented, f.references)), 8);
    }
}
