//! A key is found nowhere but on the wire to its provider: not in output, logs at trace level, files, the database,
//! snapshots or answers, in no spelling.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use e2e::{Database, House, Plan, Sdk, Shape, calls};
use provider_sim::{Cut, Match, Script};
use serde_json::json;

use crate::{case, in_both_shapes, published_with};

in_both_shapes!(the_key_is_only_on_the_wire);

/// A secret string and how it might be spelled where it should not be.
pub(crate) struct Canary {
    pub(crate) key: String,
    spellings: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    /// A new one: no other test, and no earlier run, has written it anywhere. It holds characters that percent-encoding
    /// and JSON spell in their own way.
    pub(crate) fn new() -> Self {
        let random = hex::encode(std::array::from_fn::<u8, 18, _>(|_| fastrand::u8(..)));
        let key = format!("kw+canary/{random}=");
        let mut spellings = vec![
            ("raw", key.clone().into_bytes()),
            ("hex", hex::encode(&key).into_bytes()),
            ("HEX", hex::encode_upper(&key).into_bytes()),
            ("percent-encoded", percent(&key)),
            ("part", random.into_bytes()),
        ];
        for (name, lead) in [("base64", ""), ("base64 + 1", "x"), ("base64 + 2", "xx")] {
            // Inside a longer text base64 depends on where it begins; the characters that mix with neighbours are left out.
            let encoded = STANDARD_NO_PAD.encode(format!("{lead}{key}"));
            let middle = encoded.as_bytes()[4..encoded.len() - 3].to_vec();
            let url_safe = middle
                .iter()
                .map(|byte| match byte {
                    b'+' => b'-',
                    b'/' => b'_',
                    byte => *byte,
                })
                .collect();
            spellings.push((name, middle));
            spellings.push(("base64url", url_safe));
        }
        Self { key, spellings }
    }

    /// The spellings in which it stands in these bytes.
    pub(crate) fn found(&self, bytes: &[u8]) -> Vec<&'static str> {
        let stands = |part: &[u8]| memchr::memmem::find(bytes, part).is_some();
        self.spellings.iter().filter(|(_, part)| stands(part)).map(|(name, _)| *name).collect()
    }

    /// Every file of this database where it stands.
    async fn found_in(&self, database: &Database) -> Vec<String> {
        let mut found = Vec::new();
        let look = |file: &str, bytes: &[u8]| {
            found.extend(self.found(bytes).iter().map(|spelling| format!("{file} ({spelling})")));
        };
        database.each_file(look).await.unwrap();
        found
    }

    /// Every place below `folder` where it stands.
    fn found_below(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(self.found_below(&path));
            } else if path.is_file() {
                let spellings = self.found(&fs::read(&path).unwrap());
                found.extend(spellings.iter().map(|spelling| format!("{} ({spelling})", path.display())));
            }
        }
        found
    }
}

fn percent(text: &str) -> Vec<u8> {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string().into_bytes()
}

async fn the_key_is_only_on_the_wire(shape: Shape) {
    let canary = Canary::new();
    let plan = Plan::new(shape).log("trace").config("[edge.limits]\nidle = \"2s\"");
    let Some(mut house) = published_with(plan, &canary.key).await else { return };
    let mut answers = manage(&house, &canary).await;
    answers.extend(provoke(&house, &canary).await);
    if let Some(outcomes) =
        calls(Sdk::Python, house.folder(), &house.gemini_url(), &[case("unary"), case("stream")])
            .await
            .unwrap()
    {
        answers.push(format!("{outcomes:?}"));
    }
    for answer in &answers {
        assert_eq!(canary.found(answer.as_bytes()), [""; 0], "in an answer: {answer}");
    }
    // It was on the wire to the provider, as its one credential.
    let requests = house.sim.requests();
    assert!(requests.len() >= 8, "{}", requests.len());
    for request in &requests {
        assert_eq!(request.header("x-goog-api-key"), Some(canary.key.as_str()));
    }
    search(&mut house, &canary).await;
}

/// Everything of the management API that shows secrets, and refusals that could quote them.
async fn manage(house: &House, canary: &Canary) -> Vec<String> {
    let admin = house.admin().unwrap();
    let mut answers = Vec::new();
    for path in ["secrets/list", "model-definitions/list", "endpoints/list", "secrets/config"] {
        let answer = admin.get(path).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answers.push(answer.text);
    }
    let key = &canary.key;
    for body in [
        // Its name again; a value that is no map; a field where none belongs; a header's worth of key.
        json!({ "secret_name": "gemini_api", "secret_value": { "api_key": key }, "provider": "gemini" }),
        json!({ "secret_name": "other", "secret_value": key, "provider": "gemini" }),
        json!({ "secret_name": "other", "secret_value": { "api_key": [key] }, "provider": "gemini" }),
        json!({ "secret_name": "other", "secret_value": { "api_key": format!("{key}\n") }, "provider": "gemini" }),
        json!({ "secret_name": "other", "secret_value": { "api_key": key }, "provider": "no such provider" }),
    ] {
        answers.push(admin.post("secrets/create", &body).await.unwrap().text);
    }
    answers
}

/// Calls that fail in every way, a provider that quotes the key it was given included.
async fn provoke(house: &House, canary: &Canary) -> Vec<String> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let quoted = json!({ "error": { "code": 400, "status": "INVALID_ARGUMENT",
        "message": format!("API key not valid: {}", canary.key) } });
    let scripts = [
        Script::bytes(quoted.to_string()).with_status(400),
        Script::status(401),
        Script::status(503),
        Script::act(provider_sim::Act::CloseAfterBody),
        Script::act(provider_sim::Act::Raw("HTTP/1.1 2OO nonsense\r\n\r\n".to_owned())),
        Script::default().cut(100, Cut::Reset),
    ];
    let mut answers = Vec::new();
    for script in scripts {
        house.sim.script_once(Match::any(), script);
        let url = format!("{}/v1beta/models/gemini-v1:streamGenerateContent?alt=sse", house.gemini_url());
        let answer = http.post(url).header("x-goog-api-key", "dummy").body("{}").send().await.unwrap();
        let head = format!("{} {:?}", answer.status(), answer.headers());
        // A body that breaks is what some of these are for.
        let body = answer.text().await.unwrap_or_default();
        answers.push(format!("{head} {body}"));
    }
    assert!(answers[0].starts_with("400 ") && answers[0].contains("API key not valid"), "{}", answers[0]);
    for path in ["metrics", "version", "readyz", "ajax-api/3.0/mlflow/gateway/secrets/config"] {
        let answer = http.get(format!("{}/{path}", house.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answers.push(answer.text().await.unwrap());
    }
    answers
}

/// Stops everything, then looks at all that was said and written, before and after.
async fn search(house: &mut House, canary: &Canary) {
    assert_eq!(canary.found_below(house.folder()), [""; 0], "in a file, while running");
    if let Some(database) = &house.database {
        assert_eq!(canary.found_in(database).await, [""; 0], "in the database");
    }
    for (role, process) in house.processes() {
        process.terminate().unwrap();
        process.ended().await.unwrap();
        let output = process.output();
        assert!(memchr::memmem::find(&output, b"TRACE").is_some(), "{role} logs at trace level");
        assert_eq!(canary.found(&output), [""; 0], "in what {role} said");
    }
    assert_eq!(canary.found_below(house.folder()), [""; 0], "in a file, after the end");
}

/// A search that finds nothing proves nothing unless it finds what is there.
#[test]
fn a_leak_is_found_in_every_spelling() {
    let canary = Canary::new();
    let folder = tempfile::tempdir().unwrap();
    let key = &canary.key;
    let inside = |text: String| STANDARD_NO_PAD.encode(text);
    let leaks = [
        ("raw", key.clone()),
        ("hex", hex::encode(key)),
        ("HEX", hex::encode_upper(key)),
        ("percent-encoded", String::from_utf8(percent(key)).unwrap()),
        ("base64", inside(format!("abc{key}xyz"))),
        ("base64 + 1", inside(format!("abcd{key}xyz"))),
        ("base64 + 2", inside(format!("abcde{key}xyz"))),
        ("base64url", base64::engine::general_purpose::URL_SAFE.encode(key)),
    ];
    for (spelling, leak) in leaks {
        let file = folder.path().join("deep/inside");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("noise \u{0} before {leak} and behind")).unwrap();
        let found = canary.found_below(folder.path());
        assert!(found.iter().any(|place| place.ends_with(&format!("({spelling})"))), "{spelling}: {found:?}");
    }
    fs::write(folder.path().join("deep/inside"), "kw+canary/ is not the key").unwrap();
    assert_eq!(canary.found_below(folder.path()), [""; 0]);
}

/// The same for Postgres: in a table, and in the log when the table is gone.
#[tokio::test]
async fn a_leak_is_found_in_postgres() {
    let Some(database) = Database::create().await.unwrap() else { return };
    let canary = Canary::new();
    assert_eq!(canary.found_in(&database).await, [""; 0]);
    database.execute("CREATE TABLE leak (held text)").await.unwrap();
    database.execute(&format!("INSERT INTO leak VALUES ('{}')", canary.key)).await.unwrap();
    let found = canary.found_in(&database).await;
    assert!(found.iter().any(|place| place.starts_with("base/")), "{found:?}");
    assert!(found.iter().any(|place| place.starts_with("pg_wal/")), "{found:?}");
    database.execute("DROP TABLE leak").await.unwrap();
    let found = canary.found_in(&database).await;
    assert!(!found.is_empty() && found.iter().all(|place| place.starts_with("pg_wal/")), "{found:?}");
}
