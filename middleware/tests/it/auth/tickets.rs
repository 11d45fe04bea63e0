//! One-time tickets.

use std::time::Duration;

use narthex_core::ErrorKind;
use narthex_middleware::auth::{MAX_TOKEN, Tickets};
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn a_ticket_is_good_once_and_for_30_seconds() {
    let tickets = Tickets::new();
    let (used, late) = (tickets.issue("a").unwrap(), tickets.issue("b").unwrap());
    advance(Duration::from_millis(29_999)).await;
    assert_eq!(tickets.redeem(&used).as_deref(), Some("a"));
    assert_eq!(tickets.redeem(&used), None);
    advance(Duration::from_millis(1)).await;
    assert_eq!(tickets.redeem(&late), None);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_with_another_secret_is_not_good_and_is_spent() {
    let tickets = Tickets::new();
    let ticket = tickets.issue("a").unwrap();
    let last = if ticket.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{last}", &ticket[..ticket.len() - 1]);
    assert_eq!(tickets.redeem(&forged), None);
    assert_eq!(tickets.redeem(&ticket), None);
    for text in ["", "A", "ä", &"A".repeat(32), &"A".repeat(33), &"=".repeat(32), &"A".repeat(100_000)] {
        assert_eq!(tickets.redeem(text), None);
    }
}

#[tokio::test(start_paused = true)]
async fn tickets_are_many_and_not_alike() {
    let tickets = Tickets::new();
    let issued: std::collections::HashSet<_> = (0..1000).map(|_| tickets.issue("a").unwrap()).collect();
    assert_eq!(issued.len(), 1000);
    let fits = |ticket: &String| {
        ticket.len() == 32 && ticket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    assert!(issued.iter().all(fits), "as they are in a URL");
}

#[tokio::test(start_paused = true)]
async fn with_too_many_open_none_is_issued_until_one_is_used_or_ends() {
    let tickets = Tickets::new().most(2).lifetime(Duration::from_secs(5));
    let first = tickets.issue("a").unwrap();
    tickets.issue("b").unwrap();
    assert_eq!(tickets.issue("c").unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(tickets.redeem(&first).as_deref(), Some("a"));
    let third = tickets.issue("c").unwrap();
    assert_eq!(tickets.issue("d").unwrap_err().kind(), ErrorKind::Limit);
    advance(Duration::from_secs(5)).await;
    assert!(tickets.issue("d").is_ok());
    assert_eq!(tickets.redeem(&third), None);
    assert!(format!("{tickets:?}").contains("open: 1"), "what has ended is swept: {tickets:?}");
}

#[test]
fn a_token_that_nobody_would_take_gets_no_ticket() {
    let refused = Tickets::new().issue("a".repeat(MAX_TOKEN + 1)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Limit);
}
