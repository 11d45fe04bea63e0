use narthex_core::{Denied, Gateway};

async fn sorry(denied: Denied) -> String {
    denied.to_string()
}

fn main() {
    let _ = Gateway::new().filter(sorry);
}
