use narthex::{Client, gateway};

struct Chat;

struct Greeting;

#[gateway]
impl Chat {
    #[on("greet")]
    async fn greet(&self) -> Greeting {
        Greeting
    }

    #[on_connect]
    async fn arrive(&self, client: Client) -> String {
        client.id().to_string()
    }
}

fn main() {
    let _ = Chat.gateway();
}
