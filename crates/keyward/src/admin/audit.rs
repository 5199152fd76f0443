//! `keyward audit …`: what was done, and whether the log of it is as it was written.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::json;

use super::{
    AdminError, Connection,
    client::{Client, Kind},
    table::{self, Columns},
};

const ENTRY: Kind =
    Kind { word: "audit row", path: "audit", list: "entries", one: "entry", id: "seq", name: "seq" };

const COLUMNS: Columns = &[
    ("SEQ", |item| table::text(item, "seq")),
    ("AT (ms)", |item| table::text(item, "at")),
    ("WHO", |item| table::text(item, "actor")),
    ("KIND", |item| table::text(item, "actor_kind")),
    ("DID", |item| table::text(item, "action")),
    ("TO", |item| table::text(item, "object")),
    ("OUTCOME", |item| table::text(item, "outcome")),
    ("DETAIL", |item| table::text(item, "detail")),
];

/// Read and verify the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show rows, the oldest first
    List(List),
    /// Check every row against its chain; exit code 1 where one is not as it was written
    Verify(Verify),
}

/// `keyward audit list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only rows after this number
    #[arg(long, default_value_t = 0)]
    since: u32,
    /// At most so many, up to 1000
    #[arg(long, default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    connection: Connection,
}

/// `keyward audit verify`
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    connection: Connection,
}

impl AuditCommand {
    /// Does it.
    pub(crate) async fn run(self) -> Result<(), AdminError> {
        match self {
            Self::List(List { since, limit, connection }) => {
                let body = json!({ "since": since.to_string(), "limit": limit.to_string() });
                let answer = Client::new(&connection)?.keyward(Method::GET, "audit/list", &body).await?;
                table::list(&connection, &ENTRY, COLUMNS, &answer);
                Ok(())
            }
            Self::Verify(Verify { connection }) => verify(&connection).await,
        }
    }
}

async fn verify(connection: &Connection) -> Result<(), AdminError> {
    let answer = Client::new(connection)?.keyward(Method::GET, "audit/verify", &json!({})).await?;
    let (seq, mac) = (table::text(&answer, "seq"), table::text(&answer, "mac"));
    if let Some(bad) = answer.get("first_bad").filter(|bad| !bad.is_null()) {
        let (bad, why) = (table::text(bad, "seq"), table::text(bad, "why"));
        return Err(AdminError::Input(format!("audit row {bad} is not as it was written: {why}")));
    }
    let said = format!(
        "rows 1 to {seq} are as they were written; keep this elsewhere to see later whether rows are missing at the \
         end: {seq} {mac}"
    );
    table::done(connection, &answer, if seq == "0" { "the audit log is empty" } else { &said });
    Ok(())
}
