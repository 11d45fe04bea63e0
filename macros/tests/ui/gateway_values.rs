use narthex::gateway;

struct Chat;

#[gateway(namespace = 5)]
#[layer("slow")]
impl Chat {
    #[on(5)]
    async fn number(&self) {}

    #[on("purge")]
    #[guard(true)]
    async fn purge(&self) {}
}

fn main() {
    let _ = Chat.gateway();
}
