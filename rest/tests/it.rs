//! Requests over a socket, in process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use axum::{
    Extension, Json, Router,
    extract::{Path, Query},
    http::{HeaderMap, StatusCode},
    routing::{any, get, post},
};
use http::Request;
use narthex_core::{Client, Gateway, Principal, TestClient, TestServer};
use narthex_rest::Rest;
use serde_json::{Value, json};

async fn echo(headers: HeaderMap, Query(query): Query<Value>, body: String) -> Json<Value> {
    let of = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    Json(
        json!({"cookie": of("cookie"), "x": of("x-h"), "type": of("content-type"), "query": query, "body": body}),
    )
}

async fn join(Extension(client): Extension<Client>) -> StatusCode {
    client.join("news").map_or(StatusCode::INTERNAL_SERVER_ERROR, |()| StatusCode::NO_CONTENT)
}

fn router() -> Router {
    Router::new()
        .route("/hello/{name}", get(|Path(name): Path<String>| async move { format!("hello, {name}") }))
        .route("/echo", any(echo))
        .route("/boom", get(|| async { panic!("a route was asked to panic") as () }))
        .route("/hang", get(std::future::pending::<()>))
        .route("/join", post(join))
        .route("/who", get(|Extension(Principal(who)): Extension<Principal>| async move { who.to_string() }))
        .route("/bytes", get(|| async { vec![0xff_u8, 0xfe] }))
        .route("/huge", get(|| async { "x".repeat(2 * 1024 * 1024) }))
}

async fn served(rest: Rest) -> (TestServer, TestClient) {
    let server = TestServer::new(rest.on(Gateway::new())).await.unwrap();
    let request = Request::get("/?from=handshake&a=0")
        .header("cookie", "own=1")
        .extension(Principal("ada".into()))
        .body(())
        .unwrap();
    let client = server.connect_with(request).await.unwrap();
    (server, client)
}

async fn ask(client: &mut TestClient, event: &str, message: Value) -> Value {
    client.ask_value(event, &message).await.unwrap().unwrap()
}

async fn get_url(client: &mut TestClient, url: &str) -> Value {
    ask(client, "get", json!({"method": "get", "url": url})).await
}

#[tokio::test(start_paused = true)]
async fn a_route_answers_with_body_headers_and_status() {
    let (_server, mut client) = served(Rest::new(router())).await;
    let expected = json!({"body": "hello, Ada", "headers": {"Content-Type": "text/plain; charset=utf-8"}, "statusCode": 200});
    assert_eq!(get_url(&mut client, "/hello/Ada").await, expected);
    assert_eq!(get_url(&mut client, "/nobody").await, json!({"headers": {}, "statusCode": 404}));
    let as_text = json!({"method": "get", "url": "http://elsewhere/hello/%41da"}).to_string();
    assert_eq!(ask(&mut client, "get", json!(as_text)).await["body"], "hello, Ada");
}

#[tokio::test(start_paused = true)]
async fn a_request_has_the_messages_data_over_its_params_and_the_handshakes_identity() {
    let (_server, mut client) = served(Rest::new(router())).await;
    let asked = json!({
        "method": "post", "url": "/echo?a=1&a=2", "headers": {"x-h": 1, "cookie": "spoof=1"},
        "params": {"p": 1, "q": 2}, "data": {"q": 3},
    });
    let answer = ask(&mut client, "post", asked).await;
    let body = &answer["body"];
    assert_eq!(
        (&body["cookie"], &body["x"], &body["type"]),
        (&json!("own=1"), &json!("1"), &json!("application/json"))
    );
    assert_eq!(
        serde_json::from_str::<Value>(body["body"].as_str().unwrap()).unwrap(),
        json!({"p": 1, "q": 3})
    );
    assert_eq!(get_url(&mut client, "/who").await["body"], "ada");
}

#[tokio::test(start_paused = true)]
async fn the_handshakes_query_is_inherited_where_that_is_wanted() {
    let (_server, mut client) = served(Rest::new(router())).await;
    assert_eq!(get_url(&mut client, "/echo?a=1").await["body"]["query"], json!({"a": "1"}));
    let (_server, mut client) = served(Rest::new(router()).inherit_query()).await;
    let expected = json!({"a": "1", "from": "handshake"});
    assert_eq!(get_url(&mut client, "/echo?a=1").await["body"]["query"], expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_request_is_answered_400_and_says_why() {
    let (_server, mut client) = served(Rest::new(router()).max_body(100)).await;
    let missing = "Missing required fields: method, url";
    for (message, why) in [
        (json!("not json"), "Invalid JSON format"),
        (json!(null), missing),
        (json!([1]), missing),
        (json!({"url": "/"}), missing),
        (json!({"method": "get"}), missing),
        (json!({"method": 7, "url": "/"}), missing),
        (json!({"method": "get", "url": "http://[bad"}), "Cannot parse url"),
        (json!({"method": "get", "url": "hello/Ada"}), "Cannot parse url"),
        (json!({"method": "get", "url": "/a\r\nx-evil: 1"}), "Cannot parse url"),
        (json!({"method": "GET", "url": "/"}), "Invalid method!"),
        (json!({"method": "trace", "url": "/"}), "Invalid method!"),
        (json!({"method": "get", "url": "/", "headers": {"a": "b\r\nc: d"}}), "Invalid header!"),
        (json!({"method": "get", "url": "/", "headers": [1]}), "Invalid header!"),
    ] {
        let answer = ask(&mut client, "get", message.clone()).await;
        assert_eq!(
            (&answer["statusCode"], &answer["body"]["message"]),
            (&json!(400), &json!(why)),
            "{message}"
        );
    }
    let large = ask(&mut client, "get", json!({"method": "get", "url": "/", "data": "x".repeat(200)})).await;
    let body = json!({"message": "The body is too large", "error": "Payload Too Large", "statusCode": 413});
    assert_eq!((&large["statusCode"], &large["body"]), (&json!(413), &body));
    assert_eq!(get_url(&mut client, "/hello/x/../../hello/Ada").await["body"], "hello, Ada");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_or_hangs_or_has_no_form_here_is_told_without_a_word_of_why() {
    let (_server, mut client) = served(Rest::new(router()).timeout(Duration::from_secs(2))).await;
    let internal = json!({"body": {"message": "Internal Server Error"}, "headers": {}, "statusCode": 500});
    for url in ["/boom", "/bytes", "/huge"] {
        assert_eq!(get_url(&mut client, url).await, internal, "{url}");
    }
    assert_eq!(get_url(&mut client, "/hang").await["statusCode"], 504);
    assert_eq!(get_url(&mut client, "/hello/Ada").await["statusCode"], 200);
}

#[tokio::test(start_paused = true)]
async fn a_route_may_join_the_client_that_asks_and_no_other_to_a_room() {
    let (server, mut client) = served(Rest::new(router())).await;
    let mut other = server.connect().await.unwrap();
    let answer = ask(&mut client, "post", json!({"method": "post", "url": "/join"})).await;
    assert_eq!(answer, json!({"headers": {}, "statusCode": 204}));
    assert_eq!(server.hub("/").unwrap().to("news").emit("news", &1).unwrap(), 1);
    assert_eq!(client.expect("news").await.unwrap(), 1);
    assert_eq!(get_url(&mut other, "/hello/Ada").await["statusCode"], 200);
    assert_eq!(server.hub("/").unwrap().to("news").clients().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_an_ack_the_service_runs_and_nothing_is_answered() {
    let (server, mut client) = served(Rest::new(router())).await;
    client.emit("post", &json!({"method": "post", "url": "/join"})).await.unwrap();
    assert_eq!(get_url(&mut client, "/hello/Ada").await["statusCode"], 200);
    assert_eq!(server.hub("/").unwrap().to("news").clients().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_response_may_be_as_large_as_allowed_and_no_larger() {
    let text = |Path(size): Path<usize>| async move { "\"".repeat(size) };
    let rest = Rest::new(Router::new().route("/of/{size}", get(text)));
    let (_server, mut client) = served(rest.clone()).await;
    let answer = get_url(&mut client, "/of/1048576").await;
    assert_eq!(answer["body"].as_str().unwrap().len(), 1_048_576);
    assert_eq!(get_url(&mut client, "/of/1048577").await["statusCode"], 500);
    let (_server, mut client) = served(rest.max_response(10)).await;
    assert_eq!(get_url(&mut client, "/of/10").await["statusCode"], 200);
    assert_eq!(get_url(&mut client, "/of/11").await["statusCode"], 500);
}

#[tokio::test(start_paused = true)]
async fn a_route_sees_what_was_put_on_the_client_after_its_handshake() {
    async fn rename(client: Client, narthex_core::Json(name): narthex_core::Json<String>) {
        client.set_data(Principal(name.into()));
    }
    let gateway = Rest::new(router()).on(Gateway::new()).on("rename", rename);
    let server = TestServer::new(gateway).await.unwrap();
    let request = Request::get("/").extension(Principal("ada".into())).body(()).unwrap();
    let mut client = server.connect_with(request).await.unwrap();
    assert_eq!(get_url(&mut client, "/who").await["body"], "ada");
    client.emit("rename", "grace").await.unwrap();
    assert_eq!(get_url(&mut client, "/who").await["body"], "grace");
}

#[tokio::test(start_paused = true)]
async fn json_comes_and_goes_as_it_is() {
    async fn same(body: String) -> ([(&'static str, &'static str); 1], String) {
        ([("content-type", "application/json")], body)
    }
    let (_server, mut client) = served(Rest::new(Router::new().route("/same", post(same)))).await;
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for data in ["7", r#""text""#, "false", r#"{"b":1,"a":"\\u00e9"}"#, deep.as_str()] {
        // In a string, so that the test's own parser does not read it.
        let message = format!(r#"{{"method":"post","url":"/same","data":{data}}}"#);
        let answer = ask(&mut client, "post", json!(message)).await;
        let expected: Value = serde_json::from_str(data).unwrap();
        assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &expected), "{data}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_string_of_json_nests_no_deeper_than_any_message() {
    let (_server, mut client) = served(Rest::new(router())).await;
    for levels in [200, 20_000] {
        let data = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let message = format!(r#"{{"method":"post","url":"/echo","data":{data}}}"#);
        let answer = ask(&mut client, "post", json!(message)).await;
        assert_eq!(answer["body"]["message"], "Invalid JSON format", "{levels}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_text_where_the_message_says_so_so_that_forms_work() {
    #[derive(serde::Deserialize)]
    struct Login {
        name: String,
    }
    let login = |axum::Form(login): axum::Form<Login>| async move { login.name };
    let (_server, mut client) = served(Rest::new(Router::new().route("/login", post(login)))).await;
    let headers = json!({"content-type": "application/x-www-form-urlencoded"});
    let asked = json!({"method": "post", "url": "/login", "headers": headers, "data": "name=Ada+L"});
    assert_eq!(ask(&mut client, "post", asked).await["body"], "Ada L");
}

#[tokio::test(start_paused = true)]
async fn one_gateway_has_one_service() {
    let gateway = Rest::new(router()).on(Rest::new(router()).on(Gateway::new()));
    let error = TestServer::new(gateway).await.unwrap_err();
    assert!(error.to_string().contains("get"), "{error}");
}

#[test]
#[should_panic(expected = "/x")]
fn case_32_a_route_that_is_there_twice_does_not_start() {
    let _ = Router::<()>::new().route("/x", get(|| async {})).route("/x", get(|| async {}));
}
