use narthex_core::{Client, Gateway};

async fn admin(_: Client) -> String {
    "yes".to_owned()
}

fn main() {
    let _ = Gateway::new().guard(admin);
}
