//! `HttpForwarder<Compatible>` for every row against a scripted provider, over real sockets.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::path::Path;

use dialect::{Framing, Operation};
use forward::SpliceForm;
use forward_compatible::{Compatible, WrittenRow, catalogue};
use forward_http::{
    Wire as _,
    egress::Policy,
    suite::{Case, House, KEY, PRIVATE, cases, naming, target, whole},
};
use http::{HeaderName, HeaderValue, Uri};
use provider_sim::{Body, Match, Script, Sim, recording};

const ODD: &str =
    "{ \"n\": 1.50e+07, \"model\" : \"endpoint\" ,\"n\":\"\u{2028}\", \"x\":{\"model\":\"endpoint\"} }\r\n";

fn golden() -> Vec<Case> {
    cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"))
}

fn row(name: &str) -> Compatible {
    *catalogue().unwrap().iter().find(|row| row.provider() == name).unwrap()
}

/// The simulator in the place of the case's own host.
fn moved(case: &Case, sim: &Sim) -> String {
    let own =
        case.field("set.api_base").unwrap_or(row(case.field("provider").unwrap()).default_base()).to_owned();
    format!("{}{}", sim.http1_url(), own.parse::<Uri>().unwrap().path().trim_end_matches('/'))
}

#[tokio::test]
async fn every_row_sends_its_golden_request_and_passes_its_golden_refusal() {
    let mut seen = 0;
    for case in golden().iter().filter(|case| case.answer.is_some()) {
        let sim = Sim::start().await.unwrap();
        let (status, headers, said) = case.answer.clone().unwrap();
        let script = Script { body: Body::Text(said.clone()), ..Script::status(status.as_u16()) };
        let script = headers
            .iter()
            .fold(script, |script, (name, value)| script.header(name.as_str(), value.to_str().unwrap()));
        sim.script(Match::any(), script);
        let house = House::open(row(case.field("provider").unwrap()), case.target(Some(&moved(case, &sim))));
        let mut call = naming(Operation::ChatCompletions, "/chat/completions", ODD, SpliceForm::Json);
        call.head.headers = case.head().headers;
        for (name, value) in PRIVATE {
            call.head.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let answer = house.ask(call).await.unwrap();

        let received = sim.wait_for_request(1).await.unwrap();
        let line = case.request.lines().next().unwrap().split_once(' ').unwrap().1;
        assert_eq!(received.target, line.parse::<Uri>().unwrap().path(), "{}", case.name);
        assert_eq!(received.body, ODD.replacen("endpoint", case.field("model").unwrap(), 1), "{}", case.name);
        assert_eq!(received.header("authorization"), Some(format!("Bearer {KEY}").as_str()), "{}", case.name);
        assert!(!received.headers.iter().any(|(_, value)| value.contains("client")), "{}", case.name);

        assert_eq!(answer.status, status, "{}", case.name);
        for (name, value) in &headers {
            let passes = case.passes.contains(&format!("\n{name}: {}", value.to_str().unwrap()));
            assert_eq!(answer.headers.get(name) == Some(value), passes, "{}: {name}", case.name);
        }
        assert_eq!(whole(answer.body).await, said, "{}", case.name);
        seen += 1;
    }
    assert!(seen >= 14, "{seen} rows were asked");
}

#[tokio::test]
async fn streams_pass_byte_for_byte_in_each_dialect() {
    for (name, below, operation, path, target_path, recorded) in [
        (
            "groq",
            "/openai/v1",
            Operation::ChatCompletions,
            "/chat/completions",
            "/openai/v1/chat/completions",
            "stream_text_gpt-4o-mini",
        ),
        ("deepseek", "/v1", Operation::Messages, "/messages", "/anthropic/v1/messages", "stream_tool_use"),
        ("openrouter", "/api/v1", Operation::Messages, "/messages", "/api/v1/messages", "stream_tool_use"),
    ] {
        let sim = Sim::start().await.unwrap();
        let base = format!("{}{below}", sim.http1_url());
        let house = House::open(row(name), target(name, "m", &[("api_base", &base)]));
        let body = "{\"model\":\"endpoint\",\"stream\":true}";
        let mut call = naming(operation, path, body, SpliceForm::Json);
        call.head.framing = Framing::Sse;
        let answer = house.ask(call).await.unwrap();
        assert_eq!(whole(answer.body).await, recording(recorded).unwrap(), "{name}");
        assert_eq!(sim.wait_for_request(1).await.unwrap().target, target_path);
    }
}

#[tokio::test]
async fn a_model_of_ones_own_needs_no_key_but_an_address() {
    let sim = Sim::start().await.unwrap();
    sim.script(Match::any(), Script::recording("openai/unary_tool_call.json"));
    let base = format!("{}/v1", sim.http1_url());
    let mut asked = target("ollama", "qwen3:8b", &[("api_base", &base)]);
    asked.credential.fields.insert("api_key".to_owned(), "ollama".into());
    let chat = || naming(Operation::ChatCompletions, "/chat/completions", ODD, SpliceForm::Json);
    assert_eq!(House::open(row("ollama"), asked).ask(chat()).await.unwrap().status, 200);
    assert_eq!(sim.wait_for_request(1).await.unwrap().header_values("authorization").count(), 0);

    for name in ["ollama", "hosted_vllm", "vllm", "databricks"] {
        let refusal =
            House::open(row(name), target(name, "m", &[])).ask(chat()).await.unwrap_err().to_string();
        assert!(refusal.contains("lacks `api_base`"), "{name}: {refusal}");
    }
}

/// All that an operator writes for a provider that nobody here knows.
#[tokio::test]
async fn a_provider_is_added_by_configuration_alone() {
    let sim = Sim::start().await.unwrap();
    let written = format!(
        "base = \"{}/llm/v1\"\ncredential = {{ header = \"x-acme-key\", prefix = \"\" }}\nanswer_headers = [\"x-acme-*\"]\n\
         speaks = {{ openai = \"{{base}}\", anthropic = \"{{root}}/claude/v1\" }}\n",
        sim.http1_url()
    );
    let written: WrittenRow = toml::from_str(&written).unwrap();
    let policy = Policy::new(vec!["http://127.0.0.0/8".parse().unwrap()]);
    let acme = Compatible::from_config("acme", written, &policy).unwrap();
    let house = House::open(acme[0], target("acme", "m-1", &[]));
    for (operation, path, expected) in [
        (Operation::ChatCompletions, "/chat/completions", "/llm/v1/chat/completions"),
        (Operation::Messages, "/messages", "/llm/claude/v1/messages"),
    ] {
        sim.script_once(Match::any(), Script::recording("unary_tool_call").header("X-Acme-Trace", "t"));
        let answer = house.ask(naming(operation, path, ODD, SpliceForm::Json)).await.unwrap();
        assert_eq!(answer.headers["x-acme-trace"], "t");
        let received = sim.requests().pop().unwrap();
        assert_eq!((received.target.as_str(), received.header("x-acme-key")), (expected, Some(KEY)));
        assert_eq!(received.body, ODD.replacen("endpoint", "m-1", 1));
    }
}
