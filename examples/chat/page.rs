//! The page: a few files, compiled in, with the headers that keep a page honest.

use axum::{
    Router,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
    response::{IntoResponse, Response},
    routing::get,
};

/// Everything comes from here, and nothing inline runs: what a message says can never become part of the page.
const POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Serves the page.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", file(HTML, include_str!("page/index.html")))
        .route("/style.css", file(CSS, include_str!("page/style.css")))
        .route("/icon.svg", file(SVG, include_str!("page/icon.svg")))
        .route("/app.js", file(SCRIPT, include_str!("page/app.js")))
        .route("/login.js", file(SCRIPT, include_str!("page/login.js")))
        .route("/conversations.js", file(SCRIPT, include_str!("page/conversations.js")))
        .route("/view.js", file(SCRIPT, include_str!("page/view.js")))
        .route("/narthex.js", file(SCRIPT, include_str!("page/narthex.js")))
        .route("/doors.js", file(SCRIPT, include_str!("page/doors.js")))
        .route("/socketio.js", file(SCRIPT, include_str!("page/socketio.js")))
        .route("/sse.js", file(SCRIPT, include_str!("page/sse.js")))
        .route("/socket.io.esm.min.js", get(official_client))
}

/// Where npm puts the official Socket.IO client; `npm ci` in `tests/clients` brings it.
const OFFICIAL_CLIENT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/clients/node_modules/socket.io-client/dist/socket.io.esm.min.js"
);

/// The official Socket.IO client, as npm has it.
async fn official_client() -> Response {
    match tokio::fs::read(OFFICIAL_CLIENT).await {
        Ok(script) => (headers(SCRIPT), script).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file(content_type: &'static str, text: &'static str) -> axum::routing::MethodRouter {
    get(move || async move { (headers(content_type), text) })
}

fn headers(content_type: &'static str) -> [(HeaderName, &'static str); 5] {
    [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ]
}
