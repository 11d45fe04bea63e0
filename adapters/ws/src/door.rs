//! The way in: from an HTTP request on a mounted path to a client's task.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use narthex_core::{Admission, CloseReason, Connect};
use narthex_http::{HttpBody, Origins, Route, Upgrading, full, upgrade};
use tokio::sync::SetOnce;

use crate::{
    client::WsClient,
    codec::framing,
    handshake::{Opening, Protocols, last_answer},
    settings::Settings,
};

/// What all mounted paths of one [`Ws`](crate::Ws) share.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) protocols: Protocols,
    pub(crate) origins: Origins,
    pub(crate) settings: Arc<Settings>,
    /// Paths are mounted before the core announces itself; a request in between waits for it.
    pub(crate) connect: SetOnce<Connect<WsClient>>,
}

impl Door {
    /// Answers one request: with a 101, and a task for the client, or with a refusal.
    pub(crate) async fn enter(&self, route: &Route, mut request: Request<HttpBody>) -> Response<HttpBody> {
        let upgrading = upgrade(&mut request);
        let (parts, _) = request.into_parts();
        let opening = match Opening::check(&parts) {
            Ok(opening) => opening,
            Err(refusal) => return refusal.response().map(full),
        };
        if let Err(refused) = self.origins.for_request(&parts.extensions).check(&parts.headers) {
            return last_answer(refused.response());
        }
        let chosen = self.protocols.choose(&parts.headers);
        let request = match route.handshake(parts) {
            Ok(request) => request,
            Err(answer) => return last_answer(answer),
        };
        let connect = self.connect.wait().await;
        let admission = match connect.handshake(request).await {
            Ok(admission) => admission.envelope(chosen.envelope).framing(framing::frame),
            Err(refusal) => return last_answer(refusal.map(full)),
        };
        let response = opening.accept(admission.response_headers(), chosen.name);
        let life = begin(upgrading, admission, Arc::clone(&self.settings));
        connect.spawn(async move {
            if let Some(life) = life.await {
                life.await;
            }
        });
        response.map(|()| narthex_http::empty())
    }
}

type Life = BoxFuture<'static, CloseReason>;

/// Opens the client once its 101 has left. Boxed by itself: a client's task keeps nothing of its beginning.
fn begin(
    upgrading: Upgrading,
    admission: Admission<WsClient>,
    settings: Arc<Settings>,
) -> BoxFuture<'static, Option<Life>> {
    Box::pin(async move {
        match upgrading.await {
            Ok(io) => Some(admission.open(WsClient::new(io, settings))),
            Err(error) => {
                tracing::debug!(%error, "a client left before its handshake was answered");
                None
            }
        }
    })
}
