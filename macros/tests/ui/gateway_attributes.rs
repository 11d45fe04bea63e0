use narthex::gateway;

async fn admin() -> bool {
    true
}

struct Chat;

#[gateway(name = "/chat")]
#[guard]
#[room_guard(admin)]
impl Chat {
    #[on]
    async fn nameless(&self) {}

    #[on = "equals"]
    async fn equals(&self) {}

    #[on("purge")]
    #[guard]
    async fn purge(&self) {}

    #[on("join")]
    #[on_connect]
    async fn join(&self) {}

    #[guard(admin)]
    async fn forgotten(&self) {}

    #[on_disconnect("now")]
    async fn leave(&self) {}

    #[on("fast")]
    #[concurrent]
    #[latest(1)]
    async fn fast(&self) {}
}

fn main() {
    let _ = Chat.gateway();
}
