//! The end of a client, and what a user's code can do to it.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::Stream;
use narthex_core::{Client, Denied, Emit, Gateway, Hub, Json, State, Streamed, TestServer};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use super::served;

/// A stream that never has anything, and does not want to go.
struct Stubborn;

impl Stream for Stubborn {
    type Item = Emit;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Emit>> {
        Poll::Pending
    }
}

impl Drop for Stubborn {
    fn drop(&mut self) {
        panic!("a destructor panics");
    }
}

#[tokio::test(start_paused = true)]
async fn on_disconnect_runs_although_the_destructors_of_streams_panic() {
    let (left, mut seen) = mpsc::unbounded_channel();
    let gateway = Gateway::new().on("begin", async || Streamed::new(Stubborn)).on_disconnect(move || {
        let left = left.clone();
        async move {
            let _ = left.send(());
        }
    });
    let mut served = served(gateway).await;
    for _ in 0..2 {
        served.client.emit("begin", &Value::Null).await.unwrap();
    }
    served.client.emit("nope", &Value::Null).await.unwrap();
    served.client.expect("exception").await.unwrap();
    served.client.close(1000, "");
    seen.recv().await.unwrap();
    assert_eq!(served.server.stats().panics, 2);
    served.server.drain().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_pipelined_behind_a_kick_is_not_handled() {
    let count = Arc::new(AtomicUsize::new(0));
    async fn guess(client: Client, State(count): State<Arc<AtomicUsize>>) {
        if count.fetch_add(1, Ordering::Relaxed) == 2 {
            client.disconnect(1008, "too many guesses");
        }
        // The guesses behind this one are held meanwhile.
        tokio::task::yield_now().await;
    }
    let mut served = served(Gateway::new().on("guess", guess).state(Arc::clone(&count))).await;
    for _ in 0..32 {
        let sent = served.client.emit("guess", &Value::Null).await;
        if sent.is_err() {
            break;
        }
    }
    served.client.closed().await;
    served.server.drain().await.unwrap();
    assert_eq!(count.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_reaches_a_client_that_on_connect_has_not_let_in() {
    let gate = Arc::new(Semaphore::new(0));
    async fn check(client: Client, State(gate): State<Arc<Semaphore>>) -> Result<(), Denied> {
        if client.handshake().query().is_empty() {
            return Ok(());
        }
        client.join("staff")?;
        client.set_user("eve");
        drop(gate.acquire().await);
        Err(Denied::forbidden("Not staff"))
    }
    async fn shout(hub: Hub) -> Json<Vec<usize>> {
        let rooms = hub.to("staff").to("ops").emit("secret", &1).unwrap_or_default();
        let user = hub.user("eve").emit("secret", &1).unwrap_or_default();
        let listed = hub.to("staff").clients().len();
        Json(vec![rooms, user, listed])
    }
    let gateway = Gateway::new().on_connect(check).on("shout", shout).state(Arc::clone(&gate));
    let server = TestServer::new(gateway).await.unwrap();
    let mut inside = server.connect().await.unwrap();
    assert_eq!(inside.ask::<Value>("shout", &0).await.unwrap(), json!([0, 0, 0]));
    let looking = async {
        while server.hub("/").unwrap().rooms().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(inside.ask::<Value>("shout", &0).await.unwrap(), json!([0, 0, 0]));
        gate.add_permits(1);
    };
    let (outside, ()) = tokio::join!(server.connect_to("/?staff"), looking);
    drop(outside);
    server.drain().await.unwrap();
}
