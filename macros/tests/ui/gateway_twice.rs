use narthex::gateway;

struct Chat;

#[gateway]
impl Chat {
    #[on("say")]
    async fn say(&self) {}
}

#[gateway]
impl Chat {
    #[on("listen")]
    async fn listen(&self) {}
}

fn main() {}
