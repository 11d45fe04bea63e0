//! tower-http's layers on the handshake. tower's on messages are with `HandleErrorLayer`.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Empty;
use narthex_core::{Denied, Extension, Gateway, Handshake, HandshakeBody, Server, TestServer};
use tower_http::{
    auth::AsyncRequireAuthorizationLayer,
    cors::CorsLayer,
    request_id::{MakeRequestId, RequestId, SetRequestIdLayer},
    trace::TraceLayer,
    validate_request::ValidateRequestHeaderLayer,
};

fn with(name: &str, value: &str) -> Request<()> {
    Request::get("/").header(name, value).body(()).unwrap()
}

#[derive(Clone)]
struct Claims(&'static str);

async fn authorize(
    mut request: Request<Empty<Bytes>>,
) -> Result<Request<Empty<Bytes>>, Response<HandshakeBody>> {
    if request.headers().get(header::AUTHORIZATION).is_some_and(|value| value == "Bearer ada's") {
        request.extensions_mut().insert(Claims("ada"));
        return Ok(request);
    }
    let mut refusal = Response::new(HandshakeBody::from("who are you?"));
    *refusal.status_mut() = StatusCode::UNAUTHORIZED;
    Err(refusal)
}

#[tokio::test(start_paused = true)]
async fn async_require_authorization_refuses_and_gives_its_claims_to_handlers() {
    let whoami = |Extension(Claims(sub)): Extension<Claims>| async move { sub };
    let layer = AsyncRequireAuthorizationLayer::new(authorize);
    let server = TestServer::new(Gateway::new().handshake_layer(layer).on("whoami", whoami)).await.unwrap();
    let refusal = server.connect_with(Request::new(())).await.unwrap_err();
    assert_eq!((refusal.status(), &refusal.body()[..]), (StatusCode::UNAUTHORIZED, &b"who are you?"[..]));
    let mut client = server.connect_with(with("authorization", "Bearer ada's")).await.unwrap();
    assert_eq!(client.ask::<String>("whoami", &()).await.unwrap(), "ada");
}

#[tokio::test(start_paused = true)]
async fn validate_request_header_refuses_with_its_own_status() {
    let layer = ValidateRequestHeaderLayer::has_header_value("x-api-version", "2").unwrap();
    let server = TestServer::new(Gateway::new().handshake_layer(layer)).await.unwrap();
    let refusal = server.connect_with(with("x-api-version", "1")).await.unwrap_err();
    assert_eq!(refusal.status(), StatusCode::FORBIDDEN);
    server.connect_with(with("x-api-version", "2")).await.unwrap();
}

#[derive(Clone)]
struct Seven;

impl MakeRequestId for Seven {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        Some(RequestId::new("seven".parse().unwrap()))
    }
}

#[tokio::test(start_paused = true)]
async fn set_request_id_is_read_by_handlers_for_the_clients_whole_life() {
    let id = |handshake: Handshake, Extension(id): Extension<RequestId>| async move {
        assert_eq!(handshake.header("x-request-id").unwrap(), id.header_value());
        id.header_value().to_str().unwrap().to_owned()
    };
    let layer = SetRequestIdLayer::x_request_id(Seven);
    let server =
        TestServer::of(Server::new(Gateway::new().on("id", id)).handshake_layer(layer)).await.unwrap();
    let mut made = server.connect().await.unwrap();
    let mut brought = server.connect_with(with("x-request-id", "eight")).await.unwrap();
    for _ in 0..2 {
        assert_eq!(made.ask::<String>("id", &()).await.unwrap(), "seven");
        assert_eq!(brought.ask::<String>("id", &()).await.unwrap(), "eight");
    }
}

#[tokio::test(start_paused = true)]
async fn trace_sees_the_request_and_the_verdict() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (asked, answered) = (Arc::clone(&seen), Arc::clone(&seen));
    let trace = TraceLayer::new_for_http()
        .on_request(move |request: &Request<_>, _: &tracing::Span| {
            let _: &Request<Empty<Bytes>> = request;
            asked.lock().unwrap().push(request.uri().to_string());
        })
        .on_response(move |response: &Response<_>, _, _: &tracing::Span| {
            let _: &Response<HandshakeBody> = response;
            answered.lock().unwrap().push(response.status().as_u16().to_string());
        });
    let guard = |handshake: Handshake| async move { handshake.query() != "not" };
    let server = TestServer::new(Gateway::new().handshake_layer(trace).connect_guard(guard)).await.unwrap();
    server.connect_to("/?yes").await.unwrap();
    server.connect_to("/?not").await.unwrap_err();
    assert_eq!(*seen.lock().unwrap(), ["/?yes", "200", "/?not", "403"]);
}

#[tokio::test(start_paused = true)]
async fn cors_puts_its_headers_on_a_refusal_so_that_the_page_may_read_it() {
    let cors = CorsLayer::new().allow_origin(["https://app.example".parse().unwrap()]);
    let closed = async || Err::<(), _>(Denied::forbidden("closed on Sundays"));
    let server = TestServer::new(Gateway::new().handshake_layer(cors).connect_guard(closed)).await.unwrap();
    let refusal = server.connect_with(with("origin", "https://app.example")).await.unwrap_err();
    assert_eq!(refusal.status(), StatusCode::FORBIDDEN);
    assert_eq!(refusal.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://app.example");
    let refusal = server.connect_with(with("origin", "https://evil.example")).await.unwrap_err();
    assert!(!refusal.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test(start_paused = true)]
async fn a_preflight_is_no_handshake_and_lets_nobody_in() {
    let cors = CorsLayer::new().allow_origin(["https://app.example".parse().unwrap()]);
    let server = TestServer::new(Gateway::new().handshake_layer(cors)).await.unwrap();
    let mut preflight = with("origin", "https://app.example");
    *preflight.method_mut() = Method::OPTIONS;
    assert!(server.connect_with(preflight).await.is_err());
    assert_eq!(server.stats().clients, 0);
}
