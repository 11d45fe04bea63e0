//! One suite for all doors.

use narthex_conformance::{MemoryDoor, Report, Verdict, run};

#[cfg(feature = "socketio")]
use crate::doors::SocketIoDoor;
#[cfg(feature = "sse-fallback")]
use crate::doors::SseDoor;
use crate::doors::{LinesDoor, LossyDoor, WsDoor};

fn check(report: &Report, skipped: usize) {
    report.assert();
    assert_eq!(report.skipped(), skipped, "{report}");
    assert!(report.passed() > 60, "{report}");
}

#[tokio::test(start_paused = true)]
async fn the_memory_door_keeps_the_contract() {
    check(&run(&MemoryDoor).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_door_keeps_the_contract_on_many_threads() {
    check(&run(&MemoryDoor).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_websocket_door_keeps_the_contract() {
    check(&run(&WsDoor).await, 0);
}

#[cfg(feature = "socketio")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket_io_door_keeps_the_contract() {
    check(&run(&SocketIoDoor).await, 8);
}

#[cfg(feature = "sse-fallback")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sse_door_keeps_the_contract() {
    check(&run(&SseDoor).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_of_a_door_of_ones_own_keeps_the_contract() {
    check(&run(&LinesDoor).await, 7);
}

#[tokio::test(start_paused = true)]
async fn a_door_that_loses_frames_is_found_out() {
    let report = run(&LossyDoor).await;
    let failed: Vec<_> =
        report.verdicts().filter(|(_, v)| matches!(v, Verdict::Failed(_))).map(|(name, _)| name).collect();
    assert!(failed.len() > 10, "{report}");
    let order = "five hundred pipelined messages are handled and answered in order, whether ready or pending";
    assert!(failed.contains(&order), "{report}");
}
