//! Gemini's paths: what every recorded google-genai release sent, and what should lead nowhere.

use dialect::{
    Framing, Named, PathError,
    gemini::{self, Page, Route},
};
use names::EndpointName;
use proptest::prelude::*;

const GOLDEN: &str = include_str!("../golden/gemini_paths.txt");

fn result(target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    match Route::parse(path, query) {
        Ok(Route::Call(call)) => {
            let Named::Path(endpoint) = &call.named else { panic!("{target}") };
            let (version, operation) = (call.version.as_str(), call.operation.as_str());
            assert_eq!(gemini::parse(path, query), Ok(call.clone()));
            format!("POST {version} {operation} {endpoint} {:?}", call.framing)
        }
        Ok(Route::List(Page { size, after })) => {
            format!("GET list {size} {}", after.as_ref().map_or("", EndpointName::as_str))
                .trim_end()
                .to_owned()
        }
        Ok(Route::Get(endpoint)) => format!("GET one {endpoint}"),
        Err(error) => {
            let kind = match error {
                PathError::Malformed(_) => "Malformed",
                PathError::NotNormal => "NotNormal",
                PathError::NoSuchPath => "NoSuchPath",
                PathError::NoSuchMethod => "NoSuchMethod",
                PathError::NoSuchEndpoint => "NoSuchEndpoint",
            };
            format!("{} {kind}", error.fault().http())
        }
    }
}

#[test]
fn golden() {
    let mut count = 0;
    for line in GOLDEN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (method, rest) = line.split_once(' ').unwrap();
        let (target, expected) = rest.split_once(" => ").unwrap();
        let result = result(target);
        assert_eq!(result, expected, "{target}");
        // What is routed is routed for the method that clients used.
        assert!(!result.starts_with(['P', 'G']) || result.starts_with(method), "{line}");
        count += 1;
    }
    assert!(count > 70, "{count}");
}

#[test]
fn long_names() {
    let path = |length: usize| format!("/v1/models/{}:generateContent", "x".repeat(length));
    assert!(gemini::parse(&path(255), None).is_ok());
    assert_eq!(gemini::parse(&path(256), None), Err(PathError::NoSuchEndpoint));
    assert_eq!(gemini::parse(&path(10_000), None), Err(PathError::NoSuchEndpoint));
}

#[test]
fn a_refused_stream_is_framed_as_its_caller_reads() {
    let framing = |path| gemini::refused_framing(path, None);
    assert_eq!(framing("/v1/models/a b:streamGenerateContent"), Framing::Unary);
    assert_eq!(framing("/v1/models/a%20b:streamGenerateContent"), Framing::JsonArray);
    assert_eq!(framing("/v1/models/a%20b:generateContent"), Framing::Unary);
    let sse = gemini::refused_framing("/v1/models/a%20b:streamGenerateContent", Some("alt=sse"));
    assert_eq!(sse, Framing::Sse);
}

proptest! {
    /// Nothing that a caller wrote comes back in a message.
    #[test]
    fn messages_do_not_echo(canary in "[a-z]{12}", tail in "[%/.:;a-z0-9]{0,12}") {
        for path in [format!("/{canary}/{tail}"), format!("/v1/models/{canary}{tail}"), format!("/v1/models/a:{canary}{tail}")] {
            if let Err(error) = Route::parse(&path, Some(&format!("pageSize={canary}&alt={canary}&alt=sse"))) {
                prop_assert!(!error.to_string().contains(&canary));
            }
        }
    }

    /// Escaping a name, once and in any spelling, leads to the same endpoint; escaping it again leads nowhere.
    #[test]
    fn one_name_one_endpoint(name in "[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,20}", escaped in any::<[bool; 24]>()) {
        let escape = |(at, byte): (usize, u8)| {
            if escaped[at % 24] { format!("%{byte:02X}") } else { char::from(byte).to_string() }
        };
        let written: String = name.bytes().enumerate().map(escape).collect();
        for colon in [":", "%3A", "%3a"] {
            let call = gemini::parse(&format!("/v1/models/{written}{colon}generateContent"), None).unwrap();
            prop_assert_eq!(call.named, Named::Path(EndpointName::parse(&name).unwrap()));
        }
        if written.contains('%') {
            let twice = written.replace('%', "%25");
            let result = gemini::parse(&format!("/v1/models/{twice}:generateContent"), None);
            prop_assert!(matches!(result, Err(PathError::Malformed(_))));
        }
    }

    /// No path makes it panic, and what is routed has a plain name.
    #[test]
    fn any_path(path in "(/v1/models)?[ -~é\\x00]{0,40}") {
        if let Ok(Route::Call(call)) = Route::parse(&path, None) {
            let Named::Path(name) = call.named else { panic!("{path}") };
            prop_assert!(name.as_str() != "." && name.as_str() != "..");
        }
    }
}
