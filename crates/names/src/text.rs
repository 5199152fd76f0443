//! Names that people choose.

/// Why a text is not a name of the asked kind. The message is for the caller and never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than the limit.
    #[error("must be at most {max} characters long")]
    TooLong {
        /// The limit, in characters.
        max: usize,
    },
    /// A character that is not allowed there.
    #[error("may contain only {allowed}")]
    Character {
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// Nothing, `.` or `..` as the whole or between slashes: it would mean another path.
    #[error("must not be, or have between slashes, an empty part, `.` or `..`")]
    Segment,
    /// Not an identifier of the kind that the prefix names.
    #[error("must be `{prefix}` followed by 32 lower-case hexadecimal digits")]
    NotAnId {
        /// The prefix of the kind.
        prefix: &'static str,
    },
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, max $max:literal, $allowed:literal, $allows:expr $(, $check:expr)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest name, in characters.
            pub const MAX: usize = $max;

            /// Takes a text only if it is such a name.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let allows: fn(char) -> bool = $allows;
                if text.trim().is_empty() {
                    return Err(NameError::Empty);
                }
                if text.chars().count() > Self::MAX {
                    return Err(NameError::TooLong { max: Self::MAX });
                }
                if !text.chars().all(allows) {
                    return Err(NameError::Character { allowed: $allowed });
                }
                $($check(text)?;)?
                Ok(Self(text.to_owned()))
            }

            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

text!(
    /// The name that applications call: MLflow's `[a-zA-Z0-9_\-\.]+`, so that it is one path segment without escapes.
    EndpointName, max 255, "letters, digits, underscores, hyphens and dots",
    |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'),
    plain_segments
);
text!(
    /// A free name that an admin gave a secret or a model definition: anything that can be seen.
    Label, max 255, "characters that can be shown",
    is_shown
);
text!(
    /// A model as its provider calls it, e.g. `gemini-2.5-flash` or `publishers/google/models/x`.
    ModelName, max 256, "characters that can be shown, without spaces",
    |c| is_shown(c) && !c.is_whitespace(),
    plain_segments
);
text!(
    /// A workspace. Only `default` exists until tenants do.
    Workspace, max 64, "letters, digits, underscores and hyphens",
    |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
);
text!(
    /// Who did something, as the audit log shows it.
    Actor, max 255, "characters that can be shown",
    is_shown
);
text!(
    /// The id of one request, on every answer as `keyward-request-id`.
    RequestId, max 64, "letters, digits, underscores and hyphens",
    |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
);

/// Neither a control character nor one that is not seen but changes how the text around it reads (Unicode's marks of
/// direction, joiners, byte order mark): two names that look alike are alike.
fn is_shown(c: char) -> bool {
    let hidden = matches!(
        c,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
    );
    !c.is_control() && !hidden
}

/// No part between slashes that a URL's path would swallow (RFC 3986, 5.2.4).
fn plain_segments(text: &str) -> Result<(), NameError> {
    let swallowed = text.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    if swallowed { Err(NameError::Segment) } else { Ok(()) }
}

impl Default for Workspace {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl RequestId {
    /// A new id from 128 random bits.
    pub fn from_random(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }
}

/// A model provider, in lower case; MLflow's aliases are folded (`amazon-bedrock` is `bedrock`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Provider(String);

impl Provider {
    /// The longest provider name, in characters.
    pub const MAX: usize = 64;

    /// Takes a provider's name; case and surrounding white space do not matter.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let folded = text.trim().to_ascii_lowercase();
        if folded.is_empty() {
            return Err(NameError::Empty);
        }
        if folded.len() > Self::MAX {
            return Err(NameError::TooLong { max: Self::MAX });
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if !folded.bytes().all(allowed) {
            return Err(NameError::Character { allowed: "letters, digits, underscores, hyphens and dots" });
        }
        Ok(Self(match folded.as_str() {
            "amazon-bedrock" => "bedrock".to_owned(),
            "databricks-model-serving" => "databricks".to_owned(),
            _ => folded,
        }))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Provider {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Provider {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<Provider> for String {
    fn from(provider: Provider) -> Self {
        provider.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_names_are_one_plain_segment() {
        for good in ["gemini-v1", "a", "A.b_c-9", &"x".repeat(255)] {
            assert_eq!(EndpointName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", ".", "..", "a b", "a/b", "a:b", "é", "a\0", &"x".repeat(256)] {
            assert!(EndpointName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn labels_are_free_but_for_control_characters() {
        assert!(Label::parse("weird / name ünï").is_ok());
        for bad in ["", "  ", "a\nb", "a\0b"] {
            assert!(Label::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_hold_nothing_that_is_not_seen() {
        for hidden in "\u{200B}\u{200E}\u{200F}\u{202A}\u{202E}\u{2066}\u{2069}\u{FEFF}".chars() {
            let text = format!("a{hidden}b");
            assert!(Label::parse(&text).is_err(), "{hidden:?}");
            assert!(Actor::parse(&text).is_err(), "{hidden:?}");
            assert!(ModelName::parse(&text).is_err(), "{hidden:?}");
        }
        assert!(Label::parse("日本語 🔑").is_ok());
    }

    #[test]
    fn model_names_have_plain_segments() {
        for good in ["gemini-2.5-flash", "publishers/google/models/x", "...", "a..b/.c"] {
            assert_eq!(ModelName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "../x", "a/../b", "a/./b", "/a", "a/", "a//b", "a b"] {
            assert!(ModelName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn providers_fold_case_and_aliases() {
        assert_eq!(Provider::parse(" Gemini ").unwrap().as_str(), "gemini");
        assert_eq!(Provider::parse("amazon-bedrock").unwrap().as_str(), "bedrock");
        assert!(Provider::parse("a/b").is_err());
    }
}
