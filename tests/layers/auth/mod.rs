//! Tokens behind every door.

mod resume;

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt, future::join_all};
use http::{Request, Response};
use jsonwebtoken::{EncodingKey, Header};
use narthex::{
    Client, Envelope, Gateway, JsonEnvelope, Server,
    middleware::auth::{Claims, Credentials, JwtKey, JwtLayer, Tickets},
};
use narthex_conformance::{Arrive, Peer};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message, client::IntoClientRequest};

use super::kit::{Street, ask, open};

const SECRET: &str = "a secret that only the server knows";

#[derive(serde::Deserialize)]
struct Member {
    name: String,
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn token_of(subject: &str, name: &str, end: u64) -> String {
    let claims = json!({ "sub": subject, "name": name, "exp": end });
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

fn token() -> String {
    token_of("ada", "Ada", now() + 600)
}

async fn whoami(member: Claims<Member>) -> String {
    format!("{} {}", member.subject(), member.name)
}

async fn ends(client: Client) -> Option<u64> {
    let end = client.expires_at()?.duration_since(UNIX_EPOCH).ok()?;
    Some(end.as_secs())
}

fn gateway(credentials: Credentials) -> Gateway {
    let jwt = JwtLayer::<Member>::new(JwtKey::hs256(SECRET).unwrap()).credentials(credentials);
    Gateway::new()
        .on("whoami", whoami)
        .on("ends", |client: Client| async move { narthex::Json(ends(client).await) })
        .on("auth.refresh", jwt.refresh())
        .handshake_layer(jwt)
}

async fn street(tickets: &Tickets) -> Street {
    let credentials = Credentials::default().cookie("sid").query("token").ticket("auth_ticket", tickets);
    open(Server::new(gateway(credentials))).await
}

fn by_header(token: &str) -> Arrive {
    Arrive::at("/").header("authorization", format!("Bearer {token}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_found_wherever_a_door_can_carry_it() {
    let tickets = Tickets::new();
    let street = street(&tickets).await;
    for door in street.doors() {
        for (place, to) in [
            ("header", by_header(&token())),
            ("cookie", Arrive::at("/").header("cookie", format!("a=b; sid={}", token()))),
            ("query", Arrive::at(format!("/?token={}", token()))),
            ("ticket", Arrive::at(format!("/?auth_ticket={}", tickets.issue(token()).unwrap()))),
        ] {
            let peer = street.enter(door, &to).await;
            let who = ask(&*peer, "whoami", json!(null)).await;
            assert_eq!(who, Ok(json!("ada Ada")), "{door}, {place}");
        }
    }
    street.bound.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_is_told_so_in_the_doors_own_way() {
    let tickets = Tickets::new();
    let street = street(&tickets).await;
    let spent = tickets.issue(token()).unwrap();
    tickets.redeem(&spent).unwrap();
    for door in street.doors() {
        let disagreeing = Arrive::at(format!("/?token={}", token_of("eve", "Eve", now() + 60)))
            .header("authorization", format!("Bearer {}", token()));
        for (to, why) in [
            (Arrive::at("/"), "A token is needed"),
            (by_header("a.b.c"), "The token is not valid"),
            (by_header(&token_of("ada", "Ada", now() - 100)), "The token has expired"),
            (by_header(&"a".repeat(9 * 1024)), "The token is too long"),
            (Arrive::at(format!("/?auth_ticket={spent}")), "The ticket is not valid"),
            (disagreeing, "The credentials disagree"),
        ] {
            let (status, said) = street.arrive(door, &to).await.map(|_| "let in").unwrap_err();
            assert!(said.contains(why), "{door}: {said:?} is not {why:?}");
            if door != "socketio" {
                assert_eq!(status, Some(401), "{door}: {why}");
            }
        }
    }
    assert_eq!(street.bound.hub("/").unwrap().len(), 0, "nobody was let in");
    street.bound.drain().await.unwrap();
}

/// Two clients of a door, one of which has a newer token.
async fn pair(street: &Street, door: &'static str, end: u64) -> (Box<dyn Peer>, Box<dyn Peer>) {
    let to = by_header(&token_of("ada", "Ada", end));
    let (left, kept) = (street.enter(door, &to).await, street.enter(door, &to).await);
    let eve = token_of("eve", "Eve", now() + 600);
    let refused = ask(&*kept, "auth.refresh", json!({ "token": eve })).await;
    assert_eq!(refused, Err("The token is for somebody else".to_owned()), "{door}");
    assert_eq!(ask(&*kept, "whoami", json!(null)).await, Ok(json!("ada Ada")), "{door}");
    let newer = token_of("ada", "Countess", now() + 600);
    ask(&*kept, "auth.refresh", json!({ "token": newer })).await.unwrap();
    (left, kept)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_closed_when_its_token_ends_unless_it_has_a_newer_one() {
    let street = street(&Tickets::new()).await;
    let end = now() + 3;
    let doors = street.doors();
    let pairs = join_all(doors.iter().map(|door| pair(&street, door, end))).await;
    for (door, (left, kept)) in doors.iter().zip(&pairs) {
        assert_eq!(left.recv().await, None, "{door}");
        assert!(SystemTime::now() >= UNIX_EPOCH + std::time::Duration::from_secs(end), "{door}: too early");
        let goodbye = left.goodbye();
        let expected = (*door != "socketio").then(|| (4401, "token expired".to_owned()));
        assert_eq!(goodbye, expected, "{door}");
        let who = ask(&**kept, "whoami", json!(null)).await;
        assert_eq!(who, Ok(json!("ada Countess")), "{door}");
    }
    assert_eq!(street.bound.hub("/").unwrap().len(), doors.len());
    let ending = pairs.iter().map(|(_, kept)| async move { while kept.recv().await.is_some() {} });
    let (drained, _) = tokio::join!(street.bound.drain(), join_all(ending));
    drained.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browsers_sub_protocol_is_a_token_and_the_answer_names_bearer() {
    let street = street(&Tickets::new()).await;
    let url = format!("ws://{}/", street.bound.local_addr().unwrap());
    let envelope = Envelope::name(&JsonEnvelope);
    for (offered, chosen) in
        [(format!("bearer, {}", token()), "bearer"), (format!("bearer, {}, {envelope}", token()), envelope)]
    {
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
        // This client, as browsers do, fails where the server chooses nothing of what it offered.
        let (mut socket, answer) = connect(request).await;
        assert_eq!(answer.headers()["sec-websocket-protocol"], chosen);
        socket.send(Message::text(r#"{"event":"whoami","id":1}"#)).await.unwrap();
        let heard = socket.next().await.unwrap().unwrap();
        assert_eq!(heard.to_text().unwrap(), r#"{"ack":1,"data":"ada Ada"}"#);
    }
    let mut request = url.as_str().into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "bearer".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(street.bound.local_addr().unwrap()).await.unwrap();
    let Err(Error::Http(refused)) = tokio_tungstenite::client_async(request, stream).await else { panic!() };
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
}

type Socket = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

async fn connect(request: Request<()>) -> (Socket, Response<Option<Vec<u8>>>) {
    let stream = tokio::net::TcpStream::connect(request.uri().authority().unwrap().as_str()).await.unwrap();
    tokio_tungstenite::client_async(request, stream).await.unwrap()
}

/// What Socket.IO answers to a CONNECT with this payload.
async fn connect_packet(street: &Street, auth: Value) -> String {
    let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", street.bound.local_addr().unwrap());
    let (mut socket, _) = connect(url.into_client_request().unwrap()).await;
    assert!(socket.next().await.unwrap().unwrap().to_text().unwrap().starts_with('0'));
    socket.send(Message::text(format!("40{auth}"))).await.unwrap();
    loop {
        let packet = socket.next().await.unwrap().unwrap().to_text().unwrap().to_owned();
        if packet.starts_with('4') {
            return packet;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn socket_ios_auth_payload_carries_a_token() {
    let street = street(&Tickets::new()).await;
    let connected = connect_packet(&street, json!({ "token": token() })).await;
    assert!(connected.starts_with(r#"40{"sid":"#), "{connected}");
    for (auth, why) in [
        (json!({}), "A token is needed"),
        (json!({ "token": "a.b.c" }), "The token is not valid"),
        (json!({ "token": 7 }), "The credentials are malformed"),
    ] {
        let refused = connect_packet(&street, auth).await;
        assert_eq!(refused, format!("44{}", json!({ "message": why })));
    }
}
