//! Golden cases for every row, rows of one's own, and rows that are refused.

use std::{collections::BTreeSet, path::Path};

use forward_http::suite;

use super::*;
use crate::catalogue;

fn named(name: &str) -> Compatible {
    *catalogue()
        .unwrap()
        .iter()
        .find(|row| row.name == name)
        .unwrap_or_else(|| panic!("{name} is no provider"))
}

fn own(toml: &str) -> Result<Compatible, RowError> {
    let rows = Compatible::from_config("own", toml::from_str(toml)?, &Policy::default())?;
    Ok(rows[0])
}

#[test]
fn golden_cases() {
    let cases = suite::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    let report: String =
        cases.iter().map(|case| case.differences(&named(case.field("provider").unwrap()))).collect();
    assert!(report.is_empty(), "{report}");
}

#[test]
fn every_row_has_a_request_for_each_dialect_and_a_refusal() {
    let cases = suite::cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    let rows: BTreeSet<_> = catalogue().unwrap().iter().map(|row| std::ptr::from_ref(row.row)).collect();
    let with = |has: &dyn Fn(&suite::Case, &Compatible) -> bool| -> BTreeSet<_> {
        let cases = cases.iter().map(|case| (case, named(case.field("provider").unwrap())));
        cases.filter(|(case, row)| has(case, row)).map(|(_, row)| std::ptr::from_ref(row.row)).collect()
    };
    assert_eq!(with(&|case, _| case.answer.as_ref().is_some_and(|(status, ..)| !status.is_success())), rows);
    for dialect in Dialect::ALL {
        let speaking = with(&|_, row| row.dialects().contains(&dialect));
        let asked =
            with(&|case, _| case.request.contains("://") && case.head().operation.dialect() == Some(dialect));
        assert!(asked.is_superset(&speaking), "a row that speaks {dialect:?} has no request in it");
    }
}

#[test]
fn names_are_unique_and_a_row_has_its_hosts() {
    let rows = catalogue().unwrap();
    let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len());
    assert!(
        ["vllm", "hosted_vllm", "together_ai", "nvidia_nim", "cohere"]
            .iter()
            .all(|name| names.contains(name))
    );
    for row in rows {
        assert_eq!(row.default_base().is_empty(), row.default_hosts().is_empty(), "{}", row.name);
    }
}

#[test]
fn a_row_of_ones_own() {
    let row = own(r#"
        aliases = ["own-2"]
        base = "https://models.example.com/llm/v1"
        speaks = { openai = "{base}", anthropic = "{root}/claude/v1" }
        credential = { header = "x-token", prefix = "" }
        paths = { "/chat/completions" = "/chat" }
        request_headers = ["x-trace", "x-own-*"]
        "#)
    .unwrap();
    assert_eq!(row.dialects(), [Dialect::OpenAi, Dialect::Anthropic]);
    assert_eq!(row.default_hosts(), ["models.example.com"]);
    let target = suite::target("own", "m", &[]);
    let base = forward_http::egress::check_url(row.default_base(), &Policy::default()).unwrap();
    let route = row.route(&target, &base).unwrap();
    for (operation, path, expected) in [
        (Operation::ChatCompletions, "/chat/completions", "/llm/v1/chat"),
        (Operation::Embeddings, "/embeddings", "/llm/v1/embeddings"),
        (Operation::Messages, "/messages", "/llm/claude/v1/messages"),
        (Operation::Proxy, "/chat/completions", "/llm/chat/completions"),
    ] {
        let head = suite::call(operation, Some(path), "").head;
        assert_eq!(row.path(&head, &target, &route).unwrap(), expected);
    }
}

#[test]
fn a_row_speaks_what_it_says_and_nothing_else() {
    let row = own("base = \"https://models.example.com/v1\"\nspeaks = { anthropic = \"{base}\" }").unwrap();
    assert_eq!(row.dialects(), [Dialect::Anthropic]);
    let mute = own("speaks = {}").unwrap_err().to_string();
    assert!(mute.contains("must name a dialect"), "{mute}");
}

#[test]
fn rows_that_are_refused() {
    for (written, why) in [
        ("base = \"ftp://example.com\"", "base"),
        ("base = \"http://example.com\"", "base"),
        ("unknown = 1", "unknown"),
        ("speaks = { openai = \"/v1\" }", "{base}"),
        ("speaks = { openai = \"{base}/../x\" }", "plain segments"),
        ("speaks = { openai = \"{base}/\" }", "plain segments"),
        ("paths = { \"chat\" = \"/chat\" }", "plain segments"),
        ("below_root = \"/a//b\"", "plain segments"),
        ("credential = { header = \"a b\" }", "header"),
        ("credential = { prefix = \"a\\nb\" }", "header"),
        ("request_headers = [\"X-Upper\"]", "header"),
        ("request_headers = [\"*\"]", "header"),
        ("request_headers = [\"cookie\"]", "Keyward's own"),
        ("request_headers = [\"auth*\"]", "Keyward's own"),
        ("answer_headers = [\"set-cookie\"]", "Keyward's own"),
        ("aliases = [\"Not Lower\"]", "name"),
    ] {
        let said = own(written).unwrap_err().to_string();
        assert!(said.contains(why), "{written}: {said}");
    }
}

#[test]
fn a_key_may_be_left_out_only_where_the_row_says_so() {
    for (name, key, shown) in [
        ("ollama", None, true),
        ("ollama", Some("ollama"), true),
        ("hosted_vllm", Some(" "), true),
        ("groq", None, false),
        ("groq", Some("ollama"), true),
    ] {
        let mut target = suite::target(name, "m", &[]);
        target.credential.fields.clear();
        if let Some(key) = key {
            target.credential.fields.insert("api_key".to_owned(), key.into());
        }
        assert_eq!(named(name).credential(&target).is_ok(), shown, "{name} {key:?}");
    }
}
