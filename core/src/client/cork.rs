//! Gathers what one turn of a thread sends, so that each client gets all of it in one write.

use std::{
    cell::{Cell, RefCell},
    sync::atomic::{AtomicU64, Ordering},
};

use super::Client;

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
/// outbox, and what asks for an answer, leaves at once. `act` should neither block nor take long: the clients wait for its end.
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
        let outermost = SCOPE.get() == 0;
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
        for (written, client) in clients.drain(..).enumerate() {
            client.0.outbox.flush(written < WRITES);
        }
        if clients.capacity() <= KEPT {
            CLIENTS.set(clients);
        }
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
    use super::*;

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
}
