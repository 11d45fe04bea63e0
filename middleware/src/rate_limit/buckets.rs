//! The buckets of all addresses, or of all principals.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Rate,
    bucket::{Bucket, TokioClock},
};

/// How often a map is swept at most.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// A bucket for each key, of which so many are kept beside those that open clients hold. One that nobody holds is forgotten
/// once it is full again, which is when forgetting makes no difference: so keys that strangers make up do not stay.
///
/// Where there is no room for one more key, all further ones share one bucket: they limit each other, and nobody else. Open
/// clients have a bound of their own, and take no room: a busy server is not a full one.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    rate: Rate,
    clock: TokioClock,
    most: usize,
    shared: Arc<Bucket>,
    state: Mutex<State<K>>,
}

#[derive(Debug)]
struct State<K> {
    kept: HashMap<K, Kept>,
    swept: Instant,
    /// How many somebody held at the last sweep.
    held: usize,
}

#[derive(Debug)]
struct Kept {
    bucket: Arc<Bucket>,
    /// Since when nobody is known to hold it.
    idle: Option<Instant>,
}

impl<K: Hash + Eq> Buckets<K> {
    pub(super) fn new(rate: Rate, clock: TokioClock, most: usize) -> Self {
        let shared = Arc::new(Bucket::new(rate, clock));
        let state = State { kept: HashMap::new(), swept: Instant::now(), held: 0 };
        Self { rate, clock, most, shared, state: Mutex::new(state) }
    }

    /// The bucket of a key.
    pub(super) fn of(&self, key: K) -> Arc<Bucket> {
        // `Hash` and `Eq` of our own keys do not panic.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some(kept) = state.kept.get_mut(&key) {
            kept.idle = None;
            let bucket = Arc::clone(&kept.bucket);
            state.sweep(now, self.rate);
            return bucket;
        }
        state.sweep(now, self.rate);
        if state.kept.len() >= self.most.saturating_add(state.held) {
            return Arc::clone(&self.shared);
        }
        let bucket = Arc::new(Bucket::new(self.rate, self.clock));
        state.kept.insert(key, Kept { bucket: Arc::clone(&bucket), idle: None });
        bucket
    }

    /// How many keys have a bucket of their own.
    pub(super) fn len(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).kept.len()
    }
}

impl<K: Hash + Eq> State<K> {
    fn sweep(&mut self, now: Instant, rate: Rate) {
        if now.duration_since(self.swept) < SWEEP_EVERY {
            return;
        }
        (self.swept, self.held) = (now, 0);
        let refill = rate.refill();
        self.kept.retain(|_, kept| {
            if Arc::strong_count(&kept.bucket) > 1 {
                kept.idle = None;
                self.held += 1;
                return true;
            }
            now.duration_since(*kept.idle.get_or_insert(now)) < refill
        });
        self.kept.shrink_to(self.kept.len() * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(most: usize) -> Buckets<u32> {
        Buckets::new(Rate::per_second(1).burst(60), TokioClock::start(), most)
    }

    async fn later(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_nobody_holds_are_forgotten_once_that_makes_no_difference() {
        let buckets = buckets(1000);
        for key in 0..500 {
            buckets.of(key).take().unwrap();
        }
        let held = buckets.of(1000);
        later(11).await;
        buckets.of(1000);
        assert_eq!(buckets.len(), 501);
        // Noticed at the first sweep, forgotten when they are full again.
        later(61).await;
        buckets.of(1000);
        assert_eq!(buckets.len(), 1);
        drop(held);
        for _ in 0..3 {
            later(61).await;
            buckets.of(7);
        }
        assert_eq!(buckets.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn open_clients_take_no_room_from_others() {
        let buckets = buckets(2);
        let mut clients = vec![buckets.of(1), buckets.of(2)];
        for key in 3..9 {
            later(11).await;
            clients.push(buckets.of(key));
        }
        assert_eq!(buckets.len(), 8);
        drop(clients);
        for _ in 0..2 {
            later(61).await;
            buckets.of(9);
        }
        assert_eq!(buckets.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_too_many_share_one_bucket_and_disturb_nobody_else() {
        let buckets = buckets(2);
        let (first, second) = (buckets.of(1), buckets.of(2));
        let others: Vec<_> = (3..10).map(|key| buckets.of(key)).collect();
        assert_eq!(buckets.len(), 2);
        assert!(others.iter().all(|bucket| Arc::ptr_eq(bucket, &others[0])));
        assert_eq!((0..100).filter(|n| others[n % 7].take().is_ok()).count(), 60);
        assert!(first.take().is_ok() && second.take().is_ok());
    }
}
