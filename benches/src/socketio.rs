//! Socket.IO (protocol v5 on Engine.IO 4) over WebSocket, as far as the generator needs it.

use crate::{
    Result,
    client::{Client, Target},
};

/// Engine.IO's ping and the answer to it.
const PING: &[u8] = b"2";
const PONG: &[u8] = b"3";
/// A connect to the namespace `/`.
const CONNECT: &[u8] = b"40";
/// Each server greets so once its handlers are there, as the lab does for the suites of the protocol: socketioxide
/// ends a connection on which an event follows too soon.
const GREETING: &[u8] = br#"42["auth","#;

/// One socket in the namespace `/`.
#[derive(Debug)]
pub(crate) struct SocketIo {
    client: Client,
}

impl SocketIo {
    /// Upgrades, takes the engine's greeting and connects to the namespace.
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let mut client = Client::open(target).await?;
        take(&mut client, b"0{").await?;
        client.queue(CONNECT);
        client.flush().await?;
        take(&mut client, b"40{").await?;
        take(&mut client, GREETING).await?;
        client.flush().await?;
        Ok(Self { client })
    }

    /// Puts a packet into the next write.
    pub(crate) fn queue(&mut self, packet: &[u8]) {
        self.client.queue(packet);
    }

    /// Writes everything queued.
    pub(crate) async fn flush(&mut self) -> Result {
        self.client.flush().await
    }

    /// Reads once and hands every packet that is about a message to `each`; returns how many there were.
    pub(crate) async fn receive(&mut self, mut each: impl FnMut(&[u8]) -> Result) -> Result<usize> {
        let (mut pings, mut packets) = (0, 0);
        self.client
            .receive(|text| {
                if text == PING {
                    pings += 1;
                    return Ok(());
                }
                packets += 1;
                each(text)
            })
            .await?;
        for _ in 0..pings {
            self.client.queue(PONG);
        }
        Ok(packets)
    }

    /// Closes the WebSocket below, and makes sure that no packet was left over.
    pub(crate) async fn close(self) -> Result {
        self.client.close_beside(|text| text == PING).await
    }

    /// Gives back the buffers.
    pub(crate) fn shrink(&mut self) {
        self.client.shrink();
    }
}

/// The next packet but for pings, some of which come at once; it must start so.
async fn take(client: &mut Client, start: &[u8]) -> Result {
    loop {
        let packet = client.next().await?;
        if packet == PING {
            client.queue(PONG);
        } else if packet.starts_with(start) {
            return Ok(());
        } else {
            return Err(format!("not the packet expected: {}", String::from_utf8_lossy(&packet)).into());
        }
    }
}
