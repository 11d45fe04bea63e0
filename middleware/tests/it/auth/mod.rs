//! Tokens, cookies and tickets.

mod cookies;
mod credentials;
mod expiry;
mod keys;
mod tickets;
mod tokens;

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use narthex_core::{Gateway, TestClient, TestServer};
use narthex_middleware::auth::{Claims, JwtKey, JwtLayer, KeySource};
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "a secret that only the server knows";

#[derive(serde::Deserialize)]
pub(crate) struct Member {
    pub(crate) name: String,
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Claims of Ada's that end in so many seconds.
pub(crate) fn ada(ends_in: u64) -> Value {
    json!({ "sub": "ada", "exp": now() + ends_in, "name": "Ada" })
}

pub(crate) fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

pub(crate) fn sign_as(header: &Header, claims: &Value, secret: &str) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

pub(crate) fn sign(claims: &Value) -> String {
    sign_as(&Header::new(Algorithm::HS256), claims, SECRET)
}

pub(crate) fn jwt(keys: impl KeySource) -> JwtLayer<Member> {
    JwtLayer::new(keys)
}

pub(crate) fn secret() -> JwtKey {
    JwtKey::hs256(SECRET).unwrap()
}

async fn whoami(member: Option<Claims<Member>>) -> String {
    member.map_or("nobody".to_owned(), |member| format!("{} {}", member.subject(), member.name))
}

/// A server behind a layer, which answers `whoami` and takes `refresh`.
pub(crate) async fn server(jwt: JwtLayer<Member>) -> TestServer {
    let gateway = Gateway::new().on("whoami", whoami).on("refresh", jwt.refresh()).handshake_layer(jwt);
    TestServer::new(gateway).await.unwrap()
}

pub(crate) fn bearer(token: &str) -> Request<()> {
    Request::get("/").header("authorization", format!("Bearer {token}")).body(()).unwrap()
}

pub(crate) async fn who(client: &mut TestClient) -> String {
    client.ask("whoami", &()).await.unwrap()
}

/// What a server answers to a request that it refuses: the status, the message, and the challenge.
pub(crate) async fn refusal(server: &TestServer, request: Request<()>) -> (u16, String, Option<String>) {
    let refused = server.connect_with(request).await.map(|_| "let in").unwrap_err();
    (refused.status().as_u16(), message(&refused), header(&refused, "www-authenticate"))
}

fn message(refused: &Response<Bytes>) -> String {
    assert_eq!(header(refused, "content-type").as_deref(), Some("application/json"));
    let body: Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(body["status"], "error");
    body["message"].as_str().unwrap().to_owned()
}

fn header(response: &Response<Bytes>, name: &str) -> Option<String> {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

/// The refusal of a bad token.
pub(crate) fn invalid(message: &str) -> (u16, String, Option<String>) {
    (401, message.to_owned(), Some("Bearer error=\"invalid_token\"".to_owned()))
}
