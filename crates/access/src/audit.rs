//! The chain of the audit log: each row's MAC covers the row and the MAC before it.
//!
//! `mac = HMAC-SHA-256(audit key, LP(prev) ‖ LP(canonical row))`, where `LP(x)` is `u32_be(length) ‖ x`. Whoever can write to
//! the database but has not the key can neither change, insert, swap nor remove a row unseen, but for rows at the end:
//! those, a [`Head`] that was kept elsewhere shows.

mod row;

use aws_lc_rs::hmac;

pub use row::{Row, Stored};

use crate::{Mac, MaterialError, derive};

/// The key of the chain of one workspace. `Debug` shows nothing of it; the library wipes it when dropped.
#[derive(Clone)]
pub struct AuditKey(hmac::Key);

impl AuditKey {
    /// The key that belongs to `material` (at least 32 bytes), by HKDF-SHA-256. A chain verifies with the same material
    /// alone: material that is rotated is kept, or the chain ends with a head under the old key.
    pub fn derive(material: &[u8], workspace: &str) -> Result<Self, MaterialError> {
        derive::mac_key(material, "chain of the audit log", workspace.as_bytes()).map(Self)
    }

    fn mac(&self, prev: &Mac, row: &Row<'_>) -> Mac {
        let mut text = Vec::with_capacity(256);
        row::prefixed(&mut text, prev.as_bytes());
        row::prefixed(&mut text, &row.canonical());
        Mac::of(&self.0, &text)
    }
}

impl std::fmt::Debug for AuditKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AuditKey(…)")
    }
}

/// A point of a chain: its last row and that row's MAC. What a head row in the database or a checkpoint elsewhere holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last row's number; 0 before the first.
    pub seq: i64,
    /// The last row's MAC; zero before the first.
    pub mac: Mac,
}

impl Head {
    /// Before the first row.
    pub const START: Self = Self { seq: 0, mac: Mac::ZERO };
}

impl Default for Head {
    fn default() -> Self {
        Self::START
    }
}

/// A chain at some point: writes the next row, or checks it. Rows may come in pages; nothing of them is kept.
#[derive(Debug, Clone)]
pub struct Chain<'a> {
    key: &'a AuditKey,
    head: Head,
}

impl<'a> Chain<'a> {
    /// A chain that goes on after `head`.
    pub fn after(key: &'a AuditKey, head: Head) -> Self {
        Self { key, head }
    }

    /// Where it stands.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The number that the next row must have.
    pub fn next_seq(&self) -> i64 {
        self.head.seq.saturating_add(1)
    }

    /// Takes up a new row. Gives what its columns `prev` and `mac` are.
    ///
    /// The caller holds the head's lock: two rows after one head are a fork, which verifying shows.
    pub fn append(&mut self, row: &Row<'_>) -> Result<(Mac, Mac), FirstBad> {
        self.in_order(row)?;
        let prev = self.head.mac;
        let mac = self.key.mac(&prev, row);
        self.head = Head { seq: row.seq, mac };
        Ok((prev, mac))
    }

    /// Checks the next row as it is stored. After a bad one the chain stands where it stood.
    pub fn check(&mut self, stored: &Stored<'_>) -> Result<(), FirstBad> {
        self.in_order(&stored.row)?;
        let bad = |why| Err(FirstBad { seq: stored.row.seq, why });
        if Mac::from_bytes(stored.prev) != Some(self.head.mac) {
            return bad(Why::Prev);
        }
        let mac = self.key.mac(&self.head.mac, &stored.row);
        if Mac::from_bytes(stored.mac) != Some(mac) {
            return bad(Why::Row);
        }
        self.head = Head { seq: stored.row.seq, mac };
        Ok(())
    }

    fn in_order(&self, row: &Row<'_>) -> Result<(), FirstBad> {
        let seq = self.next_seq();
        if row.seq == seq { Ok(()) } else { Err(FirstBad { seq, why: Why::Missing { found: row.seq } }) }
    }
}

/// Checks rows in the order of their number, from after `head`. Gives the head after the last, to be compared with the
/// one that was kept: rows missing at the end show only there.
pub fn verify<'r>(
    key: &AuditKey,
    head: Head,
    rows: impl IntoIterator<Item = Stored<'r>>,
) -> Result<Head, FirstBad> {
    let mut chain = Chain::after(key, head);
    for stored in rows {
        chain.check(&stored)?;
    }
    Ok(chain.head())
}

/// The first row that is not as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("audit row {seq} is not as it was written: {why}")]
pub struct FirstBad {
    /// Its number.
    pub seq: i64,
    /// How it shows.
    pub why: Why,
}

/// How an altered row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Another row stands in its place.
    #[error("row {found} stands in its place")]
    Missing {
        /// The number of the row that stands there.
        found: i64,
    },
    /// It does not follow the row before it.
    #[error("it does not follow the row before it")]
    Prev,
    /// Its content or its MAC was changed, or another key made it.
    #[error("its content does not match its MAC")]
    Row,
}

#[cfg(test)]
mod tests;
