//! What a secret's value and its public settings may be. Pure.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};

use super::invalid;
use crate::{AuthConfig, SecretValue, StoreError};

/// The most that all fields of a value may hold together, names and values, in bytes. A service account has about 2 KiB.
pub(crate) const VALUE_MAX: usize = 64 * 1024;
/// The most that the public settings may hold together, in bytes.
const CONFIG_MAX: usize = 16 * 1024;
/// The longest name of a field, in bytes.
const FIELD_MAX: usize = 64;

/// Options that choose where the gateway sends requests (MLflow's list, `utils/validation.py`).
const RESERVED: [&str; 4] = ["base_url", "model_list", "fallbacks", "custom_llm_provider"];
/// The one of them that is a setting, and never part of a value.
pub(crate) const API_BASE: &str = "api_base";
/// The field that is sent in a header as it is.
const API_KEY: &str = "api_key";

/// The value as it is stored: every field without outer white space, which comes from copying and would make the mask
/// another than the key's.
pub(crate) fn normal_value(value: SecretValue) -> Result<SecretValue, StoreError> {
    check_value(&value)?;
    Ok(value.into_iter().map(|(field, secret)| (field, trimmed(secret))).collect())
}

fn trimmed(secret: SecretString) -> SecretString {
    let inner = secret.expose_secret().trim();
    if inner.len() == secret.expose_secret().len() { secret } else { inner.into() }
}

/// At least one field, none of them empty, none of them reserved, nothing that could break out of a header.
fn check_value(value: &SecretValue) -> Result<(), StoreError> {
    if value.is_empty() {
        return Err(invalid("secret_value must have at least one field"));
    }
    let mut size = 0;
    for (field, secret) in value {
        check_field("secret_value", field)?;
        if RESERVED.contains(&field.as_str()) || field == API_BASE {
            return Err(invalid(format!(
                "secret_value must not contain '{field}': these keys choose where the gateway sends requests. \
                 Set the upstream with 'api_base' in auth_config, where it is validated."
            )));
        }
        let secret = secret.expose_secret().trim();
        if secret.is_empty() {
            return Err(invalid(format!("secret_value['{field}'] must not be empty")));
        }
        if secret.contains(['\r', '\n', '\0']) {
            return Err(invalid(format!("secret_value['{field}'] must not contain line breaks or NUL")));
        }
        if field == API_KEY && !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid(
                "secret_value['api_key'] must contain only visible ASCII characters, as it is sent in a header",
            ));
        }
        size += field.len() + secret.len();
    }
    if size > VALUE_MAX {
        return Err(invalid(format!("secret_value must hold at most {VALUE_MAX} bytes")));
    }
    Ok(())
}

/// The settings as they are stored: `api_base` trimmed, blank entries dropped.
pub(crate) fn normal_config(config: AuthConfig) -> Result<AuthConfig, StoreError> {
    let mut normal = BTreeMap::new();
    let mut size = 0;
    for (field, text) in config {
        check_field("auth_config", &field)?;
        if RESERVED.contains(&field.as_str()) {
            return Err(invalid(format!(
                "auth_config must not contain '{field}': these LiteLLM options choose where the gateway sends \
                 requests. Set the upstream with 'api_base', which is validated."
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(invalid(format!("auth_config['{field}'] must not contain control characters")));
        }
        size += field.len() + text.len();
        let text = if field == API_BASE { text.trim().to_owned() } else { text };
        if !text.trim().is_empty() {
            normal.insert(field, text);
        }
    }
    if size > CONFIG_MAX {
        return Err(invalid(format!("auth_config must hold at most {CONFIG_MAX} bytes")));
    }
    Ok(normal)
}

/// The name of a field, safe to be shown in a message.
fn check_field(which: &str, field: &str) -> Result<(), StoreError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if field.is_empty() || field.len() > FIELD_MAX || !field.bytes().all(allowed) {
        return Err(invalid(format!(
            "names of fields in {which} must be 1 to {FIELD_MAX} letters, digits, underscores, hyphens or dots"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(field: &str, secret: &str) -> SecretValue {
        [(field.to_owned(), secret.into())].into()
    }

    fn config(field: &str, text: &str) -> AuthConfig {
        [(field.to_owned(), text.to_owned())].into()
    }

    #[test]
    fn values() {
        assert!(check_value(&value("api_key", "AIza")).is_ok());
        assert!(check_value(&value("k", &"x".repeat(VALUE_MAX - 1))).is_ok());
        let long = "x".repeat(VALUE_MAX);
        for (field, secret) in [
            ("api_key", ""),
            ("api_key", "  "),
            ("api_key", "a\nb"),
            ("api_key", "a\0"),
            ("api_key", "a b"),
            ("api_key", "a\tb"),
            ("api_key", "schlüssel"),
            ("api_key", "a\u{200b}"),
            ("other", "a\nb"),
            ("other", "a\0"),
            ("k", &long),
            ("", "a"),
            ("a b", "a"),
            ("api_base", "https://example.com"),
            ("base_url", "a"),
            ("model_list", "a"),
            ("fallbacks", "a"),
            ("custom_llm_provider", "a"),
        ] {
            let error = check_value(&value(field, secret)).unwrap_err();
            assert!(matches!(&error, StoreError::Invalid(said) if !said.contains("x".repeat(9).as_str())));
        }
        assert!(check_value(&SecretValue::new()).is_err());
    }

    #[test]
    fn outer_white_space_is_not_part_of_a_key() {
        let normal = normal_value(value("api_key", " \tAIza-key\n")).unwrap();
        assert_eq!(normal["api_key"].expose_secret(), "AIza-key");
        let other = normal_value(value("service_account", " {\"a\": \"ü\"} ")).unwrap();
        assert_eq!(other["service_account"].expose_secret(), "{\"a\": \"ü\"}");
    }

    #[test]
    fn the_limit_is_named() {
        let error = check_value(&value("k", &"x".repeat(VALUE_MAX))).unwrap_err();
        assert_eq!(error, invalid("secret_value must hold at most 65536 bytes"));
    }

    #[test]
    fn configs() {
        assert_eq!(normal_config(config("api_base", "  https://a ")).unwrap()["api_base"], "https://a");
        assert!(normal_config(config("api_base", " ")).unwrap().is_empty());
        assert!(normal_config(config("organization", "")).unwrap().is_empty());
        let long = "x".repeat(CONFIG_MAX);
        for (field, text) in
            [("base_url", "a"), ("model_list", "a"), ("v", "a\0"), ("v", &long), ("", "a"), ("a\n", "b")]
        {
            assert!(normal_config(config(field, text)).is_err(), "{field}");
        }
    }
}
