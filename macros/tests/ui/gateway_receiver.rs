use narthex::{Json, gateway};

#[derive(Default)]
struct Chat {
    said: u64,
}

#[gateway]
impl Chat {
    #[on("say")]
    async fn say(&mut self) {
        self.said += 1;
    }

    #[on("end")]
    async fn end(self) {}

    #[on("boxed")]
    async fn boxed(self: Box<Self>) {}

    #[on("count")]
    fn count(&self) -> u64 {
        self.said
    }

    #[on("echo")]
    async fn echo<T>(&self, Json(_): Json<T>) {}
}

fn main() {
    let _ = Chat::default().gateway();
}
