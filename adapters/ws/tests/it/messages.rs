//! Messages both ways.

use futures_util::{SinkExt, StreamExt};
use narthex_core::{Gateway, Hub, Json};
use narthex_ws::Ws;
use tokio::net::TcpStream;
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::support::{PING, PONG, TEXT, TestServer, event, frame, soon};

async fn echo(Json(text): Json<String>) -> String {
    text
}

fn gateway() -> Gateway {
    Gateway::new().on("echo", echo)
}

#[tokio::test]
async fn replies_to_what_one_read_brought_leave_together_and_in_order() {
    let server = TestServer::start(Ws::new(), gateway()).await;
    let mut client = server.connect("/").await;
    let batch: Vec<u8> = (0..16).flat_map(|n| event("echo", &format!(r#""{n}""#), Some(n))).collect();
    client.write(&batch).await;
    assert!(client.fill().await);
    for n in 0..16 {
        let (first, payload) = client.take_frame().expect("one read brings every reply");
        assert_eq!((first, payload), (TEXT, format!(r#"{{"ack":{n},"data":"{n}"}}"#).into_bytes()));
    }
}

#[tokio::test]
async fn a_message_may_come_in_any_pieces() {
    let server = TestServer::start(Ws::new(), gateway()).await;
    let mut client = server.connect("/").await;
    let (first, last) = r#"{"event":"echo","data":"naïve 🦀","id":1}"#.split_at(26);
    let pieces = [
        frame(0x01, first.as_bytes()),
        frame(PING, b"still there?"),
        frame(0x00, b""),
        frame(0x80, last.as_bytes()),
    ];
    client.stream.set_nodelay(true).unwrap();
    for byte in pieces.concat() {
        client.write(&[byte]).await;
    }
    assert_eq!(client.frame().await, (PONG, b"still there?".to_vec()));
    assert_eq!(client.text().await, r#"{"ack":1,"data":"naïve 🦀"}"#);
}

#[tokio::test]
async fn large_messages_pass_both_ways() {
    let server = TestServer::start(Ws::new().max_message(1024 * 1024), gateway()).await;
    let mut client = server.connect("/").await;
    for size in [0, 1, 125, 126, 4096, 65_535, 65_536, 1_000_000] {
        let text = "x".repeat(size);
        client.write(&event("echo", &format!(r#""{text}""#), Some(1))).await;
        assert_eq!(client.text().await, format!(r#"{{"ack":1,"data":"{text}"}}"#));
    }
}

#[tokio::test]
async fn a_broadcast_reaches_everybody_in_order_whatever_its_size() {
    async fn publish(hub: Hub) {
        for size in [1, 20_000, 2, 8_192, 70_000, 3] {
            hub.emit("news", &"x".repeat(size)).unwrap();
        }
    }
    let server = TestServer::start(Ws::new(), gateway().on("publish", publish)).await;
    let mut clients = [server.connect("/").await, server.connect("/").await, server.connect("/").await];
    clients[0].write(&event("publish", "null", None)).await;
    for client in &mut clients {
        for size in [1, 20_000, 2, 8_192, 70_000, 3] {
            let news = format!(r#"{{"event":"news","data":"{}"}}"#, "x".repeat(size));
            assert_eq!(client.text().await, news);
        }
    }
}

#[tokio::test]
async fn a_common_client_gets_along_with_it() {
    let server = TestServer::start(Ws::new(), gateway()).await;
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let (mut client, _) = client_async(format!("ws://{}/", server.addr), stream).await.unwrap();
    client.send(Message::text(r#"{"event":"echo","data":"hi","id":1}"#)).await.unwrap();
    client.send(Message::Ping("p".into())).await.unwrap();
    assert_eq!(soon(client.next()).await.unwrap().unwrap(), Message::text(r#"{"ack":1,"data":"hi"}"#));
    assert_eq!(soon(client.next()).await.unwrap().unwrap(), Message::Pong("p".into()));
    client.close(None).await.unwrap();
    assert!(soon(client.next()).await.unwrap().unwrap().is_close());
    assert!(soon(client.next()).await.is_none());
}
