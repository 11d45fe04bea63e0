use narthex::{Json, debug_handler};

struct Greeting;

#[debug_handler]
async fn greet(Json(_name): Json<String>) -> Result<Greeting, narthex::Denied> {
    Ok(Greeting)
}

fn main() {}
