use std::sync::Mutex;

use narthex::gateway;

#[derive(Default)]
struct Chat {
    said: Mutex<u64>,
}

#[gateway]
impl Chat {
    #[on("say")]
    async fn say(&self) -> u64 {
        let mut said = self.said.lock().unwrap();
        *said += 1;
        std::future::ready(()).await;
        *said
    }
}

fn main() {
    let _ = Chat::default().gateway();
}
