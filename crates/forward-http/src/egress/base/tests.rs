//! Base URLs by the hundred: what is taken, and what is refused as what.

use super::*;

fn strict() -> Policy {
    Policy::default()
}

fn check(text: &str) -> Result<CheckedBase, EgressRefusal> {
    check_url(text, &strict())
}

#[test]
fn plain_public_bases_are_taken_apart() {
    for (text, host, port, path, authority) in [
        (
            "https://generativelanguage.googleapis.com",
            "generativelanguage.googleapis.com",
            443,
            "",
            "generativelanguage.googleapis.com",
        ),
        (
            "https://generativelanguage.googleapis.com/",
            "generativelanguage.googleapis.com",
            443,
            "",
            "generativelanguage.googleapis.com",
        ),
        ("https://a.example/v1beta/", "a.example", 443, "/v1beta", "a.example"),
        ("https://a.example/v1beta/models", "a.example", 443, "/v1beta/models", "a.example"),
        ("https://a.example//", "a.example", 443, "", "a.example"),
        ("https://a.example/deep/er/v1", "a.example", 443, "/deep/er/v1", "a.example"),
        ("https://a-b_c.x1.example/~a.b-c_d", "a-b_c.x1.example", 443, "/~a.b-c_d", "a-b_c.x1.example"),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example", 443, "", "xn--bcher-kva.example"),
        ("https://8.8.8.8/x", "8.8.8.8", 443, "/x", "8.8.8.8"),
        ("https://[2600::1]/x", "[2600::1]", 443, "/x", "[2600::1]"),
        ("https://a.example:443/x", "a.example", 443, "/x", "a.example"),
    ] {
        let base = check(text).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
        assert_eq!((base.host_text(), base.port(), base.path()), (host, port, path), "{text}");
        assert_eq!(base.authority(), authority, "{text}");
    }
}

#[test]
fn schemes_are_refused_in_mlflows_words() {
    for scheme in [
        "http",
        "ftp",
        "file",
        "gopher",
        "ws",
        "wss",
        "data",
        "javascript",
        "unix",
        "HTTPS",
        "Https",
        "httpss",
    ] {
        let refusal = check(&format!("{scheme}://a.example/")).unwrap_err();
        let shown = scheme.to_ascii_lowercase();
        let expected =
            format!("Invalid Gateway secret api_base scheme: '{shown}'. Allowed schemes are: 'https'.");
        assert_eq!(refusal.to_string(), expected);
    }
    let allows_http = Policy::new(vec!["http://127.0.0.1:9".parse().unwrap()]);
    let refusal = check_url("ftp://a.example", &allows_http).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Invalid Gateway secret api_base scheme: 'ftp'. Allowed schemes are: 'http', 'https'."
    );
}

/// B66 and B67 of the list of bad inputs, and every other spelling of the same hosts that we know of.
#[test]
fn hosts_that_are_not_providers() {
    let hosts = "0.0.0.0 0 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0x7f.0.0.1 017700000001 0177.0.0.1 127.0.0.01 \
        00127.0.0.1 127.0.0.1. 127.000.000.001 127.0x0.0.1 0x7F.1 0X7f000001 3232235521 0xa9fea9fe 2852039166 0251.0376.0251.0376 \
        169.254.43518 169.16689662 127.0.0.1.5 256.1.1.1 1.2.3 1.2.3.4.5 999999999999 8.8.8 8.8.2056 134744072 \
        127.0.0.1 127.255.255.254 10.0.0.1 172.16.5.4 192.168.1.1 169.254.169.254 100.100.100.200 168.63.129.16 \
        192.0.0.192 198.18.0.1 192.0.2.1 203.0.113.7 224.0.0.1 255.255.255.255 240.0.0.1 \
        [::] [::1] [0:0:0:0:0:0:0:1] [::0001] [::ffff:127.0.0.1] [::ffff:7f00:1] [::FFFF:7f00:1] [::127.0.0.1] [::7f00:1] \
        [64:ff9b::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::1] [2002:7f00:1::] [2001:0:1::1] [2001::1] \
        [fd00:ec2::254] [fc00::1] [fe80::1] [fe80::1%25eth0] [fe80::1%eth0] [::1%lo] [fec0::1] [ff02::1] [2001:db8::1] [100::1] \
        [::ffff:8.8.8.8] [::ffff:808:808] [2600:0::1] [2600::0001] [2600:0:0:0:0:0:0:1] [2600::G] [2600::1 ::1 [::1 ::1] [] \
        [v1.x] [127.0.0.1] localhost LOCALHOST localhost. LocalHost localhost.localdomain a.localhost ip6-localhost \
        metadata metadata.google.internal metadata.google.internal. METADATA.google.internal instance-data computer.internal \
        kubernetes.default.svc.cluster.local kubernetes printer.local router.lan x.home.arpa x.test x.invalid x.onion x.corp \
        postgres store 1e100 a..example .a.example a.example. a.example.. -a.example a-.example a.-b.example \
        A.example a.Example GENERATIVELANGUAGE.googleapis.com a.0x7f a.example.1 a.0 xn--.example xn--a a_.b.0x \
        %6c%6f%63%61%6c%68%6f%73%74 127%2e0%2e0%2e1 %31%32%37.0.0.1 ①②⑦.⓪.⓪.① ⑯⑨.②⑤④.①⑥⑨.②⑤④ 127。0。0。1 127.0.0.1 \
        bücher.example ｌocalhost loc\u{ad}alhost a,b.example a!b.example a*b.example *.example a$b.example a&b.example \
        (a).example a;b.example a=b.example a+b.example 'a'.example a|b.example a^b.example a`b.example {a}.example <a>.example";
    let mut seen = 0;
    for host in hosts.split_whitespace() {
        for tail in ["", "/", "/v1beta", ":443", ":443/"] {
            let text = format!("https://{host}{tail}");
            assert!(check(&text).is_err(), "{text}");
            seen += 1;
        }
    }
    assert!(seen > 500, "{seen}");
    for long in
        [format!("https://{}.example", "a".repeat(64)), format!("https://{}", "a.".repeat(140) + "example")]
    {
        assert!(check(&long).is_err());
    }
}

/// B71 and what else two parsers read differently.
const TRICKS: &[&str] = &[
    "",
    " ",
    "a.example",
    "//a.example",
    "/a",
    "https:",
    "https:/",
    "https://",
    "https:a.example",
    "https:/a.example",
    "https:///a.example",
    "https:////a.example",
    "https://:443",
    "https://:443/",
    "https://@",
    "://a.example",
    "1https://a.example",
    "h ttps://a.example",
    " https://a.example",
    "https://a.example ",
    "https://a.example\n",
    "https://a.exam\tple",
    "https://a.exam\nple",
    "https://a.exam\rple",
    "https://a.example/\0",
    "https://a.example/\u{7f}",
    "\u{feff}https://a.example",
    "https://user@a.example",
    "https://user:pass@a.example",
    "https://:pass@a.example",
    "https://@a.example",
    "https://a.example@evil.example",
    "https://a.example:443@evil.example",
    "https://a.example%40evil.example",
    "https://a.example\\@evil.example",
    "https://a.example\\.evil.example",
    "https:\\\\a.example",
    "https:/\\a.example",
    "https://a.example#",
    "https://a.example#x",
    "https://a.example/#x",
    "https://a.example#@evil.example",
    "https://a.example?",
    "https://a.example?x=1",
    "https://a.example/?x",
    "https://a.example?@evil.example",
    "https://a.example/..",
    "https://a.example/.",
    "https://a.example/a/../b",
    "https://a.example/a/./b",
    "https://a.example/a/..",
    "https://a.example/%2e%2e/b",
    "https://a.example/a%2fb",
    "https://a.example/%00",
    "https://a.example/a%",
    "https://a.example/%zz",
    "https://a.example/a//b",
    "https://a.example//a",
    "https://a.example/a\\b",
    "https://a.example/é",
    "https://a.example/<",
    "https://a.example/a\"b",
    "https://a.example/{x}",
    "https://a.example/`",
    "https://a.example:",
    "https://a.example:/",
    "https://a.example:0",
    "https://a.example:0443",
    "https://a.example:+443",
    "https://a.example:443:443",
    "https://a.example:65536",
    "https://a.example:99999",
    "https://a.example:-1",
    "https://a.example:4 3",
    "https://a.example:https",
    "https://a.example:0x1bb",
    "https://[2600::1]443",
    "https://[2600::1]:",
    "https://x[2600::1]",
    "https://[2600::1]x",
];

#[test]
fn tricks_of_spelling() {
    for text in TRICKS {
        assert!(check(text).is_err(), "{text:?}");
    }
    assert!(check(&format!("https://a.example/{}", "x".repeat(URL_MAX))).is_err());
    assert_eq!(check("https://u:p@a.example"), Err(EgressRefusal::Credentials));
}

/// B63 and B72.
#[test]
fn ports_need_the_operators_word() {
    for port in [1, 22, 25, 80, 444, 5432, 6379, 8080, 8443, 9200, 11211, 65535] {
        assert_eq!(check(&format!("https://a.example:{port}/v1")), Err(EgressRefusal::Port { port }));
        assert_eq!(check(&format!("https://8.8.8.8:{port}")), Err(EgressRefusal::Port { port }));
    }
    let policy = Policy::new(vec!["https://0.0.0.0/0:8443".parse().unwrap()]);
    assert!(check_url("https://a.example:8443", &policy).is_ok());
    assert_eq!(check_url("https://a.example:8444", &policy), Err(EgressRefusal::Port { port: 8444 }));
}

#[test]
fn an_operator_may_allow_what_is_local() {
    let policy =
        Policy::new(vec!["http://127.0.0.0/8:9000".parse().unwrap(), "https://[::1]:9443".parse().unwrap()]);
    for text in [
        "http://127.0.0.1:9000",
        "http://localhost:9000/v1beta",
        "http://sim:9000",
        "https://[::1]:9443",
        "http://a.example:9000",
    ] {
        assert!(check_url(text, &policy).is_ok(), "{text}");
    }
    for text in [
        "http://127.0.0.1",
        "http://127.0.0.1:9001",
        "http://10.0.0.1:9000",
        "https://127.0.0.1:9000",
        "https://127.0.0.1",
        "http://localhost",
        "http://[::1]:9000",
        "https://[::1]",
        "http://127.1:9000",
        "http://a.example",
        "https://localhost",
        "http://0x7f.1:9000",
        "http://localhost.:9000",
    ] {
        assert!(check_url(text, &policy).is_err(), "{text}");
    }
}

#[test]
fn refusals_never_repeat_the_url() {
    for text in [
        "https://user:hunter2@a.example",
        "https://hunter2",
        "https://a.example/hunter2?x",
        "https://a.example:22/hunter2",
        "hunter2 x://y",
    ] {
        let refusal = check(text).unwrap_err();
        assert!(!refusal.to_string().contains("hunter2"), "{refusal}");
        assert!(!format!("{refusal:?}").contains("hunter2"), "{refusal:?}");
    }
}

proptest::proptest! {
    /// Whatever is taken reads the same to the parser that others use.
    #[test]
    fn what_is_taken_is_read_alike(text in "https://[a-z0-9.:@/\\\\\\[\\]x%#?-]{1,40}") {
        if let Ok(base) = check(&text) {
            let url = Url::parse(&text).unwrap();
            proptest::prop_assert_eq!(url.host_str(), Some(base.host_text()));
            proptest::prop_assert_eq!(url.username(), "");
            proptest::prop_assert_eq!(url.port_or_known_default(), Some(443));
        }
    }
}
