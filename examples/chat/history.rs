//! The history of rooms: one thread owns the store, and handlers ask it through a bounded queue.

use std::io;
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use crate::messages::ChatMessage;
use crate::store::{Store, StoreError};

/// How many requests wait for the store before handlers wait too; also how many it takes in one go.
const QUEUE: usize = 64;

enum Request {
    Append { message: ChatMessage, answer: oneshot::Sender<Result<bool, StoreError>> },
    Recent { room: String, limit: usize, answer: oneshot::Sender<Result<Vec<ChatMessage>, StoreError>> },
    Close,
}

/// What handlers use; clones share the one store.
#[derive(Clone, Debug)]
pub(crate) struct History {
    requests: mpsc::Sender<Request>,
}

impl History {
    /// Keeps a message, which is on the disk when this returns true; false when there are too many rooms.
    pub(crate) async fn append(&self, message: ChatMessage) -> Result<bool, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.request(Request::Append { message, answer }, answered).await
    }

    /// The last messages of a room, newest first.
    pub(crate) async fn recent(&self, room: &str, limit: usize) -> Result<Vec<ChatMessage>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.request(Request::Recent { room: room.to_owned(), limit, answer }, answered).await
    }

    async fn request<T>(
        &self,
        request: Request,
        answered: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.requests.send(request).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// The thread that owns the store.
#[derive(Debug)]
pub(crate) struct Keeper {
    requests: mpsc::Sender<Request>,
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start(store: impl Store) -> io::Result<(Self, History)> {
        let (requests, queue) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new().name("history".to_owned()).spawn(move || run(store, queue))?;
        Ok((Self { requests: requests.clone(), thread }, History { requests }))
    }

    /// Finishes what is queued and waits for the thread.
    pub(crate) async fn close(self) -> io::Result<()> {
        // A closed queue means that the thread has ended already: joining it tells why.
        let _asked = self.requests.send(Request::Close).await;
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await?;
        joined.map_err(|_| io::Error::other("the store's thread panicked"))
    }
}

fn run(mut store: impl Store, mut queue: mpsc::Receiver<Request>) {
    let mut batch = Vec::with_capacity(QUEUE);
    let mut open = true;
    while open && queue.blocking_recv_many(&mut batch, QUEUE) > 0 {
        open = work(&mut store, batch.drain(..));
    }
}

/// Appends first, all in one go: none of the batch was answered yet, so nobody can tell the order.
/// False when the store is to be closed.
fn work(store: &mut impl Store, batch: impl Iterator<Item = Request>) -> bool {
    let (mut messages, mut answers, mut reads, mut open) = (Vec::new(), Vec::new(), Vec::new(), true);
    for request in batch {
        match request {
            Request::Append { message, answer } => {
                messages.push(message);
                answers.push(answer);
            }
            Request::Recent { room, limit, answer } => reads.push((room, limit, answer)),
            Request::Close => open = false,
        }
    }
    if !messages.is_empty() {
        let kept = store.append(&messages);
        // Who asked may be gone: then the answer is for nobody.
        for (n, answer) in answers.into_iter().enumerate() {
            let _gone = answer.send(kept.as_ref().map(|kept| kept[n]).map_err(StoreError::clone));
        }
    }
    for (room, limit, answer) in reads {
        let _gone = answer.send(store.recent(&room, limit));
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::Sender;
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn what_was_appended_is_recent_and_closing_ends_the_thread() {
        let (keeper, history) = Keeper::start(MemoryStore::default()).unwrap();
        let ada = Sender { id: "1".to_owned(), name: "Ada".to_owned() };
        for content in ["first", "second"] {
            let message = ChatMessage::new(Some("hall".to_owned()), ada.clone(), content.to_owned());
            assert!(history.append(message).await.unwrap());
        }
        let recent = history.recent("hall", 50).await.unwrap();
        assert_eq!(recent.iter().map(|m| m.content.as_str()).collect::<Vec<_>>(), ["second", "first"]);
        keeper.close().await.unwrap();
        assert!(matches!(history.recent("hall", 50).await, Err(StoreError::Closed)));
    }
}
