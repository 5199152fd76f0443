//! Where a credential stands in a request, and that there is but one.
//!
//! Everything here compares what one caller sent with what the same caller sent; nothing of ours is compared, so plain
//! comparison tells nobody anything.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fault::Fault;
use zeroize::Zeroizing;

/// Where SDKs put a key on the data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// `x-goog-api-key`: Google's SDKs.
    GoogleHeader,
    /// `?key=`, percent-decoded: Google's REST examples.
    Query,
    /// `Authorization: Bearer …`: OpenAI's SDKs, newer ones of Anthropic.
    Authorization,
    /// `x-api-key`: Anthropic's SDKs.
    XApiKey,
    /// `api-key`: Azure's SDKs.
    ApiKey,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 5] =
        [Self::GoogleHeader, Self::Query, Self::Authorization, Self::XApiKey, Self::ApiKey];

    /// The header field, in lower case; none for the query.
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::GoogleHeader => Some("x-goog-api-key"),
            Self::Query => None,
            Self::Authorization => Some("authorization"),
            Self::XApiKey => Some("x-api-key"),
            Self::ApiKey => Some("api-key"),
        }
    }
}

/// The one credential of a request, not yet checked. `Debug` masks.
#[derive(Clone)]
pub struct Presented<'a>(Value<'a>);

#[derive(Clone)]
enum Value<'a> {
    Borrowed(&'a [u8]),
    Decoded { whole: Zeroizing<Vec<u8>>, begins: usize },
}

impl<'a> Presented<'a> {
    /// Of a data-plane request: every value that stands in any of the places, fields that are repeated included. None if
    /// there is no value at all; an empty value is one, and malformed.
    pub fn on_data_plane(
        values: impl IntoIterator<Item = (Place, &'a [u8])>,
    ) -> Result<Option<Self>, PresentedError> {
        one(values.into_iter().map(|(place, value)| {
            let key = if place == Place::Authorization { bearer(value) } else { Some(value) };
            key.filter(|key| is_token(key)).map(Self::borrowed).ok_or(PresentedError::Malformed)
        }))
    }

    /// Of a management request: every value of `Authorization`. `Bearer` takes a token, `Basic` a user and, as its
    /// password, a token; the user is not looked at, because who somebody is comes from the token.
    pub fn on_admin_plane(
        values: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, PresentedError> {
        one(values.into_iter().map(|value| {
            let token = bearer(value).map(Self::borrowed).or_else(|| basic(value));
            token.filter(|token| is_token(token.as_bytes())).ok_or(PresentedError::Malformed)
        }))
    }

    /// What was presented, for [`Verifier::check`](crate::Verifier::check).
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Value::Borrowed(value) => value,
            Value::Decoded { whole, begins } => whole.get(*begins..).unwrap_or_default(),
        }
    }

    fn borrowed(value: &'a [u8]) -> Self {
        Self(Value::Borrowed(value))
    }
}

impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Presented(…)")
    }
}

/// Why a request presents no one credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PresentedError {
    /// Two that differ.
    #[error("the request presents two different credentials")]
    Ambiguous,
    /// One that is none: empty, of another scheme, or with characters that no token has.
    #[error("the credential is not accepted")]
    Malformed,
}

impl PresentedError {
    /// Always the same.
    pub fn fault(self) -> Fault {
        Fault::Unauthenticated
    }

    /// As metrics and log lines call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Malformed => "malformed",
        }
    }
}

/// The longest value of `Basic` that is decoded, in bytes: a token and a user of any sensible length.
const BASIC_MAX: usize = 1_024;

/// The one that all are, if they are one. All are read, so that the order does not decide which mistake is told.
fn one<'a>(
    all: impl Iterator<Item = Result<Presented<'a>, PresentedError>>,
) -> Result<Option<Presented<'a>>, PresentedError> {
    let mut found: Option<Presented<'a>> = None;
    let mut mistake = None;
    for presented in all {
        match (presented, &found) {
            (Err(error), _) => mistake = Some(mistake.unwrap_or(error)),
            (Ok(presented), Some(first)) if first.as_bytes() != presented.as_bytes() => {
                mistake = Some(PresentedError::Ambiguous);
            }
            (Ok(_), Some(_)) => {}
            (Ok(presented), None) => found = Some(presented),
        }
    }
    mistake.map_or(Ok(found), Err)
}

/// What follows `Bearer` and one space, in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    after_scheme(value, "bearer")
}

/// The password of `Basic`: what follows the first colon (RFC 7617).
fn basic<'a>(value: &[u8]) -> Option<Presented<'a>> {
    let encoded = after_scheme(value, "basic").filter(|encoded| encoded.len() <= BASIC_MAX)?;
    let whole = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let colon = whole.iter().position(|byte| *byte == b':')?;
    Some(Presented(Value::Decoded { whole, begins: colon + 1 }))
}

fn after_scheme<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (front, rest) = value.split_at_checked(scheme.len())?;
    rest.strip_prefix(b" ").filter(|_| front.eq_ignore_ascii_case(scheme.as_bytes()))
}

/// Characters that can be seen, without comma: `Bearer x, Bearer y` is no token, nor is one with a space around it.
fn is_token(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(values: &[(Place, &str)]) -> Result<Option<Vec<u8>>, PresentedError> {
        let values = values.iter().map(|(place, value)| (*place, value.as_bytes()));
        Ok(Presented::on_data_plane(values)?.map(|presented| presented.as_bytes().to_vec()))
    }

    fn admin(values: &[&str]) -> Result<Option<Vec<u8>>, PresentedError> {
        let values = values.iter().map(|value| value.as_bytes());
        Ok(Presented::on_admin_plane(values)?.map(|presented| presented.as_bytes().to_vec()))
    }

    #[expect(clippy::unnecessary_wraps, reason = "what `data` and `admin` give")]
    fn found(key: &str) -> Result<Option<Vec<u8>>, PresentedError> {
        Ok(Some(key.as_bytes().to_vec()))
    }

    fn in_place(place: Place, key: &str) -> String {
        if place == Place::Authorization { format!("Bearer {key}") } else { key.to_owned() }
    }

    #[test]
    fn every_pair_of_places() {
        assert_eq!(data(&[]), Ok(None));
        for one in Place::ALL {
            assert_eq!(data(&[(one, &in_place(one, "k"))]), found("k"));
            for other in Place::ALL {
                let same = [(one, &*in_place(one, "k")), (other, &*in_place(other, "k"))];
                assert_eq!(data(&same), found("k"), "{one:?} {other:?}");
                let different = [(one, &*in_place(one, "k")), (other, &*in_place(other, "j"))];
                assert_eq!(data(&different), Err(PresentedError::Ambiguous), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn spellings_of_bearer() {
        for good in ["Bearer x", "bearer x", "BEARER x"] {
            assert_eq!(data(&[(Place::Authorization, good)]), found("x"));
            assert_eq!(admin(&[good]), found("x"));
        }
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer  x",
            "Bearer x ",
            "Bearer\tx",
            "Bearer x, Bearer y",
            "Bearerx",
            "x",
        ] {
            assert_eq!(data(&[(Place::Authorization, bad)]), Err(PresentedError::Malformed), "{bad:?}");
            assert_eq!(admin(&[bad]), Err(PresentedError::Malformed), "{bad:?}");
        }
    }

    #[test]
    fn basic_is_for_admins_and_its_password_is_the_token() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (text, token) in [("anna:t", "t"), (":t", "t"), ("a:b:c", "b:c")] {
            assert_eq!(admin(&[&basic(text)]), found(token));
        }
        assert_eq!(admin(&[&basic("u:t"), "Bearer t", &basic("v:t")]), found("t"));
        assert_eq!(admin(&[&basic("u:t"), "Bearer s"]), Err(PresentedError::Ambiguous));
        let long = basic(&format!("{}:t", "u".repeat(BASIC_MAX)));
        for bad in [&*basic("t"), &*basic("u:"), "Basic dTp0=", "Basic !", "Basic", "Digest dTp0", &*long] {
            assert_eq!(admin(&[bad]), Err(PresentedError::Malformed), "{bad:?}");
        }
        assert_eq!(data(&[(Place::Authorization, &basic("u:t"))]), Err(PresentedError::Malformed));
    }

    #[test]
    fn a_good_one_does_not_excuse_a_bad_one() {
        for pair in [[(Place::XApiKey, "k"), (Place::Query, "")], [(Place::Query, ""), (Place::XApiKey, "k")]]
        {
            assert_eq!(data(&pair), Err(PresentedError::Malformed));
        }
        let three = [(Place::Query, ""), (Place::XApiKey, "k"), (Place::ApiKey, "j")];
        assert_eq!(data(&three), Err(PresentedError::Ambiguous));
    }

    #[test]
    fn debug_masks() {
        let presented = Presented::on_admin_plane([&b"Bearer canary"[..]]).unwrap();
        assert_eq!(format!("{presented:?}"), "Some(Presented(…))");
    }
}
