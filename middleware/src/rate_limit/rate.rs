//! Rates.

use std::{num::NonZeroU32, time::Duration};

use governor::Quota;

/// The longest that an empty bucket takes to be full again.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

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

    /// So many an hour, and as many at once. Less than one is taken as one.
    pub fn per_hour(count: u32) -> Self {
        Self(Quota::per_hour(at_least_one(count)))
    }

    /// So many at once, after a time of quiet; the rate stays. Less than one is taken as one, and more than come back in 365
    /// days as so many.
    #[must_use]
    pub fn burst(self, count: u32) -> Self {
        let most = LONGEST.as_nanos() / self.0.replenish_interval().as_nanos().max(1);
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Self(self.0.allow_burst(at_least_one(count.min(most))))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_would_take_ages_to_fill_is_taken_as_a_smaller_one() {
        let rate = Rate::per_hour(1).burst(u32::MAX);
        assert_eq!(rate.quota().burst_size().get(), 365 * 24);
        assert_eq!(rate.refill(), LONGEST);
        assert_eq!(Rate::per_second(10).burst(0).quota().burst_size().get(), 1);
    }
}
