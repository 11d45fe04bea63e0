//! Tests without a port and with a paused clock: `cargo test -p narthex-examples --features testing --example testing`.
use std::time::Duration;

use narthex::{Client, Gateway, Json, TestServer};

async fn later(Json(millis): Json<u64>) -> String {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    format!("after {millis} ms")
}

async fn join(client: Client, Json(room): Json<String>) -> narthex::Result<()> {
    client.join(&room)?;
    client.to(&room).emit("joined", &client.id())?;
    Ok(())
}

fn gateway() -> Gateway {
    Gateway::new().on("later", later).on("join", join)
}

#[tokio::main]
async fn main() -> narthex::Result<()> {
    let server = TestServer::new(gateway()).await?;
    let mut client = server.connect().await?;
    println!("{}", client.ask::<String>("later", &10).await?);
    server.drain().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_hour_takes_no_time_here() {
        let server = TestServer::new(gateway()).await.unwrap();
        let mut client = server.connect().await.unwrap();
        // The clock jumps whenever nothing else is left to do, so the ask's patience must be longer.
        assert_eq!(client.ask::<String>("later", &5_000).await.unwrap(), "after 5000 ms");
    }

    #[tokio::test]
    async fn those_in_the_room_learn_who_joins() {
        let server = TestServer::new(gateway()).await.unwrap();
        let (mut ann, mut bob) = (server.connect().await.unwrap(), server.connect().await.unwrap());
        ann.ask::<()>("join", "hall").await.unwrap();
        bob.ask::<()>("join", "hall").await.unwrap();
        assert!(ann.expect("joined").await.unwrap().is_string());
    }
}
