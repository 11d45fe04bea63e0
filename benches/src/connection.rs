//! One connection of a load, whatever it speaks: messages out, replies in.

use clap::ValueEnum;

use crate::{
    Result,
    client::{Client, Target},
    script::Script,
    socketio::SocketIo,
    sse::Sse,
};

/// What travels between the generator and a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wire {
    /// A message a text frame.
    Ws,
    /// Socket.IO's packets in text frames.
    #[value(name = "socketio")]
    SocketIo,
    /// Server-sent events down, POST up.
    Sse,
}

impl Wire {
    /// The lab's door for it.
    pub(crate) fn door(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::SocketIo => "socketio",
            Self::Sse => "sse",
        }
    }

    /// How many TCP connections one client has at most.
    pub(crate) fn sockets(self) -> usize {
        match self {
            Self::Ws | Self::SocketIo => 1,
            Self::Sse => 2,
        }
    }
}

/// An open connection on one of the wires.
#[derive(Debug)]
pub(crate) enum Connection {
    /// Raw WebSocket.
    Ws(Client),
    /// Socket.IO, connected to the namespace `/`.
    SocketIo(SocketIo),
    /// A session of the SSE door.
    Sse(Sse),
}

impl Connection {
    /// Connects, up to where messages may be sent.
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        Ok(match target.wire {
            Wire::Ws => Self::Ws(Client::open(target).await?),
            Wire::SocketIo => Self::SocketIo(SocketIo::open(target).await?),
            Wire::Sse => Self::Sse(Sse::open(target).await?),
        })
    }

    /// Puts a message into the next write.
    pub(crate) fn queue(&mut self, text: &[u8]) {
        match self {
            Self::Ws(client) => client.queue(text),
            Self::SocketIo(client) => client.queue(text),
            Self::Sse(client) => client.queue(text),
        }
    }

    /// Writes everything queued, in one call where the kernel takes it.
    pub(crate) async fn flush(&mut self) -> Result {
        match self {
            Self::Ws(client) => client.flush().await,
            Self::SocketIo(client) => client.flush().await,
            Self::Sse(client) => client.flush().await,
        }
    }

    /// Sends one message and checks its reply.
    pub(crate) async fn ask(&mut self, mut script: Script) -> Result {
        self.queue(script.request(0));
        self.flush().await?;
        while self.receive(|text| script.check(0, text)).await? == 0 {}
        Ok(())
    }

    /// Reads once and hands every message to `each`; returns how many there were.
    pub(crate) async fn receive(&mut self, each: impl FnMut(&[u8]) -> Result) -> Result<usize> {
        match self {
            Self::Ws(client) => client.receive(each).await,
            Self::SocketIo(client) => client.receive(each).await,
            Self::Sse(client) => client.receive(each).await,
        }
    }

    /// Closes, and makes sure that the server had nothing more to say.
    pub(crate) async fn close(self) -> Result {
        match self {
            Self::Ws(client) => client.close().await,
            Self::SocketIo(client) => client.close().await,
            Self::Sse(client) => client.close().await,
        }
    }

    /// Gives back the buffers.
    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Ws(client) => client.shrink(),
            Self::SocketIo(client) => client.shrink(),
            Self::Sse(client) => client.shrink(),
        }
    }
}
