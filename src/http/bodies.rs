//! The bodies of requests: each has a largest size and a time to arrive, and all of a kind share a budget in memory.
//!
//! A body counts from its first byte until nobody holds it any more, however slowly it comes: so no number of senders
//! can make the process run out of memory.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes, HttpBody};
use futures_util::StreamExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::problem::{Kind, Problem};

/// Limits how long a body may take to arrive.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The memory that bodies of one kind share.
#[derive(Debug)]
pub(super) struct BodyBudget {
    /// One permit for each byte.
    room: Arc<Semaphore>,
    largest: usize,
}

/// A body, as far as it is there, and its part of the budget.
struct Counted {
    bytes: Vec<u8>,
    part: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BodyBudget {
    /// Makes a budget of `all` bytes, of which one body may take `largest`, even if that is more.
    pub(super) fn new(all: usize, largest: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(all.max(largest).min(Semaphore::MAX_PERMITS))), largest }
    }

    /// Reads a body. Its part of the budget is free again when the last copy of the bytes is dropped.
    ///
    /// # Errors
    /// When it is too large, too slow or broken off, or when other bodies have used up the budget.
    pub(super) async fn read(&self, body: Body) -> Result<Bytes, Problem> {
        let slow = |_| {
            let limit = humantime::format_duration(ARRIVAL_TIMEOUT);
            Problem::new(Kind::BodyTooSlow, format!("it did not arrive within {limit}"))
        };
        timeout(ARRIVAL_TIMEOUT, self.collect(body)).await.map_err(slow)?
    }

    async fn collect(&self, body: Body) -> Result<Bytes, Problem> {
        let told = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        self.check_size(told)?;
        // The system gives the memory as it is written to, so that a long body costs nothing before it comes.
        let mut counted = Counted { bytes: Vec::with_capacity(told), part: self.take(0)? };
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Problem::new(Kind::InvalidRequest, "the body broke off"))?;
            self.check_size(counted.bytes.len().saturating_add(chunk.len()))?;
            counted.part.merge(self.take(chunk.len())?);
            counted.bytes.extend_from_slice(&chunk);
        }
        Ok(Bytes::from_owner(counted))
    }

    fn check_size(&self, bytes: usize) -> Result<(), Problem> {
        if bytes <= self.largest {
            return Ok(());
        }
        Err(Problem::new(Kind::BodyTooLarge, "http.max_body_bytes is the limit"))
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let permits = u32::try_from(bytes).ok();
        let part = permits.and_then(|permits| Arc::clone(&self.room).try_acquire_many_owned(permits).ok());
        part.ok_or_else(|| Problem::busy("bodies of other requests take all of http.max_bodies_bytes"))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    type Chunk = Result<Vec<u8>, std::io::Error>;

    fn chunks(sizes: &[usize]) -> Vec<Chunk> {
        sizes.iter().map(|size| Ok(vec![b'x'; *size])).collect()
    }

    fn whole(sizes: &[usize]) -> Body {
        Body::from_stream(stream::iter(chunks(sizes)))
    }

    /// A body of which this much comes, and then nothing.
    fn half(sizes: &[usize]) -> Body {
        Body::from_stream(stream::iter(chunks(sizes)).chain(stream::pending()))
    }

    fn kind(read: Result<Bytes, Problem>) -> Option<Kind> {
        read.err().map(|problem| problem.kind())
    }

    #[tokio::test]
    async fn a_body_counts_for_as_long_as_somebody_holds_it() {
        let budget = BodyBudget::new(100, 80);
        let first = budget.read(whole(&[30, 30])).await.unwrap();
        assert_eq!(first.len(), 60);
        let copy = first.clone();
        drop(first);
        assert_eq!(kind(budget.read(whole(&[30, 11])).await), Some(Kind::Busy));
        budget.read(whole(&[30, 10])).await.unwrap();
        drop(copy);
        budget.read(whole(&[80])).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_that_come_slowly_count_and_have_an_end() {
        let budget = BodyBudget::new(100, 80);
        let (slow, second, third) =
            tokio::join!(budget.read(half(&[60])), budget.read(whole(&[50])), budget.read(whole(&[40])));
        assert_eq!([kind(slow), kind(second), kind(third)], [Some(Kind::BodyTooSlow), Some(Kind::Busy), None]);
        assert_eq!(budget.room.available_permits(), 100);
    }

    #[tokio::test]
    async fn a_body_has_a_largest_size_whether_it_says_so_or_not() {
        let budget = BodyBudget::new(100, 80);
        budget.read(whole(&[40, 40])).await.unwrap();
        for large in [whole(&[40, 41]), half(&[81]), Body::from(vec![0; 81])] {
            assert_eq!(kind(budget.read(large).await), Some(Kind::BodyTooLarge));
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_refused() {
        let broken: Vec<Chunk> = vec![Ok(vec![b'x'; 10]), Err(std::io::ErrorKind::ConnectionReset.into())];
        let budget = BodyBudget::new(100, 80);
        assert_eq!(kind(budget.read(Body::from_stream(stream::iter(broken))).await), Some(Kind::InvalidRequest));
        assert_eq!(budget.room.available_permits(), 100);
    }
}
