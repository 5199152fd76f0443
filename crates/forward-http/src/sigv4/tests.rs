//! Known answers: AWS's published test suite for Signature Version 4 (credentials, date and signatures are AWS's own).

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
/// 2015-08-30T12:36:00Z.
const NOW: Duration = Duration::from_mins(24_015_636);

fn signed(
    method: &Method,
    path: &str,
    query: Option<&str>,
    content_type: Option<&'static str>,
    session: Option<&str>,
    body: &str,
) -> (String, HeaderMap) {
    let key = SigningKey::new("AKIDEXAMPLE", SECRET, session, "us-east-1", "service").unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("user-agent", HeaderValue::from_static("not signed"));
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    let hash = digest::digest(&digest::SHA256, body.as_bytes());
    key.sign((method, path, query), "example.amazonaws.com", &mut headers, hash.as_ref(), NOW).unwrap();
    let authorization = headers[AUTHORIZATION].to_str().unwrap();
    let signed = authorization
        .strip_prefix("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ");
    (signed.unwrap().to_owned(), headers)
}

#[test]
fn the_answers_of_awss_own_suite() {
    let form = Some("application/x-www-form-urlencoded");
    for (name, given, names, signature) in [
        (
            "get-vanilla",
            (&Method::GET, "/", None, None, None, ""),
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "post-vanilla",
            (&Method::POST, "/", None, None, None, ""),
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "get-vanilla-query-order-key-case",
            (&Method::GET, "/", Some("Param2=value2&Param1=value1"), None, None, ""),
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-space",
            (&Method::GET, "/example space/", None, None, None, ""),
            "host;x-amz-date",
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
        (
            "post-sts-header-before",
            (&Method::POST, "/", None, None, Some(SESSION_TOKEN), ""),
            "host;x-amz-date;x-amz-security-token",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
        (
            "post-x-www-form-urlencoded",
            (&Method::POST, "/", None, form, None, "Param1=value1"),
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ] {
        let (method, path, query, content_type, session, body) = given;
        let (came, headers) = signed(method, path, query, content_type, session, body);
        assert_eq!(came, format!("SignedHeaders={names}, Signature={signature}"), "{name}");
        assert_eq!(headers[DATE], "20150830T123600Z");
        assert_eq!(headers.contains_key(SESSION), session.is_some());
    }
}

#[test]
fn the_key_of_the_documentations_walk_through() {
    let key = SigningKey::new("AKIDEXAMPLE", SECRET, None, "us-east-1", "iam").unwrap();
    let text = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
                f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
    assert_eq!(
        hex(key.hmac(["20150830", "us-east-1", "iam", "aws4_request"], text).as_ref()),
        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    );
}

#[test]
fn what_is_escaped_once_on_the_wire_is_escaped_again_in_what_is_signed() {
    let canonical = |path: &str| utf8_percent_encode(path, ESCAPED).to_string();
    assert_eq!(canonical("/model/a.b-v1%3A0/invoke"), "/model/a.b-v1%253A0/invoke");
    assert_eq!(canonical("/model/a:b"), "/model/a%3Ab");
}

#[test]
fn times_of_day() {
    for (seconds, shown) in [
        (0, "19700101T000000Z"),
        (951_782_399, "20000228T235959Z"),
        (951_782_400, "20000229T000000Z"),
        (1_709_164_800, "20240229T000000Z"),
        (1_709_251_200, "20240301T000000Z"),
        (4_102_444_799, "20991231T235959Z"),
    ] {
        assert_eq!(time(Duration::from_secs(seconds)), shown);
    }
}

#[test]
fn a_clients_session_is_not_ours_and_nothing_secret_is_shown() {
    let key = SigningKey::new("AKIDEXAMPLE", SECRET, None, "us-east-1", "service").unwrap();
    assert!(!format!("{key:?}").contains("wJalr") && !format!("{key:?}").contains("AKID"));
    let mut headers = HeaderMap::from_iter([(SESSION, HeaderValue::from_static("client"))]);
    key.sign((&Method::POST, "/", None), "h", &mut headers, &[], NOW).unwrap();
    assert!(!headers.contains_key(SESSION));
    assert!(SigningKey::new("a b", SECRET, None, "r", "s").is_err());
    assert!(SigningKey::new("a", SECRET, Some("a\nb"), "r", "s").is_err());
}
