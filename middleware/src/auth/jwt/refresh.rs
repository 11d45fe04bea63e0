//! A newer token for a client that is open.

use std::fmt;

use futures_util::future::BoxFuture;
use narthex_core::{Client, Denied, Json};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{Claims, JwtLayer};

/// What a client sends to [`JwtLayer::refresh`]: `{"token": "…"}`, or the token as a string.
pub struct RefreshRequest(String);

impl<T: DeserializeOwned + Send + Sync + 'static> JwtLayer<T> {
    /// A handler that takes a newer token of the same subject, so that the client is not closed when its token ends.
    ///
    /// ```
    /// # use narthex_core::Gateway;
    /// # use narthex_middleware::auth::{JwtKey, JwtLayer};
    /// # fn run(jwt: JwtLayer<serde_json::Value>) {
    /// let gateway = Gateway::new().on("auth.refresh", jwt.refresh()).handshake_layer(jwt);
    /// # }
    /// ```
    ///
    /// From then on handlers see the new claims, and the client is closed when the new token ends. What it has joined before
    /// stays joined. The answer has no data.
    ///
    /// The old claims and their end stay where it fails: `BadRequest` for what is no token, `Unauthorized` for one that is not
    /// valid, and for a client that came without one; `Forbidden` for one of another subject.
    pub fn refresh(
        &self,
    ) -> impl Fn(Client, Json<RefreshRequest>) -> BoxFuture<'static, Result<(), Denied>>
    + Clone
    + Send
    + Sync
    + 'static {
        let verifier = self.verifier();
        move |client: Client, Json(request): Json<RefreshRequest>| {
            let verifier = verifier.clone();
            Box::pin(async move {
                let held: Claims<T> = Claims::of(&client)
                    .ok_or_else(|| Denied::unauthorized("There is no token to refresh"))?;
                let claims: Claims<T> = verifier.verify(&request.0).await?;
                if claims.subject() != held.subject() {
                    return Err(Denied::forbidden("The token is for somebody else"));
                }
                claims.replace(&client);
                Ok(())
            })
        }
    }
}

impl<'de> Deserialize<'de> for RefreshRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Object { token: String },
        }
        let (Form::Text(token) | Form::Object { token }) = Form::deserialize(deserializer)?;
        Ok(Self(token))
    }
}

impl fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshRequest(…)")
    }
}
