//! Authentication by a stock tower-http layer: `JWT_SECRET=s3cret cargo run --example jwt`, then connect with
//! `Authorization: Bearer <token>`, or with `?token=<token>` where a client cannot set headers.
use std::{future::Ready, future::ready, sync::Arc};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Empty;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use narthex::{Extension, Gateway, HandshakeBody, adapters};
use tower_http::auth::{AsyncAuthorizeRequest, AsyncRequireAuthorizationLayer};

/// Who the token is for.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Claims {
    pub sub: String,
}

/// Lets in who has a token signed with this secret (HS256), unexpired, with a subject.
#[derive(Clone)]
pub struct Jwt(Arc<(DecodingKey, Validation)>);

impl Jwt {
    pub fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "sub"]);
        validation.leeway = 30;
        Self(Arc::new((DecodingKey::from_secret(secret.as_bytes()), validation)))
    }

    fn verify(&self, request: &Request<Empty<Bytes>>) -> Option<Claims> {
        let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let query = request.uri().query().unwrap_or_default();
        let in_query = || query.split('&').find_map(|pair| pair.strip_prefix("token="));
        let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).or_else(in_query)?;
        jsonwebtoken::decode::<Claims>(token, &self.0.0, &self.0.1).ok().map(|data| data.claims)
    }
}

impl AsyncAuthorizeRequest<Empty<Bytes>> for Jwt {
    type RequestBody = Empty<Bytes>;
    type ResponseBody = HandshakeBody;
    type Future = Ready<Result<Request<Empty<Bytes>>, Response<HandshakeBody>>>;

    fn authorize(&mut self, mut request: Request<Empty<Bytes>>) -> Self::Future {
        let Some(claims) = self.verify(&request) else {
            let mut refusal = Response::new(HandshakeBody::from("Unauthorized"));
            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
            return ready(Err(refusal));
        };
        request.extensions_mut().insert(claims);
        ready(Ok(request))
    }
}

async fn whoami(Extension(claims): Extension<Claims>) -> String {
    claims.sub
}

#[tokio::main]
async fn main() -> narthex::Result<()> {
    let secret = std::env::var("JWT_SECRET").unwrap_or_else(|_| "secret".to_owned());
    let authorize = AsyncRequireAuthorizationLayer::new(Jwt::new(&secret));
    let gateway = Gateway::new().handshake_layer(authorize).on("whoami", whoami);
    narthex::serve(adapters::enabled()?, ([127, 0, 0, 1], 3000), gateway).await
}
