use narthex::{Gateway, Json, adapters};

async fn greet(Json(name): Json<String>) -> String {
    format!("hello, {name}")
}

#[tokio::main]
async fn main() -> narthex::Result<()> {
    let gateway = Gateway::new().on("greet", greet);
    narthex::serve(adapters::enabled()?, ([127, 0, 0, 1], 3000), gateway).await
}
