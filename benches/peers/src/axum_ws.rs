//! axum's own WebSocket: an echo at `/`, a room at any other path.

use axum::{
    Router,
    extract::{
        Path, State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};

use crate::rooms::Rooms;

/// What is shared by all connections.
#[derive(Clone)]
struct Shared {
    rooms: Rooms<Utf8Bytes>,
    /// Bytes of both buffers of a connection; axum's own where it is not said.
    buffers: Option<usize>,
}

impl Shared {
    fn sized(&self, upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
        match self.buffers {
            Some(bytes) => upgrade.read_buffer_size(bytes).write_buffer_size(bytes),
            None => upgrade,
        }
    }
}

/// The application.
pub(crate) fn app(buffers: Option<usize>) -> Router {
    let shared = Shared { rooms: Rooms::default(), buffers };
    Router::new().route("/", get(open)).route("/{room}", get(enter)).with_state(shared)
}

async fn open(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    shared.sized(upgrade).on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn enter(
    State(shared): State<Shared>,
    Path(room): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    // In the room before the answer leaves: who has it can count on every message.
    let (member, mut queued) = shared.rooms.enter(&room);
    shared.sized(upgrade).on_upgrade(async move |mut socket| {
        loop {
            tokio::select! {
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => member.send(&text),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
                Some(text) = queued.recv() => if socket.send(Message::Text(text)).await.is_err() {
                    return;
                },
            }
        }
    })
}
