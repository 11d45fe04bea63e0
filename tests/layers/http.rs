//! Stock layers of tower-http around the whole of a server's HTTP: an upgrade, an event stream and what is posted to it,
//! and the user's own service.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use ::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::{Router, routing};
use narthex::{
    BoundServer, Extension, Gateway, Handshake, Server,
    adapters::{SocketIo, Sse, Ws},
    http::{HttpBody, HttpExt, Origins, empty},
};
use narthex_conformance::Arrive;
use serde_json::json;
use tower_http::{
    auth::AsyncRequireAuthorizationLayer,
    cors::CorsLayer,
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    trace::TraceLayer,
    validate_request::ValidateRequestHeaderLayer,
};

use super::{
    kit,
    wire::{self, Answer, POLLING, STREAM, UPGRADE, posting},
};
const FRIEND: (&str, &str) = ("origin", "https://app.example");

async fn open(configure: impl FnOnce(Server) -> Server) -> BoundServer {
    let origins = || Origins::list([FRIEND.1]).unwrap();
    let server = Server::new(Gateway::new().on("echo", |payload: narthex::Payload| async { payload }))
        .adapter(Ws::new().origins(origins()))
        .adapter(Sse::new().origins(origins()))
        .adapter(SocketIo::new().origins(origins()))
        .http(Router::new().route("/own", routing::get("own").post("posted")));
    configure(server).bind(([127, 0, 0, 1], 0).into()).await.unwrap()
}

/// What comes of each way in, with `more` on every request: an upgrade, a stream, a post to its session, polling, and the
/// user's own route.
async fn all_ways(addr: SocketAddr, more: &[(&str, &str)]) -> Vec<(&'static str, Answer)> {
    let ask = |method, path, headers: &[_], body| {
        let headers = [headers, more].concat();
        async move { wire::ask(addr, method, path, &headers, body).await }
    };
    let mut stream = ask("GET", "/", STREAM, "").await;
    let token = stream.token().await;
    let post =
        [("x-narthex-session", token.as_str()), ("x-narthex-seq", "1"), ("content-type", "application/json")];
    let message = r#"{"event":"echo","data":1,"id":7}"#;
    let posted = ask("POST", "/", &post, message).await;
    stream.until(r#"{"ack":7,"data":1}"#).await;
    vec![
        ("an upgrade", ask("GET", "/", UPGRADE, "").await),
        ("a stream", stream),
        ("a post", posted),
        ("polling", ask("GET", POLLING, &[], "").await),
        ("an own route", ask("GET", "/own", &[], "").await),
    ]
}

/// The statuses of the same ways for who is not let in.
async fn refusals(addr: SocketAddr, more: &[(&str, &str)]) -> Vec<u16> {
    let session = [("x-narthex-session", "a.b"), ("x-narthex-seq", "1")];
    let mut statuses = Vec::new();
    for (method, path, headers) in [
        ("GET", "/", UPGRADE),
        ("GET", "/", STREAM),
        ("POST", "/", &session),
        ("GET", POLLING, &[]),
        ("GET", "/own", &[]),
    ] {
        statuses.push(wire::ask(addr, method, path, &[headers, more].concat(), "").await.status);
    }
    statuses
}

#[tokio::test]
async fn cors_headers_are_on_every_answer_once_and_preflights_are_answered() {
    let cors = CorsLayer::new()
        .allow_origin(HeaderValue::from_static(FRIEND.1))
        .allow_methods([http::Method::GET, http::Method::POST])
        .allow_headers([header::CONTENT_TYPE, "x-narthex-session".parse().unwrap()])
        .allow_credentials(true);
    let server = open(|server| server.layer(cors)).await;
    let addr = server.local_addr().unwrap();
    for (way, answer) in all_ways(addr, &[FRIEND]).await {
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND.1), "{way}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{way}");
    }
    for path in ["/", "/ticket", POLLING, "/own"] {
        let asked = [FRIEND, ("access-control-request-method", "POST")];
        let preflight = wire::ask(addr, "OPTIONS", path, &asked, "").await;
        assert_eq!(preflight.status, 200, "{path}");
        assert_eq!(preflight.header("access-control-allow-methods"), Some("GET,POST"), "{path}");
    }
    // It says what pages may read. Who may come in is the doors' rule.
    assert_eq!(refusals(addr, &[("origin", "https://evil.example")]).await, [403, 403, 403, 403, 200]);
    server.drain().await.unwrap();
}

#[tokio::test]
async fn each_request_and_its_answer_are_traced() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (asked, answered) = (Arc::clone(&seen), Arc::clone(&seen));
    let trace = TraceLayer::new_for_http()
        .on_request(move |request: &Request<HttpBody>, _: &_| {
            asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri().path()));
        })
        .on_response(move |response: &Response<HttpBody>, _, _: &_| {
            answered.lock().unwrap().push(response.status().as_str().to_owned());
        });
    let server = open(|server| server.layer(trace)).await;
    all_ways(server.local_addr().unwrap(), &[]).await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(
        seen,
        ["GET /", "200", "POST /", "200", "GET /", "101", "GET /socket.io/", "200", "GET /own", "200"],
        "a stream is answered when it begins"
    );
    server.drain().await.unwrap();
}

#[derive(Clone, Default)]
struct Counted(Arc<AtomicU64>);

impl MakeRequestId for Counted {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let id = self.0.fetch_add(1, Ordering::Relaxed).to_string();
        id.parse().ok().map(RequestId::new)
    }
}

#[tokio::test]
async fn a_request_id_is_on_each_answer_and_known_to_handlers() {
    let id = |handshake: Handshake| async move {
        let id = handshake.header("x-request-id");
        id.and_then(|id| id.to_str().map(str::to_owned).ok()).unwrap_or_default()
    };
    let server = Server::new(Gateway::new().on("id", id))
        .http(Router::new().route("/own", routing::get("own")))
        .layer(SetRequestIdLayer::x_request_id(Counted::default()))
        .layer(PropagateRequestIdLayer::x_request_id());
    let street = kit::open(server).await;
    let addr = street.bound.local_addr().unwrap();
    let ways = [("/", UPGRADE), ("/", STREAM), (POLLING, &[]), ("/own", &[])];
    for (count, (path, headers)) in ways.into_iter().enumerate() {
        let answer = wire::ask(addr, "GET", path, headers, "").await;
        assert_eq!(answer.header("x-request-id"), Some(count.to_string().as_str()), "{path}");
    }
    for door in street.doors() {
        let peer = street.enter(door, &Arrive::at("/").header("x-request-id", "mine")).await;
        assert_eq!(
            kit::ask(&*peer, "id", json!(null)).await,
            Ok(json!("mine")),
            "{door}: one that is there stays"
        );
    }
    street.bound.drain().await.unwrap();
}

#[tokio::test]
async fn a_header_that_is_demanded_is_demanded_everywhere() {
    let key = ValidateRequestHeaderLayer::has_header_value("x-api-key", "k").unwrap();
    let server = open(|server| server.layer(key)).await;
    let addr = server.local_addr().unwrap();
    assert_eq!(refusals(addr, &[]).await, [403; 5]);
    assert_eq!(refusals(addr, &[("x-api-key", "x")]).await, [403; 5]);
    let statuses: Vec<_> =
        all_ways(addr, &[("x-api-key", "k")]).await.iter().map(|(_, a)| a.status).collect();
    assert_eq!(statuses, [101, 200, 200, 200, 200]);
    server.drain().await.unwrap();
}

#[tokio::test]
async fn what_is_accepted_is_validated_before_a_door_sees_it() {
    let server = open(|server| server.layer(ValidateRequestHeaderLayer::accept("text/event-stream"))).await;
    let addr = server.local_addr().unwrap();
    assert_eq!(refusals(addr, &[("accept", "text/html")]).await[0], 406);
    assert_eq!(wire::ask(addr, "GET", "/own", &[("accept", "text/html")], "").await.status, 406);
    assert_eq!(wire::ask(addr, "GET", "/", STREAM, "").await.status, 200);
    server.drain().await.unwrap();
}

#[derive(Clone)]
struct Claims(String);

/// Lets in who says a name, as a database would.
async fn authorize(mut request: Request<HttpBody>) -> Result<Request<HttpBody>, Response<HttpBody>> {
    tokio::task::yield_now().await;
    let name =
        request.headers().get(header::AUTHORIZATION).and_then(|name| name.to_str().ok()).map(str::to_owned);
    match name {
        Some(name) => {
            request.extensions_mut().insert(Claims(name));
            Ok(request)
        }
        None => {
            let mut refusal = Response::new(empty());
            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
            Err(refusal)
        }
    }
}

#[tokio::test]
async fn who_is_not_authorized_comes_in_nowhere_and_handlers_know_the_others() {
    let server = open(|server| server.layer(AsyncRequireAuthorizationLayer::new(authorize))).await;
    let addr = server.local_addr().unwrap();
    assert_eq!(refusals(addr, &[]).await, [401; 5]);
    for (way, answer) in all_ways(addr, &[("authorization", "ada")]).await {
        assert!([101, 200].contains(&answer.status), "{way}");
    }
    server.drain().await.unwrap();

    let who = |Extension(claims): Extension<Claims>| async move { claims.0 };
    let server = Server::new(Gateway::new().on("who", who));
    let street = kit::open(server.layer(AsyncRequireAuthorizationLayer::new(authorize))).await;
    for door in ["ws", "socketio"] {
        let refused = street.arrive(door, &Arrive::at("/")).await.err().unwrap();
        assert_eq!(refused.0, Some(401), "{door}");
        let peer = street.enter(door, &Arrive::at("/").header("authorization", "ada")).await;
        assert_eq!(kit::ask(&*peer, "who", json!(null)).await, Ok(json!("ada")), "{door}");
    }
    // There each request is a request of HTTP: what is posted has to be authorized as the stream was.
    let addr = street.bound.local_addr().unwrap();
    let ada = ("authorization", "ada");
    let mut stream = wire::ask(addr, "GET", "/", &[STREAM, &[ada]].concat(), "").await;
    let token = stream.token().await;
    let post = posting(&token);
    let who = r#"{"event":"who","id":7}"#;
    assert_eq!(wire::ask(addr, "POST", "/", &post, who).await.status, 401);
    assert_eq!(wire::ask(addr, "POST", "/", &[&post[..], &[ada]].concat(), who).await.status, 200);
    stream.until(r#"{"ack":7,"data":"ada"}"#).await;
    street.bound.drain().await.unwrap();
}
