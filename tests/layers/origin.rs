//! One rule of origins, at every way into one server.

use axum::{Router, routing};
use narthex::{
    BoundServer, Gateway, Server,
    adapters::{SocketIo, Sse, Ws},
    http::{HttpExt, OriginLayer, Origins},
};

use super::wire::{POLLING, SOCKETIO, STREAM, UPGRADE, ask, posting};

const FRIEND: &str = "https://app.example";
const HEADERS: &str = "access-control-request-headers";

async fn open(configure: impl FnOnce(Server) -> Server) -> BoundServer {
    let gateway = Gateway::new().on("echo", |payload: narthex::Payload| async { payload });
    let own = Router::new().route("/own", routing::get("own").post("posted"));
    configure(Server::new(gateway).adapter(SocketIo::new()).http(own))
        .bind(([127, 0, 0, 1], 0).into())
        .await
        .unwrap()
}

fn friends() -> Origins {
    Origins::list([FRIEND]).unwrap()
}

async fn layered() -> BoundServer {
    let layer = OriginLayer::new(friends());
    open(|server| server.adapter(Ws::new()).adapter(Sse::new()).layer(layer)).await
}

/// A method, a path, headers, and a status.
type Way = (&'static str, &'static str, &'static [(&'static str, &'static str)], u16);

/// Each way in, with the status of who is let in.
const WAYS: [Way; 8] = [
    ("GET", "/", UPGRADE, 101),
    ("GET", "/", STREAM, 200),
    ("POST", "/ticket", &[], 200),
    ("GET", POLLING, &[], 200),
    ("GET", SOCKETIO, UPGRADE, 101),
    ("GET", "/own", &[], 200),
    ("POST", "/own", &[], 200),
    ("GET", "/nowhere", &[], 404),
];

#[tokio::test]
async fn a_listed_page_comes_in_at_every_door_and_may_read_the_answers() {
    let server = layered().await;
    let addr = server.local_addr().unwrap();
    for (method, path, headers, expected) in WAYS {
        let answer = ask(addr, method, path, &[headers, &[("origin", FRIEND)]].concat(), "").await;
        assert_eq!(answer.status, expected, "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND), "{method} {path}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{method} {path}");
        assert_eq!(answer.header("vary"), Some("Origin"), "{method} {path}");
    }
    server.drain().await.unwrap();
}

#[tokio::test]
async fn every_other_page_is_refused_at_every_door() {
    let server = layered().await;
    let addr = server.local_addr().unwrap();
    let own = format!("http://{addr}");
    for (method, path, headers, _) in WAYS {
        for origin in
            ["https://evil.example", "null", "http://app.example", "https://app.example.evil.example", &own]
        {
            let answer = ask(addr, method, path, &[headers, &[("origin", origin)]].concat(), "").await;
            assert_eq!(answer.status, 403, "{method} {path} {origin}");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{method} {path} {origin}");
        }
    }
    assert_eq!(server.handle().stats().clients, 0);
    server.drain().await.unwrap();
}

#[tokio::test]
async fn who_is_no_page_comes_in_at_every_door() {
    let server = layered().await;
    let addr = server.local_addr().unwrap();
    for (method, path, headers, expected) in WAYS {
        let answer = ask(addr, method, path, headers, "").await;
        assert_eq!(answer.status, expected, "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{method} {path}");
    }
    server.drain().await.unwrap();
}

#[tokio::test]
async fn what_a_page_posts_to_its_session_is_asked_for_its_origin_too() {
    let server = layered().await;
    let addr = server.local_addr().unwrap();
    let mut stream = ask(addr, "GET", "/", &[STREAM, &[("origin", FRIEND)]].concat(), "").await;
    let token = stream.token().await;
    let post = posting(&token);
    let message = r#"{"event":"echo","data":1,"id":7}"#;
    for origin in ["https://evil.example", "null"] {
        for method in ["POST", "DELETE"] {
            let refused = ask(addr, method, "/", &[&post[..], &[("origin", origin)]].concat(), message).await;
            assert_eq!(refused.status, 403, "{method} {origin}");
        }
    }
    let taken = ask(addr, "POST", "/", &[&post[..], &[("origin", FRIEND)]].concat(), message).await;
    assert_eq!((taken.status, taken.header("access-control-allow-origin")), (200, Some(FRIEND)));
    assert_eq!(taken.header("access-control-expose-headers"), Some("retry-after"), "as the door says");
    stream.until(r#"{"ack":7,"data":1}"#).await;
    server.drain().await.unwrap();
}

#[tokio::test]
async fn a_preflight_is_answered_by_whose_path_it_is() {
    let server = layered().await;
    let addr = server.local_addr().unwrap();
    for (path, method, asked, methods) in [
        ("/", "GET", "authorization", "GET, POST, DELETE"),
        ("/", "POST", "content-type,x-narthex-seq,x-narthex-session", "GET, POST, DELETE"),
        ("/ticket", "POST", "authorization", "GET, POST, DELETE"),
        (POLLING, "POST", "content-type", "GET, POST"),
        ("/own", "PUT", "content-type", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ] {
        let asking = [("access-control-request-method", method), (HEADERS, asked)];
        let answer = ask(addr, "OPTIONS", path, &[&asking[..], &[("origin", FRIEND)]].concat(), "").await;
        assert_eq!(answer.status, 204, "{path} {method}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND));
        assert_eq!(answer.header("access-control-allow-methods"), Some(methods), "{path}");
        let allowed = answer.header("access-control-allow-headers").unwrap();
        assert!(asked.split(',').all(|name| allowed.contains(name)), "{path}: {allowed}");
        for origin in ["https://evil.example", "null"] {
            let refused =
                ask(addr, "OPTIONS", path, &[&asking[..], &[("origin", origin)]].concat(), "").await;
            assert_eq!(refused.status, 403, "{path} {origin}");
            assert_eq!(refused.header("access-control-allow-methods"), None);
        }
    }
    server.drain().await.unwrap();
}

#[tokio::test]
async fn a_door_with_a_rule_of_its_own_takes_the_stricter_of_the_two() {
    const PARTNER: &str = "https://partner.example";
    let layer = OriginLayer::new(Origins::list([FRIEND, PARTNER]).unwrap());
    let ws = Ws::new().origins(Origins::list([PARTNER, "https://evil.example"]).unwrap());
    let sse = Sse::new().origins(Origins::same_origin());
    let server = open(|server| server.adapter(ws).adapter(sse).layer(layer)).await;
    let addr = server.local_addr().unwrap();
    let own = format!("http://{addr}");
    for (origin, at_ws, at_sse, at_socketio) in [
        (FRIEND, 403, 403, 200),
        (PARTNER, 101, 403, 200),
        ("https://evil.example", 403, 403, 403),
        (own.as_str(), 403, 403, 403),
    ] {
        for (path, headers, expected) in
            [("/", UPGRADE, at_ws), ("/", STREAM, at_sse), (POLLING, &[], at_socketio)]
        {
            let answer = ask(addr, "GET", path, &[headers, &[("origin", origin)]].concat(), "").await;
            assert_eq!(answer.status, expected, "{path} {origin}");
            let reader = answer.header("access-control-allow-origin");
            assert_eq!(reader, (expected != 403).then_some(origin), "{path} {origin}");
        }
    }
    server.drain().await.unwrap();
}

#[tokio::test]
async fn it_holds_in_a_users_own_axum_application() {
    let gateway = Gateway::new();
    let server = Server::new(gateway).adapter(Ws::new()).adapter(Sse::new()).adapter(SocketIo::new());
    let service = server.into_service().await.unwrap();
    let app = Router::new().route("/own", routing::get("own")).fallback_service(service.clone());
    let app = app.layer(OriginLayer::new(friends()));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(axum::serve(listener, app).into_future());
    for (path, headers, expected) in [
        ("/", UPGRADE, 101),
        ("/", STREAM, 200),
        (POLLING, &[], 200),
        (SOCKETIO, UPGRADE, 101),
        ("/own", &[], 200),
    ] {
        for (origin, expected) in [(FRIEND, expected), ("https://evil.example", 403), ("null", 403)] {
            let answer = ask(addr, "GET", path, &[headers, &[("origin", origin)]].concat(), "").await;
            assert_eq!(answer.status, expected, "{path} {origin}");
        }
    }
    service.drain().await.unwrap();
    serving.abort();
}
