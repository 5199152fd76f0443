//! `keyward key …`: the keys of applications.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};
use store::{Clock as _, System};

use super::{
    AdminError, Connection,
    client::{Client, Kind},
    secret::set,
    table::{self, Columns},
};

const KEY: Kind = Kind {
    word: "key",
    path: "client-keys",
    list: "client_keys",
    one: "client_key",
    id: "key_id",
    name: "masked_key",
};

const COLUMNS: Columns = &[
    ("ID", |item| table::text(item, "key_id")),
    ("OWNER", |item| table::text(item, "owner")),
    ("MAY CALL", scope),
    ("STATE", state),
    ("NOTE", |item| table::text(item, "note")),
];

/// Manage the keys of applications.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; it is shown this once
    Create(Create),
    /// Show all, masked
    List(List),
    /// Show one, masked
    Get(One),
    /// Change what a key may call, its note or its end
    Update(Update),
    /// Make a key in place of another, which counts beside it for a while
    Rotate(Rotate),
    /// End a key at once, on every edge
    Revoke(One),
    /// Forget a key that counts no more
    Delete(One),
}

/// What a key may call, and until when.
#[derive(Debug, Args)]
pub(crate) struct Reach {
    /// An endpoint that it may call; may be repeated [default: all]
    #[arg(long = "endpoint", value_name = "NAME")]
    endpoints: Vec<String>,
    /// A tag whose endpoints it may call; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
    /// It ends after so long, e.g. 90d, 12h
    #[arg(long, value_name = "DURATION", value_parser = milliseconds)]
    expires_in: Option<i64>,
    /// What it is for
    #[arg(long)]
    note: Option<String>,
}

/// `keyward key create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Whose it is: a team, an application, a person
    owner: String,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward key list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this owner
    #[arg(long)]
    owner: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

/// One key.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// Its id: the 8 characters after `kw_`
    key_id: String,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward key update`
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its id: the 8 characters after `kw_`
    key_id: String,
    #[command(flatten)]
    reach: Reach,
    /// It may call every endpoint
    #[arg(long, conflicts_with_all = ["endpoints", "tags"])]
    all_endpoints: bool,
    /// It does not end
    #[arg(long, conflicts_with = "expires_in")]
    never_expires: bool,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward key rotate`
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The id of the key to replace: the 8 characters after `kw_`
    key_id: String,
    /// How long the old key still counts, e.g. 24h; at most 90d
    #[arg(long, value_name = "DURATION", value_parser = milliseconds, default_value = "24h")]
    overlap: i64,
    #[command(flatten)]
    connection: Connection,
}

impl KeyCommand {
    /// Does it.
    pub(crate) async fn run(self) -> Result<(), AdminError> {
        match self {
            Self::Create(Create { owner, reach, connection }) => {
                let mut body = json!({ "owner": owner });
                reach.write(&mut body);
                minted(&connection, "client-keys/create", &body).await
            }
            Self::List(List { owner, connection }) => {
                let client = Client::new(&connection)?;
                let filter = json!({ "owner": owner });
                let answer = client.keyward(Method::GET, "client-keys/list", &filter).await?;
                table::list(&connection, &KEY, COLUMNS, &answer);
                Ok(())
            }
            Self::Get(One { key_id, connection }) => {
                one(&connection, Method::GET, "client-keys/get", &json!({ "key_id": key_id })).await
            }
            Self::Update(Update { key_id, reach, all_endpoints, never_expires, connection }) => {
                let mut body = json!({ "key_id": key_id });
                reach.write(&mut body);
                set(&mut body, "all_endpoints", all_endpoints.then_some(Value::from(true)));
                set(&mut body, "never_expires", never_expires.then_some(Value::from(true)));
                one(&connection, Method::POST, "client-keys/update", &body).await
            }
            Self::Rotate(Rotate { key_id, overlap, connection }) => {
                let body = json!({ "key_id": key_id, "overlap_ms": overlap });
                minted(&connection, "client-keys/rotate", &body).await
            }
            Self::Revoke(One { key_id, connection }) => {
                one(&connection, Method::POST, "client-keys/revoke", &json!({ "key_id": key_id })).await
            }
            Self::Delete(One { key_id, connection }) => {
                let client = Client::new(&connection)?;
                let body = json!({ "key_id": key_id });
                let answer = client.keyward(Method::DELETE, "client-keys/delete", &body).await?;
                table::done(&connection, &answer, "deleted");
                Ok(())
            }
        }
    }
}

impl Reach {
    fn write(self, body: &mut Value) {
        let tags = |tags: Vec<(String, String)>| {
            tags.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect::<Vec<_>>()
        };
        set(body, "endpoints", (!self.endpoints.is_empty()).then(|| Value::from(self.endpoints)));
        set(body, "endpoint_tags", (!self.tags.is_empty()).then(|| Value::from(tags(self.tags))));
        let expires_at = self.expires_in.map(|length| System.now_ms().saturating_add(length));
        set(body, "expires_at", expires_at.map(Value::from));
        set(body, "note", self.note.map(Value::from));
    }
}

/// A request whose answer is one key, masked.
async fn one(connection: &Connection, method: Method, path: &str, body: &Value) -> Result<(), AdminError> {
    let answer = Client::new(connection)?.keyward(method, path, body).await?;
    table::one(connection, &KEY, COLUMNS, &answer);
    Ok(())
}

/// A request whose answer has the new key in the clear, which stands on a line of its own.
async fn minted(connection: &Connection, path: &str, body: &Value) -> Result<(), AdminError> {
    let answer = Client::new(connection)?.keyward(Method::POST, path, body).await?;
    table::one(connection, &KEY, COLUMNS, &answer);
    if !connection.json {
        table::line("the key, which is not shown again:");
        table::line(&table::text(&answer, "key"));
    }
    Ok(())
}

fn scope(item: &Value) -> String {
    if item.get("all_endpoints").and_then(Value::as_bool) == Some(true) {
        return "everything".to_owned();
    }
    let names = item.get("endpoints").and_then(Value::as_array).into_iter().flatten();
    let mut lines: Vec<_> = names.filter_map(Value::as_str).map(str::to_owned).collect();
    lines.extend(table::entries(item, "endpoint_tags").lines().map(str::to_owned));
    if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") }
}

fn state(item: &Value) -> String {
    let now = System.now_ms();
    let past = |field: &str| item.get(field).and_then(Value::as_i64).is_some_and(|time| time <= now);
    let word = match () {
        () if past("revoked_at") => "revoked",
        () if past("expires_at") => "expired",
        () if past("retires_at") => "replaced",
        () if item.get("retires_at").is_some() => "being replaced",
        () => "live",
    };
    word.to_owned()
}

/// `key=value`
fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a tag is KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// A whole number and a unit, in milliseconds.
fn milliseconds(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let worth = match text.get(digits.len()..) {
        Some("s") => 1_000,
        Some("m") => 60_000,
        Some("h") => 3_600_000,
        Some("d") => 86_400_000,
        _ => 0,
    };
    let length = digits.parse::<u32>().ok().and_then(|number| i64::from(number).checked_mul(worth));
    length
        .filter(|_| worth > 0)
        .ok_or("a duration is a whole number and a unit: `30m`, `24h`, `90d`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(milliseconds("90d"), Ok(7_776_000_000));
        assert_eq!(milliseconds("0s"), Ok(0));
        for wrong in ["", "5", "d", "-1d", "1.5h", "1w", "99999999999d"] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }
}
