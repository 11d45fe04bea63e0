//! A door of one's own: one JSON message a line over TCP. Try it with `nc 127.0.0.1 3000`.
use futures_util::{SinkExt, StreamExt, future::ready};
use narthex::{CloseReason, Connect, Frame, Gateway, Json, Server, Session, WebSocketAdapter};
use narthex::{Options, Result};
use tokio::{io::AsyncWriteExt, net::TcpListener, net::TcpStream};
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

pub struct Lines;
impl WebSocketAdapter for Lines {
    type Server = TcpListener;
    type Client = TcpStream;
    async fn create(&self, options: &Options) -> Result<TcpListener> {
        let listener = TcpListener::bind(options.addr().unwrap_or(([127, 0, 0, 1], 0).into())).await?;
        options.set_local_addr(listener.local_addr()?);
        Ok(listener)
    }
    async fn bind_client_connect(&self, door: TcpListener, connect: Connect<TcpStream>) -> Result<()> {
        loop {
            let (arriving, drain) = (connect.clone(), connect.draining());
            let mut stream = tokio::select! { peer = door.accept() => peer?.0, () = drain => return Ok(()) };
            connect.spawn(async move {
                match arriving.handshake(http::Request::new(())).await {
                    Ok(admission) => drop(admission.open(stream).await),
                    Err(refusal) => stream.write_all(refusal.body()).await.unwrap_or_default(),
                }
            });
        }
    }
    async fn bind_message_handlers(&self, stream: TcpStream, session: Session) -> CloseReason {
        let (write, lines) = Framed::new(stream, LinesCodec::new_with_max_length(65_536)).split();
        let inbound = lines.map(|line| line.map(Frame::text).map_err(|e| CloseReason::Failed(e.to_string())));
        let text = |f: Frame| ready(Ok::<_, LinesCodecError>(f.as_text().unwrap_or_default().to_owned()));
        session.pump(inbound, write.with(text)).await
    }
}
#[tokio::main]
async fn main() -> Result<()> {
    let gateway = Gateway::new().on("echo", |Json(text): Json<String>| async move { text });
    Server::new(gateway).adapter(Lines).bind(([127, 0, 0, 1], 3000).into()).await?.serve_until_stopped().await
}
