use http::HeaderMap;

use super::TraceParent;

const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn read(parents: &[&str], states: &[&str]) -> Option<TraceParent> {
    let mut headers = HeaderMap::new();
    for (name, values) in [("traceparent", parents), ("tracestate", states)] {
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
    }
    TraceParent::from_headers(&headers)
}

fn state(states: &[&str]) -> Option<String> {
    read(&[VALID], states).unwrap().state().map(str::to_owned)
}

#[test]
fn a_valid_traceparent_is_read_and_written_as_it_was() {
    let parent = read(&[VALID], &[]).unwrap();
    assert_eq!(parent.trace_id(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_eq!(parent.parent_id(), 0x00f0_67aa_0ba9_02b7);
    assert_eq!((parent.flags(), parent.is_sampled()), (1, true));
    assert_eq!(parent.to_string(), VALID);
}

#[test]
fn a_traceparent_that_is_not_exactly_so_is_none() {
    for wrong in [
        "",
        "00",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    ] {
        assert_eq!(read(&[wrong], &[]), None, "{wrong}");
    }
    assert_eq!(read(&[VALID, VALID], &[]), None);
    assert_eq!(read(&[], &["a=1"]), None);
}

#[test]
fn a_tracestate_is_kept_where_it_is_valid() {
    assert_eq!(state(&["congo=t61rcWkgMzE,rojo=00f067aa"]).unwrap(), "congo=t61rcWkgMzE,rojo=00f067aa");
    assert_eq!(state(&["a=1", "1t@b=2 , c=3"]).unwrap(), "a=1,1t@b=2 , c=3");
    let long = format!("a={}", "x".repeat(256));
    assert_eq!(state(&[&long]), Some(long));
    for wrong in ["", ",", "a", "A=1", "1=1", "a=", "a=1=2", "a@1b=2", "a=1,b", "a=\u{e9}"] {
        assert_eq!(state(&[wrong]), None, "{wrong:?}");
    }
    let many = (0..33).map(|n| format!("a{n}=1")).collect::<Vec<_>>().join(",");
    assert_eq!(state(&[&many]), None);
    let big = ["a", "b"].map(|key| format!("{key}={}", "x".repeat(255))).join(",");
    assert_eq!(big.len(), 515);
    assert_eq!(state(&[&big]), None);
}
