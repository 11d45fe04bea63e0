//! What no client should send.

use std::{
    panic,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use narthex_core::{Gateway, Limits, Payload};
use narthex_socketio::SocketIo;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    house::{House, left, until},
    peer::{Peer, Poller},
};

async fn size(payload: Payload) -> usize {
    payload.len()
}

/// Packets that are none, or that come at the wrong time.
fn packets() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        "0",
        "1",
        "3",
        "5",
        "6",
        "7",
        "x",
        "b",
        "bAAAA",
        "b!",
        "2probe",
        "3probe",
        "4",
        "4\0",
        "40",
        "40nope",
        "40{",
        "40[1]",
        "40/",
        "40/,",
        "40/more",
        "40/more,nope",
        "40/more,{\"a\":",
        "40//",
        "41/nobody,",
        "42",
        "42{}",
        "42[",
        "42[]",
        "42[5]",
        "42[null]",
        "42[[]]",
        "42[\"\"]",
        "42[\"x\",nope]",
        "42[\"x\"",
        "42[\"x\"]]",
        "42\"x\"",
        "42-1[\"x\"]",
        "42x[\"x\"]",
        "42abc[\"x\"]",
        "42/nobody,[\"x\"]",
        "42/[\"x\"]",
        "42/,[\"x\"]",
        "4218446744073709551616[\"x\"]",
        "4299999999999999999999999999999[\"x\"]",
        "43",
        "43[]",
        "43x[]",
        "431",
        "431nope",
        "430[]",
        "43999[]",
        "439999999999999999999[]",
        "44",
        "44{}",
        "44{\"message\":\"no\"}",
        "45",
        "45-",
        "451",
        "451-",
        "451-[\"x\"]",
        "450-[\"x\"]",
        "45-1-[\"x\"]",
        "45999999999999999999999-[\"x\"]",
        "4511-[\"x\"]",
        "4510000-[\"x\"]",
        "461-",
        "461-[]",
        "461-7[]",
        "46",
        "47",
        "48",
        "49",
        "4é",
        "42é",
        "42/é,[\"é\"]",
        "42/é",
        "45é",
        "451-é",
        "é",
        "42[\"connect\"]",
        "42[\"disconnect\"]",
        "42[\"__proto__\",{}]",
        "42[\"\\ud800\"]",
        "42[\"x\",{\"_placeholder\":true,\"num\":0}]",
        "42[\"x\",{\"_placeholder\":true,\"num\":-1}]",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!("42[\"size\",{}1{}]", "[".repeat(30_000), "]".repeat(30_000)));
    all.push(format!("42{}", "[".repeat(60_000)));
    all.push(format!("40{}1{}", "[".repeat(30_000), "]".repeat(30_000)));
    all.push(format!("42[\"{}\"]", "n".repeat(60_000)));
    all.push(format!("40/{}", "n".repeat(60_000)));
    all
}

/// Answers, or is at its end: nothing in between.
async fn answers_or_ends(mut peer: Peer, after: &str) {
    peer.send("42777[\"hello\"]").await;
    while let Some(packet) = peer.next().await {
        if packet == "43777[\"hello\"]" {
            return;
        }
        let known =
            ["40", "44", "42[\"exception\",", "3", "43", "6"].iter().any(|start| packet.starts_with(start));
        assert!(known, "{packet} after {after}");
        assert!(!packet.contains("serde") && !packet.contains("line 1"), "{packet} after {after}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_ends_at_most_its_own_connection_and_panics_nowhere() {
    let panics = Arc::new(AtomicUsize::new(0));
    let (counted, before) = (Arc::clone(&panics), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        counted.fetch_add(1, Ordering::AcqRel);
        before(info);
    }));
    let more = Gateway::new().namespace("/more");
    let gateways = vec![Gateway::new().on("size", size).on_disconnect(left), more];
    let house = House::open(SocketIo::new(), Limits::default(), gateways).await;
    let mut other = Peer::connect(house.addr, "").await;
    for packet in packets() {
        let mut peer = Peer::connect(house.addr, "").await;
        peer.send(&packet).await;
        answers_or_ends(peer, &packet).await;
        let mut early = Peer::open(house.addr).await;
        early.send(&packet).await;
        drop(early);
        let poller = Poller::connect(house.addr).await;
        let status = poller.post(&packet).await;
        assert!([200, 400, 413].contains(&status), "{status} to {packet}");
        poller.post("1").await;
    }
    other.send("421[\"hello\"]").await;
    other.expect("431[\"hello\"]").await;
    until(|| house.server.stats().clients == 1).await;
    assert_eq!(panics.load(Ordering::Acquire), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_attachments_end_at_most_their_own_connection() {
    let house = House::with(Gateway::new().on("size", size).on_disconnect(left)).await;
    let mut other = Peer::connect(house.addr, "").await;
    let text = |text: &str| Message::text(text);
    let bytes = |len: usize| Message::binary(vec![7; len]);
    let placeholder = |num: i64| format!("{{\"_placeholder\":true,\"num\":{num}}}");
    let many: String = (0..200).map(|_| placeholder(0) + ",").collect();
    let mut cases = vec![
        vec![bytes(3)],
        vec![bytes(0)],
        vec![text("451-[\"size\"]"), text("42[\"size\"]"), bytes(3)],
        vec![text("452-[\"size\",1]"), bytes(3)],
        vec![text("451-[\"size\",1]"), bytes(3), bytes(3)],
        vec![text(&format!("451-[\"size\",{}]", placeholder(5))), bytes(3)],
        vec![text(&format!("451-[\"size\",{}]", placeholder(-1))), bytes(3)],
        vec![text(&format!("451-[\"size\",{many}1]")), bytes(1024)],
        vec![text("451-[\"size\",{\"_placeholder\":true,\"num\":\"0\"}]"), bytes(3)],
        vec![text("451-[\"size\",{\"_placeholder\":true}]"), bytes(3)],
        vec![text("451-/nobody,[\"size\"]"), bytes(3)],
        vec![text("451-nope"), bytes(3)],
        vec![text("461-1[]"), bytes(3)],
        vec![Message::Frame(Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true))],
    ];
    // Ten of 6 KiB fit into a message of 64 KiB, ten of 7 KiB do not, and eleven are too many.
    for (count, len) in [(10, 6 * 1024), (10, 7 * 1024), (11, 1)] {
        let header = text(&format!("45{count}-[\"size\"]"));
        cases.push(std::iter::once(header).chain((0..count).map(|_| bytes(len))).collect());
    }
    for case in cases {
        let mut peer = Peer::connect(house.addr, "").await;
        let said = format!("{:?}", case.first());
        for message in case {
            peer.push(message).await;
        }
        answers_or_ends(peer, &said).await;
    }
    other.send("421[\"hello\"]").await;
    other.expect("431[\"hello\"]").await;
    until(|| house.server.stats().clients == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bounds_of_attachments_are_those_of_the_options() {
    let door = SocketIo::new().max_attachments(2).max_message(4096);
    let house = House::open(door, Limits::default(), vec![Gateway::new().on("size", size)]).await;
    let send = async |count: usize, len: usize| {
        let mut peer = Peer::connect(house.addr, "").await;
        let holes: Vec<_> =
            (0..count).map(|num| format!("{{\"_placeholder\":true,\"num\":{num}}}")).collect();
        peer.send(&format!("45{count}-1[\"size\",{}]", holes.join(","))).await;
        for _ in 0..count {
            peer.push(Message::binary(vec![0; len])).await;
        }
        peer.next().await
    };
    assert!(send(2, 1500).await.unwrap().starts_with("431["));
    assert_eq!(send(3, 1).await, None);
    assert_eq!(send(2, 3000).await, None);
    assert_eq!(send(1, 5000).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_ack_id_is_answered_and_larger_ones_hurt_nobody() {
    let house = House::with(Gateway::new()).await;
    let mut peer = Peer::connect(house.addr, "").await;
    for id in ["0", "9007199254740991", "9223372036854775807"] {
        peer.send(&format!("42{id}[\"hello\"]")).await;
        peer.expect(&format!("43{id}[\"hello\"]")).await;
    }
    // Answers to nothing.
    for id in ["0", "1", "9223372036854775807"] {
        peer.send(&format!("43{id}[1]")).await;
    }
    peer.send("421[\"hello\"]").await;
    peer.expect("431[\"hello\"]").await;
}
