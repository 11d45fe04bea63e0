use narthex::{Client, gateway};

struct Chat;

#[gateway(namespace = "/chat")]
impl Chat {
    #[on("say")]
    async fn say(&self, client: Client, text: String) -> usize {
        text.len() + client.adapter().len()
    }
}

fn main() {
    let _ = Chat.gateway();
}
