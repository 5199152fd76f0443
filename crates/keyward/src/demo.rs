//! `keyward demo`: a simulated provider, the whole gateway on a temporary folder, and two calls. No account needed.

use anyhow::Context as _;
use http::Method;
use provider_sim::Sim;
use serde_json::{Value, json};

use crate::{
    admin::{Client, Connection},
    command,
    config::{Database, Ready, Sources},
    environment,
    lifecycle::{Lifecycle, Patience, Signals},
    roles::{self, say},
};

/// The endpoint that is published.
const ENDPOINT: &str = "gemini-v1";
/// The provider's model behind it.
const MODEL: &str = "gemini-2.5-flash";
/// What is asked: for the simulator any text is the same.
const QUESTION: &str = "Hello";

/// Starts everything, calls, and waits for Ctrl-C unless told to end.
pub(crate) async fn run(arguments: &command::Demo) -> anyhow::Result<()> {
    let sim = Sim::start().await.context("start the simulated provider")?;
    let folder =
        tempfile::Builder::new().prefix("keyward-demo-").tempdir().context("make a temporary folder")?;
    let database = Database::Embedded(folder.path().join("data"));
    let ready = ready(folder.path(), &sim)?;
    let telemetry = roles::telemetry_of(&ready, "keyward-demo")?;
    let signals = Signals::listen()?;
    let lifecycle = Lifecycle::default();
    let house = roles::serve::House::open(&ready, &database, &lifecycle).await?;
    let url = house.front.url.clone();
    say(&format!(
        "a simulated Gemini listens on {}\nKeyward: listening on {url} (data, admin), in a temporary folder\n\n",
        sim.http1_url()
    ));

    let done = publish_and_call(&url, &sim).await;
    if done.is_ok() && !arguments.once {
        say(&what_next(&url));
    } else {
        lifecycle.stopping.cancel();
    }
    let patience =
        Patience { lame_duck: std::time::Duration::ZERO, drain_max: std::time::Duration::from_secs(1) };
    lifecycle.run(signals, patience, || house.front.edge.turn_lame()).await;
    house.close().await;
    telemetry.stop(std::time::Duration::from_secs(1));
    done
}

/// A free port, a folder that goes away, and no way out but to the simulator.
fn ready(folder: &std::path::Path, sim: &Sim) -> anyhow::Result<Ready> {
    let sources = Sources {
        listen: Some(([127, 0, 0, 1], 0).into()),
        data_dir: Some(folder.join("data")),
        key_file: Some(folder.join("key/kek.key")),
        ..Sources::default()
    };
    let mut ready = sources.ready()?;
    ready.written.egress.allow = vec![sim.http1_url().parse().context("the simulator's address")?];
    if environment::text(environment::LOG).is_none() {
        "warn".clone_into(&mut ready.written.telemetry.filter);
    }
    Ok(ready)
}

async fn publish_and_call(url: &str, sim: &Sim) -> anyhow::Result<()> {
    let client = Client::new(&Connection { url: url.to_owned(), json: false })?;
    publish(&client, &sim.http1_url()).await?;
    let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": QUESTION }] }] });

    let path = format!("/gateway/gemini/v1beta/models/{ENDPOINT}:generateContent");
    say(&format!("POST {path}\n"));
    let answered = client.call(&path, &body).await?;
    let text = texts(&answered.text).concat();
    anyhow::ensure!(answered.status == 200 && !text.is_empty(), "the call failed with {}", answered.status);
    say(&format!("  200 → {}\n\n", excerpt(&text)));

    let path = format!("/gateway/gemini/v1beta/models/{ENDPOINT}:streamGenerateContent?alt=sse");
    say(&format!("POST {path}\n"));
    let answered = client.call(&path, &body).await?;
    let events: Vec<_> = answered.text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    anyhow::ensure!(
        answered.status == 200 && !events.is_empty(),
        "the stream failed with {}",
        answered.status
    );
    let text: String = events.iter().flat_map(|event| texts(event)).collect();
    say(&format!("  200 → {} events → {}\n\n", events.len(), excerpt(&text)));

    let seen = sim.requests().last().and_then(|request| request.header("x-goog-api-key").map(str::to_owned));
    anyhow::ensure!(seen.as_deref() == Some(KEY), "the provider did not see the stored key");
    say("The caller had no key; the provider saw the one that was stored, which no answer shows again.\n");
    Ok(())
}

/// A key of nobody's.
const KEY: &str = "AIza-a-key-of-the-demo";

async fn publish(client: &Client, api_base: &str) -> anyhow::Result<()> {
    let secret = json!({
        "secret_name": "gemini_api",
        "secret_value": { "api_key": KEY },
        "provider": "gemini",
        "auth_config": { "api_base": api_base },
    });
    let secret = client.gateway(Method::POST, "secrets/create", &secret).await?;
    let model = json!({
        "name": "flash",
        "secret_id": secret.pointer("/secret/secret_id"),
        "provider": "gemini",
        "model_name": MODEL,
    });
    let model = client.gateway(Method::POST, "model-definitions/create", &model).await?;
    let id = model.pointer("/model_definition/model_definition_id");
    let endpoint = json!({
        "name": ENDPOINT,
        "model_configs": [{ "model_definition_id": id, "linkage_type": "PRIMARY", "weight": 1.0 }],
    });
    client.gateway(Method::POST, "endpoints/create", &endpoint).await?;
    say(&format!(
        "stored the secret `gemini_api`, defined the model `flash`, published the endpoint `{ENDPOINT}`\n\n"
    ));
    Ok(())
}

/// The texts of an answer's first candidate.
fn texts(answer: &str) -> Vec<String> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let parts = answer.pointer("/candidates/0/content/parts").and_then(Value::as_array).cloned();
    let texts = parts.unwrap_or_default().into_iter();
    texts.filter_map(|part| part.get("text").and_then(Value::as_str).map(str::to_owned)).collect()
}

/// The beginning of a text, on one line.
fn excerpt(text: &str) -> String {
    const CHARACTERS: usize = 100;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CHARACTERS) {
        Some((at, _)) => format!("“{}…”", &line[..at]),
        None => format!("“{line}”"),
    }
}

fn what_next(url: &str) -> String {
    format!(
        "\nIt keeps running until Ctrl-C. Try, in another terminal:\n    \
         curl '{url}/gateway/gemini/v1beta/models/{ENDPOINT}:streamGenerateContent?alt=sse' \\\n      \
         -H 'content-type: application/json' -d '{{\"contents\":[{{\"parts\":[{{\"text\":\"{QUESTION}\"}}]}}]}}'\n    \
         keyward endpoint list --url {url}\n    \
         keyward endpoint test {ENDPOINT} --url {url}\n    \
         curl '{url}/metrics'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A question mark is a pattern for some shells.
    #[test]
    fn a_shell_takes_the_printed_urls_as_they_are() {
        let lines = what_next("http://127.0.0.1:1");
        let urls: Vec<_> = lines.lines().filter_map(|line| line.trim().strip_prefix("curl ")).collect();
        assert_eq!(urls.len(), 2, "{lines}");
        assert!(urls.iter().all(|url| url.starts_with('\'') && url.matches('\'').count() == 2), "{urls:?}");
    }
}
