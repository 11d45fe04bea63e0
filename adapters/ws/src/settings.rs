//! The bounds and times of a door, shared by all its clients.

use std::time::Duration;

use crate::codec::Bounds;

/// What [`Ws`](crate::Ws) was built with, as far as an open connection needs it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) bounds: Bounds,
    pub(crate) ping_interval: Duration,
    pub(crate) ping_timeout: Duration,
    pub(crate) write_deadline: Duration,
    pub(crate) unfinished_timeout: Duration,
    pub(crate) close_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bounds: Bounds { message: 64 * 1024, frame: 64 * 1024, fragments: 1024 },
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(10),
            write_deadline: Duration::from_secs(5),
            unfinished_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(1),
        }
    }
}
