//! Sessions that outlive their carrier.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Request;
use narthex_core::{
    AttachError, BoundServer, Carried, Carrier, CarrierItem, Client, CloseReason, Connect, Error, ErrorKind,
    Frame, Gateway, Json, Limits, Options, ReceiveError, Result, Resumable, ResumeOptions, Server, Session,
    WebSocketAdapter,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::yield_now,
    time::Instant,
};

/// A door whose carriers and peers are the test itself.
struct Parked(Mutex<Option<mpsc::Receiver<Resumable>>>);

impl WebSocketAdapter for Parked {
    type Server = mpsc::Receiver<Resumable>;
    type Client = Resumable;

    async fn create(&self, _: &Options) -> Result<Self::Server> {
        let arrivals = self.0.lock().unwrap().take();
        arrivals.ok_or_else(|| Error::new(ErrorKind::Config, "opened twice"))
    }

    async fn bind_client_connect(
        &self,
        mut arrivals: Self::Server,
        connect: Connect<Resumable>,
    ) -> Result<()> {
        loop {
            tokio::select! {
                () = connect.draining() => return Ok(()),
                Some(resumable) = arrivals.recv() => {
                    let arriving = connect.clone();
                    connect.spawn(async move { drop(arriving.admit(Request::new(()), resumable).await) });
                }
            }
        }
    }

    async fn bind_message_handlers(&self, client: Resumable, session: Session) -> CloseReason {
        client.run(session).await
    }
}

struct House {
    bound: BoundServer,
    arrive: mpsc::Sender<Resumable>,
    left: mpsc::UnboundedReceiver<CloseReason>,
    limits: Limits,
}

async fn echo(Json(text): Json<String>) -> String {
    text
}

impl House {
    async fn open(limits: Limits) -> Self {
        let (arrive, arrivals) = mpsc::channel(8);
        let (leave, left) = mpsc::unbounded_channel();
        let gateway = Gateway::new().on("echo", echo).on("hang", std::future::pending::<()>).on_disconnect(
            move |reason: CloseReason| {
                let leave = leave.clone();
                async move { leave.send(reason).unwrap() }
            },
        );
        let server = Server::new(gateway).limits(limits.clone()).adapter(Parked(Mutex::new(Some(arrivals))));
        let bound = server.bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        Self { bound, arrive, left, limits }
    }

    fn options(&self) -> ResumeOptions {
        ResumeOptions::new(&self.limits)
    }

    /// A session that runs, and its first carrier.
    async fn join(&self, options: ResumeOptions) -> (Resumable, Carrier, Client) {
        let resumable = Resumable::new(options);
        let mut carrier = resumable.attach(0).unwrap();
        self.arrive.send(resumable.clone()).await.unwrap();
        let CarrierItem::Open { client, received: 0 } = next(&mut carrier).await else {
            panic!("it is not open")
        };
        let clients = self.bound.hub("/").unwrap().clients();
        let client = clients.into_iter().find(|other| other.id() == client).unwrap();
        (resumable, carrier, client)
    }
}

async fn next(carrier: &mut Carrier) -> CarrierItem {
    poll_fn(|cx| carrier.poll_next(cx)).await.expect("the carrier is at its end")
}

/// The number and the data of the next frame.
async fn frame(carrier: &mut Carrier) -> (u64, String) {
    match next(carrier).await {
        CarrierItem::Frame { number, frame: Carried::Frame(frame) } => {
            (number, frame.as_text().unwrap().to_owned())
        }
        other => panic!("{other:?} is no frame"),
    }
}

async fn numbers(carrier: &mut Carrier, many: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    for _ in 0..many {
        numbers.push(frame(carrier).await.0);
    }
    numbers
}

/// Lets the session's task do what it can.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

fn message(event: &str, data: &str) -> Frame {
    Frame::text(format!(r#"{{"event":"{event}","data":"{data}","id":1}}"#))
}

#[tokio::test(start_paused = true)]
async fn another_carrier_goes_on_where_the_peer_stopped_reading() {
    let house = House::open(Limits::default()).await;
    let (resumable, mut first, client) = house.join(house.options()).await;
    (1..=3).for_each(|n| client.emit("n", &n).unwrap());
    assert_eq!(numbers(&mut first, 3).await, [1, 2, 3]);
    drop(first);
    client.emit("n", &4).unwrap();
    let mut second = resumable.attach(2).unwrap();
    assert!(matches!(next(&mut second).await, CarrierItem::Open { client: id, .. } if id == client.id()));
    assert_eq!(frame(&mut second).await, (3, r#"{"event":"n","data":3}"#.to_owned()));
    assert_eq!(frame(&mut second).await, (4, r#"{"event":"n","data":4}"#.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_is_replaced_is_told_and_takes_nothing_more() {
    let house = House::open(Limits::default()).await;
    let (resumable, mut first, client) = house.join(house.options()).await;
    let told = tokio::spawn(async move { (next(&mut first).await, poll_fn(|cx| first.poll_next(cx)).await) });
    settle().await;
    let mut second = resumable.attach(0).unwrap();
    assert_eq!(told.await.unwrap(), (CarrierItem::Superseded, None));
    client.emit("n", &1).unwrap();
    assert!(matches!(next(&mut second).await, CarrierItem::Open { .. }));
    assert_eq!(frame(&mut second).await.0, 1);
    // The end of the first one, which is dropped by now, is not the second one's.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!resumable.is_ended());
}

#[tokio::test(start_paused = true)]
async fn a_number_that_was_never_sent_or_is_kept_no_more_is_refused_and_hurts_nobody() {
    let house = House::open(Limits::default()).await;
    let (resumable, mut carrier, client) = house.join(house.options().ring(2, 1024)).await;
    for n in 1..=4 {
        client.emit("n", &n).unwrap();
        frame(&mut carrier).await;
    }
    assert_eq!(resumable.attach(5).unwrap_err(), AttachError::Ahead);
    assert_eq!(resumable.attach(1).unwrap_err(), AttachError::Lost);
    client.emit("n", &5).unwrap();
    assert_eq!(frame(&mut carrier).await.0, 5);
    assert!(resumable.attach(3).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_client_is_gone_after_the_grace_time_and_not_before() {
    let mut house = House::open(Limits::default()).await;
    let (resumable, carrier, client) = house.join(house.options()).await;
    let start = Instant::now();
    drop(carrier);
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(!client.is_closed() && house.left.try_recv().is_err());
    // It came back in time, so its time begins anew.
    drop(resumable.attach(0).unwrap());
    assert_eq!(house.left.recv().await, Some(CloseReason::ClientGone));
    assert_eq!(start.elapsed().as_secs(), 59);
    assert_eq!(resumable.attach(0).unwrap_err(), AttachError::Ended);
    assert_eq!(resumable.receive(1, vec![message("echo", "a")]), Err(ReceiveError::Ended));
}

#[tokio::test(start_paused = true)]
async fn without_a_carrier_the_ring_fills_then_the_outbox_then_its_policy_acts() {
    let mut house = House::open(Limits::default().outbox(4, 1024)).await;
    let (resumable, carrier, client) = house.join(house.options().ring(2, 1024)).await;
    drop(carrier);
    for n in 1..=6 {
        client.emit("n", &n).unwrap();
        settle().await;
    }
    assert_eq!(client.outbox_depth().0, 4);
    assert!(client.emit("n", &7).is_err());
    assert_eq!(house.left.recv().await, Some(CloseReason::Overflow));
    assert_eq!(resumable.attach(0).unwrap_err(), AttachError::Ended);
}

#[tokio::test(start_paused = true)]
async fn what_waited_in_the_outbox_follows_what_was_in_the_ring() {
    let house = House::open(Limits::default().outbox(4, 1024)).await;
    let (resumable, carrier, client) = house.join(house.options().ring(2, 1024)).await;
    drop(carrier);
    for n in 1..=6 {
        client.emit("n", &n).unwrap();
        settle().await;
    }
    // What waits is at rest: a paused clock goes on when nobody has anything to do.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut second = resumable.attach(0).unwrap();
    next(&mut second).await;
    assert_eq!(numbers(&mut second, 6).await, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_frame_makes_room_for_another() {
    let house = House::open(Limits::default().outbox(4, 1024)).await;
    let (resumable, mut carrier, client) = house.join(house.options().ring(2, 1024)).await;
    (1..=2).for_each(|n| client.emit("n", &n).unwrap());
    numbers(&mut carrier, 2).await;
    drop(carrier);
    settle().await;
    client.emit("n", &3).unwrap();
    settle().await;
    assert_eq!(client.outbox_depth().0, 1);
    resumable.confirm(2);
    settle().await;
    assert_eq!(client.outbox_depth().0, 0);
}

#[tokio::test(start_paused = true)]
async fn messages_are_handled_in_order_once_and_answered_on_the_carrier() {
    let house = House::open(Limits::default()).await;
    let (resumable, mut carrier, _) = house.join(house.options()).await;
    let batch = || vec![message("echo", "a"), message("echo", "b")];
    assert_eq!(resumable.receive(1, batch()), Ok(2));
    assert_eq!(resumable.receive(1, batch()), Ok(2));
    assert_eq!(resumable.receive(4, batch()), Err(ReceiveError::Gap { expect: 3 }));
    assert_eq!(resumable.receive(3, vec![message("echo", "c")]), Ok(3));
    for (number, text) in [(1, "a"), (2, "b"), (3, "c")] {
        assert_eq!(frame(&mut carrier).await, (number, format!(r#"{{"ack":1,"data":"{text}"}}"#)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_handled_is_bounded_and_room_is_told() {
    let house = House::open(Limits::default().held(2, 1024)).await;
    let (resumable, carrier, client) = house.join(house.options().inbound(2, 1024)).await;
    assert_eq!(resumable.receive(1, vec![message("hang", "")]), Ok(1));
    settle().await;
    // Two are held, and two wait for that.
    for n in 2..=5 {
        assert_eq!(resumable.receive(n, vec![message("echo", "a")]), Ok(n));
        settle().await;
    }
    assert_eq!(resumable.receive(6, vec![message("echo", "a")]), Err(ReceiveError::Full));
    let waiting = tokio::spawn({
        let resumable = resumable.clone();
        async move { resumable.has_room().await }
    });
    settle().await;
    assert!(!waiting.is_finished());
    client.disconnect(4000, "enough");
    drop(carrier);
    waiting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_comes_after_what_was_sent_before_it() {
    let mut house = House::open(Limits::default()).await;
    let (resumable, mut carrier, _) = house.join(house.options()).await;
    resumable.receive(1, vec![message("echo", "last words")]).unwrap();
    let goodbye = CloseReason::ClientClosed { code: 1000, text: String::new() };
    resumable.leave(goodbye.clone());
    assert_eq!(resumable.receive(2, vec![message("echo", "more")]), Err(ReceiveError::Ended));
    assert_eq!(frame(&mut carrier).await.1, r#"{"ack":1,"data":"last words"}"#);
    assert_eq!(next(&mut carrier).await, CarrierItem::Ended(goodbye.clone()));
    assert_eq!(house.left.recv().await, Some(goodbye));
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_takes_nothing_holds_up_the_end_for_a_bounded_time() {
    let mut house = House::open(Limits::default()).await;
    let (_, mut carrier, client) = house.join(house.options().farewell(Duration::from_secs(3))).await;
    let start = Instant::now();
    client.emit("n", &1).unwrap();
    client.disconnect(4000, "enough");
    let reason = CloseReason::disconnected(4000, "enough");
    assert_eq!(house.left.recv().await, Some(reason.clone()));
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(frame(&mut carrier).await.0, 1);
    assert_eq!(next(&mut carrier).await, CarrierItem::Ended(reason));
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_takes_nothing_is_cut_off_and_one_that_takes_some_is_not() {
    let mut house = House::open(Limits::default()).await;
    let options = house.options().stall(Duration::from_secs(10)).grace(Duration::from_secs(5));
    let (resumable, mut carrier, client) = house.join(options).await;
    // Nothing waits for it.
    tokio::time::sleep(Duration::from_secs(60)).await;
    (0..4).for_each(|n| client.emit("n", &n).unwrap());
    for number in 1..=3 {
        tokio::time::sleep(Duration::from_secs(9)).await;
        assert_eq!(frame(&mut carrier).await.0, number);
    }
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(next(&mut carrier).await, CarrierItem::Stalled);
    let mut second = resumable.attach(3).unwrap();
    next(&mut second).await;
    assert_eq!(frame(&mut second).await.0, 4);
    client.emit("n", &4).unwrap();
    let again = Instant::now();
    assert_eq!(house.left.recv().await, Some(CloseReason::ClientGone));
    assert_eq!((again.elapsed().as_secs(), start.elapsed().as_secs()), (15, 26));
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_no_carrier_that_may_come_back() {
    let house = House::open(Limits::default().outbox(4, 1024)).await;
    let (_resumable, carrier, client) = house.join(house.options().ring(1, 1024)).await;
    drop(carrier);
    for n in 0..3 {
        client.emit("n", &n).unwrap();
        settle().await;
    }
    let start = Instant::now();
    house.bound.drain().await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_sessions_may_wait_for_a_carrier() {
    let mut house = House::open(Limits::default()).await;
    let permits = Arc::new(Semaphore::new(1));
    let (first, one, _) = house.join(house.options().detached(Arc::clone(&permits))).await;
    let (second, two, _) = house.join(house.options().detached(Arc::clone(&permits))).await;
    drop(one);
    settle().await;
    drop(two);
    assert_eq!(house.left.recv().await, Some(CloseReason::ClientGone));
    assert_eq!((first.is_ended(), second.is_ended()), (false, true));
    let back = first.attach(0).unwrap();
    settle().await;
    assert_eq!(permits.available_permits(), 1);
    drop(back);
}

#[tokio::test(start_paused = true)]
async fn the_carrier_of_a_session_that_never_ran_is_told() {
    let house = House::open(Limits::default()).await;
    let resumable = Resumable::new(house.options());
    let mut carrier = resumable.attach(0).unwrap();
    let reason = CloseReason::Failed("nobody came".to_owned());
    resumable.abandon(reason.clone());
    assert_eq!(next(&mut carrier).await, CarrierItem::Ended(reason));
}
