use std::rc::Rc;

use narthex_core::Gateway;

async fn wait() -> usize {
    let held = Rc::new(1);
    std::future::ready(()).await;
    *held
}

fn main() {
    let _ = Gateway::new().on("wait", wait);
}
