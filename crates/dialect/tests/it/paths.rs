//! Paths: what every recorded SDK release sent, and what should lead nowhere.

use std::{fs, path::Path};

use dialect::{Framing, Named, PathError, Route, face};
use names::EndpointName;
use proptest::prelude::*;

fn result(method: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    match Route::parse(method, path, query) {
        Ok(Route::Call(call)) => {
            let endpoint = match &call.named {
                Named::Path(endpoint) => endpoint.to_string(),
                Named::Prefix(endpoint) => format!("prefix:{endpoint}"),
                Named::Body => "body".to_owned(),
                Named::Header => "header".to_owned(),
            };
            let (version, operation) = (call.version.as_str(), call.operation.as_str());
            let unified = if call.unified { "unified " } else { "" };
            let path = call.path.unwrap_or_default();
            assert_eq!(face(target, query).map(|(dialect, _)| dialect), Some(call.dialect), "{target}");
            format!("{unified}call {version} {operation} {endpoint} {:?} {path}", call.framing)
                .trim_end()
                .to_owned()
        }
        Ok(Route::List(page)) => {
            let after = page.after.as_ref().map_or("", EndpointName::as_str);
            let size = if page.size == usize::MAX { "all".to_owned() } else { page.size.to_string() };
            format!("list {:?} {size} {after}", page.style).trim_end().to_owned()
        }
        Ok(Route::Get(style, endpoint)) => format!("one {style:?} {endpoint}"),
        Err(error) => {
            let kind = match error {
                PathError::Malformed(_) => "Malformed",
                PathError::NotNormal => "NotNormal",
                PathError::NoSuchPath => "NoSuchPath",
                PathError::NoSuchMethod => "NoSuchMethod",
                PathError::NoSuchEndpoint => "NoSuchEndpoint",
                PathError::Method(allow) => allow,
            };
            format!("{} {kind}", error.fault().http())
        }
    }
}

#[test]
fn golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let (mut count, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        for line in fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (method, rest) = line.split_once(' ').unwrap();
            let (target, expected) = rest.split_once(" => ").unwrap();
            let came = result(method, target);
            if came != expected {
                wrong.push(format!("{method} {target} => {came}"));
            }
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "what came instead:\n{}", wrong.join("\n"));
    assert!(count > 180, "{count}");
}

fn post(path: &str) -> Result<Route, PathError> {
    Route::parse("POST", path, None)
}

#[test]
fn long_names() {
    let path = |length: usize| format!("/gemini/v1/models/{}:generateContent", "x".repeat(length));
    assert!(post(&path(255)).is_ok());
    assert_eq!(post(&path(256)), Err(PathError::NoSuchEndpoint));
    assert_eq!(post(&path(10_000)), Err(PathError::NoSuchEndpoint));
}

#[test]
fn a_refused_stream_is_framed_as_its_caller_reads() {
    for prefix in ["/gemini", "/x/gemini", "/a b/gemini"] {
        let framing = |path, query| face(&format!("{prefix}{path}"), query).unwrap().1;
        assert_eq!(framing("/v1/models/a b:streamGenerateContent", None), Framing::Unary);
        assert_eq!(framing("/v1/models/a%20b:streamGenerateContent", None), Framing::JsonArray);
        assert_eq!(framing("/v1/models/a%20b:generateContent", None), Framing::Unary);
        assert_eq!(framing("/v1/models/a%20b:streamGenerateContent", Some("alt=sse")), Framing::Sse);
    }
}

#[test]
fn the_face_of_paths_that_lead_nowhere() {
    let dialect = |path| face(path, None).map(|(dialect, _)| dialect.as_str());
    for (path, expected) in [
        ("/gemini", Some("gemini")),
        ("/gemini/", Some("gemini")),
        ("/geminix", None),
        ("/openai/v1/x", Some("openai")),
        ("/openai/../x", Some("openai")),
        ("/x/openai/v1/x", Some("openai")),
        ("/anthropic/v1/x", Some("anthropic")),
        ("/x/anthropic", Some("anthropic")),
        ("/mlflow/v1/x", Some("openai")),
        ("/x/mlflow/invocations", Some("openai")),
        ("/proxy/x/y", Some("openai")),
        ("/x/proxy/y", None),
        ("/x", None),
        ("", None),
    ] {
        assert_eq!(dialect(path), expected, "{path}");
    }
}

proptest! {
    /// Nothing that a caller wrote comes back in a message.
    #[test]
    fn messages_do_not_echo(canary in "[a-z]{12}", tail in "[%/.:;a-z0-9]{0,12}") {
        for path in [format!("/{canary}/{tail}"), format!("/gemini/v1/models/{canary}{tail}"), format!("/openai/v1/{canary}{tail}"), format!("/{canary}/gemini/v1/models/a:{canary}{tail}")] {
            if let Err(error) = Route::parse("GET", &path, Some(&format!("pageSize={canary}&alt={canary}&alt=sse"))) {
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
            let route = post(&format!("/gemini/v1/models/{written}{colon}generateContent"));
            let Ok(Route::Call(call)) = route else { panic!("{route:?}") };
            prop_assert_eq!(call.named, Named::Path(EndpointName::parse(&name).unwrap()));
        }
        if written.contains('%') {
            let twice = written.replace('%', "%25");
            let result = post(&format!("/gemini/v1/models/{twice}:generateContent"));
            prop_assert!(matches!(result, Err(PathError::Malformed(_))));
        }
    }

    /// No path makes it panic, and what goes on is a path that nobody can read as another.
    #[test]
    fn any_path(path in "(/gemini/v1/models|/gemini/v1|/openai/v1|/anthropic/v1|/proxy/x|/x/openai/v1)?[ -~é\\x00]{0,40}") {
        for method in ["POST", "GET", "DELETE"] {
            let Ok(Route::Call(call)) = Route::parse(method, &path, None) else { continue };
            if let Named::Path(name) = &call.named {
                prop_assert!(name.as_str() != "." && name.as_str() != "..");
            }
            if let Some(path) = &call.path {
                let decoded = percent_encoding::percent_decode_str(path).decode_utf8().unwrap();
                prop_assert!(path.starts_with('/') && path.is_ascii());
                prop_assert_eq!(path.matches('/').count(), decoded.matches('/').count());
                prop_assert!(!decoded.contains(['\\', ';']) && !decoded.chars().any(char::is_control));
                prop_assert!(decoded.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | "..")));
            }
        }
    }
}
