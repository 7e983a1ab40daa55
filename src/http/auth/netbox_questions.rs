//! The questions about tokens that NetBox has not vouched for, of which only so many are under way.
//!
//! Whoever sends made-up tokens makes NetBox work. Clients that guessed too often wait in a line of their own, in which
//! one question is asked at a time: they cannot keep others waiting, and one with a good token among them gets its turn.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::http::problem::{Kind, Problem};

/// Questions about the tokens of unsuspicious clients that are under way at once.
const QUESTIONS_AT_ONCE: usize = 4;
/// Limits how many wait in a line.
const LONGEST_LINE: usize = 64;
/// Limits how long a question waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The lines of questions.
#[derive(Debug)]
pub(crate) struct NetboxQuestions {
    unsuspicious: Line,
    suspicious: Line,
}

/// Where a client that brings an unknown token waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has not brought too many tokens that NetBox refused.
    Unsuspicious,
    /// It has.
    Suspicious,
}

#[derive(Debug)]
struct Line {
    /// Room for those who wait and those whose turn it is.
    places: Semaphore,
    turns: Semaphore,
}

/// A question's turn, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl NetboxQuestions {
    /// Makes empty lines.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { unsuspicious: Line::new(QUESTIONS_AT_ONCE), suspicious: Line::new(1) }
    }

    /// Waits for the turn of a question.
    ///
    /// # Errors
    /// When too many wait already, or the turn does not come soon.
    pub(crate) async fn turn(&self, standing: Standing) -> Result<Turn<'_>, Problem> {
        let line = match standing {
            Standing::Unsuspicious => &self.unsuspicious,
            Standing::Suspicious => &self.suspicious,
        };
        let place = line.places.try_acquire().map_err(|_| busy())?;
        match timeout(LONGEST_WAIT, line.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(Turn { _turn: turn, _place: place }),
            // Nobody closes it; so it is the time that is over.
            Ok(Err(_)) | Err(_) => Err(busy()),
        }
    }
}

impl Line {
    fn new(at_once: usize) -> Self {
        Self { places: Semaphore::new(at_once + LONGEST_LINE), turns: Semaphore::new(at_once) }
    }
}

fn busy() -> Problem {
    let problem = Problem::new(Kind::NetboxUnavailable, "too many tokens wait to be shown to NetBox; try again");
    problem.after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_long_line_is_refused_at_once_and_a_slow_one_after_a_while() {
        let questions = NetboxQuestions::new();
        let held = questions.turn(Standing::Suspicious).await.unwrap();
        let begun = Instant::now();
        let waiting = join_all((0..LONGEST_LINE).map(|_| questions.turn(Standing::Suspicious)));
        let (waited, refused) = tokio::join!(waiting, async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let refused = questions.turn(Standing::Suspicious).await;
            (refused.map(drop), begun.elapsed())
        });
        assert_eq!(refused, (Err(busy()), Duration::from_millis(1)));
        assert!(waited.iter().all(Result::is_err) && begun.elapsed() == LONGEST_WAIT);
        drop(held);
        questions.turn(Standing::Suspicious).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn suspicious_clients_keep_nobody_else_waiting() {
        let questions = NetboxQuestions::new();
        let _held = questions.turn(Standing::Suspicious).await.unwrap();
        let begun = Instant::now();
        let others = join_all((0..QUESTIONS_AT_ONCE).map(|_| questions.turn(Standing::Unsuspicious))).await;
        assert!(others.iter().all(Result::is_ok) && begun.elapsed().is_zero());
        assert_eq!(questions.turn(Standing::Unsuspicious).await.map(drop), Err(busy()), "four at once");
    }
}
