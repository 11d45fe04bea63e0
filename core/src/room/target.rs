//! Targets: whom a broadcast reaches.

use std::{borrow::Cow, collections::HashSet, fmt, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde::{Serialize, de::DeserializeOwned};

use super::HubInner;
use crate::{
    client::{Client, ClientId, GroupSink, OutItem, Wire, cork},
    error::{Error, ErrorKind, Result},
    message::{Outgoing, Payload},
    observer::Sent,
};

/// A set of clients to act on: rooms, minus those excepted.
#[must_use = "a target does nothing until something is emitted to it"]
pub struct Target {
    hub: Arc<HubInner>,
    base: Base,
    except: Vec<ClientId>,
    volatile: bool,
}

enum Base {
    All,
    Rooms(Vec<String>),
    Clients(Vec<Client>),
}

impl Target {
    pub(crate) fn room(hub: Arc<HubInner>, room: &str) -> Self {
        Self { hub, base: Base::Rooms(vec![room.to_owned()]), except: Vec::new(), volatile: false }
    }

    pub(crate) fn all(hub: Arc<HubInner>) -> Self {
        Self { hub, base: Base::All, except: Vec::new(), volatile: false }
    }

    pub(crate) fn clients_of(hub: Arc<HubInner>, clients: Vec<Client>) -> Self {
        Self { hub, base: Base::Clients(clients), except: Vec::new(), volatile: false }
    }

    /// The clients of one more room. A client in two of them receives once.
    pub fn to(mut self, room: &str) -> Self {
        match &mut self.base {
            Base::Rooms(rooms) => rooms.push(room.to_owned()),
            Base::All => {}
            Base::Clients(clients) => {
                if let Some(room) = self.hub.room(room) {
                    clients.extend(room.members().clients().iter().cloned());
                }
            }
        }
        self
    }

    /// Leaves one client out.
    pub fn except(mut self, client: ClientId) -> Self {
        self.except.push(client);
        self
    }

    /// Leaves out, at the moment of an emit, the clients for whom anything waits in the outbox already: for events that are of
    /// no use later (Socket.IO's `volatile`).
    pub fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// The clients it reaches now, each once.
    pub fn clients(&self) -> Vec<Client> {
        let mut clients = Vec::new();
        self.for_each(|client| {
            // One whose `on_connect` is not done is not there yet.
            if client.inner().is_connected() {
                clients.push(client.clone());
            }
        });
        clients
    }

    fn for_each(&self, mut act: impl FnMut(&Client)) {
        let mut each = |client: &Client| {
            if !self.except.contains(&client.id()) {
                act(client);
            }
        };
        match &self.base {
            Base::All => self.hub.everyone().members().clients().iter().for_each(each),
            Base::Rooms(rooms) if rooms.len() == 1 => {
                if let Some(room) = self.hub.room(&rooms[0]) {
                    room.members().clients().iter().for_each(each);
                }
            }
            Base::Rooms(rooms) => {
                let mut seen = HashSet::new();
                for room in rooms.iter().filter_map(|name| self.hub.room(name)) {
                    room.members()
                        .clients()
                        .iter()
                        .filter(|client| seen.insert(client.id()))
                        .for_each(&mut each);
                }
            }
            Base::Clients(clients) => {
                let mut seen = HashSet::new();
                clients.iter().filter(|client| seen.insert(client.id())).for_each(&mut each);
            }
        }
    }

    /// Sends an event to all of them, and returns to how many it was queued.
    ///
    /// `data` is written as JSON once, and framed once for each envelope among the clients. It leaves when
    /// [`Client::emit`] says.
    ///
    /// # Errors
    /// `Encode` when `data` cannot be written as JSON. A client that is gone or whose outbox is full is not an
    /// error of the broadcast; it is not counted.
    pub fn emit<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Result<usize> {
        Ok(self.emit_payload(event, &Payload::json(data)?))
    }

    /// Sends an event with a payload as it is, and returns to how many it was queued.
    pub fn emit_payload(&self, event: &str, payload: &Payload) -> usize {
        let outgoing = Outgoing::Event { event, payload, ack: None };
        // Written when no lock of a room is held any more, but for what fills half of an outbox.
        let clients = cork(|| self.cast(outgoing));
        self.hub.observe(|observer| observer.sent(&Sent::new(&outgoing, clients)));
        clients
    }

    fn cast(&self, outgoing: Outgoing<'_>) -> usize {
        let mut cast = Cast::new(outgoing);
        let room = match &self.base {
            Base::All => None,
            Base::Rooms(rooms) if rooms.len() == 1 => match self.hub.room(&rooms[0]) {
                Some(room) => Some(room),
                None => return 0,
            },
            _ => {
                self.for_each(|client| {
                    if client.inner().is_connected() && (!self.volatile || client.is_ready()) {
                        cast.send(client, false);
                    }
                });
                return cast.sent;
            }
        };
        // A group leaves out one client at most.
        let by_group = self.except.len() <= 1 && !self.volatile;
        room.as_deref().unwrap_or(self.hub.everyone()).hold(|members| {
            for (client, grouped) in members.iter() {
                let wanted = !self.except.contains(&client.id()) && client.inner().is_connected();
                if wanted && (!self.volatile || client.is_ready()) {
                    cast.send(client, grouped && by_group);
                }
            }
            let name = room.as_deref().and_then(|room| room.name());
            cast.finish(name, self.except.first().copied());
        });
        cast.sent
    }

    /// Sends an event to all of them and awaits their answers: each client's, or why it has none.
    ///
    /// A client that does not answer in `timeout` does not take the others' answers away.
    ///
    /// # Errors
    /// `Encode` when `data` cannot be written as JSON. What fails for one client is in the list, see
    /// [`Client::emit_with_ack`].
    pub async fn emit_with_ack<R: DeserializeOwned>(
        &self,
        event: &str,
        data: &(impl Serialize + ?Sized),
        timeout: Duration,
    ) -> Result<Vec<(ClientId, Result<R>)>> {
        let payload = Payload::json(data)?;
        let asked: FuturesUnordered<_> = self
            .clients()
            .into_iter()
            .map(|client| {
                let payload = &payload;
                async move {
                    let answer = client.ask(event, payload, timeout).await.and_then(|answer| {
                        let unfit = "the answer is not of the asked type";
                        answer.parse().map_err(|e| Error::new(ErrorKind::Encode, unfit).with_source(e))
                    });
                    (client.id(), answer)
                }
            })
            .collect();
        Ok(asked.collect().await)
    }

    /// Makes all of them join a room; one with a guard is joined by each client for itself, see [`Client::join`].
    ///
    /// # Errors
    /// The first client's that could not; the others have joined.
    pub fn join(&self, room: &str) -> Result<()> {
        let results: Vec<_> = self.clients().iter().map(|client| client.join(room)).collect();
        results.into_iter().collect()
    }

    /// Makes all of them leave a room.
    pub fn leave(&self, room: &str) {
        self.clients().iter().for_each(|client| client.leave(room));
    }

    /// Makes all of them leave the server, after what is queued for them.
    pub fn disconnect(&self, code: u16, text: impl Into<Cow<'static, str>>) {
        let text = text.into();
        // Those too whose `on_connect` is not done.
        self.for_each(|client| client.disconnect(code, text.clone()));
    }
}

/// One event on its way to many clients: encoded once for each envelope, handed over once to each group.
struct Cast<'a> {
    outgoing: Outgoing<'a>,
    /// An envelope that has no form for the event leaves its clients out.
    encoded: Vec<(Wire, Option<OutItem>)>,
    groups: Vec<(Arc<dyn GroupSink>, OutItem)>,
    sent: usize,
}

impl<'a> Cast<'a> {
    fn new(outgoing: Outgoing<'a>) -> Self {
        Self { outgoing, encoded: Vec::new(), groups: Vec::new(), sent: 0 }
    }

    fn send(&mut self, client: &Client, by_group: bool) {
        let at = match self.encoded.iter().position(|(wire, _)| wire.same(client.wire())) {
            Some(at) => at,
            None => {
                self.encoded.push((client.wire().clone(), client.wire().encode_shared(self.outgoing).ok()));
                self.encoded.len() - 1
            }
        };
        let Some(item) = &self.encoded[at].1 else { return };
        let sent = match by_group {
            false => client.push(item.clone()).is_ok(),
            true => match client.reserve(item) {
                Ok(Some(group)) => {
                    if !self.groups.iter().any(|(known, _)| Arc::ptr_eq(known, &group)) {
                        self.groups.push((group, item.clone()));
                    }
                    true
                }
                Ok(None) | Err(_) => false,
            },
        };
        self.sent += usize::from(sent);
    }

    fn finish(&self, room: Option<&str>, except: Option<ClientId>) {
        for (group, item) in &self.groups {
            if let Some(frame) = item.as_frame() {
                group.broadcast(room, except, frame);
            }
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("except", &self.except).finish_non_exhaustive()
    }
}
