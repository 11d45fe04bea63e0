//! Tokens on the lab's handshakes.

use narthex::{
    Result,
    middleware::auth::{Credentials, JwtKey, JwtLayer},
};

use crate::{dress::Member, flags::Flags};

/// The layer, where a secret was given. Tokens are taken from everywhere, for tools that can put them in one place only.
pub(crate) fn layer(flags: &Flags) -> Result<Option<JwtLayer<Member>>> {
    if flags.jwt_secret.is_empty() {
        return Ok(None);
    }
    let credentials = Credentials::default().query("token").cookie("token");
    Ok(Some(JwtLayer::new(JwtKey::hs256(&flags.jwt_secret)?).credentials(credentials)))
}
