//! The moment of what is written, in ARIN's local time.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

use super::options::Clock;
use crate::world::offset;

/// Returns the moment of a write; `registry` is the moment by the clock of the registry.
pub(super) fn moment(clock: Clock, registry: DateTime) -> DateTime {
    match clock {
        Clock::Wall => local(Timestamp::now()),
        Clock::Registry => registry,
    }
}

/// The moment as ARIN writes it, to the second.
fn local(at: Timestamp) -> DateTime {
    let standard = Offset::constant(-5).to_datetime(at);
    let there = if offset(standard) == "-04:00" { Offset::constant(-4).to_datetime(at) } else { standard };
    DateTime::from_parts(there.date(), there.time().with().subsec_nanosecond(0).build().unwrap_or(there.time()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_that_of_arins_wall() {
        let at = |text: &str| local(text.parse().unwrap()).to_string();
        assert_eq!(at("2026-07-01T12:00:00.7Z"), "2026-07-01T08:00:00");
        assert_eq!(at("2026-12-01T03:00:00Z"), "2026-11-30T22:00:00");
    }
}
