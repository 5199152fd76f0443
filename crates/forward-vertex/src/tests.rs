//! Golden cases: a target and a call in, a request out; and what passes of answers.

use std::path::Path;

use aws_lc_rs::{encoding::AsDer as _, rsa};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use forward_http::suite;

use super::*;

/// Stands in a case for a private key that is made for the run.
const KEY: &str = "@PRIVATE_KEY@";

fn private_key() -> String {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\\n{text}\\n-----END PRIVATE KEY-----\\n")
}

#[test]
fn golden_cases() {
    let key = private_key();
    let mut cases = suite::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    for case in &mut cases {
        let written = case.field("secret.vertex_credentials").map(|written| written.replace(KEY, &key));
        if let Some(written) = written {
            case.set("secret.vertex_credentials", written);
        }
    }
    let report: String = cases.iter().map(|case| case.differences(&Vertex)).collect();
    assert!(report.is_empty(), "{report}");
    assert!(cases.len() >= 25, "{} cases were found", cases.len());
}

#[test]
fn a_host_is_its_own_only_in_full() {
    for own in [
        "aiplatform.googleapis.com",
        "us-central1-aiplatform.googleapis.com",
        "aiplatform.eu.rep.googleapis.com",
    ] {
        assert!(Vertex.is_own_host(own), "{own}");
    }
    for other in [
        "googleapis.com",
        "-aiplatform.googleapis.com",
        "evil.example-aiplatform.googleapis.com",
        "aiplatform.googleapis.com.evil.example",
        "xaiplatform.googleapis.com",
        "aiplatform.evil.rep.googleapis.com",
    ] {
        assert!(!Vertex.is_own_host(other), "{other}");
    }
}
