//! Who waits for a write, and what wakes it.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::{Connection, HIGH_WATER};
use crate::{protocol::Protocol, registry::Registry};

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn connection() -> Arc<Connection> {
    Registry::default().open(|secret| Connection::new(secret, Protocol::V4, Weak::new())).unwrap()
}

/// Whether a reader that waits for the peer to take what it is owed is woken by what follows.
fn wakes_reader(connection: &Connection, act: impl FnOnce()) -> bool {
    let woken = Arc::<Woken>::default();
    assert!(!connection.poll_may_read(&Waker::from(Arc::clone(&woken))));
    act();
    woken.0.load(Ordering::Relaxed) > 0
}

#[test]
fn a_reader_goes_on_when_the_peer_has_taken_enough() {
    let connection = connection();
    (0..3).for_each(|_| connection.count(HIGH_WATER / 2));
    assert!(!wakes_reader(&connection, || connection.wrote(1, HIGH_WATER / 2)));
    assert!(wakes_reader(&connection, || connection.wrote(1, 1)));
    assert!(connection.poll_may_read(Waker::noop()));
}

#[test]
fn a_reader_goes_on_when_nothing_waits_whatever_the_sizes_were_taken_for() {
    let connection = connection();
    connection.count(3 * HIGH_WATER);
    assert!(wakes_reader(&connection, || connection.wrote(1, 1)));
    assert_eq!(connection.backlog(), (0, 0));
}

#[test]
fn who_waits_for_the_last_write_waits_for_no_other() {
    let connection = connection();
    (0..2).for_each(|_| connection.count(10));
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    let mut flushed = std::pin::pin!(connection.flushed());
    assert_eq!(flushed.as_mut().poll(&mut cx), Poll::Pending);
    connection.wrote(1, 12);
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    connection.wrote(1, 7);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(flushed.as_mut().poll(&mut cx), Poll::Ready(()));
}
