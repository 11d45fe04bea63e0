//! A gateway of attributes, for who comes from decorators. Connect to `/chat?name=Ada`.
//!
//! `#[gateway]` writes what `examples/guard.rs` has by hand: each attribute is the builder's method of its name.
use std::sync::atomic::{AtomicU64, Ordering};

use narthex::middleware::{TimeoutLayer, filters};
use narthex::{Attach, Client, CloseReason, Denied, Extension, Json, Query, adapters, gateway};

#[derive(Clone, serde::Deserialize)]
struct Visitor {
    name: String,
}

async fn is_ada(Extension(visitor): Extension<Visitor>) -> bool {
    visitor.name == "Ada"
}

#[derive(Default)]
struct Chat {
    said: AtomicU64,
}

#[gateway(namespace = "/chat")]
#[layer(TimeoutLayer::new(std::time::Duration::from_secs(5)))]
#[filter(filters::nest())]
impl Chat {
    #[connect_guard]
    async fn named(Query(visitor): Query<Visitor>) -> Result<Attach<Visitor>, Denied> {
        let attached = (!visitor.name.is_empty()).then_some(Attach(visitor));
        attached.ok_or_else(|| Denied::bad_request("a name is needed"))
    }

    #[on_connect]
    async fn arrive(client: Client, Extension(visitor): Extension<Visitor>) -> narthex::Result<()> {
        client.to("hall").emit("joined", &visitor.name)?;
        client.join("hall")
    }

    #[on("send-message")]
    async fn send(&self, client: Client, Json(text): Json<String>) -> narthex::Result<u64> {
        client.to("hall").emit("new-message", &text)?;
        Ok(self.said.fetch_add(1, Ordering::Relaxed) + 1)
    }

    #[on("forget")]
    #[guard(is_ada)]
    async fn forget(&self) {
        self.said.store(0, Ordering::Relaxed);
    }

    #[on_disconnect]
    async fn leave(client: Client, reason: CloseReason) {
        println!("{} left: {}", client.id(), reason.code());
    }
}

#[tokio::main]
async fn main() -> narthex::Result<()> {
    narthex::serve(adapters::enabled()?, ([127, 0, 0, 1], 3000), Chat::default().gateway()).await
}
