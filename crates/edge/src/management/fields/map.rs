//! Fields that are maps from text to text: secret values and public settings.

use std::collections::BTreeMap;

use secrecy::SecretString;
use store::{AuthConfig, SecretValue};

use super::{Entries, Fields, Json};
use crate::management::json;

/// The longest name of a field that messages repeat: what is longer, or spelled otherwise, may be a key in the wrong
/// place.
const PLAIN_NAME_MAX: usize = 40;

impl Fields {
    /// A secret's fields, at least one of them.
    pub(crate) fn required_secret_value(&mut self, name: &str) -> Option<SecretValue> {
        let value = self.take_required(name)?;
        let entries = self.as_object(name, value)?;
        if entries.is_empty() {
            self.missing(name);
            return None;
        }
        Some(self.as_secret_value(name, entries))
    }

    /// A secret's fields, or nothing where the map is absent or empty.
    pub(crate) fn secret_value(&mut self, name: &str) -> Option<SecretValue> {
        let value = self.take(name)?;
        let entries = self.as_object(name, value)?;
        (!entries.is_empty()).then(|| self.as_secret_value(name, entries))
    }

    /// A field without a value is a mistake.
    fn as_secret_value(&mut self, name: &str, entries: Entries) -> SecretValue {
        let mut value = SecretValue::new();
        for (key, text) in self.texts_by_name(name, entries) {
            if text.trim().is_empty() {
                self.invalid(&member(name, &key), "must not be empty");
            }
            value.insert(key, SecretString::from(text));
        }
        value
    }

    /// A secret's public settings: `auth_config`, or `auth_config_json` of 3.8 clients, which holds the same as a text.
    pub(crate) fn auth_config(&mut self) -> Option<AuthConfig> {
        const MAP: &str = "auth_config";
        const TEXT: &str = "auth_config_json";
        if self.has(MAP) && self.has(TEXT) {
            self.refuse(format!("Request specifies both '{MAP}' and '{TEXT}'; provide only one of them."));
            return None;
        }
        let config = if self.has(TEXT) { self.text_of_map(TEXT) } else { self.text_map(MAP) };
        config.filter(|config| !config.is_empty())
    }

    fn text_map(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let value = self.take(name)?;
        let entries = self.as_object(name, value)?;
        Some(self.texts_by_name(name, entries))
    }

    fn text_of_map(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let text = self.text(name)?;
        match json::object(text.as_bytes()) {
            Ok(entries) => Some(self.texts_by_name(name, entries)),
            Err(error) => {
                self.invalid(name, &error.to_string());
                None
            }
        }
    }

    fn texts_by_name(&mut self, name: &str, entries: Entries) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for (key, value) in entries {
            let field = member(name, &key);
            match value {
                Json::Text(text) => {
                    if texts.insert(key, text).is_some() {
                        let path = self.path_of(&field);
                        self.refuse(format!("Request specifies '{path}' more than once; provide it once."));
                    }
                }
                other => self.wrong_type(&field, "a string", &other),
            }
        }
        texts
    }
}

/// A member of a map as messages call it.
fn member(map: &str, key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !key.is_empty() && key.len() <= PLAIN_NAME_MAX && key.bytes().all(plain) {
        format!("{map}.{key}")
    } else {
        format!("{map}.(a field)")
    }
}
