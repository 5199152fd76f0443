//! What of a secret may not be readable, and finding it.

use forward::Credential;
use http::HeaderValue;
use secrecy::ExposeSecret as _;

/// So many bytes of a secret in a row are not shown.
const RUN: usize = 8;
/// Beside a run of stars or dots, so few of its beginning or end are not shown either.
const REST: usize = 3;
/// Values shorter than this are no secrets that could be told from words.
const SECRET_MIN: usize = 6;

/// The values of a secret, ready to be searched for. No `Debug`.
pub(super) struct Needles {
    values: Vec<Vec<u8>>,
    /// Every `RUN` bytes (or the whole of a shorter value) as a number, sorted; by their length.
    runs: Vec<(usize, Vec<u64>)>,
    reach: usize,
}

impl Needles {
    /// Of a secret's fields, and of the token that was granted for it, if there is one.
    pub(super) fn of(credential: &Credential, token: Option<&HeaderValue>) -> Self {
        let fields = credential.fields.values().flat_map(|value| hidden_in(value.expose_secret().trim()));
        let token = token.map(|token| token.as_bytes().strip_prefix(b"Bearer ").unwrap_or(token.as_bytes()));
        let values: Vec<Vec<u8>> =
            fields.chain(token.map(<[u8]>::to_vec)).filter(|value| value.len() >= SECRET_MIN).collect();
        let mut runs: Vec<(usize, Vec<u64>)> = Vec::new();
        for value in &values {
            let length = value.len().min(RUN);
            let numbers = value.windows(length).map(number);
            match runs.iter_mut().find(|(of_length, _)| *of_length == length) {
                Some((_, known)) => known.extend(numbers),
                None => runs.push((length, numbers.collect())),
            }
        }
        for (_, numbers) in &mut runs {
            numbers.sort_unstable();
        }
        let reach = values.iter().map(Vec::len).max().unwrap_or(0) + RUN;
        Self { values, runs, reach }
    }

    /// Whether a byte is masked depends only on the bytes that are at most so far away.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// The masked text, of the same length, or none where there is nothing to mask.
    pub(super) fn mask(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut masked = text.to_vec();
        self.mask_runs(text, &mut masked);
        for value in &self.values {
            mask_rests(value, &mut masked);
        }
        (masked != text).then_some(masked)
    }

    fn mask_runs(&self, text: &[u8], masked: &mut [u8]) {
        for (length, numbers) in &self.runs {
            for (at, window) in text.windows(*length).enumerate() {
                if numbers.binary_search(&number(window)).is_ok() {
                    masked[at..at + length].fill(b'*');
                }
            }
        }
    }
}

/// Members of a JSON field that are secret. The others (addresses, names) stand in many an honest refusal.
const HIDDEN: [&str; 4] = ["private_key", "private_key_id", "client_secret", "refresh_token"];

/// What of a field is secret: all of it, or of a JSON object the members that are.
fn hidden_in(field: &str) -> Vec<Vec<u8>> {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(field) {
        Ok(object) => HIDDEN
            .iter()
            .filter_map(|name| object.get(*name)?.as_str())
            .map(|text| text.as_bytes().to_vec())
            .collect(),
        Err(_) => vec![field.as_bytes().to_vec()],
    }
}

fn number(window: &[u8]) -> u64 {
    window.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Beside what stands for the hidden part of a key: its beginning before it, its end behind it.
fn mask_rests(value: &[u8], text: &mut [u8]) {
    let mut at = 0;
    while at < text.len() {
        let length = hidden(&text[at..]);
        if length == 0 {
            at += 1;
            continue;
        }
        let (before, behind) = (at, at + length);
        let longest = value.len() - 1;
        let head =
            (REST..=longest.min(before)).rev().find(|rest| text[before - rest..before] == value[..*rest]);
        if let Some(rest) = head {
            text[before - rest..before].fill(b'*');
        }
        let room = longest.min(text.len() - behind);
        let tail =
            (REST..=room).rev().find(|rest| text[behind..behind + rest] == value[value.len() - rest..]);
        if let Some(rest) = tail {
            text[behind..behind + rest].fill(b'*');
        }
        at = behind;
    }
}

/// Length of a run that stands for something hidden: two stars or more, three dots or more, an ellipsis, bullets.
fn hidden(text: &[u8]) -> usize {
    let run = |byte: u8| text.iter().take_while(|other| **other == byte).count();
    match text {
        [b'*', b'*', ..] => run(b'*'),
        [b'.', b'.', b'.', ..] => run(b'.'),
        [0xe2, 0x80, 0xa6 | 0xa2, ..] => 3,
        _ => 0,
    }
}
