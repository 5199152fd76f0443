//! What an edge states of a call that it let in: this call, for this endpoint and this target, now. A forwarder that is
//! told to asks for it, so that a call needs more than a connection.
//!
//! Each provider has a key of its own, derived from the edges' key: a forwarder that is lost states nothing to another.
//! No key is ever pushed: they lie in files beside the certificates, and so a process needs nobody to start.

use std::{path::Path, time::Duration};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use names::Provider;
use zeroize::Zeroizing;

use crate::error::TrustError;

/// How old or how far ahead a statement may be: what clocks differ, and a call's way. Longer than any time on the way,
/// since a call is stated anew for each attempt.
pub const ADMISSION_AGE_MAX: Duration = Duration::from_mins(5);

/// The form of a statement; another one gets another number.
const FORM: u8 = 1;
const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;
const STATEMENT_BYTES: usize = 1 + 8 + MAC_BYTES;
/// Keys that are good at once, while one replaces another.
const KEYS_MAX: usize = 8;

/// The keys of a file: the first states, all are good.
pub struct AdmissionKeys(Vec<Zeroizing<[u8; KEY_BYTES]>>);

impl AdmissionKeys {
    /// A new one.
    pub fn generate() -> Result<Self, TrustError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let random = aws_lc_rs::rand::fill(&mut *key);
        random.map_err(|_| TrustError::Defaults(rustls::Error::FailedToGetRandomBytes))?;
        Ok(Self(vec![key]))
    }

    /// Reads a file: a key a line, 64 hexadecimal digits.
    pub fn load(file: &Path) -> Result<Self, TrustError> {
        let text = std::fs::read_to_string(file);
        let unreadable = |source| TrustError::Unreadable { file: file.to_owned(), source };
        let text = Zeroizing::new(text.map_err(unreadable)?);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Option<Vec<_>> = lines.map(read).collect();
        match keys {
            Some(keys) if (1..=KEYS_MAX).contains(&keys.len()) => Ok(Self(keys)),
            _ => Err(TrustError::NotAnAdmissionKey { file: file.to_owned() }),
        }
    }

    /// The file's text.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.0.len() * (2 * KEY_BYTES + 1)));
        for key in &self.0 {
            text.push_str(&Zeroizing::new(hex::encode(**key)));
            text.push('\n');
        }
        text
    }

    /// From the edges' keys, those of the forwarders of one provider.
    pub fn of(&self, provider: &Provider) -> Self {
        let derive = |key: &Zeroizing<[u8; KEY_BYTES]>| {
            let info = format!("keyward admission {provider}");
            let derived = sign(&Key::new(HMAC_SHA256, &**key), info.as_bytes());
            let mut own = Zeroizing::new([0; KEY_BYTES]);
            own.copy_from_slice(derived.as_ref());
            own
        };
        Self(self.0.iter().map(derive).collect())
    }
}

fn read(line: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    hex::decode_to_slice(line, &mut *key).ok()?;
    Some(key)
}

/// States calls to the forwarders of one provider, or checks what was stated.
pub struct Admission(Vec<Key>);

/// What is stated.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// The id of the client's request.
    pub request_id: &'a str,
    /// The endpoint that was called.
    pub endpoint: &'a str,
    /// The target.
    pub mapping: &'a str,
}

impl Admission {
    /// With the keys of that provider's forwarders.
    pub fn new(keys: &AdmissionKeys) -> Self {
        Self(keys.0.iter().map(|key| Key::new(HMAC_SHA256, &**key)).collect())
    }

    /// States it, at this time (milliseconds since the Unix epoch).
    pub fn state(&self, statement: &Statement<'_>, now_ms: i64) -> Vec<u8> {
        let Some(key) = self.0.first() else { return Vec::new() };
        let mac = sign(key, &statement.bytes(now_ms));
        let mut stated = Vec::with_capacity(STATEMENT_BYTES);
        stated.push(FORM);
        stated.extend_from_slice(&now_ms.to_be_bytes());
        stated.extend_from_slice(mac.as_ref());
        stated
    }

    /// Whether this was stated of this call, a short time ago; else why not.
    pub fn check(&self, statement: &Statement<'_>, stated: &[u8], now_ms: i64) -> Result<(), &'static str> {
        if stated.is_empty() {
            return Err("no edge states that it let this call in");
        }
        let Some((&FORM, rest)) = stated.split_first() else { return Err("the statement has another form") };
        let Some((time, mac)) = rest.split_first_chunk::<8>() else { return Err("the statement is cut off") };
        let time = i64::from_be_bytes(*time);
        let bytes = statement.bytes(time);
        if !self.0.iter().any(|key| verify(key, &bytes, mac).is_ok()) {
            return Err("the statement is of another call, or by nobody who may make one");
        }
        let age_max = u64::try_from(ADMISSION_AGE_MAX.as_millis()).unwrap_or(u64::MAX);
        if now_ms.abs_diff(time) > age_max {
            return Err("the statement is too old, or clocks differ");
        }
        Ok(())
    }
}

impl Statement<'_> {
    /// What is MACed: each part with its length, so that no two statements read alike.
    fn bytes(&self, time_ms: i64) -> Vec<u8> {
        let parts = [self.request_id, self.endpoint, self.mapping];
        let mut bytes = Vec::with_capacity(9 + parts.iter().map(|part| 8 + part.len()).sum::<usize>());
        bytes.push(FORM);
        bytes.extend_from_slice(&time_ms.to_be_bytes());
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

impl std::fmt::Debug for Admission {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Admission").field("keys", &self.0.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Statement<'_> = Statement { request_id: "r-1", endpoint: "chat", mapping: "m-1" };
    const NOW: i64 = 1_800_000_000_000;

    fn provider(name: &str) -> Provider {
        Provider::parse(name).unwrap()
    }

    #[test]
    fn what_was_stated_is_believed_of_that_call_for_a_short_time() {
        let edges = AdmissionKeys::generate().unwrap();
        let (edge, forwarder) =
            (Admission::new(&edges.of(&provider("gemini"))), Admission::new(&edges.of(&provider("gemini"))));
        let stated = edge.state(&CALL, NOW);
        assert_eq!(forwarder.check(&CALL, &stated, NOW + 1_000), Ok(()));
        for other in [
            Statement { request_id: "r-2", ..CALL },
            Statement { endpoint: "chat2", ..CALL },
            Statement { mapping: "m-2", ..CALL },
            // The same letters, otherwise divided.
            Statement { endpoint: "chatm", mapping: "-1", ..CALL },
        ] {
            assert!(forwarder.check(&other, &stated, NOW).is_err(), "{other:?}");
        }
        assert!(forwarder.check(&CALL, &stated, NOW + 300_001).is_err());
        assert!(forwarder.check(&CALL, &stated, NOW - 300_001).is_err());
        assert!(forwarder.check(&CALL, &[], NOW).is_err());
        for length in 0..stated.len() {
            assert!(forwarder.check(&CALL, &stated[..length], NOW).is_err(), "{length}");
        }
        for at in 0..stated.len() {
            let mut changed = stated.clone();
            changed[at] ^= 1;
            assert!(forwarder.check(&CALL, &changed, NOW).is_err(), "{at}");
        }
    }

    #[test]
    fn a_forwarder_states_nothing_to_another() {
        let edges = AdmissionKeys::generate().unwrap();
        let (gemini, openai) = (edges.of(&provider("gemini")), edges.of(&provider("openai")));
        let stated = Admission::new(&gemini).state(&CALL, NOW);
        assert!(Admission::new(&openai).check(&CALL, &stated, NOW).is_err());
        assert!(Admission::new(&edges).check(&CALL, &stated, NOW).is_err());
    }

    #[test]
    fn keys_are_replaced_by_two_in_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("admission.key");
        let (old, new) = (AdmissionKeys::generate().unwrap(), AdmissionKeys::generate().unwrap());
        std::fs::write(&file, [new.text().as_str(), old.text().as_str()].concat()).unwrap();
        let both = Admission::new(&AdmissionKeys::load(&file).unwrap());
        for one in [&old, &new] {
            assert_eq!(both.check(&CALL, &Admission::new(one).state(&CALL, NOW), NOW), Ok(()));
        }
        assert_eq!(Admission::new(&new).check(&CALL, &both.state(&CALL, NOW), NOW), Ok(()));
        for wrong in ["", "abc\n", "g".repeat(64).as_str(), "00\n".repeat(2).as_str()] {
            std::fs::write(&file, wrong).unwrap();
            assert!(AdmissionKeys::load(&file).is_err(), "{wrong:?}");
        }
    }
}
