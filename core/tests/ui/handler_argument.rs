use narthex_core::Gateway;

async fn greet(name: String) -> String {
    name
}

fn main() {
    let _ = Gateway::new().on("greet", greet);
}
