//! What pages of other origins can do, and cannot.

use narthex_core::Gateway;
use narthex_http::Origins;
use narthex_sse::Sse;

use crate::support::{TestServer, echo};

const FRIEND: (&str, &str) = ("origin", "https://friend.example");
const EVIL: (&str, &str) = ("origin", "https://evil.example");

async fn server() -> TestServer {
    let origins = Origins::list(["https://friend.example"]).unwrap();
    TestServer::start(Sse::new().origins(origins), Gateway::new().on("echo", echo)).await
}

#[tokio::test]
async fn a_listed_page_may_read_streams_and_answers() {
    let server = server().await;
    let stream = server.stream("/", &[FRIEND]).await;
    assert_eq!(stream.headers["access-control-allow-origin"], FRIEND.1);
    assert_eq!(stream.headers["access-control-allow-credentials"], "true");
    let token = stream.token();
    let headers = [
        FRIEND,
        ("x-narthex-session", token.as_str()),
        ("x-narthex-seq", "9"),
        ("content-type", "application/json"),
    ];
    let (status, headers, _) = server.ask("POST", "/", &headers, "[1]").await;
    // An error can be read, too.
    assert_eq!(status, 409);
    assert_eq!(headers["access-control-allow-origin"], FRIEND.1);
    assert_eq!(headers["access-control-expose-headers"], "retry-after");
    assert_eq!(headers["vary"], "Origin");
}

#[tokio::test]
async fn a_page_that_is_not_listed_is_refused_whatever_it_knows() {
    let server = server().await;
    let stream = server.join().await;
    let token = stream.token();
    let session = ("x-narthex-session", token.as_str());
    let more =
        [("x-narthex-seq", "1"), ("content-type", "application/json"), ("accept", "text/event-stream")];
    for (method, path) in [("GET", "/"), ("POST", "/"), ("DELETE", "/"), ("POST", "/ticket")] {
        for origin in [EVIL, ("origin", "null")] {
            let headers = [&[origin, session][..], &more].concat();
            let (status, headers, _) = server.ask(method, path, &headers, "[]").await;
            assert_eq!(status, 403, "{method} {path} {origin:?}");
            assert!(!headers.contains_key("access-control-allow-origin"));
        }
    }
    assert_eq!(server.handle.stats().clients, 1);
}

#[tokio::test]
async fn a_preflight_is_answered_for_what_is_the_doors() {
    let server = server().await;
    for (path, method, asked) in [
        ("/", "GET", "authorization"),
        ("/", "POST", "content-type,x-narthex-seq,x-narthex-session"),
        ("/", "DELETE", "x-narthex-session"),
        ("/ticket", "POST", "authorization"),
    ] {
        let ask = |origin| {
            [origin, ("access-control-request-method", method), ("access-control-request-headers", asked)]
        };
        let (status, headers, _) = server.ask("OPTIONS", path, &ask(FRIEND), "").await;
        assert_eq!(status, 204, "{method}");
        assert_eq!(headers["access-control-allow-origin"], FRIEND.1);
        assert!(headers["access-control-allow-methods"].to_str().unwrap().contains(method));
        let allowed = headers["access-control-allow-headers"].to_str().unwrap();
        assert!(asked.split(',').all(|name| allowed.contains(name)), "{allowed}");
        assert_eq!(server.ask("OPTIONS", path, &ask(EVIL), "").await.0, 403);
    }
}

#[tokio::test]
async fn a_form_of_another_site_gets_nowhere() {
    let server = server().await;
    let stream = server.join().await;
    let token = stream.token();
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"];
    for form in forms {
        let media = ("content-type", form);
        // Without the header, which a form cannot set, it is not this door's.
        assert_eq!(server.ask("POST", "/", &[media], r#"{"event":"echo"}"#).await.0, 404);
        let headers = [media, ("x-narthex-session", token.as_str()), ("x-narthex-seq", "1")];
        assert_eq!(server.ask("POST", "/", &headers, r#"{"event":"echo"}"#).await.0, 415, "{form}");
    }
}
