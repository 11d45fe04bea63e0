use narthex_core::Gateway;

#[derive(Clone)]
struct Auth;

fn main() {
    let _ = Gateway::new().handshake_layer(Auth);
}
