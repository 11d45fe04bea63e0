use http::HeaderValue;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn client(proxies: &TrustedProxies, peer: &str, headers: &[(&'static str, &str)]) -> String {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    proxies.client(ip(peer), &map).to_string()
}

fn ours() -> TrustedProxies {
    TrustedProxies::new(["10.0.0.0/8", "2001:db8::/32"]).unwrap()
}

const XFF: &str = "x-forwarded-for";

#[test]
fn a_prefix_has_the_addresses_that_begin_with_it() {
    let proxies = TrustedProxies::new(["10.1.0.0/16", "192.0.2.7", "2001:db8::/32"]).unwrap();
    for trusted in ["10.1.255.255", "192.0.2.7", "2001:db8:ffff::1", "::ffff:10.1.2.3"] {
        assert!(proxies.trusts(ip(trusted)), "{trusted}");
    }
    for foreign in ["10.2.0.0", "192.0.2.6", "2001:db9::", "::1", "::a01:203"] {
        assert!(!proxies.trusts(ip(foreign)), "{foreign}");
    }
    assert!(TrustedProxies::new(["::ffff:10.1.0.0/112"]).unwrap().trusts(ip("10.1.9.9")));
    let everybody = TrustedProxies::new(["0.0.0.0/0", "::/0"]).unwrap();
    assert!(everybody.trusts(ip("203.0.113.1")) && everybody.trusts(ip("::1")));
}

#[test]
fn what_is_no_prefix_is_refused() {
    for wrong in
        ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "proxy", "::ffff:0.0.0.0/95"]
    {
        let error = TrustedProxies::new([wrong]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{wrong}");
    }
}

#[test]
fn a_peer_that_nobody_trusts_speaks_for_itself_alone() {
    let said = [(XFF, "198.51.100.1"), ("forwarded", "for=198.51.100.1")];
    assert_eq!(client(&ours(), "203.0.113.9", &said), "203.0.113.9");
    assert_eq!(client(&TrustedProxies::default(), "10.0.0.1", &said), "10.0.0.1");
}

#[test]
fn the_last_hop_that_is_no_trusted_proxy_is_the_client() {
    // The first address is what the client has sent itself.
    let said = [(XFF, "198.51.100.1, 203.0.113.9, 10.0.0.2")];
    assert_eq!(client(&ours(), "10.0.0.1", &said), "203.0.113.9");
    let lines = [(XFF, "198.51.100.1"), (XFF, "203.0.113.9"), (XFF, "10.0.0.2")];
    assert_eq!(client(&ours(), "::ffff:10.0.0.1", &lines), "203.0.113.9");
    assert_eq!(client(&ours(), "10.0.0.1", &[(XFF, "10.0.0.3, 10.0.0.2")]), "10.0.0.3");
}

#[test]
fn addresses_come_with_ports_and_brackets() {
    for (said, found) in [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db9::1]:4711", "2001:db9::1"),
        ("2001:db9::1", "2001:db9::1"),
        (" ::ffff:203.0.113.9 ,", "203.0.113.9"),
    ] {
        assert_eq!(client(&ours(), "10.0.0.1", &[(XFF, said)]), found, "{said}");
    }
}

#[test]
fn beyond_what_cannot_be_read_nobody_is_believed() {
    for said in
        ["", "unknown", "198.51.100.1, unknown", "198.51.100.1, 1.2.3", "198.51.100.1, [::1", "\u{e4}"]
    {
        assert_eq!(client(&ours(), "10.0.0.1", &[(XFF, said)]), "10.0.0.1", "{said}");
    }
}

#[test]
fn the_header_that_the_proxies_do_not_write_is_the_clients_and_is_not_read() {
    let said = [(XFF, "203.0.113.9"), ("forwarded", "for=198.51.100.1")];
    assert_eq!(client(&ours(), "10.0.0.1", &said), "203.0.113.9");
    assert_eq!(client(&ours().forwarded(), "10.0.0.1", &said), "198.51.100.1");
}

#[test]
fn forwarded_is_read_as_rfc_7239_has_it() {
    for (said, found) in [
        ("for=203.0.113.9", "203.0.113.9"),
        ("For=\"203.0.113.9:80\";proto=http;by=10.0.0.1", "203.0.113.9"),
        ("for=198.51.100.1, proto=https ; for=203.0.113.9", "203.0.113.9"),
        ("for=198.51.100.1, for=\"[2001:db9::1]:_port\", for=10.0.0.2", "2001:db9::1"),
        ("for=203.0.113.9;host=\"a,for=198.51.100.1;b\"", "203.0.113.9"),
        ("for=203.0.113.9;host=\"a\\\",for=198.51.100.1\"", "203.0.113.9"),
        ("for=203.0.113.9,,", "203.0.113.9"),
        (";for=203.0.113.9; ;proto=http;", "203.0.113.9"),
    ] {
        assert_eq!(client(&ours().forwarded(), "10.0.0.1", &[("forwarded", said)]), found, "{said}");
    }
}

#[test]
fn a_forwarded_line_that_is_not_well_formed_is_not_believed_at_all() {
    for said in [
        "for=unknown",
        "for=_hidden, proto=http",
        "proto=http",
        "for=198.51.100.1;for=203.0.113.9",
        "for=\"198.51.100.1, for=203.0.113.9",
        "for=\"a\"b, for=203.0.113.9",
        "for=\"a\"\"b\", for=203.0.113.9",
        "for, for=203.0.113.9",
        "for=203.0.113.9;host=\"x\\\"",
    ] {
        assert_eq!(client(&ours().forwarded(), "10.0.0.1", &[("forwarded", said)]), "10.0.0.1", "{said}");
    }
}
