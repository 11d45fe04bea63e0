use narthex::{Denied, gateway};

struct Chat;

#[gateway]
impl Chat {
    #[filter]
    async fn soften(&self, denied: Denied) -> Denied {
        denied
    }
}

fn main() {
    let _ = Chat.gateway();
}
