//! Gathers what one turn of a thread sends, so that each client gets all of it in one write.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::Client;
use crate::panic::discard;

/// Clients that one turn writes to by itself. It wakes the tasks of the others, which write in parallel then, so that
/// a turn stays short however large a room is.
const WRITES: usize = 1024;
/// Room for so many clients is kept from turn to turn.
const KEPT: usize = 4096;

thread_local! {
    /// The outermost scope of this thread; zero is none.
    static SCOPE: Cell<u64> = const { Cell::new(0) };
    /// Somebody is remembered.
    static ANYBODY: Cell<bool> = const { Cell::new(false) };
    static CLIENTS: RefCell<Vec<Client>> = const { RefCell::new(Vec::new()) };
}

/// Runs `act`, and sends what it gave to clients when it is over: each of them gets it in one write.
///
/// For doors that batch: one turn of a connection, with all the messages that one read brought, is one such scope, so what
/// handlers send leaves when the turn ends. For tasks of a user's own that send several messages in a row; without a
/// scope each of them is a write of its own. A scope inside of a scope ends with the outer one. What fills half of an
/// outbox, and what asks for an answer, leaves at once. `act` MUST NOT wait for what a
/// client makes of something that was sent in the scope, since it has not left yet, nor take long.
///
/// ```
/// # fn tick(hub: &narthex_core::Hub) -> narthex_core::Result<()> {
/// narthex_core::cork(|| {
///     hub.to("game").emit("moved", &(3, 4))?;
///     hub.to("game").emit("score", &7)?;
///     Ok(())
/// })
/// # }
/// ```
pub fn cork<R>(act: impl FnOnce() -> R) -> R {
    let _scope = Scope::enter();
    act()
}

/// The scope that runs on this thread.
pub(super) fn current() -> Option<u64> {
    Some(SCOPE.get()).filter(|scope| *scope != 0)
}

/// Remembers a client for the end of the current scope.
pub(super) fn remember(client: &Client) {
    CLIENTS.with_borrow_mut(|clients| clients.push(client.clone()));
    ANYBODY.set(true);
}

struct Scope {
    outermost: bool,
}

impl Scope {
    fn enter() -> Self {
        // A thread that is ending remembers nobody any more: what it sends leaves at once.
        let outermost = SCOPE.get() == 0 && CLIENTS.try_with(|_| ()).is_ok();
        if outermost {
            SCOPE.set(next());
        }
        Self { outermost }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if !self.outermost {
            return;
        }
        SCOPE.set(0);
        if !ANYBODY.replace(false) {
            return;
        }
        let mut clients = CLIENTS.take();
        for (written, client) in clients.iter().enumerate() {
            client.0.outbox.flush(written < WRITES);
        }
        clients.drain(..).for_each(release);
        if clients.capacity() <= KEPT {
            CLIENTS.set(clients);
        }
    }
}

/// Drops a client. With the last handle of it goes what users have put on it: a panic of that ends here.
fn release(client: Client) {
    if let Some(last) = Arc::into_inner(client.0) {
        let hub = Arc::clone(&last.hub);
        discard(last, hub.counters());
    }
}

/// A number that no other scope has, on any thread.
fn next() -> u64 {
    const BLOCK: u64 = 1 << 32;
    static BLOCKS: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static LAST: Cell<u64> = const { Cell::new(0) };
    }
    let last = LAST.get();
    // A block of numbers for each thread: scopes are many, and threads share nothing.
    let next = if last.is_multiple_of(BLOCK) {
        BLOCKS.fetch_add(1, Ordering::Relaxed) * BLOCK + 1
    } else {
        last + 1
    };
    LAST.set(next);
    next
}

#[cfg(test)]
mod tests {
    use std::{panic::AssertUnwindSafe, sync::atomic::AtomicUsize};

    use bytes::Bytes;

    use super::*;
    use crate::{
        client::{DirectWrite, HandshakeInfo, Wire},
        message::{JsonEnvelope, Outlet},
        room::{Common, HubInner},
    };

    #[test]
    fn a_scope_inside_of_a_scope_is_the_same_and_the_next_is_another() {
        let twice = || cork(|| (current(), cork(current)));
        let (outer, inner) = twice();
        assert!(outer.is_some() && outer == inner);
        assert_ne!(twice().0, outer);
        assert_eq!(current(), None);
        let elsewhere = std::thread::spawn(move || cork(current)).join().unwrap();
        assert!(elsewhere.is_some() && elsewhere != outer);
    }

    #[test]
    fn a_panic_ends_its_scope() {
        let panicked = std::panic::catch_unwind(|| cork(|| panic!("in a scope")));
        assert!(panicked.is_err());
        assert_eq!(current(), None);
    }

    fn client() -> Client {
        let (parts, ()) = http::Request::new(()).into_parts();
        let handshake = HandshakeInfo::new(parts, "test", "/".into(), None);
        let wire = Wire::new(Arc::new(JsonEnvelope), None, true);
        let hub = HubInner::new("/".into(), Common::default(), None);
        Client::open(Arc::new(handshake), wire, Arc::new(hub), None)
    }

    /// A socket that is always free.
    #[derive(Default)]
    struct Socket(AtomicUsize);

    impl DirectWrite for Socket {
        fn write(&self, drain: &mut dyn FnMut(&mut dyn Outlet)) -> bool {
            drain(&mut Count(&self.0));
            true
        }
    }

    struct Count<'a>(&'a AtomicUsize);

    impl Outlet for Count<'_> {
        fn text(&mut self, _: &[u8]) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn binary(&mut self, _: &[u8]) {}
        fn framed(&mut self, _: &Bytes) {}
    }

    fn connected() -> (Client, Arc<Socket>) {
        let (client, socket) = (client(), Arc::<Socket>::default());
        client.inner().outbox.write_through(Arc::clone(&socket) as _);
        (client, socket)
    }

    /// Sends when its thread ends.
    struct LastWords(Client);

    impl Drop for LastWords {
        fn drop(&mut self) {
            cork(|| self.0.emit("bye", &()).unwrap());
        }
    }

    thread_local! {
        static LAST_WORDS: Cell<Option<LastWords>> = const { Cell::new(None) };
    }

    #[test]
    fn a_thread_that_ends_may_still_send() {
        let (client, socket) = connected();
        let sender = client.clone();
        let thread = std::thread::spawn(move || {
            LAST_WORDS.set(Some(LastWords(sender.clone())));
            // What the thread remembers goes before its last words.
            cork(|| sender.emit("hello", &()).unwrap());
        });
        thread.join().unwrap();
        assert_eq!(socket.0.load(Ordering::Relaxed), 2);
    }

    /// Data of a user that panics when its client is gone.
    #[derive(Clone)]
    struct Fragile(#[expect(dead_code, reason = "only its end matters")] Arc<Panics>);

    struct Panics;

    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("a destructor of a user's");
        }
    }

    #[test]
    fn a_client_whose_data_panics_when_it_goes_takes_nothing_from_the_others() {
        let (first, _) = connected();
        let (second, socket) = connected();
        first.set_data(Fragile(Arc::new(Panics)));
        let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            cork(|| {
                first.emit("hello", &()).unwrap();
                second.emit("hello", &()).unwrap();
                // The scope is the last that holds it.
                drop(first);
            });
        }));
        assert_eq!(socket.0.load(Ordering::Relaxed), 1);
        assert!(panicked.is_ok(), "it is nobody's business who sent to it");
    }
}
