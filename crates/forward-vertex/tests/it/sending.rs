//! What goes out to Google's and Anthropic's models, and what comes back.

use dialect::{Framing, Operation};
use forward::{ForwardError, SpliceForm};
use forward_http::suite::{PRIVATE, naming, whole};
use http::{HeaderName, HeaderValue};
use provider_sim::{Match, Script, recording};

use crate::house::{TOKEN, generate, granted, of_token, received, vertex};

#[tokio::test]
async fn a_call_of_geminis_arrives_below_its_place_with_every_byte() {
    let (sim, house) = vertex().await;
    sim.script(of_token(), granted(TOKEN, 3599));
    let mut call = generate();
    for (name, value) in PRIVATE {
        call.head.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    assert_eq!(house.ask(call).await.unwrap().status, 200);
    let (_, calls) = received(&sim);
    let place = "/v1/projects/my-project/locations/global";
    assert_eq!(calls[0].target, format!("{place}/publishers/google/models/gemini-2.5-flash:generateContent"));
    assert_eq!(calls[0].body, r#"{"contents":[]}"#);
    assert!(!calls[0].headers.iter().any(|(_, value)| value.contains("client")), "{:?}", calls[0].headers);
}

#[tokio::test]
async fn a_message_goes_without_its_model_and_its_stream_comes_byte_for_byte() {
    let (sim, house) = vertex().await;
    sim.script(of_token(), granted(TOKEN, 3599));
    sim.script(Match::target("streamRawPredict"), Script::recording("stream_tool_use"));
    let body = "{\"max_tokens\" : 16, \"model\": \"endpoint\" , \"stream\":true, \"n\":1.50e+07 }\r\n";
    for _ in 0..2 {
        let mut call = naming(Operation::Messages, "/messages", body, SpliceForm::Json);
        call.head.framing = Framing::Sse;
        let answer = house.ask(call).await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(whole(answer.body).await, recording("stream_tool_use").unwrap());
    }
    let (_, calls) = received(&sim);
    for call in calls {
        assert!(call.target.ends_with("/publishers/anthropic/models/gemini-2.5-flash:streamRawPredict"));
        let expected = "{\"anthropic_version\":\"vertex-2023-10-16\",\"max_tokens\" : 16, \"stream\":true, \"n\":1.50e+07 }\r\n";
        assert_eq!(call.body, expected);
        assert_eq!(call.header("content-length"), Some(expected.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn a_message_that_is_no_object_is_the_callers_fault() {
    let (sim, house) = vertex().await;
    sim.script(of_token(), granted(TOKEN, 3599));
    let call = naming(Operation::Messages, "/messages", "{\"model\":\"endpoint\"", SpliceForm::Json);
    assert_eq!(house.ask(call).await.map(drop), Err(ForwardError::RequestBroken));
    assert!(sim.requests().is_empty());
}
