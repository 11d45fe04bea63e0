use narthex_core::{Gateway, Json};

fn greet(Json(name): Json<String>) -> String {
    name
}

fn main() {
    let _ = Gateway::new().on("greet", greet);
}
