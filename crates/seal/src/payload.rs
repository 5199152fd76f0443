//! What is sealed: a secret's fields and the hosts they may be sent to, in one typed, versioned encoding.
//!
//! `u8 format (1) ‖ u32 count ‖ count × (LP name ‖ LP value) ‖ u32 count ‖ count × LP host`, where
//! `LP x = u32_be(length) ‖ bytes`. Never "JSON if it parses": a value is bytes, whatever it looks like.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::SealError;

/// The one format there is.
const FORMAT: u8 = 1;

/// A secret in the clear, on its way into a seal or out of it. No `Display`, no `Clone`; `Debug` shows names only.
pub struct Payload {
    /// Values by field name, e.g. `api_key`.
    pub fields: BTreeMap<String, SecretString>,
    /// Hosts that the values may be sent to, lower case, without port; empty: the provider's defaults.
    pub allowed_hosts: Vec<String>,
}

impl Payload {
    /// The most that a payload may hold, encoded, in bytes: provider keys are short, service accounts a few KiB.
    pub const MAX: usize = 256 * 1024;

    /// A payload of these parts.
    pub fn new(fields: BTreeMap<String, SecretString>, allowed_hosts: Vec<String>) -> Self {
        Self { fields, allowed_hosts }
    }

    /// The bytes to seal, in a buffer that is wiped and was never re-allocated.
    pub(crate) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let fields: usize =
            self.fields.iter().map(|(name, value)| 8 + name.len() + value.expose_secret().len()).sum();
        let hosts: usize = self.allowed_hosts.iter().map(|host| 4 + host.len()).sum();
        let length = 1 + 4 + fields + 4 + hosts;
        if length > Self::MAX {
            return Err(SealError::TooLarge { max: Self::MAX });
        }
        let mut out = Zeroizing::new(Vec::with_capacity(length));
        out.push(FORMAT);
        put_length(&mut out, self.fields.len())?;
        for (name, value) in &self.fields {
            put(&mut out, name)?;
            put(&mut out, value.expose_secret())?;
        }
        put_length(&mut out, self.allowed_hosts.len())?;
        for host in &self.allowed_hosts {
            put(&mut out, host)?;
        }
        Ok(out)
    }

    /// Reads exactly one payload.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let (&format, rest) = bytes.split_first().ok_or(SealError::Malformed("empty"))?;
        if format != FORMAT {
            return Err(SealError::UnknownFormat(u32::from(format)));
        }
        let mut reader = Reader(rest);
        let mut fields = BTreeMap::new();
        for _ in 0..reader.length()? {
            let name = reader.text()?.to_owned();
            let value = SecretString::from(reader.text()?);
            if fields.insert(name, value).is_some() {
                return Err(SealError::Malformed("a field twice"));
            }
        }
        let mut allowed_hosts = Vec::new();
        for _ in 0..reader.length()? {
            allowed_hosts.push(reader.text()?.to_owned());
        }
        if reader.0.is_empty() {
            Ok(Self { fields, allowed_hosts })
        } else {
            Err(SealError::Malformed("bytes after its end"))
        }
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Payload")
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .field("allowed_hosts", &self.allowed_hosts)
            .finish()
    }
}

/// How a value is shown to admins, as MLflow shows it, but less of short ones: the first three and the last four
/// characters from 24 characters up, else nothing of it.
pub fn mask(value: &SecretString) -> String {
    const SHOWN_FROM: usize = 24;
    let value = value.expose_secret();
    let characters = value.chars().count();
    if characters < SHOWN_FROM {
        return "***".to_owned();
    }
    let first: String = value.chars().take(3).collect();
    let last: String = value.chars().skip(characters - 4).collect();
    format!("{first}...{last}")
}

fn put(out: &mut Vec<u8>, part: &str) -> Result<(), SealError> {
    put_length(out, part.len())?;
    out.extend_from_slice(part.as_bytes());
    Ok(())
}

fn put_length(out: &mut Vec<u8>, length: usize) -> Result<(), SealError> {
    let length = u32::try_from(length).map_err(|_| SealError::TooLarge { max: Payload::MAX })?;
    out.extend_from_slice(&length.to_be_bytes());
    Ok(())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn length(&mut self) -> Result<usize, SealError> {
        let (length, rest) =
            self.0.split_first_chunk::<4>().ok_or(SealError::Malformed("ends inside a length"))?;
        self.0 = rest;
        usize::try_from(u32::from_be_bytes(*length)).map_err(|_| SealError::Malformed("a length"))
    }

    fn text(&mut self) -> Result<&'a str, SealError> {
        let length = self.length()?;
        let (part, rest) =
            self.0.split_at_checked(length).ok_or(SealError::Malformed("ends inside a part"))?;
        self.0 = rest;
        std::str::from_utf8(part).map_err(|_| SealError::Malformed("not text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> Payload {
        let fields = [("api_key", "AIza-CANARY"), ("empty", ""), ("json", "{\"a\":1}")];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Payload::new(fields, vec!["b.example".to_owned(), "a.example".to_owned()])
    }

    #[test]
    fn round_trip() {
        let encoded = payload().encode().unwrap();
        assert_eq!(encoded.len(), encoded.capacity(), "nothing was re-allocated");
        let decoded = Payload::decode(&encoded).unwrap();
        assert_eq!(decoded.encode().unwrap(), encoded);
        assert_eq!(decoded.fields["api_key"].expose_secret(), "AIza-CANARY");
        assert_eq!(decoded.allowed_hosts, ["b.example", "a.example"]);
    }

    #[test]
    fn every_cut_and_every_addition_is_refused() {
        let encoded = payload().encode().unwrap();
        for cut in 0..encoded.len() {
            assert!(Payload::decode(&encoded[..cut]).is_err(), "{cut}");
        }
        let mut longer = encoded.to_vec();
        longer.push(0);
        assert!(Payload::decode(&longer).is_err());
        let mut other = encoded.to_vec();
        other[0] = 2;
        assert_eq!(Payload::decode(&other).unwrap_err(), SealError::UnknownFormat(2));
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", payload());
        assert!(!shown.contains("CANARY"), "{shown}");
        assert!(shown.contains("api_key"), "{shown}");
    }

    #[test]
    fn masks_show_little_of_long_values_and_nothing_of_short_ones() {
        let mask = |value: &str| mask(&SecretString::from(value));
        assert_eq!(mask(""), "***");
        assert_eq!(mask(&"x".repeat(23)), "***");
        assert_eq!(mask("abcdefghijklmnopqrstuvwx"), "abc...uvwx");
        assert_eq!(mask(&"ü".repeat(24)), "üüü...üüüü");
    }

    #[test]
    fn too_much_is_refused() {
        let fields = [("k".to_owned(), "x".repeat(Payload::MAX).into())].into();
        let refused = Payload::new(fields, Vec::new()).encode().unwrap_err();
        assert_eq!(refused, SealError::TooLarge { max: Payload::MAX });
    }
}
