//! fastwebsockets on hyper: an echo at `/`, a room at any other path.

use std::{io::ErrorKind, net::SocketAddr, sync::Arc};

use fastwebsockets::{
    FragmentCollector, FragmentCollectorRead, Frame, OpCode, Payload, WebSocketError, upgrade,
};
use http_body_util::Empty;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::UnboundedReceiver,
};

use crate::rooms::{Member, Rooms};

/// Text that all members of a room share.
type Text = Arc<[u8]>;
type Result<T = ()> = std::result::Result<T, WebSocketError>;

/// Serves until the process is ended.
pub(crate) async fn serve(addr: SocketAddr) -> crate::Result {
    let listener = TcpListener::bind(addr).await?;
    println!("ready {}", listener.local_addr()?);
    let rooms = Rooms::default();
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, rooms.clone()));
    }
}

async fn connection(stream: TcpStream, rooms: Rooms<Text>) {
    if let Err(error) = stream.set_nodelay(true) {
        eprintln!("nodelay: {error}");
    }
    let service = service_fn(move |request| {
        let rooms = rooms.clone();
        async move { answer(request, &rooms) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    if let Err(error) = connection.await {
        eprintln!("fastwebsockets: {error}");
    }
}

fn answer(mut request: Request<Incoming>, rooms: &Rooms<Text>) -> Result<Response<Empty<Bytes>>> {
    let (response, socket) = upgrade::upgrade(&mut request)?;
    let room = request.uri().path().trim_start_matches('/');
    if room.is_empty() {
        tokio::spawn(async move { report(echo(socket).await) });
    } else {
        // In the room before the answer leaves: who has it can count on every message.
        let (member, queued) = rooms.enter(room);
        tokio::spawn(async move { report(stay(socket, member, queued).await) });
    }
    Ok(response)
}

async fn echo(socket: upgrade::UpgradeFut) -> Result {
    let mut socket = FragmentCollector::new(socket.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

/// Reading a frame is not cancel safe, so who reads and who writes are two.
async fn stay(
    socket: upgrade::UpgradeFut,
    member: Member<Text>,
    mut queued: UnboundedReceiver<Text>,
) -> Result {
    let (read, mut write) = socket.await?.split(tokio::io::split);
    tokio::spawn(async move {
        let mut read = FragmentCollectorRead::new(read);
        // Pongs are left out, nobody pings in a room. A close frame is answered below, once the queue has ended.
        while let Ok(frame) = read.read_frame::<_, WebSocketError>(&mut async |_| Ok(())).await {
            match frame.opcode {
                OpCode::Close => return,
                OpCode::Text => member.send(&Text::from(&*frame.payload)),
                _ => {}
            }
        }
    });
    while let Some(text) = queued.recv().await {
        write.write_frame(Frame::text(Payload::Borrowed(&text))).await?;
    }
    write.write_frame(Frame::close(1000, b"")).await
}

/// The generator drops its sockets without a close handshake, which is no failure.
fn report(served: Result) {
    match served {
        Ok(()) | Err(WebSocketError::UnexpectedEOF | WebSocketError::ConnectionClosed) => {}
        Err(WebSocketError::IoError(error)) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => eprintln!("fastwebsockets: {error}"),
    }
}
