use tower::Layer;

use super::{Concurrency, Places, WhenFull};

/// Bounds how many calls of what it wraps run at once: those of all clients together, or those of each client.
///
/// A call too many waits for a place, in the order of arrival, or is [shed](Self::shed). What waits is bounded by the clients: a
/// client's further messages wait behind the one that waits (`held` of [`Limits`](narthex_core::Limits)), and those of handlers
/// that have opted out of the order are at most `side_tasks`. A waiting call of a client that leaves still runs.
///
/// The places belong to the layer and all its clones, wherever they are put: a call that passes two of them takes two places. A
/// place is free again when the call has given its reply; the items of a stream come after that.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until something is wrapped in it"]
pub struct ConcurrencyLayer {
    places: Places,
    when_full: WhenFull,
}

impl ConcurrencyLayer {
    /// At most `n` calls at once, of all clients together; at least one.
    pub fn new(n: usize) -> Self {
        Self { places: Places::shared(n), when_full: WhenFull::Wait }
    }

    /// At most `n` calls at once of each client; at least one.
    ///
    /// A client's messages are handled one after another anyway: this bounds what its handlers with
    /// [`concurrent`](narthex_core::Handler::concurrent) run together.
    pub fn per_client(n: usize) -> Self {
        Self { places: Places::per_client(n), when_full: WhenFull::Wait }
    }

    /// Answers a call too many with `Overloaded` at once, instead of letting it wait.
    pub fn shed(mut self) -> Self {
        self.when_full = WhenFull::Shed;
        self
    }
}

impl<S> Layer<S> for ConcurrencyLayer {
    type Service = Concurrency<S>;

    fn layer(&self, inner: S) -> Concurrency<S> {
        Concurrency { inner, places: self.places.clone(), when_full: self.when_full }
    }
}
