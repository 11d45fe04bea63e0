use std::time::Duration;

use bytes::Bytes;
use http::Request;
use narthex_core::{
    BoundServer, Client, Denied, Emit, Envelope, ErrorKind, Flat, Frame, Gateway, Json, Memory, MemoryPeer,
    Nest, Payload, Raw, Server,
};
use serde_json::Value;

/// A server whose door writes messages in another way, and a peer of it.
async fn served(envelope: impl Envelope, gateway: Gateway) -> (BoundServer, MemoryPeer) {
    let memory = Memory::new().envelope(envelope);
    let connector = memory.connector();
    let server = Server::new(gateway).adapter(memory).open().await.unwrap();
    let peer = connector.connect(Request::new(())).await.unwrap();
    (server, peer)
}

async fn says(peer: &mut MemoryPeer, text: &str) -> String {
    peer.send(Frame::text(text)).await.unwrap();
    hears(peer).await
}

async fn hears(peer: &mut MemoryPeer) -> String {
    peer.recv().await.unwrap().as_text().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn nest_writes_what_frontends_of_its_ws_adapter_read() {
    let gateway = Gateway::new()
        .on("ping", async |Json(v): Json<Value>| Json(v))
        .on("emit", async || Emit::new("news", &1))
        .on("fails", async || Err::<(), _>(Denied::bad_request("no")));
    let (_server, mut peer) = served(Nest, gateway).await;
    for (sent, heard) in [
        (r#"{"event":"ping","data":{"a":1}}"#, r#"{"a":1}"#),
        (r#"{"event":"ping","data":"x","id":5}"#, r#""x""#),
        (r#"{"event":"emit"}"#, r#"{"event":"news","data":1}"#),
        (r#"{"event":"fails"}"#, r#"{"event":"exception","data":{"status":"error","message":"no"}}"#),
        (
            "nope",
            r#"{"event":"exception","data":{"status":"error","message":"The message is not valid JSON"}}"#,
        ),
    ] {
        assert_eq!(says(&mut peer, sent).await, heard, "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn flat_gives_the_handler_the_whole_object() {
    let gateway = Gateway::new().on("show", async |Json(v): Json<Value>| Emit::new("shown", &v["entry"]));
    let (_server, mut peer) = served(Flat { tag: "type" }, gateway).await;
    assert_eq!(says(&mut peer, r#"{"type":"show","entry":2}"#).await, r#"{"event":"shown","data":2}"#);
    let missing = says(&mut peer, r#"{"entry":2}"#).await;
    assert!(missing.contains("The event is missing"), "{missing}");
}

#[tokio::test(start_paused = true)]
async fn raw_carries_frames_as_they_are() {
    async fn shout(payload: Payload) -> Payload {
        match payload {
            Payload::Text(text) => Payload::Text(text.to_ascii_uppercase().into()),
            other => other,
        }
    }
    let (_server, mut peer) = served(Raw::default(), Gateway::new().on("message", shout)).await;
    assert_eq!(says(&mut peer, "hello {").await, "HELLO {");
    peer.send(Frame::binary(&[0, 255][..])).await.unwrap();
    assert_eq!(peer.recv().await, Some(Frame::Binary(Bytes::from_static(&[0, 255]))));
}

#[tokio::test(start_paused = true)]
async fn an_envelope_without_ids_cannot_ask_and_one_without_bytes_cannot_send_them() {
    let (server, mut peer) = served(Nest, Gateway::new().on("ping", async || "pong")).await;
    says(&mut peer, r#"{"event":"ping"}"#).await;
    let client: Client = server.hub("/").unwrap().clients().pop().unwrap();
    let asked = client.emit_with_ack::<Value>("q", &1, Duration::from_secs(5)).await;
    assert_eq!(asked.unwrap_err().kind(), ErrorKind::Unsupported);
    let sent = client.emit_payload("b", &Payload::Binary(Bytes::from_static(b"b")));
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn clients_of_different_envelopes_share_a_room() {
    let (nest, raw, plain) =
        (Memory::new().envelope(Nest), Memory::new().envelope(Raw::default()), Memory::new());
    let connectors = [nest.connector(), raw.connector(), plain.connector()];
    let gateway = Gateway::new().on_connect(async |client: Client| client.join("tea"));
    let server = Server::new(gateway).adapter(nest).adapter(raw).adapter(plain).open().await.unwrap();
    let mut peers = Vec::new();
    for connector in &connectors {
        peers.push(connector.connect(Request::new(())).await.unwrap());
    }
    let hub = server.hub("/").unwrap();
    while hub.len() < 3 {
        tokio::task::yield_now().await;
    }
    // The raw envelope has no form for events.
    assert_eq!(hub.to("tea").emit("news", &1).unwrap(), 2);
    for at in [0, 2] {
        assert_eq!(hears(&mut peers[at]).await, r#"{"event":"news","data":1}"#);
    }
}
