use narthex::{Client, debug_handler};

#[debug_handler]
async fn greet(client: Client, name: String) -> String {
    format!("{name} at {}", client.id())
}

fn main() {}
