//! T for rooms: a task and a queue for each client, one shared payload, as a reader of tokio-tungstenite's docs would broadcast.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async_with_config,
    tungstenite::{
        self, Message, Utf8Bytes,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

use crate::yardstick::{config, hung_up};

type Queues = HashMap<SocketAddr, UnboundedSender<Utf8Bytes>>;

/// Everybody's queue, by the path they came by.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rooms(Arc<Mutex<HashMap<String, Queues>>>);

impl Rooms {
    /// Serves one client: what it says goes to everybody who came by the same path, itself included.
    pub(crate) async fn member(&self, stream: TcpStream) -> tungstenite::Result<()> {
        stream.set_nodelay(true)?;
        let (peer, mut path) = (stream.peer_addr()?, String::new());
        let (queue, queued) = unbounded_channel();
        // In the room before the answer leaves: who has it can count on every message.
        let enter = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
            request.uri().path().clone_into(&mut path);
            self.with(&path, |room| drop(room.insert(peer, queue)));
            Ok(response)
        };
        let socket = accept_hdr_async_with_config(stream, enter, Some(config())).await?;
        let served = self.serve(socket, queued, &path).await;
        self.with(&path, |room| drop(room.remove(&peer)));
        served.or_else(|error| if hung_up(&error) { Ok(()) } else { Err(error) })
    }

    async fn serve(
        &self,
        mut socket: WebSocketStream<TcpStream>,
        mut queued: UnboundedReceiver<Utf8Bytes>,
        path: &str,
    ) -> tungstenite::Result<()> {
        loop {
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.send(path, &text),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                },
                Some(text) = queued.recv() => socket.send(Message::Text(text)).await?,
            }
        }
    }

    fn send(&self, path: &str, text: &Utf8Bytes) {
        self.with(path, |room| {
            for queue in room.values() {
                // A closed queue belongs to a client who is just leaving.
                let _ = queue.send(text.clone());
            }
        });
    }

    fn with<T>(&self, path: &str, act: impl FnOnce(&mut Queues) -> T) -> T {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match rooms.get_mut(path) {
            Some(room) => act(room),
            None => act(rooms.entry(path.to_owned()).or_default()),
        }
    }
}
