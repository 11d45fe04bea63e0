//! Many threads that send to one client, in scopes and without: nothing is lost, nobody waits for ever, and what one
//! thread sends stays in order.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{Client, DirectWrite, HandshakeInfo, Wire, cork};
use crate::{
    limits::Limits,
    message::{JsonEnvelope, Outlet, Payload},
    room::{Common, HubInner},
};

/// What is lost shows at the end of a round, when nobody sends any more.
const ROUNDS: usize = 150;
const SENDERS: usize = 3;
const MESSAGES: usize = 20;
/// Nothing takes this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket that whoever comes first writes to.
#[derive(Default)]
struct Socket {
    got: Mutex<Vec<(usize, usize)>>,
    direct: AtomicUsize,
}

struct Writer<'a>(&'a mut Vec<(usize, usize)>);

impl Outlet for Writer<'_> {
    fn text(&mut self, payload: &[u8]) {
        let text = std::str::from_utf8(payload).unwrap();
        let data = text.strip_prefix(r#"{"event":"n","data":["#).unwrap().strip_suffix("]}").unwrap();
        let (sender, number) = data.split_once(',').unwrap();
        self.0.push((sender.parse().unwrap(), number.parse().unwrap()));
    }
    fn binary(&mut self, _: &[u8]) {}
    fn framed(&mut self, _: &Bytes) {}
}

impl DirectWrite for Socket {
    fn write(&self, drain: &mut dyn FnMut(&mut dyn Outlet)) -> bool {
        let Ok(mut got) = self.got.try_lock() else { return false };
        let before = got.len();
        drain(&mut Writer(&mut got));
        self.direct.fetch_add(got.len() - before, Ordering::Relaxed);
        true
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn client(limits: Limits) -> Client {
    let (parts, ()) = http::Request::new(()).into_parts();
    let handshake = HandshakeInfo::new(parts, "test", "/".into(), None);
    let wire = Wire::new(Arc::new(JsonEnvelope), None, true);
    let common = Common { limits: Arc::new(limits), ..Common::default() };
    Client::open(Arc::new(handshake), wire, Arc::new(HubInner::new("/".into(), common, None)), None)
}

/// The client's task, until everything has come: woken, it has the socket for a turn.
fn carry(client: &Client, socket: &Socket, slow: bool) {
    let outbox = &client.inner().outbox;
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        let mut got = socket.got.lock().unwrap();
        outbox.register(&waker);
        outbox.drain(&mut Writer(&mut got));
        let all = got.len() == SENDERS * MESSAGES;
        if slow {
            // The others find it taken.
            thread::yield_now();
        }
        drop(got);
        if all {
            return;
        }
        let parked = Instant::now();
        thread::park_timeout(PATIENCE);
        assert!(parked.elapsed() < PATIENCE, "nobody woke the task");
    }
}

/// Scopes of one message, of some, and none at all.
fn send(client: &Client, sender: usize) {
    let emit = |n: usize| client.emit_payload("n", &Payload::json(&[sender, n]).unwrap()).unwrap();
    let mut n = 0;
    while n < MESSAGES {
        let some = (n * 7 + sender) % 5;
        match some {
            0 => emit(n),
            _ => cork(|| (n..(n + some).min(MESSAGES)).for_each(emit)),
        }
        n += some.max(1);
    }
}

/// How many messages the senders have written by themselves.
fn round(slow: bool) -> usize {
    let client = client(Limits::default());
    let socket = Arc::<Socket>::default();
    client.inner().outbox.write_through(Arc::clone(&socket) as _);
    thread::scope(|scope| {
        let task = scope.spawn(|| carry(&client, &socket, slow));
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let client = &client;
                scope.spawn(move || send(client, sender))
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        if socket.got.lock().unwrap().len() == SENDERS * MESSAGES {
            // What the senders wrote last is nothing that the task is woken for.
            task.thread().unpark();
        }
    });
    let got = socket.got.lock().unwrap();
    for sender in 0..SENDERS {
        let numbers = got.iter().filter(|(from, _)| *from == sender).map(|(_, n)| *n);
        assert!(numbers.eq(0..MESSAGES), "{sender}: {got:?}");
    }
    socket.direct.load(Ordering::Relaxed)
}

#[test]
fn a_crowd_of_threads_loses_nothing_and_keeps_the_order() {
    let direct: usize = (0..ROUNDS).map(|n| round(n % 2 == 0)).sum();
    assert!(direct > 0, "only the task wrote");
}
