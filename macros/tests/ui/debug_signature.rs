use narthex::{Client, Json, debug_handler};

#[debug_handler]
fn not_async(Json(name): Json<String>) -> String {
    name
}

#[debug_handler]
async fn generic<T: Send>(Json(_): Json<T>) {}

#[debug_handler]
async fn hidden(_: impl Send) {}

#[debug_handler]
async fn borrows(name: &str) -> usize {
    name.len()
}

#[debug_handler]
#[rustfmt::skip]
async fn many(_: Client, _: Client, _: Client, _: Client, _: Client, _: Client, _: Client, _: Client, _: Client, _: Client, _: Client) {}

#[debug_handler(all)]
async fn arguments() {}

#[debug_handler]
struct Chat;

impl Chat {
    #[debug_handler]
    async fn method(&self) {}
}

fn main() {}
