//! Echo: every connection keeps `window` messages on their way; the result is CPU time a message.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::{
    Result,
    client::Target,
    connection::Connection,
    cost,
    script::{Reply, Script},
};

/// One part in this many is sent before the measurement starts.
const WARM_UP: u64 = 10;
/// How long replies may take after the last message was sent.
const GRACE: Duration = Duration::from_secs(10);

/// How much is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Echo {
    /// How many connections send at the same time.
    pub(crate) connections: usize,
    /// How many messages of a connection are under way at once.
    pub(crate) window: u64,
    /// Bytes of a message.
    pub(crate) size: usize,
    /// Messages in all.
    pub(crate) messages: u64,
    /// Sending ends after this time even if messages are left.
    pub(crate) limit: Duration,
}

/// What it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Replies that were received and checked.
    pub(crate) messages: u64,
    /// CPU time of the server meanwhile.
    pub(crate) cpu: Duration,
    /// Time that passed meanwhile.
    pub(crate) elapsed: Duration,
}

impl Outcome {
    /// Microseconds of server CPU a message.
    pub(crate) fn micros_per_message(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.messages as f64
    }
}

/// Runs `load` on the server `pid` at `target`.
pub(crate) async fn run(load: Echo, target: &Target, reply: Reply, pid: u32) -> Result<Outcome> {
    cost::require_files(load.connections)?;
    let mut speakers = Vec::with_capacity(load.connections);
    for connection in 0..load.connections {
        let client = Connection::open(target).await?;
        speakers.push(Speaker {
            client,
            script: Script::echo(reply, load.size, connection)?,
            sent: 0,
            received: 0,
        });
    }
    let share = (load.messages / load.connections as u64).max(load.window);
    let (speakers, _) = all(speakers, load, (share / WARM_UP).max(1)).await?;
    let (cpu, start) = (cost::cpu(pid)?, Instant::now());
    let (speakers, messages) = all(speakers, load, share).await?;
    let (elapsed, cpu) = (start.elapsed(), cost::cpu(pid)?.saturating_sub(cpu));
    tokio::time::timeout(GRACE, close(speakers)).await.map_err(|_| "the server does not close")??;
    Ok(Outcome { messages, cpu, elapsed })
}

/// Closing is not part of the measurement, but it shows that no reply was left over.
async fn close(speakers: Vec<Speaker>) -> Result {
    for speaker in speakers {
        speaker.client.close().await?;
    }
    Ok(())
}

/// Lets every speaker exchange up to `share` messages; returns them and the number of replies.
async fn all(speakers: Vec<Speaker>, load: Echo, share: u64) -> Result<(Vec<Speaker>, u64)> {
    let count = speakers.len();
    let deadline = Instant::now() + load.limit;
    let mut tasks = JoinSet::new();
    for mut speaker in speakers {
        tasks.spawn(async move {
            let replies = speaker.exchange(share, load.window, deadline).await?;
            Result::Ok((speaker, replies))
        });
    }
    let finish = async {
        let (mut speakers, mut messages) = (Vec::with_capacity(count), 0);
        while let Some(done) = tasks.join_next().await {
            let (speaker, replies) = done??;
            speakers.push(speaker);
            messages += replies;
        }
        Ok((speakers, messages))
    };
    tokio::time::timeout(load.limit + GRACE, finish).await.map_err(|_| "replies are missing")?
}

/// One connection and where it stands.
#[derive(Debug)]
struct Speaker {
    client: Connection,
    script: Script,
    sent: u64,
    received: u64,
}

impl Speaker {
    /// Sends `share` messages, or fewer when `deadline` comes first, and takes and counts every reply.
    async fn exchange(&mut self, share: u64, window: u64, deadline: Instant) -> Result<u64> {
        let before = self.received;
        let end = self.sent + share;
        self.send(window.min(share));
        self.client.flush().await?;
        while self.received < self.sent {
            let Self { client, script, received, .. } = self;
            let replies = client
                .receive(|text| {
                    script.check(*received, text)?;
                    *received += 1;
                    Ok(())
                })
                .await?;
            if Instant::now() < deadline {
                self.send((replies as u64).min(end - self.sent));
            }
            self.client.flush().await?;
        }
        Ok(self.received - before)
    }

    fn send(&mut self, messages: u64) {
        for _ in 0..messages {
            self.client.queue(self.script.request(self.sent));
            self.sent += 1;
        }
    }
}
