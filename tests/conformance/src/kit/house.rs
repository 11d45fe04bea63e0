//! A server behind the door.

use std::net::SocketAddr;

use narthex_core::{BoundServer, Client, Gateway, Hub, Limits, Server, Stats};
use serde_json::json;

use super::{Guest, Kit, Notes, Outcome, Probe, fail, same, soon};
use crate::door::{Arrive, Boxed, Dial, Need, Refused, Shows};

const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A drain that is under way.
pub(crate) type Drain = Boxed<'static, Outcome<narthex_core::Result<()>>>;

/// A server behind the door, with the probe in its state and the event `hello` in every gateway.
pub(crate) struct House {
    bound: BoundServer,
    dial: Box<dyn Dial>,
    addr: Option<SocketAddr>,
    shows: Shows,
    pub(crate) probe: Probe,
    pub(crate) notes: Notes,
}

async fn hello() -> &'static str {
    "hello"
}

impl Kit<'_> {
    pub(crate) async fn serve(self, gateway: Gateway) -> Outcome<House> {
        self.serve_within(gateway, Limits::default()).await
    }

    pub(crate) async fn serve_within(self, gateway: Gateway, limits: Limits) -> Outcome<House> {
        self.serve_many([gateway], limits).await
    }

    pub(crate) async fn serve_many(
        self,
        gateways: impl IntoIterator<Item = Gateway>,
        limits: Limits,
    ) -> Outcome<House> {
        let mut gateways = gateways.into_iter().map(|gateway| gateway.on("hello", hello));
        let first = gateways.next().ok_or_else(|| fail("a house needs a gateway"))?;
        let server = gateways.fold(Server::new(first), Server::gateway);
        let (probe, notes) = Probe::new();
        let (adapter, dial) = self.door.open();
        let server = server.limits(limits).state(probe.clone()).adapters([adapter]);
        let bound = soon(server.bind(HERE)).await??;
        let addr = bound.local_addr().ok();
        Ok(House { bound, dial, addr, shows: self.door.shows(), probe, notes })
    }
}

impl House {
    pub(crate) fn addr(&self) -> Option<SocketAddr> {
        self.addr
    }

    pub(crate) fn shows(&self, need: Need) -> bool {
        self.shows.has(need)
    }

    pub(crate) fn stats(&self) -> Stats {
        self.bound.stats()
    }

    pub(crate) fn hub(&self) -> Outcome<Hub> {
        self.hub_at("/")
    }

    pub(crate) fn hub_at(&self, path: &str) -> Outcome<Hub> {
        self.bound.hub(path).ok_or_else(|| fail(format!("there is no hub at {path}")))
    }

    /// The server's handle of the only client.
    pub(crate) fn client(&self) -> Outcome<Client> {
        let mut clients = self.hub()?.clients();
        same(clients.len(), 1)?;
        clients.pop().ok_or_else(|| fail("nobody is there"))
    }

    /// Arrives, and does not ask whether the client is open yet.
    pub(crate) async fn dial(&self, to: &Arrive) -> Result<Guest, Refused> {
        match soon(self.dial.dial(self.addr, to)).await {
            Ok(dialed) => dialed.map(Guest::new),
            Err(late) => Err(Refused { status: None, text: late.to_string() }),
        }
    }

    pub(crate) async fn arrive(&self) -> Outcome<Guest> {
        Ok(self.dial(&Arrive::at("/")).await?)
    }

    /// Arrives, and is open.
    pub(crate) async fn join(&self) -> Outcome<Guest> {
        self.join_at("/").await
    }

    pub(crate) async fn join_at(&self, path: &str) -> Outcome<Guest> {
        let mut guest = self.dial(&Arrive::at(path)).await?;
        same(guest.value("hello", json!(null)).await?, json!("hello"))?;
        Ok(guest)
    }

    /// Arrives and must be refused: with this status over HTTP, else with these words and the end.
    pub(crate) async fn refused(&self, to: &Arrive, status: u16, words: &str) -> Outcome {
        let said = match self.dial(to).await {
            Err(refused) => {
                if self.shows(Need::HttpRefusals) {
                    same(refused.status, Some(status))?;
                }
                refused.text
            }
            Ok(guest) if !self.shows(Need::HttpRefusals) => guest.last_words().await?,
            Ok(_) => return Err(fail("the handshake was accepted")),
        };
        if said.contains(words) { Ok(()) } else { Err(fail(format!("{said:?} does not say {words:?}"))) }
    }

    /// Drains, and gives what the case may still look at.
    pub(crate) fn drain(self) -> (Drain, Box<dyn Dial>, Probe, Notes) {
        (Box::pin(soon(self.bound.drain())), self.dial, self.probe, self.notes)
    }

    /// Drains, and gives the notes that nobody has read.
    pub(crate) async fn end(self) -> Outcome<Vec<String>> {
        let (drained, _, _, mut notes) = self.drain();
        drained.await??;
        Ok(notes.rest())
    }
}
