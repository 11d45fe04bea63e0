use std::rc::Rc;

use narthex::debug_handler;

#[debug_handler]
async fn wait() -> usize {
    let held = Rc::new(1);
    std::future::ready(()).await;
    *held
}

fn main() {}
