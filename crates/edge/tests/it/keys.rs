//! Client keys on the data plane: where SDKs put them, what is refused, and that every refusal reads the same.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use access::{Key, Kind, Pepper, PepperId, Record, Scope};
use edge::{Config, Keys, Policy};
use names::{EndpointName, Label};
use store::{Clock, Held, Position, PublishedCaller, PublishedKey, PublishedPepper};

use crate::{
    client::{ARRAY, BOUND, Client, Reply, SSE, UNARY, get, post},
    rig::{self, Rig, Wanted},
};

const LIST: &str = "/gateway/gemini/v1beta/models";
const BACKED: &str = "/gateway/gemini/v1beta/models/backed:generateContent";

/// A clock that stands where it is put.
#[derive(Default)]
struct Standing(AtomicI64);

impl Clock for Standing {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// An edge that asks for keys, and who has which.
struct Guarded {
    rig: Rig,
    held: Arc<Held<PublishedCaller>>,
    clock: Arc<Standing>,
}

fn material() -> Vec<u8> {
    (0..32).collect()
}

/// The key of this number; the edge does not know it by that.
fn key(number: u8) -> Key {
    Key::mint(Kind::Client, u64::from(number), &[number; 32])
}

/// What the edge knows a key by.
fn record(number: u8) -> Record {
    let pepper = Pepper::derive(PepperId(1), &material(), Kind::Client).unwrap();
    Record::of(&key(number), &pepper)
}

fn known(record: Record, owner: &str, scope: Scope) -> PublishedCaller {
    PublishedCaller::Key(PublishedKey { record, owner: Label::parse(owner).unwrap(), scope })
}

fn pepper() -> PublishedCaller {
    PublishedCaller::Pepper(PublishedPepper::new(PepperId(1), material()))
}

fn at(revision: u64) -> Position {
    Position { epoch: 1, revision }
}

/// 1 may call all; 2 only `chat`; 3 what is tagged so; 4 nothing; 5 is revoked; 6 ends at 100; 7 is replaced at 100.
fn everybody() -> Vec<PublishedCaller> {
    let only = |names: &[&str], tags: &[(&str, &str)]| {
        let names = names.iter().map(|name| EndpointName::parse(name).unwrap());
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Scope::only(names, tags).unwrap()
    };
    vec![
        pepper(),
        known(record(1), "search", Scope::All),
        known(record(2), "chat-team", only(&["chat"], &[])),
        known(record(3), "tagged", only(&[], &[("name", "backed")])),
        known(record(4), "nothing", only(&[], &[])),
        known(Record { revoked_at_ms: Some(1), ..record(5) }, "gone", Scope::All),
        known(Record { expires_at_ms: Some(100), ..record(6) }, "ends", Scope::All),
        known(Record { retires_at_ms: Some(100), ..record(7) }, "replaced", Scope::All),
    ]
}

impl Guarded {
    async fn new() -> Self {
        let guarded = Self::without_keys().await;
        guarded.held.replace(at(1), everybody());
        guarded
    }

    async fn without_keys() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let (held, clock) = (Arc::new(Held::default()), Arc::new(Standing::default()));
        let policy = Policy::Keys(Keys::new(Arc::clone(&held), Arc::clone(&clock) as Arc<dyn Clock>));
        let rig = Rig::wanted(Wanted { config, policy, ..Wanted::default() }).await;
        Self { rig, held, clock }
    }

    async fn ask(&self, request: &[u8]) -> Reply {
        Client::connect(self.rig.address).await.ask(request).await
    }

    async fn call(&self, path: &str, fields: &str) -> Reply {
        self.ask(&post(path, fields, b"{}")).await
    }

    async fn with_key(&self, path: &str, number: u8) -> Reply {
        self.call(path, &format!("x-goog-api-key: {}\r\n", key(number).expose())).await
    }
}

#[tokio::test]
async fn a_key_is_taken_wherever_an_sdk_puts_it_and_goes_no_further() {
    let guarded = Guarded::new().await;
    let key = key(1);
    let key = key.expose();
    let fields = [
        format!("x-goog-api-key: {key}\r\n"),
        format!("authorization: Bearer {key}\r\n"),
        format!("Authorization: bearer {key}\r\n"),
        format!("x-api-key: {key}\r\n"),
        format!("api-key: {key}\r\n"),
        format!("x-api-key: {key}\r\nauthorization: Bearer {key}\r\n"),
    ];
    for fields in &fields {
        assert_eq!(guarded.call(UNARY, fields).await.status, 200, "{fields}");
    }
    for query in [format!("?key={key}"), format!("?%6Bey={}", key.replace('_', "%5F"))] {
        assert_eq!(guarded.call(&format!("{UNARY}{query}"), "").await.status, 200, "{query}");
        assert_eq!(guarded.call(&format!("{UNARY}{query}"), &fields[0]).await.status, 200, "{query}");
    }
    for seen in guarded.rig.seen() {
        let everything = format!("{:?} {:?}", seen.head.headers, seen.head.query);
        assert!(!everything.contains(key), "{everything}");
    }
}

#[tokio::test]
async fn every_refusal_reads_the_same_whatever_its_reason() {
    let guarded = Guarded::new().await;
    guarded.clock.0.store(100, Ordering::SeqCst);
    let (good, bad) = (key(1), key(9));
    let (good, bad) = (good.expose(), bad.expose());
    let mut typo = good.to_owned();
    typo.pop();
    let another = Key::mint(Kind::Client, 1, &[8; 32]);
    let token = Key::mint(Kind::Admin, 1, &[1; 32]);
    let header = |key: &str| format!("x-goog-api-key: {key}\r\n");
    let refused = [
        String::new(),
        header("dummy"),
        header(""),
        header(bad),
        header(&typo),
        header(another.expose()),
        header(token.expose()),
        header(key(5).expose()),
        header(key(6).expose()),
        header(key(7).expose()),
        format!("authorization: Basic {good}\r\n"),
        format!("authorization: {good}\r\n"),
        format!("cookie: key={good}\r\n"),
        header(good) + &format!("x-api-key: {bad}\r\n"),
        header(good) + "x-api-key: dummy\r\n",
        header(good) + &header(bad),
        header(good) + "authorization: Bearer\r\n",
    ];
    let unlike_ids =
        |reply: &Reply| (reply.status, reply.json(), reply.field("www-authenticate").map(str::to_owned));
    let first = guarded.call(UNARY, "").await;
    assert_eq!(first.field("x-should-retry"), Some("false"));
    assert!(first.field("www-authenticate").is_some());
    for fields in &refused {
        let reply = guarded.call(UNARY, fields).await;
        let message = reply.gemini_refusal(401);
        assert_eq!(unlike_ids(&reply), unlike_ids(&first), "{fields}");
        assert!(!message.contains("kw_"), "{message}");
        // Also where there is no such endpoint: who is nobody learns nothing.
        let reply = guarded.call(&UNARY.replace("chat", "missing"), fields).await;
        assert_eq!(unlike_ids(&reply), unlike_ids(&first), "{fields}");
    }
    assert_eq!(guarded.call(&format!("{UNARY}?key=dummy"), &header(good)).await.status, 401);
    for path in [SSE, ARRAY] {
        guarded.call(path, "").await.gemini_refusal(401);
    }
    guarded.ask(&get(LIST)).await.gemini_refusal(401);
    assert!(guarded.rig.seen().is_empty(), "nothing was forwarded");
}

#[tokio::test]
async fn times_decide_at_the_moment_of_the_call() {
    let guarded = Guarded::new().await;
    for (now, status) in [(99, 200), (100, 401)] {
        guarded.clock.0.store(now, Ordering::SeqCst);
        assert_eq!(guarded.with_key(UNARY, 6).await.status, status);
        assert_eq!(guarded.with_key(UNARY, 7).await.status, status);
    }
}

#[tokio::test]
async fn a_scope_names_what_it_keeps_from_whom() {
    let guarded = Guarded::new().await;
    for (number, path, status) in
        [(2, UNARY, 200), (2, BACKED, 403), (3, UNARY, 403), (3, BACKED, 200), (4, UNARY, 403)]
    {
        let reply = guarded.with_key(path, number).await;
        assert_eq!(reply.status, status, "{number} {path}");
        if status == 403 {
            let endpoint = if path == UNARY { "`chat`" } else { "`backed`" };
            assert!(reply.gemini_refusal(403).contains(endpoint), "{}", reply.text());
        }
    }
    // A tag that is given to an endpoint lets in who has it, at once.
    guarded.rig.catalog.change(at(8), vec![crate::rig::endpoint("chat", Vec::new())], &[]);
    let reply = guarded.with_key(BACKED, 4).await;
    assert!(reply.gemini_refusal(403).contains("`backed`"));
}

#[tokio::test]
async fn lists_show_what_may_be_called_and_nothing_else() {
    let guarded = Guarded::new().await;
    let listed = |number: u8| {
        let request = format!("GET {LIST}?key={} HTTP/1.1\r\nhost: localhost\r\n\r\n", key(number).expose());
        let guarded = &guarded;
        async move {
            let reply = guarded.ask(request.as_bytes()).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            let body = reply.json();
            let models = body["models"].as_array().cloned().unwrap_or_default();
            models.iter().map(|model| model["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(listed(1).await, ["models/backed", "models/chat", "models/split"]);
    assert_eq!(listed(2).await, ["models/chat"]);
    assert_eq!(listed(3).await, ["models/backed"]);
    assert_eq!(listed(4).await, [""; 0]);
    let one = |name: &str, number: u8| get(&format!("{LIST}/{name}?key={}", key(number).expose()));
    assert_eq!(guarded.ask(&one("chat", 2)).await.status, 200);
    guarded.ask(&one("backed", 2)).await.gemini_refusal(403);
}

#[tokio::test]
async fn a_revocation_counts_from_the_next_call_on_and_needs_no_store() {
    let guarded = Guarded::new().await;
    let mut client = Client::connect(guarded.rig.address).await;
    let request = post(UNARY, &format!("x-goog-api-key: {}\r\n", key(1).expose()), b"{}");
    assert_eq!(client.ask(&request).await.status, 200);
    let revoked = known(Record { revoked_at_ms: Some(1), ..record(1) }, "search", Scope::All);
    guarded.held.change(at(2), vec![revoked], &[]);
    client.ask(&request).await.gemini_refusal(401);
    guarded.held.change(at(3), vec![], &[key(2).key_id().to_string()]);
    guarded.with_key(UNARY, 2).await.gemini_refusal(401);
}

#[tokio::test]
async fn before_the_keys_are_there_nobody_is_refused_and_nobody_let_in() {
    let guarded = Guarded::without_keys().await;
    guarded.with_key(UNARY, 1).await.gemini_refusal(503);
    assert_eq!(guarded.ask(&get("/readyz")).await.status, 503);
    // Without the pepper no key can be checked: the door stays shut.
    guarded.held.replace(at(1), everybody().into_iter().skip(1));
    guarded.with_key(UNARY, 1).await.gemini_refusal(401);
    guarded.held.change(at(2), vec![pepper()], &[]);
    assert_eq!(guarded.with_key(UNARY, 1).await.status, 200);
    assert_eq!(guarded.ask(&get("/readyz")).await.status, 200);
}

/// Each key and pepper that was put in, in the order of the snapshot that lies on the edge's disk.
#[test]
fn what_lies_on_disk_holds_no_key() {
    let text = serde_json::to_string(&everybody()).unwrap();
    for number in 1..=7 {
        let key = key(number);
        assert!(!text.contains(&key.expose()[12..55]), "{text}");
    }
    let back: Vec<PublishedCaller> = serde_json::from_str(&text).unwrap();
    assert_eq!(back, everybody());
}

#[tokio::test]
async fn a_key_with_too_many_calls_under_way_is_told_so_and_the_others_go_on() {
    let mut config = Config::default();
    config.overload.calls_per_key_max = 1;
    let guarded = Guarded::with(config).await;
    guarded.held.replace(at(1), everybody());
    guarded.rig.replies(rig::Reply::Hangs);
    let mut first = Client::connect(guarded.rig.address).await;
    let one = format!("x-goog-api-key: {}\r\n", key(1).expose());
    first.send(&post(UNARY, &one, b"{}")).await;
    let reached = guarded.rig.forwarder.reached.acquire();
    tokio::time::timeout(BOUND, reached).await.expect("the call arrives").unwrap().forget();
    guarded.rig.replies(rig::Reply::json(200, "{}"));
    let reply = guarded.with_key(UNARY, 1).await;
    assert!(reply.gemini_refusal(429).contains("overload.calls_per_key_max"));
    assert!(reply.field("retry-after").is_some());
    assert_eq!(guarded.with_key(UNARY, 2).await.status, 200);
    drop(first);
}
