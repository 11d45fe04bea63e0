use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use narthex_core::{Event, IntoReply, Reply};
use pin_project_lite::pin_project;
use tower::{Service, ServiceExt, util::Oneshot};

pin_project! {
    /// The future of [`HandleError`](super::HandleError).
    pub struct HandleErrorFuture<S: Service<Event>, F, Fut> {
        handle: F,
        #[pin]
        state: State<S, Fut>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S: Service<Event>, Fut> {
        Calling { #[pin] call: Oneshot<S, Event> },
        Handling { #[pin] reply: Fut },
    }
}

impl<S: Service<Event>, F, Fut> HandleErrorFuture<S, F, Fut> {
    pub(super) fn new(service: S, event: Event, handle: F) -> Self {
        Self { handle, state: State::Calling { call: service.oneshot(event) } }
    }
}

impl<S, F, Fut, R> Future for HandleErrorFuture<S, F, Fut>
where
    S: Service<Event, Response = Reply>,
    F: Fn(S::Error) -> Fut,
    Fut: Future<Output = R>,
    R: IntoReply,
{
    type Output = Result<Reply, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let reply = match this.state.as_mut().project() {
                StateProj::Handling { reply } => return reply.poll(cx).map(|reply| Ok(reply.into_reply())),
                StateProj::Calling { call } => match ready!(call.poll(cx)) {
                    Ok(reply) => return Poll::Ready(Ok(reply)),
                    Err(error) => (this.handle)(error),
                },
            };
            this.state.set(State::Handling { reply });
        }
    }
}

impl<S: Service<Event>, F, Fut> fmt::Debug for HandleErrorFuture<S, F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandleErrorFuture")
    }
}
