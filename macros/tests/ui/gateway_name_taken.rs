use narthex::{Gateway, gateway};

struct Chat;

#[gateway]
impl Chat {
    fn gateway(self) -> Gateway {
        Gateway::new()
    }

    #[on("say")]
    async fn say(&self) {}
}

fn main() {
    let _ = Chat.gateway();
}
