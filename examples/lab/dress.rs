//! What the flags ask for around the lab's gateways.

use std::time::Duration;

use axum::{
    Json as Body, Router, extract::State as Shared, http::header, response::IntoResponse, routing::post,
};
use garde::Validate;
use narthex::{
    Client, Denied, Event, Gateway, Handler, Json, Reply, Result,
    http::OriginLayer,
    middleware::{
        CatchPanicLayer, ConcurrencyLayer, CookieLayer, JwtLayer, RateLimitLayer, TimeoutLayer, Valid,
        auth::{Claims, CookieKeys, MemoryCookieStore},
        filters::{self, ErrorEvent},
        guards::{Authority, authorized, roles},
        map_reply,
        rate_limit::{Rate, TrustedProxies},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::layer::util::Identity;

use crate::{
    auth,
    flags::{Flags, Wording},
};

/// What a token of the lab says; other members are kept too.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    #[serde(default)]
    role: String,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

impl Authority for Member {
    fn has_role(&self, role: &str) -> bool {
        self.role == role
    }
}

/// A login with a cookie: who it is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Guest {
    name: String,
}

type Store = MemoryCookieStore<Guest>;

/// What the flags ask for, made once for all gateways.
pub(crate) struct Dress {
    jwt: Option<JwtLayer<Member>>,
    cookies: Option<(CookieKeys, Store)>,
    rate: Option<RateLimitLayer>,
    concurrency: Vec<ConcurrencyLayer>,
    timeout: Option<Duration>,
    wording: Wording,
    wraps: bool,
    catches: bool,
    empty: usize,
}

impl Dress {
    pub(crate) fn new(flags: &Flags) -> Result<Self> {
        let cookies = match flags.cookie_secret.as_str() {
            "" => None,
            secret => Some((CookieKeys::new(secret)?, Store::new())),
        };
        let all = (flags.concurrency > 0).then(|| ConcurrencyLayer::new(flags.concurrency));
        let each = (flags.concurrency_per_client > 0)
            .then(|| ConcurrencyLayer::per_client(flags.concurrency_per_client));
        Ok(Self {
            jwt: auth::layer(flags)?,
            cookies,
            rate: rate(flags)?,
            concurrency: all.into_iter().chain(each).map(ConcurrencyLayer::shed).collect(),
            timeout: (flags.timeout_ms > 0).then(|| Duration::from_millis(flags.timeout_ms)),
            wording: flags.errors,
            wraps: flags.wrap,
            catches: flags.catch_panic,
            empty: flags.layers,
        })
    }

    /// Puts it all around a gateway.
    pub(crate) fn on(&self, mut gateway: Gateway) -> Gateway {
        for _ in 0..self.empty {
            gateway = gateway.layer(Identity::new());
        }
        if let Some(jwt) = &self.jwt {
            gateway = gateway.on("auth.refresh", jwt.refresh()).handshake_layer(jwt.clone()).on(
                "admin",
                (async || "for admins").guard(authorized::<Claims<Member>>()).metadata(roles(["admin"])),
            );
        }
        if let Some((keys, store)) = &self.cookies {
            gateway = gateway.handshake_layer(CookieLayer::new("sid", keys.clone(), store.clone()));
        }
        // Inside of those who say who it is.
        if let Some(rate) = &self.rate {
            gateway = gateway.handshake_layer(rate.clone()).layer(rate.clone());
        }
        if let Some(time) = self.timeout {
            gateway = gateway.layer(TimeoutLayer::new(time));
        }
        for layer in &self.concurrency {
            gateway = gateway.layer(layer.clone());
        }
        if self.catches {
            gateway = gateway.layer(CatchPanicLayer::new());
        }
        if self.wraps {
            let wrap = |_: &Event| |reply: Reply| reply.map_values(|data| Json(Wrapped { data }));
            gateway = gateway.layer(map_reply(wrap));
        }
        match self.wording {
            Wording::Plain => gateway,
            Wording::Nest => gateway.filter(filters::nest()),
            Wording::Event => gateway.filter(filters::error_event()),
            Wording::Development => gateway.filter(ErrorEvent::new().development(true).build()),
        }
    }

    /// `POST /session` with `{"name": …}` sets the signed cookie, where the lab has such.
    pub(crate) fn session(&self) -> Router {
        let Some((keys, store)) = &self.cookies else { return Router::new() };
        Router::new().route("/session", post(session)).with_state((keys.clone(), store.clone()))
    }
}

#[derive(Serialize)]
struct Wrapped {
    data: narthex::Payload,
}

async fn session(
    Shared((keys, store)): Shared<(CookieKeys, Store)>,
    Body(guest): Body<Guest>,
) -> impl IntoResponse {
    let id = store.insert(guest.name.as_str(), guest.clone());
    let cookie = id.map(|id| format!("sid={}; Path=/; HttpOnly; SameSite=Lax", keys.sign(&id)));
    [(header::SET_COOKIE, cookie.unwrap_or_default())]
}

fn rate(flags: &Flags) -> Result<Option<RateLimitLayer>> {
    if flags.rate == 0 && flags.rate_connects == 0 {
        return Ok(None);
    }
    let burst = if flags.rate_burst > 0 { flags.rate_burst } else { flags.rate.saturating_mul(2) };
    let messages = (flags.rate > 0).then(|| Rate::per_second(flags.rate).burst(burst));
    let connects = (flags.rate_connects > 0).then(|| Rate::per_second(flags.rate_connects));
    let proxies = TrustedProxies::new(&flags.trusted_proxy)?;
    let layer = RateLimitLayer::new().connection(messages).principal(messages).address(messages);
    Ok(Some(layer.connects(connects).trusted_proxies(proxies)))
}

/// One list for every door and for the lab's own HTTP, where origins were named.
pub(crate) fn origins(flags: &Flags) -> Result<Option<OriginLayer>> {
    if flags.origin.is_empty() {
        return Ok(None);
    }
    Ok(Some(OriginLayer::new(narthex::http::Origins::list(&flags.origin)?)))
}

/// The payload of `valid`.
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Checked {
    #[garde(length(chars, min = 1, max = 10))]
    content: String,
}

/// Events that show guards, rules and bounds; there without any flag.
pub(crate) fn checks(gateway: Gateway) -> Gateway {
    gateway
        .room_guard("secret:{name}", async || false)
        .on("ask-to-join", |client: Client, Json(room): Json<String>| async move {
            client.ask_to_join(&room).await
        })
        .on("valid", |Valid(Checked { content }): Valid<Checked>| async move { content })
        .on("small", (|Json(text): Json<String>| async move { text }).max_payload(32))
        .on("shallow", (|Json(any): Json<Value>| async move { any }).max_depth(2))
        .on("refuse", async || Err::<(), _>(Denied::forbidden("Not today")))
        .on("fail", async || Err::<(), _>(std::io::Error::other("the lab was asked to fail")))
        .on("hang", async || std::future::pending::<()>().await)
}
