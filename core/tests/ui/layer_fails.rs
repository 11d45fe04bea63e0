use std::time::Duration;

use narthex_core::Gateway;
use tower::timeout::TimeoutLayer;

fn main() {
    let _ = Gateway::new().layer(TimeoutLayer::new(Duration::from_secs(1)));
}
