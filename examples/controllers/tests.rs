//! What the start refuses, and what versions there are.

use narthex::Gateway;

use crate::controller::{Controller, check_orphans, mount};
use crate::versions::Versions;

async fn nothing() {}

fn versions(released: &[(&'static str, &'static str)]) -> Versions {
    Versions::new(released).unwrap()
}

fn refusal(served: Vec<Controller>, released: &[(&'static str, &'static str)]) -> String {
    mount(Gateway::new(), served, &versions(released)).unwrap_err().to_string()
}

#[test]
fn case_18_a_controller_that_was_forgotten_keeps_the_server_from_starting() {
    let declared =
        [Controller::new("Kept"), Controller::new("Lost"), Controller::new("Draft").allow_orphan()];
    let error = check_orphans(&declared, &[Controller::new("Kept")]).unwrap_err().to_string();
    let expected = "Error initializing websocket service.\nFound orphaned controllers:\n  - Lost\n\
                    Did you forget to add them to your websocketControllers array?";
    assert_eq!(error, expected);
    check_orphans(&declared, &[Controller::new("Kept"), Controller::new("Lost")]).unwrap();
}

#[test]
fn case_18_an_event_that_is_defined_twice_keeps_the_server_from_starting() {
    let one = || Controller::new("One").prefix("ws:").on("echo", nothing);
    let other = Controller::new("Other").on("ws:echo", nothing);
    let error = refusal(vec![one(), other], &[("1.0.0", "2025-01-01")]);
    assert_eq!(error, "The websocket event \"ws:echo\" has been defined more than once.");
}

#[test]
fn case_18_an_event_may_be_defined_once_for_each_version() {
    let of = |range| Controller::new("One").versioned("echo", range, nothing);
    let released = [("1.0.0", "2025-01-01"), ("2.0.0", "2025-06-01")];
    let apart = vec![of(&["^1"]), of(&["^latest"])];
    mount(Gateway::new(), apart, &versions(&released)).map(drop).unwrap();
    let error = refusal(vec![of(&["^1"]), of(&[">=1"])], &released);
    assert_eq!(error, "The websocket event \"echo\" has been defined more than once for version \"1.0.0\".");
    assert!(refusal(vec![of(&["one"])], &released).contains("versions that are none"));
}

#[test]
fn all_declared_controllers_are_served() {
    let released = [("1.0.0", "2025-01-15"), ("2.0.0", "2025-09-01")];
    for demo in [true, false] {
        let served = crate::controllers::served(demo);
        check_orphans(&crate::controllers::declared(), &served).unwrap();
        mount(Gateway::new(), served, &versions(&released)).map(drop).unwrap();
    }
}
