//! The behaviour suite that every adapter passes: the sentences of [`WebSocketAdapter`] and the promises that hold
//! behind every door, as cases that a peer on the other side of the door can see.
//!
//! An adapter's author writes a [`Door`] (how to make the adapter) with a [`Dial`] and a [`Peer`] (how to reach it),
//! and calls [`run`] once:
//!
//! ```
//! use narthex_conformance::{MemoryDoor, run};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(async {
//! run(&MemoryDoor).await.assert();
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A case that needs what the door cannot do is skipped and reported as such. Cases never sleep; those that wait for
//! a bound of the door take as long as the bound, so a door without a network is best run under a paused clock.
//!
//! Two sentences of the contract are habits that no peer can see, and the suite does not check them: that nothing is
//! spawned elsewhere (the second half of 6), and that reads and writes are batched (12).
//!
//! [`WebSocketAdapter`]: narthex_core::WebSocketAdapter

mod cases;
mod door;
mod kit;
mod memory;
mod report;

pub use self::{
    cases::{Case, cases},
    door::{Arrive, Boxed, Dial, Door, Gone, Need, Peer, Refused, Shows},
    kit::Fail,
    memory::MemoryDoor,
    report::{Report, Verdict, run, run_case},
};
