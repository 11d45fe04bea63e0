use narthex_core::{Gateway, State};

struct Names(Vec<String>);

async fn count(State(Names(names)): State<Names>) -> usize {
    names.len()
}

fn main() {
    let _ = Gateway::new().on("count", count);
}
