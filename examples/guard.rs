//! Guards: who may connect, and who may send what.
use narthex::{Client, Denied, Gateway, Json, Query, adapters};

#[derive(serde::Deserialize)]
struct Visitor {
    name: String,
    #[serde(default)]
    admin: bool,
}

#[derive(Clone)]
struct Admin(bool);

/// Runs during the handshake: a refusal is an HTTP answer, here 400 for a visitor without a name.
async fn named(Query(visitor): Query<Visitor>) -> Result<(), Denied> {
    if visitor.name.is_empty() { Err(Denied::bad_request("a name is needed")) } else { Ok(()) }
}

/// Runs once the client is open, and before its first message.
async fn remember(client: Client, Query(visitor): Query<Visitor>) {
    client.set_user(&visitor.name);
    client.set_data(Admin(visitor.admin));
}

/// Runs before the handler that it guards: a refusal answers the message.
async fn admin(client: Client) -> Result<(), Denied> {
    let is_admin = client.data::<Admin>().is_some_and(|Admin(is)| is);
    if is_admin { Ok(()) } else { Err(Denied::forbidden("Only admins may do this")) }
}

async fn purge(Json(room): Json<String>) -> String {
    format!("{room} is purged")
}

#[tokio::main]
async fn main() -> narthex::Result<()> {
    use narthex::Handler;

    let gateway = Gateway::new().connect_guard(named).on_connect(remember).on("purge", purge.guard(admin));
    narthex::serve(adapters::enabled()?, ([127, 0, 0, 1], 3000), gateway).await
}
