//! The REST API: the same comments, behind the same token.

use axum::{
    Json, Router,
    extract::{Extension, Path, State},
    http::StatusCode,
    routing::{get, post},
};
use narthex::middleware::auth::Claims;
use serde::{Deserialize, Serialize};

use crate::store::{Comment, Comments};
use crate::tokens::{Author, Tokens};

#[derive(Deserialize)]
struct Login {
    name: String,
}

#[derive(Serialize)]
struct Issued {
    token: String,
}

#[derive(Deserialize)]
struct New {
    body: String,
}

pub(crate) fn router(tokens: &Tokens, comments: Comments) -> Router {
    let entries = Router::new()
        .route("/entries/{entry}/comments", get(index).post(create))
        .route("/entries/{entry}/comments/{comment}", get(show))
        .with_state(comments)
        .layer(tokens.layer());
    Router::new().route("/token", post(token)).with_state(tokens.clone()).merge(entries)
}

async fn token(State(tokens): State<Tokens>, Json(login): Json<Login>) -> Result<Json<Issued>, StatusCode> {
    if login.name.is_empty() {
        return Err(StatusCode::BAD_REQUEST);
    }
    let token = tokens.issue(&login.name).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(Issued { token }))
}

async fn index(State(comments): State<Comments>, Path(entry): Path<u64>) -> Json<Vec<Comment>> {
    Json(comments.of(entry))
}

async fn show(
    State(comments): State<Comments>,
    Path((entry, comment)): Path<(u64, u64)>,
) -> Result<Json<Comment>, StatusCode> {
    comments.one(entry, comment).map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn create(
    State(comments): State<Comments>,
    Path(entry): Path<u64>,
    Extension(author): Extension<Claims<Author>>,
    Json(New { body }): Json<New>,
) -> Result<(StatusCode, Json<Comment>), StatusCode> {
    let comment = comments.add(entry, author.subject(), &body).ok_or(StatusCode::INSUFFICIENT_STORAGE)?;
    Ok((StatusCode::CREATED, Json(comment)))
}
