use narthex::gateway;

trait Greets {
    async fn greet(&self);
}

struct Chat;

#[gateway]
impl Greets for Chat {
    #[on("greet")]
    async fn greet(&self) {}
}

#[gateway]
struct Other;

#[gateway]
mod handlers {}

fn main() {
    let _ = (Chat, Other);
}
