//! Routes that know nothing of sockets.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::{
    Json, Router,
    body::Body,
    extract::{Extension, Path, Query, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use narthex::rest::Attachments;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::session::Session;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/example", get(example))
        .route("/echo", post(echo))
        .route("/body", post(|body: Option<Json<Value>>| async { Json(body.map(|Json(body)| body)) }))
        .route("/upload", post(upload))
        .route(
            "/p",
            put(|| async { Json(json!({"ok": 1})) }).patch(|| async { Json(json!({"ok": 2})) }).delete(none),
        )
        .route("/boom", get(boom))
        .route(
            "/unauth",
            get(|| async {
                problem(StatusCode::UNAUTHORIZED, json!({"message": "Unauthorized", "statusCode": 401}))
            }),
        )
        .route("/badobj", get(|| async { problem(StatusCode::BAD_REQUEST, json!({"a": 1})) }))
        .route("/teapot", get(|| async { problem(StatusCode::NOT_IMPLEMENTED, json!({"blah": "blah"})) }))
        .route("/noreply", get(std::future::pending::<()>))
        .route("/slow", get(slow))
        .route("/count", get(count))
        .route(
            "/webhook/{sourceRef}",
            get(|Path(params): Path<BTreeMap<String, String>>| async { Json(params) }),
        )
        .fallback(|| async { problem(StatusCode::NOT_FOUND, json!({"message": "Not Found"})) })
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::NOT_FOUND, json!({"message": "Not Found"}))
        })
}

/// A body and a status, and no header but what the transport needs.
fn problem(status: StatusCode, body: Value) -> Response {
    plain(status, body.to_string())
}

fn plain(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}

#[derive(Deserialize)]
struct Which {
    id: Option<String>,
}

async fn example(Query(which): Query<Which>) -> Response {
    match which.id {
        Some(_) => plain(StatusCode::OK, "Hello !"),
        None => problem(
            StatusCode::NOT_FOUND,
            json!({"message": "Id not found", "error": "Not Found", "statusCode": 404}),
        ),
    }
}

/// Says what the request was.
async fn echo(Query(query): Query<Value>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 * 1024).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let shown = |name: &str| Some((name.to_owned(), head.headers.get(name)?.to_str().ok()?.to_owned()));
    let headers: serde_json::Map<String, Value> = ["host", "cookie", "origin", "x-h"]
        .into_iter()
        .filter_map(shown)
        .map(|(name, value)| (name, value.into()))
        .collect();
    let said = json!({
        "method": head.method.as_str(), "path": head.uri.path(), "query": query, "body": body, "headers": headers,
    });
    (StatusCode::CREATED, [("x-a", "b")], Json(said)).into_response()
}

async fn none() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn boom() -> Response {
    panic!("a secret that no client reads")
}

#[derive(Deserialize)]
struct Slow {
    ms: u64,
}

async fn slow(Query(Slow { ms }): Query<Slow>) -> Json<u64> {
    tokio::time::sleep(Duration::from_millis(ms.min(5000))).await;
    Json(ms)
}

#[derive(Deserialize)]
struct Wait {
    ms: Option<u64>,
}

/// Counts the visits of a session, and takes its time where it is asked to.
async fn count(Query(Wait { ms }): Query<Wait>, session: Option<Extension<Session>>) -> Response {
    let Some(Extension(session)) = session else { return plain(StatusCode::OK, "NOSESSION") };
    let visits = session.count.fetch_add(1, Ordering::Relaxed) + 1;
    tokio::time::sleep(Duration::from_millis(ms.unwrap_or_default().min(5000))).await;
    Json(visits).into_response()
}

/// Takes files that came as bytes inside of a message, and says how large each is.
async fn upload(files: Option<Extension<Attachments>>, Json(form): Json<Value>) -> Json<Value> {
    let sizes =
        files.map(|Extension(Attachments(files))| files.iter().map(|file| file.len()).collect::<Vec<_>>());
    Json(json!({ "name": form["name"], "sizes": sizes.unwrap_or_default() }))
}
