//! The plan of the house as data: each room's floor, what it may build on, and what it may not speak of.
//!
//! A new arrow between rooms is a decision: an ADR, this table and the code, in one commit.

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Room {
    /// The crate.
    pub(crate) name: &'static str,
    /// 0 to 4; arrows only point down, or sideways where `builds_on` says so.
    pub(crate) floor: u8,
    /// Crates of the workspace that it may depend on.
    pub(crate) builds_on: &'static [&'static str],
    /// Crates from outside that it may not depend on.
    pub(crate) shuns: &'static [&'static str],
    /// Why it shuns them.
    pub(crate) because: &'static str,
}

/// The floor of tools that stand beside the house.
pub(crate) const BESIDE: u8 = 9;

const MEANING: &[&str] = &["tokio", "axum", "tonic", "sqlx", "reqwest"];
const WANTED: &[&str] = &["axum", "tonic", "sqlx", "reqwest"];
const WIRE: &[&str] = &["axum", "sqlx", "reqwest"];
const ROWS: &[&str] = &["http", "axum", "tonic", "reqwest", "secrecy"];
const PROVIDER: &[&str] = &["axum", "sqlx", "tonic", "hyper", "reqwest"];

/// What a forwarder of any provider may build on.
const FORWARDER: &[&str] = &["fault", "names", "dialect", "forward", "forward-http"];

/// Every room. A crate that is not here is a breach.
pub(crate) const ROOMS: &[Room] = &[
    Room { name: "fault", floor: 0, builds_on: &[], shuns: MEANING, because: SPEAKS_OF_MEANING },
    Room { name: "names", floor: 0, builds_on: &["fault"], shuns: MEANING, because: SPEAKS_OF_MEANING },
    Room {
        name: "proto",
        floor: 0,
        builds_on: &[],
        shuns: &["tokio", "axum", "sqlx", "reqwest"],
        because: "it is generated: messages and their gRPC code, nothing by hand",
    },
    Room {
        name: "telemetry",
        floor: 0,
        builds_on: &["fault", "names"],
        shuns: &["axum", "sqlx", "reqwest"],
        because: "it exports over OTLP; what it measures comes to it",
    },
    Room {
        name: "seal",
        floor: 0,
        builds_on: &["fault", "names"],
        shuns: MEANING,
        because: SPEAKS_OF_MEANING,
    },
    Room {
        name: "access",
        floor: 0,
        builds_on: &["fault", "names"],
        shuns: MEANING,
        because: SPEAKS_OF_MEANING,
    },
    Room {
        name: "trust",
        floor: 1,
        builds_on: &["fault", "names"],
        shuns: WIRE,
        because: "it says who is at the far end of a connection and what they may call, not what is said",
    },
    Room {
        name: "dialect",
        floor: 1,
        builds_on: &["fault", "names"],
        shuns: MEANING,
        because: SPEAKS_OF_MEANING,
    },
    Room {
        name: "forward",
        floor: 1,
        builds_on: &["fault", "names", "dialect"],
        shuns: WANTED,
        because: SAYS_WHAT_IS_WANTED,
    },
    Room {
        name: "store",
        floor: 1,
        builds_on: &["fault", "names", "seal", "access"],
        shuns: WANTED,
        because: SAYS_WHAT_IS_WANTED,
    },
    Room {
        name: "forward-http",
        floor: 2,
        builds_on: &["fault", "names", "dialect", "forward"],
        shuns: &["axum", "sqlx", "tonic"],
        because: "it is the one way out: a client, not a server, and no provider",
    },
    Room {
        name: "forward-grpc",
        floor: 2,
        builds_on: &["fault", "names", "proto", "trust", "dialect", "forward", "telemetry"],
        shuns: WIRE,
        because: TRANSLATES_PROTO,
    },
    Room {
        name: "edge",
        floor: 2,
        builds_on: &["fault", "names", "telemetry", "access", "dialect", "forward", "store"],
        shuns: &["sqlx", "reqwest", "tonic"],
        because: "it speaks HTTP in; no SQL, no way out, no provider",
    },
    Room {
        name: "store-grpc",
        floor: 2,
        builds_on: &["fault", "names", "proto", "trust", "seal", "access", "store", "telemetry"],
        shuns: WIRE,
        because: TRANSLATES_PROTO,
    },
    Room {
        name: "store-postgres",
        floor: 2,
        builds_on: &["fault", "names", "store"],
        shuns: &["http", "axum", "tonic", "reqwest"],
        because: ROWS_ONLY,
    },
    Room {
        name: "store-sqlite",
        floor: 2,
        builds_on: &["fault", "names", "store"],
        shuns: ROWS,
        because: ROWS_ONLY,
    },
    Room { name: "forward-gemini", floor: 3, builds_on: FORWARDER, shuns: PROVIDER, because: ONE_PROVIDER },
    Room { name: "forward-openai", floor: 3, builds_on: FORWARDER, shuns: PROVIDER, because: ONE_PROVIDER },
    Room {
        name: "forward-anthropic",
        floor: 3,
        builds_on: FORWARDER,
        shuns: PROVIDER,
        because: ONE_PROVIDER,
    },
    Room {
        name: "forward-compatible",
        floor: 3,
        builds_on: FORWARDER,
        shuns: PROVIDER,
        because: ONE_PROVIDER,
    },
    Room { name: "forward-litellm", floor: 3, builds_on: FORWARDER, shuns: PROVIDER, because: ONE_PROVIDER },
    Room { name: "forward-vertex", floor: 3, builds_on: FORWARDER, shuns: PROVIDER, because: ONE_PROVIDER },
    Room { name: "keyward", floor: 4, builds_on: EVERYTHING, shuns: &[], because: "" },
    Room { name: "provider-sim", floor: BESIDE, builds_on: &[], shuns: &["sqlx"], because: STANDS_ALONE },
    Room { name: "bench", floor: BESIDE, builds_on: EVERYTHING, shuns: &[], because: "" },
    Room { name: "e2e", floor: BESIDE, builds_on: EVERYTHING, shuns: &[], because: "" },
    Room {
        name: "xtask",
        floor: BESIDE,
        builds_on: &[],
        shuns: &["axum", "tonic", "sqlx"],
        because: STANDS_ALONE,
    },
];

/// Stands for any crate of the workspace.
pub(crate) const EVERYTHING: &[&str] = &["*"];

const SPEAKS_OF_MEANING: &str = "it speaks of meaning, not of transports or databases";
const SAYS_WHAT_IS_WANTED: &str = "it says what is wanted, not how";
const TRANSLATES_PROTO: &str = "it translates between proto and domain, nothing else";
const ROWS_ONLY: &str = "it moves rows of sealed bytes: no HTTP, no secret in the clear";
const ONE_PROVIDER: &str = "it knows one provider's wire, and is pure but for what forward-http does";
const STANDS_ALONE: &str = "it stands beside the house and is built without it";
