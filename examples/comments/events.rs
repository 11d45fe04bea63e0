//! The gateway: one for all doors.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use narthex::middleware::filters;
use narthex::middleware::from_fn::{self, HandshakeNext, HandshakeRequest, HandshakeResponse};
use narthex::{Denied, Emit, Gateway, HandshakeBody, Json, Reply, State};
use serde::Deserialize;

use crate::store::Comments;
use crate::tokens::Tokens;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Which {
    entry_id: Option<u64>,
    comment_id: Option<u64>,
}

pub(crate) fn gateway(tokens: &Tokens, comments: Comments) -> Gateway {
    Gateway::new()
        .state(comments)
        .handshake_layer(from_fn::handshake(verify_client))
        .handshake_layer(tokens.layer())
        .filter(filters::nest())
        .on("indexComment", index)
        .on("showComment", show)
        .on("slow", slow)
        .fallback(async || Reply::none())
}

async fn index(State(comments): State<Comments>, Json(which): Json<Which>) -> Result<Emit, Denied> {
    let entry = which.entry_id.ok_or_else(|| Denied::bad_request("Missing entry id."))?;
    Ok(Emit::new("indexComment", &comments.of(entry)))
}

async fn show(State(comments): State<Comments>, Json(which): Json<Which>) -> Result<Emit, Denied> {
    let entry = which.entry_id.ok_or_else(|| Denied::bad_request("Missing entry id."))?;
    let comment = which.comment_id.ok_or_else(|| Denied::bad_request("Missing comment id."))?;
    let comment = comments.one(entry, comment).ok_or_else(|| Denied::not_found("No such comment."))?;
    Ok(Emit::new("showComment", &comment))
}

#[derive(Deserialize)]
struct Slow {
    ms: u64,
}

/// Takes its time, so that one can see that no answer is lost behind it.
async fn slow(Json(Slow { ms }): Json<Slow>) -> Emit {
    tokio::time::sleep(Duration::from_millis(ms.min(1000))).await;
    Emit::new("slow", &ms)
}

/// Refuses as the npm library `ws` does: 401 with the one word, or whatever a check of one's own says, which may take its time.
async fn verify_client(request: HandshakeRequest, next: HandshakeNext) -> HandshakeResponse {
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').any(|pair| pair == "nope") {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut refusal = plain(StatusCode::FORBIDDEN, "Nope");
        refusal.headers_mut().insert("x-a", HeaderValue::from_static("b"));
        return refusal;
    }
    let response = next.run(request).await;
    match response.status() {
        StatusCode::UNAUTHORIZED => plain(StatusCode::UNAUTHORIZED, "Unauthorized"),
        _ => response,
    }
}

fn plain(status: StatusCode, body: &'static str) -> HandshakeResponse {
    let mut response = HandshakeResponse::new(HandshakeBody::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
