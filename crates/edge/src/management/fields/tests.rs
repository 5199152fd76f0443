//! What becomes of fields: spellings, repeats, `null`, and that all mistakes are told at once without their values.

use super::*;
use crate::management::json;

fn fields(text: &str) -> Fields {
    Fields::new(json::object(text.as_bytes()).unwrap())
}

#[test]
fn optional_fields_have_two_spellings_and_required_ones_one() {
    assert_eq!(fields(r#"{"secret_name":"a"}"#).text("secret_name").as_deref(), Some("a"));
    assert_eq!(fields(r#"{"secretName":"a"}"#).text("secret_name").as_deref(), Some("a"));
    assert_eq!(fields(r#"{"secret_name":null}"#).text("secret_name"), None);
    assert_eq!(fields(r#"{"secret_name":"a"}"#).required_text("secret_name").as_deref(), Some("a"));
    let mut camel = fields(r#"{"secretName":"a"}"#);
    assert_eq!((camel.required_text("secret_name"), camel.mistakes()), (None, 1));
    for twice in [r#"{"secret_name":"a","secretName":"a"}"#, r#"{"secret_name":"a","secret_name":"b"}"#] {
        let mut fields = fields(twice);
        assert_eq!((fields.text("secret_name"), fields.mistakes()), (None, 1), "{twice}");
    }
}

#[test]
fn every_mistake_is_told_and_no_value() {
    let mut fields = fields(r#"{"a":["canary"],"b":{"canary":1},"c":"ok"}"#);
    fields.text("a");
    fields.flag("b");
    fields.required_text("d");
    let problem = fields.finish(Some(())).unwrap_err();
    let said = format!("{problem:?}");
    assert!(["'a'", "'b'", "'d'"].iter().all(|name| said.contains(name)), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn a_malformed_request_goes_before_what_is_not_there() {
    let mut both = fields("{}");
    both.not_found("no such thing".to_owned());
    both.missing("name");
    assert!(format!("{:?}", both.finish(Some(())).unwrap_err()).contains("'name'"));
    let mut absent = fields("{}");
    absent.not_found("no such thing".to_owned());
    assert!(format!("{:?}", absent.finish(Some(())).unwrap_err()).contains("no such thing"));
}

#[test]
fn a_callers_text_in_a_message_is_one_short_line() {
    assert_eq!(shown("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
    assert_eq!(shown(&"x".repeat(1000)).chars().count(), 256);
}
