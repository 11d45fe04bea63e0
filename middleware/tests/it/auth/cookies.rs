//! Signed cookies.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http::Request;
use narthex_core::{BoxError, Client, CloseReason, ErrorKind, Extension, Gateway, TestServer};
use narthex_middleware::auth::{CookieIdentity, CookieKeys, CookieLayer, CookieStore, MemoryCookieStore};
use tokio::time::Instant;

use super::refusal;

const SECRET: &str = "a secret for cookies that nobody else has";

type Store = MemoryCookieStore<&'static str>;

fn keys() -> CookieKeys {
    CookieKeys::new(SECRET).unwrap()
}

fn cookie(value: &str) -> Request<()> {
    Request::get("/").header("cookie", format!("a=b; sid={value}; c=d")).body(()).unwrap()
}

async fn whoami(identity: Option<Extension<CookieIdentity<&'static str>>>, client: Client) -> String {
    let principal = client.handshake().principal().unwrap_or("nobody").to_owned();
    identity.map_or(principal.clone(), |Extension(who)| format!("{principal} {} {}", who.subject(), *who))
}

async fn serve<C: CookieStore<Data = &'static str>>(layer: CookieLayer<C>) -> TestServer {
    TestServer::new(Gateway::new().on("whoami", whoami).handshake_layer(layer)).await.unwrap()
}

async fn who(server: &TestServer, request: Request<()>) -> String {
    let mut client = server.connect_with(request).await.unwrap();
    client.ask("whoami", &()).await.unwrap()
}

fn refused(message: &str) -> (u16, String, Option<String>) {
    (401, message.to_owned(), None)
}

#[test]
fn a_signature_is_that_of_express() {
    // The example in the documentation of the npm package cookie-signature.
    let keys = CookieKeys::new("tobiiscool").unwrap();
    let signed = "s%3Ahello.DGDUkGlIkCzPz%2BC0B064FNgHdEjox7ch8tOBGslZ5QI";
    assert_eq!(keys.sign("hello"), signed);
    assert_eq!(keys.verify(signed).as_deref(), Some("hello"));
    let bare = "s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI";
    assert_eq!(keys.verify(bare).as_deref(), Some("hello"), "not every client encodes");
}

#[test]
fn a_cookie_of_nobody_and_one_longer_than_4_kib_are_not_verified() {
    assert_eq!(keys().verify(&keys().sign("")), None);
    let id = "x".repeat(4000);
    assert_eq!(keys().verify(&keys().sign(&id)), Some(id));
    assert_eq!(keys().verify(&keys().sign(&"x".repeat(4096))), None);
}

#[tokio::test(start_paused = true)]
async fn a_signed_cookie_brings_its_identity_and_the_principal() {
    let store = Store::new();
    let id = store.insert("user-7", "Ada").unwrap();
    let server = serve(CookieLayer::new("sid", keys(), store)).await;
    assert_eq!(who(&server, cookie(&keys().sign(&id))).await, "user-7 user-7 Ada");
}

#[tokio::test(start_paused = true)]
async fn a_cookie_that_was_not_signed_here_is_refused() {
    let store = Store::new();
    let id = store.insert("user-7", "Ada").unwrap();
    let good = keys().sign(&id);
    let (bare, signature) = good.rsplit_once('.').unwrap();
    for layer in
        [CookieLayer::new("sid", keys(), store.clone()), CookieLayer::new("sid", keys(), store).optional()]
    {
        let server = serve(layer).await;
        for (what, value) in [
            ("unsigned", id.clone()),
            ("without a signature", bare.to_owned()),
            ("with an empty one", format!("{bare}.")),
            ("with a shorter one", good[..good.len() - 2].to_owned()),
            ("with another's", CookieKeys::new("of somebody else").unwrap().sign(&id)),
            ("with another id's", format!("s%3Ax.{signature}")),
            ("without its mark", good.trim_start_matches("s%3A").to_owned()),
            ("of no text", "s%3A%ff.x".to_owned()),
            ("empty", String::new()),
            ("of nobody", keys().sign("")),
            ("longer than a cookie", keys().sign(&"x".repeat(4096))),
            ("unknown", keys().sign("unknown")),
        ] {
            let answer = refusal(&server, cookie(&value)).await;
            assert_eq!(answer, refused("The cookie is not valid"), "{what}");
        }
        let mut two = cookie(&good);
        let other = format!("sid={}", keys().sign("other")).parse().unwrap();
        two.headers_mut().append("cookie", other);
        assert_eq!(refusal(&server, two).await, refused("The credentials disagree"));
        assert_eq!(who(&server, cookie(&good)).await, "user-7 user-7 Ada");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cookie_may_be_missing_only_where_it_is_optional() {
    let nothing = || Request::get("/").header("cookie", "other=1").body(()).unwrap();
    let server = serve(CookieLayer::new("sid", keys(), Store::new())).await;
    assert_eq!(refusal(&server, nothing()).await, refused("A cookie is needed"));
    let server = serve(CookieLayer::new("sid", keys(), Store::new()).optional()).await;
    assert_eq!(who(&server, nothing()).await, "nobody");
}

#[tokio::test(start_paused = true)]
async fn an_older_secret_still_verifies_and_does_not_sign() {
    let store = Store::new();
    let id = store.insert("user-7", "Ada").unwrap();
    let rotated = CookieKeys::new("the newest secret, of this very year").unwrap().older(SECRET).unwrap();
    assert_ne!(rotated.sign(&id), keys().sign(&id));
    let server = serve(CookieLayer::new("sid", rotated.clone(), store)).await;
    for value in [keys().sign(&id), rotated.sign(&id)] {
        assert_eq!(who(&server, cookie(&value)).await, "user-7 user-7 Ada");
    }
    assert_eq!(CookieKeys::new("").map(drop).unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(keys().older("").map(drop).unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_closed_when_its_identity_ends_and_nobody_comes_by_it_then() {
    let store = Store::new().lifetime(Duration::from_secs(100));
    let id = store.insert("user-7", "Ada").unwrap();
    let server = serve(CookieLayer::new("sid", keys(), store)).await;
    let mut client = server.connect_with(cookie(&keys().sign(&id))).await.unwrap();
    let begin = Instant::now();
    let Some(CloseReason::Disconnected { code: 4401, .. }) = client.closed().await else {
        panic!("not expired")
    };
    assert!((99..=101).contains(&begin.elapsed().as_secs()));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(refusal(&server, cookie(&keys().sign(&id))).await, refused("The cookie is not valid"));
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_is_removed_lets_nobody_in() {
    let store = Store::new();
    let id = store.insert("user-7", "Ada").unwrap();
    let server = serve(CookieLayer::new("sid", keys(), store.clone())).await;
    assert_eq!(store.remove(&id).unwrap().subject(), "user-7");
    assert_eq!(refusal(&server, cookie(&keys().sign(&id))).await, refused("The cookie is not valid"));
}

#[tokio::test(start_paused = true)]
async fn a_full_store_takes_nobody_until_one_is_removed_or_ends() {
    let store = Store::new().most(2).lifetime(Duration::from_secs(100));
    let first = store.insert("a", "A").unwrap();
    store.insert("b", "B").unwrap();
    assert_eq!(store.insert("c", "C").map(drop).unwrap_err().kind(), ErrorKind::Limit);
    assert!(store.remove(&first).is_some());
    assert!(store.insert("c", "C").is_ok());
    tokio::time::advance(Duration::from_secs(100)).await;
    assert!(store.insert("d", "D").is_ok());
    assert!(format!("{store:?}").contains("kept: 1"), "what has ended is swept: {store:?}");
}

/// Keeps what has ended.
struct Late;

#[async_trait]
impl CookieStore for Late {
    type Data = &'static str;

    async fn load(&self, id: &str) -> Result<Option<CookieIdentity<&'static str>>, BoxError> {
        Ok(Some(CookieIdentity::until(id, "Ada", SystemTime::now() - Duration::from_secs(1))))
    }
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_has_ended_lets_nobody_in_whatever_its_store_says() {
    let server = serve(CookieLayer::new("sid", keys(), Late)).await;
    let answer = refusal(&server, cookie(&keys().sign("user-7"))).await;
    assert_eq!(answer, refused("The cookie is not valid"));
}

struct Down;

#[async_trait]
impl CookieStore for Down {
    type Data = &'static str;

    async fn load(&self, _: &str) -> Result<Option<CookieIdentity<&'static str>>, BoxError> {
        Err("redis.internal is down".into())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_lets_nobody_in_and_says_nothing_of_itself() {
    let server = serve(CookieLayer::new("sid", keys(), Down)).await;
    let answer = refusal(&server, cookie(&keys().sign("x"))).await;
    assert_eq!(answer, (500, "Internal server error".to_owned(), None));
}

#[test]
fn no_debug_output_shows_a_secret_or_an_id() {
    let store = Store::new();
    let id = store.insert("user-7", "Ada").unwrap();
    let layer = CookieLayer::new("sid", keys(), store.clone());
    let shown = format!("{layer:?} {:?} {store:?}", keys());
    assert!(!shown.contains(SECRET) && !shown.contains(&id), "{shown}");
}
