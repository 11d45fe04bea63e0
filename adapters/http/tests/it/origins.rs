//! One rule of origins over doors and the user's own HTTP.

use std::sync::Arc;

use axum::{Router, routing};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use narthex_core::{Gateway, Server};
use narthex_http::{
    Claim, Cors, GatewayService, HttpBody, HttpExt, Mount, OriginLayer, Origins, collect, empty, text,
};
use tower::ServiceExt;

use crate::support::Mounts;

const FRIEND: (&str, &str) = ("origin", "https://friend.example");
const OTHER: (&str, &str) = ("origin", "https://other.example");
const EVIL: (&str, &str) = ("origin", "https://evil.example");
const NULL: (&str, &str) = ("origin", "null");
const HERE: (&str, &str) = ("origin", "https://here.example");

static CORS: Cors = Cors {
    methods: HeaderValue::from_static("POST"),
    headers: HeaderValue::from_static("x-door"),
    exposed: Some(HeaderValue::from_static("retry-after")),
};

/// A door with a rule.
fn door(origins: Origins) -> Mount {
    let origins = Arc::new(origins);
    Mount::new(Claim::All, move |mut request: Request<HttpBody>| {
        let origins = Arc::clone(&origins);
        async move {
            match origins.admit(&mut request, &CORS) {
                Ok(sharing) => {
                    let mut answer = text(StatusCode::OK, "door");
                    sharing.apply(answer.headers_mut());
                    answer
                }
                Err(answer) => answer,
            }
        }
    })
}

fn friends() -> Origins {
    Origins::list(["https://friend.example", "https://other.example"]).unwrap()
}

/// A door with the default rule, one with a rule of its own, and a user's route.
async fn server(layer: OriginLayer) -> GatewayService {
    let strict = Origins::list(["https://friend.example", "https://evil.example"]).unwrap();
    let mounts = Mounts::new([("/door", door(Origins::default())), ("/strict", door(strict))]);
    let own = Router::new().route("/own", routing::get("own").post("posted"));
    Server::new(Gateway::new()).adapter(mounts).http(own).layer(layer).into_service().await.unwrap()
}

async fn ask(
    server: &GatewayService,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response<HttpBody> {
    let mut request = Request::builder().method(method).uri(path).header("host", "here.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    server.clone().oneshot(request.body(empty()).unwrap()).await.unwrap()
}

/// Each value of a header that must not be doubled.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.to_str().unwrap());
    assert_eq!(values.next(), None, "{name} is there once");
    value
}

#[tokio::test]
async fn one_list_holds_for_doors_and_for_the_users_own_http() {
    let server = server(OriginLayer::new(friends())).await;
    for path in ["/door", "/own", "/nowhere"] {
        let expected = if path == "/nowhere" { StatusCode::NOT_FOUND } else { StatusCode::OK };
        for friend in [FRIEND, OTHER] {
            let answer = ask(&server, "GET", path, &[friend]).await;
            assert_eq!(answer.status(), expected, "{path}");
            assert_eq!(only(answer.headers(), "access-control-allow-origin"), Some(friend.1), "{path}");
            assert_eq!(only(answer.headers(), "access-control-allow-credentials"), Some("true"), "{path}");
            assert_eq!(only(answer.headers(), "vary"), Some("Origin"), "{path}");
        }
        // The list is exact, so the server's own origin is not in it.
        for foreign in [EVIL, NULL, HERE] {
            let answer = ask(&server, "GET", path, &[foreign]).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {foreign:?}");
            assert_eq!(only(answer.headers(), "access-control-allow-origin"), None);
            assert_eq!(only(answer.headers(), "vary"), Some("Origin"));
        }
        let nobodys = ask(&server, "GET", path, &[]).await;
        assert_eq!(nobodys.status(), expected);
        assert_eq!(only(nobodys.headers(), "access-control-allow-origin"), None);
        assert_eq!(only(nobodys.headers(), "vary"), Some("Origin"), "a cache must not keep it for pages");
    }
}

#[tokio::test]
async fn without_the_layer_a_door_takes_its_own_pages_and_with_it_the_layers() {
    let mounts = Mounts::new([("/door", door(Origins::default()))]);
    let alone = Server::new(Gateway::new()).adapter(mounts).into_service().await.unwrap();
    let layered = server(OriginLayer::new(friends())).await;
    let status = async |server, origin| ask(server, "GET", "/door", &[origin]).await.status();
    assert_eq!(
        (status(&alone, HERE).await, status(&alone, FRIEND).await),
        (StatusCode::OK, StatusCode::FORBIDDEN)
    );
    assert_eq!(
        (status(&layered, HERE).await, status(&layered, FRIEND).await),
        (StatusCode::FORBIDDEN, StatusCode::OK)
    );
}

#[tokio::test]
async fn where_a_door_has_a_rule_of_its_own_both_must_let_a_page_in() {
    let server = server(OriginLayer::new(friends())).await;
    for (origin, expected) in [(FRIEND, 200), (OTHER, 403), (EVIL, 403), (HERE, 403)] {
        for method in ["POST", "OPTIONS"] {
            let asked = [origin, ("access-control-request-method", "POST")];
            let answer = ask(&server, method, "/strict", &asked).await;
            let allowed = expected == 200;
            assert_eq!(answer.status().is_success(), allowed, "{method} {origin:?}");
            let reader = only(answer.headers(), "access-control-allow-origin");
            assert_eq!(reader, allowed.then_some(origin.1), "what a door refuses, the layer does not share");
        }
    }
}

#[tokio::test]
async fn a_door_answers_its_preflights_and_the_layer_those_of_the_users_http() {
    let server = server(OriginLayer::new(friends())).await;
    let asked = ("access-control-request-method", "POST");
    for (path, methods, headers) in [
        ("/door", "POST", "x-door"),
        ("/own", "GET, HEAD, POST, PUT, PATCH, DELETE", "authorization, content-type"),
    ] {
        let answer = ask(&server, "OPTIONS", path, &[FRIEND, asked]).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(only(answer.headers(), "access-control-allow-origin"), Some(FRIEND.1));
        assert_eq!(only(answer.headers(), "access-control-allow-credentials"), Some("true"));
        assert_eq!(only(answer.headers(), "access-control-allow-methods"), Some(methods));
        assert_eq!(only(answer.headers(), "access-control-allow-headers"), Some(headers));
        for foreign in [EVIL, NULL] {
            let answer = ask(&server, "OPTIONS", path, &[foreign, asked]).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {foreign:?}");
            assert_eq!(only(answer.headers(), "access-control-allow-methods"), None);
        }
    }
    let no_preflight = ask(&server, "OPTIONS", "/own", &[FRIEND]).await;
    assert_eq!(no_preflight.status(), StatusCode::METHOD_NOT_ALLOWED, "the route has no OPTIONS");
}

#[tokio::test]
async fn what_pages_may_do_with_the_users_http_is_the_users_to_say() {
    let cors = Cors {
        methods: HeaderValue::from_static("PUT"),
        headers: HeaderValue::from_static("x-csrf"),
        exposed: Some(HeaderValue::from_static("etag")),
    };
    let server = server(OriginLayer::new(friends()).cors(cors)).await;
    let preflight =
        ask(&server, "OPTIONS", "/own", &[FRIEND, ("access-control-request-method", "PUT")]).await;
    assert_eq!(only(preflight.headers(), "access-control-allow-methods"), Some("PUT"));
    assert_eq!(only(preflight.headers(), "access-control-allow-headers"), Some("x-csrf"));
    let exposed = async |path| {
        let answer = ask(&server, "GET", path, &[FRIEND]).await;
        only(answer.headers(), "access-control-expose-headers").map(str::to_owned)
    };
    assert_eq!(exposed("/own").await.as_deref(), Some("etag"));
    assert_eq!(exposed("/door").await.as_deref(), Some("retry-after"));
}

#[tokio::test]
async fn what_the_users_own_service_says_stays_as_it_is() {
    let own =
        routing::get(async || [("access-control-allow-origin", "https://x.example"), ("vary", "accept")]);
    let own = own.options(async || [("access-control-allow-methods", "PURGE")]);
    let server = Server::new(Gateway::new()).http(Router::new().route("/own", own));
    let server = server.layer(OriginLayer::new(friends())).into_service().await.unwrap();
    let answer = ask(&server, "GET", "/own", &[FRIEND]).await;
    assert_eq!(only(answer.headers(), "access-control-allow-origin"), Some("https://x.example"));
    assert_eq!(only(answer.headers(), "access-control-allow-credentials"), None);
    assert_eq!(answer.headers().get_all("vary").iter().collect::<Vec<_>>(), ["accept", "Origin"]);
    let preflight =
        ask(&server, "OPTIONS", "/own", &[FRIEND, ("access-control-request-method", "GET")]).await;
    assert_eq!(preflight.status(), StatusCode::OK);
    assert_eq!(only(preflight.headers(), "access-control-allow-methods"), Some("PURGE"));
}

#[tokio::test]
async fn where_every_page_may_come_a_cookie_may_not_come_along() {
    let server = server(OriginLayer::new(Origins::any())).await;
    let cookie = ("cookie", "a=b");
    for path in ["/door", "/own"] {
        let answer = ask(&server, "GET", path, &[EVIL]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(only(answer.headers(), "access-control-allow-origin"), Some("*"));
        assert_eq!(only(answer.headers(), "access-control-allow-credentials"), None);
        assert_eq!(ask(&server, "GET", path, &[EVIL, cookie]).await.status(), StatusCode::FORBIDDEN);
    }
    // Without an origin it is a page's own address that is opened; a door is no page.
    assert_eq!(ask(&server, "GET", "/own", &[cookie]).await.status(), StatusCode::OK);
    assert_eq!(ask(&server, "GET", "/door", &[cookie]).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn two_layers_must_both_let_a_page_in() {
    let other = OriginLayer::new(Origins::list(["https://other.example"]).unwrap());
    let mounts = Mounts::new([("/door", door(Origins::default()))]);
    let server = Server::new(Gateway::new()).adapter(mounts).layer(OriginLayer::new(friends())).layer(other);
    let server = server.into_service().await.unwrap();
    assert_eq!(ask(&server, "GET", "/door", &[FRIEND]).await.status(), StatusCode::FORBIDDEN);
    let answer = ask(&server, "GET", "/door", &[OTHER]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(only(answer.headers(), "access-control-allow-origin"), Some(OTHER.1));
}

#[tokio::test]
async fn around_an_axum_router_it_does_the_same() {
    let mounts = Mounts::new([("/door", door(Origins::default()))]);
    let nested = Server::new(Gateway::new()).adapter(mounts).into_service().await.unwrap();
    let app = Router::new().route("/own", routing::get("own")).nest_service("/rt", nested);
    let app = app.layer(OriginLayer::new(friends()));
    for (path, origin, expected) in
        [("/own", FRIEND, 200), ("/rt/door", FRIEND, 200), ("/own", EVIL, 403), ("/rt/door", EVIL, 403)]
    {
        let request = Request::get(path).header("host", "a").header(origin.0, origin.1);
        let answer = app.clone().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), expected, "{path} {origin:?}");
        let reader = only(answer.headers(), "access-control-allow-origin");
        assert_eq!(reader, (expected == 200).then_some(origin.1));
    }
}

#[tokio::test]
async fn a_refusal_says_why_in_one_line_and_ends_a_connection_that_was_to_become_another() {
    let server = server(OriginLayer::new(friends())).await;
    let answer = ask(&server, "GET", "/own", &[EVIL]).await;
    assert!(!answer.headers().contains_key("connection"));
    assert_eq!(collect(answer.into_body()).await.unwrap(), "The origin is not allowed");
    let upgrade = [EVIL, ("connection", "upgrade"), ("upgrade", "websocket")];
    let answer = ask(&server, "GET", "/door", &upgrade).await;
    assert_eq!(answer.headers()["connection"], "close");
}
