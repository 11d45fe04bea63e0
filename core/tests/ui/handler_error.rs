use narthex_core::Gateway;

async fn greet() -> Result<String, String> {
    Err("nobody is here".to_owned())
}

fn main() {
    let _ = Gateway::new().on("greet", greet);
}
