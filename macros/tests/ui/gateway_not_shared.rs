use std::cell::Cell;

use narthex::gateway;

#[derive(Default)]
struct Chat {
    said: Cell<u64>,
}

#[gateway]
impl Chat {
    #[on("say")]
    async fn say(&self) {
        self.said.set(1);
    }
}

fn main() {
    let _ = Chat::default().gateway();
}
