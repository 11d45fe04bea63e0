//! Guards: who may connect, who may send what, and who may join which room. Connect with `?name=Ada&role=editor`.
use narthex::middleware::guards::{Authority, authorized, roles, scopes};
use narthex::{Attach, Client, Denied, Extension, Gateway, Guard, Handler, Json, Path, Query, adapters};

/// Who somebody says to be. Take it from a token in earnest: `examples/jwt.rs`.
#[derive(Clone, serde::Deserialize)]
struct Visitor {
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    scope: String,
}

impl Authority for Visitor {
    fn has_role(&self, role: &str) -> bool {
        self.role == role
    }

    fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|granted| granted == scope)
    }
}

/// Runs during the handshake: a refusal is an HTTP answer, here 400. What it attaches stays for the client's life.
async fn named(Query(visitor): Query<Visitor>) -> Result<Attach<Visitor>, Denied> {
    if visitor.name.is_empty() { Err(Denied::bad_request("a name is needed")) } else { Ok(Attach(visitor)) }
}

async fn is_banned(Extension(visitor): Extension<Visitor>) -> bool {
    visitor.name == "Mallory"
}

/// Runs whenever a client asks to join a room of this name.
async fn own_desk(Path(owner): Path<String>, Extension(visitor): Extension<Visitor>) -> bool {
    owner == visitor.name
}

async fn join(client: Client, Json(room): Json<String>) -> Result<(), Denied> {
    client.ask_to_join(&room).await
}

async fn purge(Json(room): Json<String>) -> String {
    format!("{room} is purged")
}

#[tokio::main]
async fn main() -> narthex::Result<()> {
    let gateway = Gateway::new()
        .connect_guard(named)
        .guard(is_banned.not().and(authorized::<Visitor>()))
        .room_guard("desk:{owner}", own_desk)
        .on("join", join)
        .on("purge", purge.metadata(roles(["admin", "editor"])).metadata(scopes(["rooms:write"])))
        .on("echo", |Json(text): Json<String>| async move { text });
    narthex::serve(adapters::enabled()?, ([127, 0, 0, 1], 3000), gateway).await
}
