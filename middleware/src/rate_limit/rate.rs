//! Rates.

use std::{num::NonZeroU32, time::Duration};

use governor::Quota;

/// How often something may happen: a bucket of tokens that is filled at a steady rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Quota);

impl Rate {
    /// So many a second, and as many at once. Less than one is taken as one.
    pub fn per_second(count: u32) -> Self {
        Self(Quota::per_second(at_least_one(count)))
    }

    /// So many a minute, and as many at once. Less than one is taken as one.
    pub fn per_minute(count: u32) -> Self {
        Self(Quota::per_minute(at_least_one(count)))
    }

    /// So many at once, after a time of quiet; the rate stays. Less than one is taken as one.
    #[must_use]
    pub fn burst(self, count: u32) -> Self {
        Self(self.0.allow_burst(at_least_one(count)))
    }

    pub(super) fn quota(self) -> Quota {
        self.0
    }

    /// How long an empty bucket takes to be full again.
    pub(super) fn refill(self) -> Duration {
        self.0.burst_size_replenished_in()
    }
}

fn at_least_one(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}
