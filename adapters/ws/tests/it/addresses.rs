//! Gateways at addresses of their own, and servers at more than one.

use std::net::SocketAddr;

use futures_util::StreamExt;
use narthex_core::{BoundServer, Client, ErrorKind, Gateway, Server};
use narthex_http::{Http, HttpExt};
use narthex_ws::Ws;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Socket, open, soon};

const FREE: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

async fn bind(server: Server) -> BoundServer {
    let page = axum::Router::new().route("/page", axum::routing::get("page"));
    server.adapter(Ws::new()).http(page).bind(FREE.into()).await.unwrap()
}

async fn text(socket: &mut Socket) -> String {
    soon(socket.next()).await.unwrap().unwrap().into_text().unwrap().to_string()
}

/// A gateway whose clients are told apart by nothing and sit in one room.
fn crowd() -> Gateway {
    Gateway::new().on_connect(|client: Client| async move { client.join("all") })
}

#[tokio::test]
async fn a_gateway_with_an_address_of_its_own_is_there_and_nowhere_else() {
    let admin = Gateway::new().namespace("/admin").listen(FREE);
    let server = bind(Server::new(Gateway::new()).gateway(admin)).await;
    let (main, own) = (server.local_addr().unwrap(), server.local_addr_of("/admin").unwrap());
    assert_eq!(server.local_addrs(), [main, own]);
    assert_eq!(server.local_addr_of("/"), Some(main));
    assert_ne!(main, own);

    open(main, "/").await.unwrap();
    open(own, "/admin").await.unwrap();
    assert_eq!(open(main, "/admin").await.unwrap_err(), 404);
    assert_eq!(open(own, "/").await.unwrap_err(), 404);
    // The user's own HTTP is the main address's: it answers a handshake like any request.
    assert_eq!(open(main, "/page").await.unwrap_err(), 200);
    assert_eq!(open(own, "/page").await.unwrap_err(), 404);
}

#[tokio::test]
async fn a_path_of_the_door_does_not_lead_to_a_gateway_of_another_address() {
    let admin = Gateway::new().namespace("/admin").listen(FREE);
    let server = Server::new(Gateway::new()).gateway(admin);
    let door = Ws::new().mount("/ws", "/").mount("/ws/admin", "/admin");
    let server = server.adapter(door).bind(FREE.into()).await.unwrap();
    let (main, own) = (server.local_addr().unwrap(), server.local_addr_of("/admin").unwrap());
    open(main, "/ws").await.unwrap();
    open(own, "/ws/admin").await.unwrap();
    assert_eq!(open(main, "/ws/admin").await.unwrap_err(), 404);
    assert_eq!(open(own, "/ws").await.unwrap_err(), 404);
}

#[tokio::test]
async fn gateways_that_name_one_address_share_it() {
    let own = |path| Gateway::new().namespace(path).listen(FREE);
    let server = bind(Server::new(own("/a")).gateway(own("/b"))).await;
    let addr = server.local_addr_of("/a").unwrap();
    assert_eq!(server.local_addr_of("/b"), Some(addr));
    assert_eq!(server.local_addrs().len(), 2);
    open(addr, "/a").await.unwrap();
    open(addr, "/b").await.unwrap();
}

#[tokio::test]
async fn one_more_address_of_the_server_has_all_that_the_first_has_and_its_rooms() {
    let apart = Gateway::new().namespace("/apart").listen(FREE);
    let mut server = Server::new(crowd()).gateway(apart).also_bind(FREE);
    let http = server.resource_or_insert_with(Http::new);
    let server = bind(server).await;
    let [first, second, own] = server.local_addrs()[..] else { panic!("{:?}", server.local_addrs()) };
    let (mut a, mut b) = (open(first, "/").await.unwrap(), open(second, "/").await.unwrap());
    assert_eq!(http.stats().open, 2);
    assert_eq!(open(second, "/page").await.unwrap_err(), 200);
    assert_eq!(open(second, "/apart").await.unwrap_err(), 404);
    assert_eq!(server.local_addr_of("/apart"), Some(own));

    let hub = server.hub("/").unwrap();
    // Both are in the room once their `on_connect` has run.
    soon(async {
        while hub.to("all").clients().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    hub.to("all").emit("news", "here").unwrap();
    for socket in [&mut a, &mut b] {
        assert_eq!(text(socket).await, r#"{"event":"news","data":"here"}"#);
    }
}

#[tokio::test]
async fn a_drain_covers_every_address() {
    let own = Gateway::new().namespace("/own").listen(FREE);
    let server = bind(Server::new(Gateway::new()).gateway(own)).await;
    let (main, apart) = (server.local_addr().unwrap(), server.local_addr_of("/own").unwrap());
    let (mut a, mut b) = (open(main, "/").await.unwrap(), open(apart, "/own").await.unwrap());
    let (drained, first, second) = tokio::join!(soon(server.drain()), soon(a.next()), soon(b.next()));
    drained.unwrap();
    for last in [first, second] {
        let Some(Ok(Message::Close(Some(frame)))) = last else { panic!("{last:?}") };
        assert_eq!(u16::from(frame.code), 1001);
    }
    for addr in [main, apart] {
        assert!(tokio::net::TcpStream::connect(addr).await.is_err());
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_and_the_others_close_again() {
    let taken = tokio::net::TcpListener::bind(SocketAddr::from(FREE)).await.unwrap();
    let addr = taken.local_addr().unwrap();
    let server = Server::new(Gateway::new()).also_bind(addr).adapter(Ws::new());
    let error = server.bind(FREE.into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Bind);
    assert!(error.to_string().contains(&addr.to_string()), "{error}");
}

#[tokio::test]
async fn gateways_of_one_namespace_at_different_addresses_do_not_start() {
    let server = Server::new(Gateway::new()).gateway(Gateway::new().listen(FREE)).adapter(Ws::new());
    let error = server.bind(FREE.into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("different addresses"), "{error}");
}
