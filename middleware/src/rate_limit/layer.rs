use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Request;
use narthex_core::{Client, Event, Principal};
use tower::Layer;

use super::{
    Rate, RateLimit, TrustedProxies,
    address::{self, network},
    bucket::{Bucket, TokioClock},
    buckets::Buckets,
    connection::{self, Connection},
};

/// How many addresses, and how many principals, are kept at once.
const MOST_KEYS: usize = 100_000;

/// Limits how many messages and connects there are: per connection, per principal, per address, and per event.
///
/// | what | default | when there are more |
/// | --- | --- | --- |
/// | messages of a [`connection`](Self::connection) | 100 a second, 200 at once | answered with kind `TooManyRequests` |
/// | messages of a [`principal`](Self::principal), on all of its connections | the same | the same |
/// | messages of an [`address`](Self::address), on all of its connections | the same | the same |
/// | messages of one [`event`](Self::event) on a connection | none | the same |
/// | [`refusals`](Self::refusals) by a connection's own rate or an event's | 1 a second, 50 at once | the client is disconnected with 1008 |
/// | [`connects`](Self::connects) of an address, and of a principal | 10 a second, 100 at once | refused with 429 and `Retry-After` |
///
/// As a layer of messages it counts what passes it, and on a server or gateway also unknown events and frames that cannot be read. A message
/// that is too many is answered at once, `retryAfter` (seconds) with it; guards and handlers do not see it, and the connection goes on. As
/// a layer of the handshake it counts connects; put it inside of a layer that says who the client is, or principals are not known.
/// Clones share their buckets, and so do the services that are made of one value.
///
/// An address is an IPv4 address or an IPv6 network of 64 bits. What is kept of addresses and principals has a bound
/// ([`most_keys`](Self::most_keys)), and goes when it is of no use any more. A layer without an address (the in-memory door) or a principal
/// has no rate for it.
#[derive(Clone, Debug)]
pub struct RateLimitLayer(Arc<Settings>);

#[derive(Clone)]
struct Rules {
    connection: Option<Rate>,
    principal: Option<Rate>,
    address: Option<Rate>,
    connects: Option<Rate>,
    refusals: Option<Rate>,
    events: Vec<(Box<str>, Rate)>,
    most_keys: usize,
    proxies: TrustedProxies,
}

pub(super) struct Settings {
    /// Tells the layers apart that a client passes.
    id: usize,
    rules: Rules,
    clock: TokioClock,
    events: HashMap<Box<str>, usize>,
    principals: Option<Buckets<Arc<str>>>,
    addresses: Option<Buckets<IpAddr>>,
    connects_of_addresses: Option<Buckets<IpAddr>>,
    connects_of_principals: Option<Buckets<Arc<str>>>,
}

impl Default for RateLimitLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl RateLimitLayer {
    /// The rates of the table above.
    pub fn new() -> Self {
        let messages = Some(Rate::per_second(100).burst(200));
        Self::of(Rules {
            connection: messages,
            principal: messages,
            address: messages,
            connects: Some(Rate::per_second(10).burst(100)),
            refusals: Some(Rate::per_second(1).burst(50)),
            events: Vec::new(),
            most_keys: MOST_KEYS,
            proxies: TrustedProxies::default(),
        })
    }

    /// No rate at all, to which rates are added.
    pub fn none() -> Self {
        let Rules { most_keys, proxies, .. } = Self::new().0.rules.clone();
        Self::of(Rules {
            connection: None,
            principal: None,
            address: None,
            connects: None,
            refusals: None,
            events: Vec::new(),
            most_keys,
            proxies,
        })
    }

    fn of(rules: Rules) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let clock = TokioClock::start();
        let of_addresses = |rate: Option<Rate>| rate.map(|rate| Buckets::new(rate, clock, rules.most_keys));
        let of_principals = |rate: Option<Rate>| rate.map(|rate| Buckets::new(rate, clock, rules.most_keys));
        Self(Arc::new(Settings {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            clock,
            events: rules.events.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect(),
            principals: of_principals(rules.principal),
            addresses: of_addresses(rules.address),
            connects_of_addresses: of_addresses(rules.connects),
            connects_of_principals: of_principals(rules.connects),
            rules,
        }))
    }

    fn with(self, change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = self.0.rules.clone();
        change(&mut rules);
        Self::of(rules)
    }

    /// The messages of each connection; none, and there is no limit.
    #[must_use]
    pub fn connection(self, rate: impl Into<Option<Rate>>) -> Self {
        self.with(|rules| rules.connection = rate.into())
    }

    /// The messages of each principal.
    #[must_use]
    pub fn principal(self, rate: impl Into<Option<Rate>>) -> Self {
        self.with(|rules| rules.principal = rate.into())
    }

    /// The messages of each address.
    #[must_use]
    pub fn address(self, rate: impl Into<Option<Rate>>) -> Self {
        self.with(|rules| rules.address = rate.into())
    }

    /// The messages of one event on each connection, by the event as it was registered.
    #[must_use]
    pub fn event(self, event: impl Into<Box<str>>, rate: Rate) -> Self {
        self.with(|rules| rules.events.push((event.into(), rate)))
    }

    /// The connects of each address, and of each principal.
    #[must_use]
    pub fn connects(self, rate: impl Into<Option<Rate>>) -> Self {
        self.with(|rules| rules.connects = rate.into())
    }

    /// The refusals on a connection that are put up with; none, and nobody is disconnected.
    #[must_use]
    pub fn refusals(self, rate: impl Into<Option<Rate>>) -> Self {
        self.with(|rules| rules.refusals = rate.into())
    }

    /// How many addresses, and how many principals, are kept beside those of open clients; 100,000 each where nothing is
    /// said. Further ones share one bucket: they limit each other, and nobody else.
    #[must_use]
    pub fn most_keys(self, most: usize) -> Self {
        self.with(|rules| rules.most_keys = most)
    }

    /// The proxies that are believed where a peer's address is.
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.with(|rules| rules.proxies = proxies)
    }

    /// How many addresses and principals are kept now, those of connects apart from those of messages.
    pub fn keys(&self) -> usize {
        let addresses = [&self.0.addresses, &self.0.connects_of_addresses].into_iter().flatten();
        let principals = [&self.0.principals, &self.0.connects_of_principals].into_iter().flatten();
        addresses.map(Buckets::len).sum::<usize>() + principals.map(Buckets::len).sum::<usize>()
    }
}

impl Settings {
    /// Takes what a message needs.
    ///
    /// # Errors
    /// How long its client is to wait.
    pub(super) fn take_message(&self, event: &Event) -> Result<(), Duration> {
        // Without a client it is no message.
        let Some(client) = event.client() else { return Ok(()) };
        let connection = connection::of(client, self.id, || self.connect(client));
        let own = if self.events.is_empty() { None } else { event.pattern() };
        connection.take(own.and_then(|name| self.events.get(name)).copied()).map_err(|refused| {
            if refused.abuse {
                client.disconnect(1008, "too many messages");
            }
            refused.wait
        })
    }

    fn connect(&self, client: &Client) -> Connection {
        let handshake = client.handshake();
        let found = address::find(handshake.extensions(), &self.rules.proxies, || handshake.headers());
        let address = |buckets: &Buckets<IpAddr>| Some(buckets.of(network(found?.0)));
        let principal = |buckets: &Buckets<Arc<str>>| Some(buckets.of(handshake.principal()?.into()));
        let bucket = |rate: Rate| Bucket::new(rate, self.clock);
        Connection {
            own: self.rules.connection.map(bucket),
            events: self.rules.events.iter().map(|(_, rate)| bucket(*rate)).collect(),
            principal: self.principals.as_ref().and_then(principal),
            address: self.addresses.as_ref().and_then(address),
            patience: self.rules.refusals.map(bucket),
        }
    }

    /// Takes what a connect needs, and leaves the client's address in its request.
    ///
    /// # Errors
    /// How long the peer is to wait.
    pub(super) fn take_connect<B>(&self, request: &mut Request<B>) -> Result<(), Duration> {
        let found = address::find(request.extensions(), &self.rules.proxies, || request.headers().clone());
        if let Some(found) = found {
            request.extensions_mut().insert(found);
        }
        if let (Some(buckets), Some(found)) = (&self.connects_of_addresses, found) {
            buckets.of(network(found.0)).take()?;
        }
        let principal = request.extensions().get::<Principal>();
        if let (Some(buckets), Some(Principal(name))) = (&self.connects_of_principals, principal) {
            buckets.of(Arc::clone(name)).take()?;
        }
        Ok(())
    }
}

impl<S> Layer<S> for RateLimitLayer {
    type Service = RateLimit<S>;

    fn layer(&self, inner: S) -> RateLimit<S> {
        RateLimit { inner, settings: Arc::clone(&self.0) }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rules { connection, principal, address, connects, refusals, events, .. } = &self.rules;
        f.debug_struct("RateLimit")
            .field("connection", connection)
            .field("principal", principal)
            .field("address", address)
            .field("connects", connects)
            .field("refusals", refusals)
            .field("events", events)
            .finish_non_exhaustive()
    }
}
