use std::time::Duration;

use narthex_core::Gateway;
use narthex_http::Origins;
use narthex_sse::Sse;
use serde_json::{Value, json};

use crate::support::{TestServer, named};

const ADA: (&str, &str) = ("authorization", "Ada");

async fn ticket(server: &TestServer, headers: &[(&str, &str)]) -> String {
    let (status, headers, body) = server.ask("POST", "/ticket?name=Ada", headers, "").await;
    assert_eq!((status.as_u16(), &headers["cache-control"]), (200, &"no-store".parse().unwrap()), "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    body["ticket"].as_str().unwrap().to_owned()
}

async fn status(server: &TestServer, ticket: &str, headers: &[(&str, &str)]) -> u16 {
    server.send("GET", &format!("/?ticket={ticket}"), headers, "").await.status().as_u16()
}

#[tokio::test]
async fn a_ticket_stands_for_credentials_once() {
    let server = TestServer::start(Sse::new(), named()).await;
    assert_eq!(server.ask("POST", "/ticket", &[], "").await.0, 401);
    let ticket = ticket(&server, &[ADA]).await;
    let stream = server.stream(&format!("/?name=Ada&ticket={ticket}"), &[]).await;
    assert_eq!(stream.opening["resumed"], false);
    let handshake = server.client();
    assert_eq!(handshake.handshake().principal(), Some("Ada"));
    assert_eq!(handshake.handshake().query(), "name=Ada");
    assert_eq!(status(&server, &ticket, &[]).await, 204);
}

#[tokio::test]
async fn an_unknown_a_forged_and_an_old_ticket_are_204_so_that_browsers_stop() {
    let server = TestServer::start(Sse::new().ticket_lifetime(Duration::ZERO), Gateway::new()).await;
    let old = ticket(&server, &[]).await;
    for wrong in [old.as_str(), "", "x", &"A".repeat(33), "%00", "ä"] {
        let wrong = wrong.replace('ä', "%C3%A4");
        assert_eq!(status(&server, &wrong, &[("accept", "text/event-stream")]).await, 204, "{wrong}");
    }
}

#[tokio::test]
async fn a_guess_at_the_secret_spends_the_ticket() {
    let server = TestServer::start(Sse::new(), Gateway::new()).await;
    let ticket = ticket(&server, &[]).await;
    let guess = format!("{}{}", &ticket[..11], "A".repeat(22));
    assert_eq!(status(&server, &guess, &[]).await, 204);
    assert_eq!(status(&server, &ticket, &[]).await, 204);
}

#[tokio::test]
async fn a_session_is_gone_on_with_by_a_ticket_and_the_number_in_the_query() {
    let server = TestServer::start(Sse::new(), named()).await;
    let mut stream = server.stream("/", &[ADA]).await;
    let (token, client) = (stream.token(), server.client());
    for n in 1..=3 {
        client.emit("n", &n).unwrap();
        stream.message().await;
    }
    drop(stream);
    let session = ("x-narthex-session", token.as_str());
    for (headers, wanted) in [(&[session][..], 401), (&[session, ("authorization", "Eve")], 403)] {
        assert_eq!(server.ask("POST", "/ticket", headers, "").await.0.as_u16(), wanted);
    }
    let ticket = ticket(&server, &[ADA, session]).await;
    let mut stream = server.stream(&format!("/?ticket={ticket}&lastEventId=2"), &[]).await;
    assert_eq!((&stream.opening["resumed"], &stream.opening["session"]), (&json!(true), &json!(token)));
    assert_eq!(stream.message().await, (3, json!({"event": "n", "data": 3})));
    // A browser that asks again by itself sends the number, and learns that it must open anew.
    let again = [("last-event-id", "3"), ("accept", "text/event-stream")];
    assert_eq!(status(&server, &ticket, &again).await, 204);
}

#[tokio::test]
async fn a_ticket_is_for_the_page_that_asked_for_it() {
    let origins = Origins::list(["https://a.example", "https://b.example"]).unwrap();
    let server = TestServer::start(Sse::new().origins(origins), Gateway::new()).await;
    let (a, b) = (("origin", "https://a.example"), ("origin", "https://b.example"));
    for (asks, comes, wanted) in
        [(&[a][..], &[b][..], 403), (&[a], &[], 403), (&[], &[a], 403), (&[a], &[a], 200), (&[], &[], 200)]
    {
        let ticket = ticket(&server, asks).await;
        assert_eq!(status(&server, &ticket, comes).await, wanted, "{asks:?} {comes:?}");
    }
}

#[tokio::test]
async fn only_so_many_tickets_are_open() {
    let server = TestServer::start(Sse::new().max_tickets(2), Gateway::new()).await;
    let first = ticket(&server, &[]).await;
    ticket(&server, &[]).await;
    let (status_, headers, _) = server.ask("POST", "/ticket", &[], "").await;
    assert_eq!((status_.as_u16(), &headers["retry-after"]), (429, &"1".parse().unwrap()));
    assert_eq!(status(&server, &first, &[]).await, 200);
    ticket(&server, &[]).await;
}
