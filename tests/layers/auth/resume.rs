//! Tokens of a client that comes back.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use narthex::{
    Server,
    adapters::Sse,
    http::{GatewayService, HttpBody, HttpExt},
    middleware::auth::Credentials,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{gateway, now, token_of};

/// A page behind the SSE door, without a socket.
struct Page {
    service: GatewayService,
    body: HttpBody,
    session: String,
    seq: u64,
    heard: String,
}

fn get(token: Option<&str>) -> http::request::Builder {
    let request = Request::get("/").header("host", "a.example").header("accept", "text/event-stream");
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}

async fn call(service: &GatewayService, request: http::request::Builder, body: String) -> Response<HttpBody> {
    service.clone().oneshot(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap()
}

impl Page {
    async fn open(service: &GatewayService, token: &str) -> Self {
        let answer = call(service, get(Some(token)), String::new()).await;
        assert_eq!(answer.status(), 200);
        let body = answer.into_body();
        let (service, session, heard) = (service.clone(), String::new(), String::new());
        let mut page = Self { service, body, session, seq: 1, heard };
        let opening = page.event().await;
        page.session = opening["session"].as_str().unwrap().to_owned();
        page
    }

    /// Comes back on another stream, and says what is answered where it is not let in.
    async fn resume(&mut self, token: Option<&str>) -> u16 {
        let request = get(token).header("x-narthex-session", &self.session).header("last-event-id", "0");
        let answer = call(&self.service, request, String::new()).await;
        let status = answer.status().as_u16();
        if status == 200 {
            (self.body, self.heard) = (answer.into_body(), String::new());
            self.event().await;
        }
        status
    }

    /// The data of the next event.
    async fn event(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.heard.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                self.heard = rest.to_owned();
                if let Some(data) = data {
                    return serde_json::from_str(&data).unwrap();
                }
                continue;
            }
            let frame = self.body.frame().await.expect("the stream is open").unwrap();
            self.heard.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    async fn ask(&mut self, event: &str) -> Value {
        let message = json!([{ "event": event, "id": self.seq }]).to_string();
        let request = Request::post("/")
            .header("host", "a.example")
            .header("content-type", "application/json")
            .header("x-narthex-session", &self.session)
            .header("x-narthex-seq", self.seq);
        assert_eq!(call(&self.service, request, message).await.status(), 200);
        loop {
            let mut heard = self.event().await;
            if heard["ack"] == self.seq {
                self.seq += 1;
                return heard["data"].take();
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_comes_back_has_the_claims_of_the_token_that_ends_last() {
    let server = Server::new(gateway(Credentials::default())).adapter(Sse::new());
    let service = server.into_service().await.unwrap();
    let (first, last) = (now() + 300, now() + 600);
    let mut page = Page::open(&service, &token_of("ada", "Ada", first)).await;
    assert_eq!((page.ask("whoami").await, page.ask("ends").await), (json!("ada Ada"), json!(first)));
    let newer = token_of("ada", "Countess", last);
    assert_eq!(page.resume(Some(&newer)).await, 200);
    assert_eq!((page.ask("whoami").await, page.ask("ends").await), (json!("ada Countess"), json!(last)));
    assert_eq!(page.resume(Some(&token_of("ada", "Ada", first))).await, 200);
    assert_eq!((page.ask("whoami").await, page.ask("ends").await), (json!("ada Countess"), json!(last)));
    assert_eq!(page.resume(Some(&token_of("eve", "Eve", last))).await, 403, "it is somebody else's session");
    assert_eq!(page.resume(None).await, 401);
    assert_eq!(page.resume(Some("a.b.c")).await, 401);
    assert_eq!(page.ask("whoami").await, json!("ada Countess"));
    let ticket = Request::post("/ticket").header("host", "a.example");
    let refused = call(&service, ticket, String::new()).await;
    assert_eq!(refused.status(), 401, "a door's own ticket needs credentials too");
    assert_eq!(refused.headers()["www-authenticate"], "Bearer");
}
