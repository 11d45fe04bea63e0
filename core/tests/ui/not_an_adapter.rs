use narthex_core::{Gateway, Server};

struct Door;

fn main() {
    let _ = Server::new(Gateway::new()).adapter(Door);
}
