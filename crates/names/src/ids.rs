//! Identifiers in MLflow's form: a prefix for the kind, then 32 lower-case hexadecimal digits.

use crate::NameError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// What every identifier of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new identifier from 128 random bits.
            pub fn from_random(bits: u128) -> Self {
                Self(format!(concat!($prefix, "{:032x}"), bits))
            }

            /// Takes an identifier only in its exact form.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let digits = text.strip_prefix($prefix).unwrap_or_default();
                let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                if digits.len() == 32 && digits.bytes().all(hex) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError::NotAnId { prefix: $prefix })
                }
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

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

id!(
    /// A secret: a provider's key and what belongs to it.
    SecretId, "s-"
);
id!(
    /// A model definition: provider, model and secret.
    ModelDefinitionId, "d-"
);
id!(
    /// An endpoint: the name that applications call.
    EndpointId, "e-"
);
id!(
    /// A mapping of an endpoint to one model definition: a target of calls.
    MappingId, "m-"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusals() {
        let id = SecretId::from_random(0xabc);
        assert_eq!(id.as_str(), "s-00000000000000000000000000000abc");
        assert_eq!(SecretId::parse(id.as_str()), Ok(id));
        for wrong in ["", "s-", "e-00000000000000000000000000000abc", "s-00000000000000000000000000000ABC"] {
            assert!(SecretId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
