//! Which endpoints a client key may call.

use std::collections::{BTreeMap, BTreeSet};

use names::EndpointName;

/// All endpoints, or those that are named or bear one of the tags; a scope of neither permits nothing.
///
/// Names are names: an endpoint that is renamed leaves the scope, one that takes the name enters it.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Scope {
    /// Every endpoint, also those to come.
    #[default]
    All,
    /// Only these.
    Only(Only),
}

/// Endpoints by name and by tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    names: BTreeSet<EndpointName>,
    tags: BTreeMap<String, BTreeSet<String>>,
}

impl Scope {
    /// The most names and tags of one scope together: it is held in memory by every edge.
    pub const ENTRIES_MAX: usize = 256;
    /// The longest key and the longest value of a tag, in bytes: those of MLflow's tags.
    pub const TAG_KEY_MAX: usize = 250;
    /// As [`Self::TAG_KEY_MAX`].
    pub const TAG_VALUE_MAX: usize = 8_000;

    /// The scope of these endpoints alone. What stands twice counts once.
    pub fn only(
        names: impl IntoIterator<Item = EndpointName>,
        tags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ScopeError> {
        let mut only =
            Only { names: names.into_iter().take(Self::ENTRIES_MAX + 1).collect(), ..Only::default() };
        let mut entries = only.names.len();
        for (key, value) in tags {
            if key.is_empty() || key.len() > Self::TAG_KEY_MAX || value.len() > Self::TAG_VALUE_MAX {
                return Err(ScopeError::Tag);
            }
            entries += usize::from(only.tags.entry(key).or_default().insert(value));
            if entries > Self::ENTRIES_MAX {
                break;
            }
        }
        if entries > Self::ENTRIES_MAX { Err(ScopeError::TooMany) } else { Ok(Self::Only(only)) }
    }

    /// Whether the endpoint of this name, which bears these tags (key, value), may be called.
    pub fn permits<'a>(
        &self,
        name: &EndpointName,
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => {
                let tagged = |(key, value)| only.tags.get(key).is_some_and(|values| values.contains(value));
                only.names.contains(name) || tags.into_iter().any(tagged)
            }
        }
    }
}

impl Only {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &EndpointName> {
        self.names.iter()
    }

    /// The tags: key and value.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags
            .iter()
            .flat_map(|(key, values)| values.iter().map(move |value| (key.as_str(), value.as_str())))
    }
}

/// Why a scope is none. The message is for the admin and never repeats a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// More than [`Scope::ENTRIES_MAX`].
    #[error("a scope may hold at most 256 names and tags")]
    TooMany,
    /// A tag without a key, or one that is too long.
    #[error("a tag of a scope needs a key of 1 to 250 bytes and a value of at most 8000 bytes")]
    Tag,
}

/// As it stands in rows and messages: `"all"`, or `{"only": {"names": [...], "tags": [["team", "search"]]}}`.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    All,
    Only(WrittenOnly),
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOnly {
    #[serde(default)]
    names: Vec<EndpointName>,
    #[serde(default)]
    tags: Vec<(String, String)>,
}

impl TryFrom<Written> for Scope {
    type Error = ScopeError;
    fn try_from(written: Written) -> Result<Self, ScopeError> {
        match written {
            Written::All => Ok(Self::All),
            Written::Only(only) => Self::only(only.names, only.tags),
        }
    }
}

impl From<Scope> for Written {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Only(only) => {
                let tags = only.tags().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
                Self::Only(WrittenOnly { names: only.names.into_iter().collect(), tags })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> EndpointName {
        EndpointName::parse(text).unwrap()
    }

    fn tag(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn a_name_or_a_whole_tag_suffices_and_nothing_less() {
        let scope = Scope::only([name("chat")], [tag("team", "search"), tag("team", "ads")]).unwrap();
        assert!(scope.permits(&name("chat"), []));
        assert!(scope.permits(&name("other"), [("stage", "test"), ("team", "ads")]));
        for tags in [("team", "sear"), ("search", "team"), ("Team", "search"), ("team", ""), ("", "")] {
            assert!(!scope.permits(&name("other"), [tags]), "{tags:?}");
        }
        assert!(!scope.permits(&name("Chat"), []) && !scope.permits(&name("chat2"), []));
    }

    #[test]
    fn all_is_all_and_empty_is_nothing() {
        assert!(Scope::All.permits(&name("x"), []));
        assert!(!Scope::only([], []).unwrap().permits(&name("x"), [("a", "b")]));
    }

    #[test]
    fn written_and_read_back() {
        let scope = Scope::only([name("b"), name("a")], [tag("k", "v")]).unwrap();
        let text = serde_json::to_string(&scope).unwrap();
        assert_eq!(text, r#"{"only":{"names":["a","b"],"tags":[["k","v"]]}}"#);
        assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), scope);
        assert_eq!(serde_json::to_string(&Scope::All).unwrap(), r#""all""#);
        for wrong in ["{}", "null", r#"{"only":{"name":["a"]}}"#, r#"{"only":{"names":["a/b"]}}"#] {
            assert!(serde_json::from_str::<Scope>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn limits() {
        let names = |count: usize| (0..count).map(|number| name(&format!("e{number}")));
        assert!(Scope::only(names(256), []).is_ok());
        assert_eq!(Scope::only(names(257), []), Err(ScopeError::TooMany));
        assert_eq!(Scope::only(names(256), [tag("a", "b")]), Err(ScopeError::TooMany));
        assert_eq!(Scope::only([], [tag("", "b")]), Err(ScopeError::Tag));
        assert_eq!(Scope::only([], [tag(&"k".repeat(251), "b")]), Err(ScopeError::Tag));
    }
}
