//! All times of one connection on one timer, which is only armed anew when it fires or must fire earlier.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

use crate::settings::Settings;

/// Further away than any connection lives, for times that are switched off with a huge duration.
const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The client was silent: ask it.
    Ping,
    /// It was asked and stayed silent.
    PingTimeout,
    /// The socket took no byte for too long.
    WriteTimeout,
    /// A message began and does not end.
    UnfinishedTimeout,
}

/// When the connection last did what.
#[derive(Debug)]
pub(super) struct Clock {
    sleep: Pin<Box<Sleep>>,
    /// Whom the timer wakes.
    armed: Option<Waker>,
    /// Bytes came in.
    heard: Instant,
    /// A ping left, and nothing came in since.
    pinged: Option<Instant>,
    /// Bytes wait for the socket, which last took one then.
    blocked: Option<Instant>,
    /// A message began then and has not ended.
    unfinished: Option<Instant>,
    /// Tells one unfinished message from the next.
    progress: u32,
}

impl Clock {
    pub(super) fn new(settings: &Settings) -> Self {
        let heard = Instant::now();
        let sleep = Box::pin(sleep_until(after(heard, settings.ping_interval)));
        Self { sleep, armed: None, heard, pinged: None, blocked: None, unfinished: None, progress: 0 }
    }

    /// Bytes came in: the client is alive.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
        self.pinged = None;
    }

    /// The connection does not read for now, so the client's silence says nothing.
    pub(super) fn deaf(&mut self) {
        self.heard();
        self.unfinished = None;
    }

    /// A write is over: `took` says whether bytes left, `waits` whether bytes are left.
    pub(super) fn wrote(&mut self, took: bool, waits: bool) {
        if !waits {
            self.blocked = None;
        } else if took || self.blocked.is_none() {
            self.blocked = Some(Instant::now());
        }
    }

    /// Whether a message is unfinished after all that was heard, and how many had ended before it.
    pub(super) fn unfinished(&mut self, unfinished: bool, progress: u32) {
        if !unfinished {
            self.unfinished = None;
        } else if self.unfinished.is_none() || self.progress != progress {
            self.unfinished = Some(Instant::now());
            self.progress = progress;
        }
    }

    /// What is due now; without anything due, the task is woken when that may change.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, settings: &Settings) -> Poll<Due> {
        let deadline = self.deadline(settings);
        if deadline < self.sleep.deadline() {
            self.sleep.as_mut().reset(deadline);
        } else if !self.sleep.is_elapsed() && self.armed.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            // The timer wakes this task already: nothing to do, as almost always.
            return Poll::Pending;
        }
        self.armed = Some(cx.waker().clone());
        // Without a budget: a handler may have used up the task's, and a timer that refuses to be polled is not armed.
        while pin!(unconstrained(self.sleep.as_mut())).poll(cx).is_ready() {
            if let Some(due) = self.due(Instant::now(), settings) {
                return Poll::Ready(due);
            }
            let deadline = self.deadline(settings);
            self.sleep.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    fn due(&mut self, now: Instant, settings: &Settings) -> Option<Due> {
        let is_over = |start: Option<Instant>, limit| start.is_some_and(|start| after(start, limit) <= now);
        if is_over(self.blocked, settings.write_deadline) {
            return Some(Due::WriteTimeout);
        }
        if is_over(self.unfinished, settings.unfinished_timeout) {
            return Some(Due::UnfinishedTimeout);
        }
        // A ping would only queue behind what is blocked, and the write deadline watches that.
        if self.blocked.is_some() {
            return None;
        }
        if is_over(self.pinged, settings.ping_timeout) {
            return Some(Due::PingTimeout);
        }
        if self.pinged.is_none() && after(self.heard, settings.ping_interval) <= now {
            self.pinged = Some(now);
            return Some(Due::Ping);
        }
        None
    }

    fn deadline(&self, settings: &Settings) -> Instant {
        let write_or_ping = match (self.blocked, self.pinged) {
            (Some(blocked), _) => after(blocked, settings.write_deadline),
            (None, Some(pinged)) => after(pinged, settings.ping_timeout),
            (None, None) => after(self.heard, settings.ping_interval),
        };
        match self.unfinished {
            Some(unfinished) => write_or_ping.min(after(unfinished, settings.unfinished_timeout)),
            None => write_or_ping,
        }
    }
}

fn after(start: Instant, duration: Duration) -> Instant {
    start + duration.min(NEVER)
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use tokio::task::coop;

    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Waits for what is due next and says after how many seconds it was.
    async fn next(clock: &mut Clock, settings: &Settings) -> (Due, u64) {
        let start = Instant::now();
        let due = poll_fn(|cx| clock.poll(cx, settings)).await;
        (due, start.elapsed().as_secs())
    }

    async fn pass(clock: &mut Clock, settings: &Settings, seconds: u64) {
        let quiet = tokio::time::timeout(secs(seconds), next(clock, settings)).await;
        assert!(quiet.is_err(), "{quiet:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_asked_once_and_then_ends() {
        let settings = Settings::default();
        let mut clock = Clock::new(&settings);
        assert_eq!(next(&mut clock, &settings).await, (Due::Ping, 25));
        assert_eq!(next(&mut clock, &settings).await, (Due::PingTimeout, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn any_traffic_is_an_answer() {
        let settings = Settings::default();
        let mut clock = Clock::new(&settings);
        pass(&mut clock, &settings, 20).await;
        clock.heard();
        assert_eq!(next(&mut clock, &settings).await, (Due::Ping, 25));
        pass(&mut clock, &settings, 9).await;
        clock.heard();
        assert_eq!(next(&mut clock, &settings).await, (Due::Ping, 25));
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_socket_has_its_own_deadline_and_is_not_pinged() {
        let settings = Settings { ping_interval: secs(1), ..Settings::default() };
        let mut clock = Clock::new(&settings);
        clock.wrote(false, true);
        pass(&mut clock, &settings, 4).await;
        clock.wrote(true, true);
        assert_eq!(next(&mut clock, &settings).await, (Due::WriteTimeout, 5));
        clock.wrote(true, false);
        assert_eq!(next(&mut clock, &settings).await, (Due::Ping, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn each_unfinished_message_has_its_own_time() {
        let settings = Settings { ping_interval: Duration::MAX, ..Settings::default() };
        let mut clock = Clock::new(&settings);
        clock.unfinished(true, 0);
        pass(&mut clock, &settings, 15).await;
        // One ended and another began, in one read.
        clock.heard();
        clock.unfinished(true, 1);
        pass(&mut clock, &settings, 15).await;
        // More bytes of the same message do not help.
        clock.heard();
        clock.unfinished(true, 1);
        assert_eq!(next(&mut clock, &settings).await, (Due::UnfinishedTimeout, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn while_nothing_is_read_silence_says_nothing() {
        let settings = Settings::default();
        let mut clock = Clock::new(&settings);
        clock.unfinished(true, 0);
        pass(&mut clock, &settings, 19).await;
        clock.deaf();
        pass(&mut clock, &settings, 24).await;
        clock.unfinished(true, 0);
        assert_eq!(next(&mut clock, &settings).await, (Due::Ping, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_had_used_up_its_turn_is_woken_all_the_same() {
        let settings = Settings::default();
        let mut clock = Clock::new(&settings);
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
        }
        assert!(poll_fn(|cx| Poll::Ready(clock.poll(cx, &settings))).await.is_pending());
        let pinged = tokio::time::timeout(secs(60), next(&mut clock, &settings)).await;
        assert_eq!(pinged, Ok((Due::Ping, 25)));
    }
}
