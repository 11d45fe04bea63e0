use narthex_core::{Gateway, Json};

struct Name(String);

async fn greet(Json(Name(name)): Json<Name>) -> String {
    name
}

fn main() {
    let _ = Gateway::new().on("greet", greet);
}
