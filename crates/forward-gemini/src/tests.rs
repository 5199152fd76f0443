//! Golden cases: a target and a call in, a request out.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, time::Duration};

use dialect::{Framing, Operation};
use forward::{Credential, Limits};
use forward_http::egress::{Policy, check_url};
use http::{HeaderMap, Method};
use names::{EndpointName, MappingId, ModelName, Provider, RequestId, SecretId};

use super::*;

fn target(model: &str, base: Option<&str>, key: Option<&str>) -> Target {
    Target {
        mapping: MappingId::from_random(1),
        endpoint: EndpointName::parse("endpoint").unwrap(),
        provider: Provider::parse("gemini").unwrap(),
        model: ModelName::parse(model).unwrap(),
        secret: (SecretId::from_random(1), 1),
        settings: base.map(|base| ("api_base".to_owned(), base.to_owned())).into_iter().collect(),
        credential: Credential {
            fields: key.map(|key| ("api_key".to_owned(), key.into())).into_iter().collect(),
            allowed_hosts: Vec::new(),
        },
    }
}

fn head(version: Version, operation: Operation, query: Option<&str>) -> Head {
    let second = Duration::from_secs(1);
    Head {
        request_id: RequestId::from_random(1),
        endpoint: EndpointName::parse("endpoint").unwrap(),
        mapping: MappingId::from_random(1),
        revision: 1,
        attempt: 1,
        operation,
        version,
        path: None,
        framing: Framing::Unary,
        method: Method::POST,
        query: query.map(str::to_owned),
        headers: HeaderMap::new(),
        content_length: None,
        splices: Vec::new(),
        limits: Limits { connect: second, first_byte: second, idle: second, total: None },
    }
}

/// The request's line as it would stand on the wire, or the refusal.
fn outgoing(fields: &BTreeMap<&str, &str>) -> String {
    let target = target(fields["model"], fields.get("api_base").copied(), Some("key"));
    let base = fields.get("api_base").copied().unwrap_or(Gemini.default_base());
    let base = check_url(base, &Policy::default()).unwrap();
    let version = Version::parse(fields["version"]).unwrap();
    let operation = Operation::parse(fields["operation"]).unwrap();
    let mut head = head(version, operation, fields.get("query").copied());
    head.path = fields.get("path").map(|path| (*path).to_owned());
    let path = Gemini.route(&target, &base).and_then(|route| Gemini.path(&head, &target, &route));
    match path {
        Ok(path) => {
            path.parse::<http::uri::PathAndQuery>().unwrap();
            format!("{}://{}{path}", base.scheme().as_str(), base.authority())
        }
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn golden_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut report = String::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(": ")).collect();
        let came = outgoing(&fields);
        if came != fields["outgoing"] {
            writeln!(report, "{}: {came}", path.display()).unwrap();
        }
        seen += 1;
    }
    assert!(report.is_empty(), "what came instead:\n{report}");
    assert!(seen >= 20, "{seen} cases were found");
}

#[test]
fn without_a_key_nothing_goes_out() {
    let base = check_url(Gemini.default_base(), &Policy::default()).unwrap();
    for key in [None, Some(""), Some("  "), Some("a\nb"), Some("a\0b")] {
        let refusal = Gemini.route(&target("m", None, key), &base).unwrap_err();
        assert!(matches!(refusal, ForwardError::Misconfigured(_)), "{key:?}");
    }
}

#[test]
fn the_credential_is_never_shown() {
    let base = check_url(Gemini.default_base(), &Policy::default()).unwrap();
    let route = Gemini.route(&target("m", None, Some("AIzaCanary")), &base).unwrap();
    assert!(!format!("{route:?}").contains("AIzaCanary"));
}
