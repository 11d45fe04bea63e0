//! Plain socketioxide: typed handlers, its own acks and rooms. It spawns each call, so acks come in any order.

use axum::Router;
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
};

/// What the generator sends and wants back.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    from: u64,
    pad: String,
    seq: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Room {
    room: String,
}

#[derive(Debug, Deserialize)]
struct Publish {
    room: String,
    data: Message,
}

/// The application.
pub(crate) fn app() -> Router {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", async |socket: SocketRef| {
        socket.on("echo", echo);
        socket.on("join", join);
        socket.on("publish", publish);
        // The generator waits for this: an event that comes before the handlers is lost.
        if let Err(error) = socket.emit("auth", &()) {
            eprintln!("greeting: {error}");
        }
    });
    Router::new().layer(layer)
}

async fn echo(Data(message): Data<Message>, ack: AckSender) {
    if let Err(error) = ack.send(&message) {
        eprintln!("echo: {error}");
    }
}

async fn join(socket: SocketRef, Data(room): Data<Room>, ack: AckSender) {
    socket.join(room.room.clone());
    if let Err(error) = ack.send(&room) {
        eprintln!("join: {error}");
    }
}

async fn publish(io: SocketIo, Data(Publish { room, data }): Data<Publish>, ack: AckSender) {
    if let Err(error) = io.to(room).emit("message", &data).await {
        eprintln!("publish: {error}");
    }
    if let Err(error) = ack.send(&true) {
        eprintln!("publish: {error}");
    }
}
