use narthex::gateway;

struct Chat;

#[gateway]
impl Chat {
    #[on("connect")]
    async fn arrive(&self) {}

    #[on("disconnect")]
    async fn leave(&self) {}

    #[on("newListener")]
    async fn reserved(&self) {}

    #[on("")]
    async fn nameless(&self) {}

    #[on("say")]
    async fn say(&self) {}

    #[on("say")]
    async fn say_again(&self) {}
}

fn main() {
    let _ = Chat.gateway();
}
