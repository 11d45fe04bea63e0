use narthex_core::Gateway;

struct Greeting;

async fn greet() -> Greeting {
    Greeting
}

fn main() {
    let _ = Gateway::new().on("greet", greet);
}
