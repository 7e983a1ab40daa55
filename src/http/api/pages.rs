//! Pages of lists whose order no list of NetBox's has: they are cut from all rows, and a cursor is the place of the last row on the
//! page before. What was added or has gone meanwhile does not move the others.

use crate::http::problem::{Kind, Problem};

/// Returns the size of the page that a caller wants.
pub(crate) fn page_size(asked: Option<usize>, usual: usize, largest: usize) -> Result<usize, Problem> {
    let size = asked.unwrap_or(usual);
    if (1..=largest).contains(&size) {
        return Ok(size);
    }
    Err(Problem::new(Kind::InvalidRequest, format!("`limit` has to be between 1 and {largest}")))
}

/// Cuts the page after a cursor from rows that have places, and says where the next one begins. No two rows have the same place.
pub(super) fn cut<T>(
    rows: impl Iterator<Item = T>,
    place: impl Fn(&T) -> String,
    cursor: Option<&str>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let after = cursor.unwrap_or_default();
    let placed = rows.map(|row| (place(&row), row));
    let mut rest: Vec<(String, T)> = placed.filter(|(place, _)| place.as_str() > after).collect();
    rest.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next = rest.last().map(|(place, _)| place.clone()).filter(|_| more);
    (rest.into_iter().map(|(_, row)| row).collect(), next)
}
