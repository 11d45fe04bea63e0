//! What the author of an adapter writes: how to make it, and how to reach it from outside.

use std::{fmt, future::Future, net::SocketAddr, pin::Pin};

use narthex_core::{Adapter, Capability, Frame};

/// A boxed future.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a case may need of a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// Binary frames.
    Binary,
    /// A refusal that is an HTTP answer.
    HttpRefusals,
    /// Close codes, in both directions.
    CloseCodes,
    /// A handshake with a path, a query and headers.
    Requests,
    /// An address that the adapter binds.
    Address,
    /// Frames that the door's protocol forbids.
    Protocol,
    /// Frames that are no message of the envelope, answered like any failure: a door whose own protocol reads the frames
    /// ends the connection instead, as it does for [`Peer::offend`].
    Malformed,
    /// Errors of any shape, told apart from values: a door that answers both in the same way knows an error by its members.
    ErrorBodies,
}

/// What a door can show to a peer.
#[derive(Clone, Copy, Debug)]
pub struct Shows {
    capability: Capability,
    requests: bool,
    address: bool,
    protocol: bool,
    malformed: bool,
    error_bodies: bool,
}

impl Shows {
    /// What the adapter says of itself, and no more.
    pub fn new(capability: Capability) -> Self {
        Self {
            capability,
            requests: false,
            address: false,
            protocol: false,
            malformed: true,
            error_bodies: true,
        }
    }

    /// Peers arrive with a path, a query and headers.
    #[must_use]
    pub fn requests(mut self) -> Self {
        self.requests = true;
        self
    }

    /// The adapter binds an address.
    #[must_use]
    pub fn address(mut self) -> Self {
        self.address = true;
        self
    }

    /// The protocol forbids some frames, and [`Peer::offend`] sends one.
    #[must_use]
    pub fn protocol(mut self) -> Self {
        self.protocol = true;
        self
    }

    /// A frame that is no message breaks the protocol.
    #[must_use]
    pub fn without_malformed(mut self) -> Self {
        self.malformed = false;
        self
    }

    /// An error is answered like a value, and known by its `status` and `message` alone.
    #[must_use]
    pub fn without_error_bodies(mut self) -> Self {
        self.error_bodies = false;
        self
    }

    /// Whether the door can show it.
    pub fn has(&self, need: Need) -> bool {
        match need {
            Need::Binary => self.capability.binary,
            Need::HttpRefusals => self.capability.refuses_over_http,
            Need::CloseCodes => self.capability.close_codes,
            Need::Requests => self.requests,
            Need::Address => self.address,
            Need::Protocol => self.protocol,
            Need::Malformed => self.malformed,
            Need::ErrorBodies => self.error_bodies,
        }
    }
}

/// An adapter under test.
pub trait Door: Send + Sync {
    /// What it can show.
    fn shows(&self) -> Shows;

    /// A fresh adapter with its default bounds and envelope, and how to reach it. Called once for each server.
    fn open(&self) -> (Adapter, Box<dyn Dial>);
}

/// Where a peer wants to go, and with what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Arrive {
    /// The namespace's path, with a query where wanted.
    pub path: String,
    /// Headers of the handshake.
    pub headers: Vec<(String, String)>,
}

impl Arrive {
    /// Goes to a path, with a query where wanted.
    pub fn at(path: impl Into<String>) -> Self {
        Self { path: path.into(), headers: Vec::new() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// Reaches one server.
pub trait Dial: Send + Sync {
    /// Connects a peer. `addr` is the address that the adapter reported.
    ///
    /// A door that cannot tell a refusal from a client that is open gives the peer, which then reads the refusal.
    fn dial<'a>(
        &'a self,
        addr: Option<SocketAddr>,
        to: &'a Arrive,
    ) -> Boxed<'a, Result<Box<dyn Peer>, Refused>>;
}

/// A handshake that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status, where there was an HTTP answer.
    pub status: Option<u16>,
    /// What was said.
    pub text: String,
}

/// The connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// One connection, seen from outside, in the default envelope.
///
/// One `send` and one `recv` may run at the same time. A peer reads from its connection only inside of `recv`: one
/// that is not asked to read stands for a slow reader.
pub trait Peer: Send + Sync {
    /// Sends one frame; waits while the connection takes no more.
    fn send(&self, frame: Frame) -> Boxed<'_, Result<(), Gone>>;

    /// The next frame, `None` at the end. Cancel safe.
    fn recv(&self) -> Boxed<'_, Option<Frame>>;

    /// Says goodbye after what was sent, in the way that the door has; `code` and `text` where it has such.
    fn close<'a>(&'a self, code: u16, text: &'a str) -> Boxed<'a, ()>;

    /// The close code and the reason of the server's goodbye, after [`recv`](Self::recv) gave `None`. A door without
    /// codes gives 1005 with what the peer was told.
    fn goodbye(&self) -> Option<(u16, String)>;

    /// Sends a frame that the door's protocol forbids.
    fn offend(&self) -> Boxed<'_, Result<(), Gone>> {
        Box::pin(async { Ok(()) })
    }

    /// Cuts the connection without a word.
    fn abort(self: Box<Self>);
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary frames",
            Self::HttpRefusals => "refusals over HTTP",
            Self::CloseCodes => "close codes",
            Self::Requests => "handshakes with a path and headers",
            Self::Address => "an address",
            Self::Protocol => "forbidden frames",
            Self::Malformed => "frames that are no message",
            Self::ErrorBodies => "errors of any shape",
        })
    }
}
