use narthex::gateway;

struct Chat;

#[gateway]
impl Chat {
    #[subscribe("say")]
    async fn say(&self) {}
}

fn main() {
    let _ = Chat.gateway();
}
