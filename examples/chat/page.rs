//! The page: a few files, compiled in, with the headers that keep a page honest.

use axum::{
    Router,
    http::header::{self, HeaderName},
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
        .route("/conversations.js", file(SCRIPT, include_str!("page/conversations.js")))
        .route("/view.js", file(SCRIPT, include_str!("page/view.js")))
        .route("/narthex.js", file(SCRIPT, include_str!("page/narthex.js")))
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
