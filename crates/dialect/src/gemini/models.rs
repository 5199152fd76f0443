//! Endpoints shown as Gemini's models: `models.list` and `models.get`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use names::EndpointName;
use serde::Serialize;

use super::query;
use crate::{Operation, PathError, json};

/// Which part of the listing is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most this many endpoints.
    pub size: usize,
    /// Only endpoints whose name sorts behind this one.
    pub after: Option<EndpointName>,
}

impl Page {
    /// How many when the client does not say (`google.ai.generativelanguage`, `ListModelsRequest.page_size`).
    pub const SIZE_DEFAULT: usize = 50;
    /// How many at most, even if the client asks for more (the same place).
    pub const SIZE_MAX: usize = 1000;

    /// Reads `pageSize` and `pageToken`.
    pub fn parse(query: Option<&str>) -> Result<Self, PathError> {
        let size = match query::parameters(query, "pageSize").next() {
            None => 0,
            Some(text) if text.is_empty() => 0,
            Some(text) => text
                .parse::<u32>()
                .map_err(|_| PathError::Malformed("`pageSize` must be a number that is not negative"))?,
        };
        let size = match usize::try_from(size).unwrap_or(Self::SIZE_MAX) {
            0 => Self::SIZE_DEFAULT,
            size => size.min(Self::SIZE_MAX),
        };
        let after = match query::parameters(query, "pageToken").next() {
            None => None,
            Some(token) if token.is_empty() => None,
            Some(token) => Some(
                open(&token)
                    .ok_or(PathError::Malformed("`pageToken` is not one that an earlier page gave"))?,
            ),
        };
        Ok(Self { size, after })
    }

    /// The body of `models.list`: this page of `models`, which may come in any order, sorted by name.
    pub fn render<'a>(&self, models: impl IntoIterator<Item = Model<'a>>) -> Bytes {
        let after = self.after.as_ref();
        let mut models: Vec<_> =
            models.into_iter().filter(|model| after.is_none_or(|after| model.name > after)).collect();
        models.sort_unstable_by_key(|model| model.name);
        let more = models.len() > self.size;
        models.truncate(self.size);
        let next_page_token = models.last().filter(|_| more).map(|last| seal(last.name));
        json::ascii(&List { models: models.iter().map(Written::from).collect(), next_page_token })
    }
}

/// One endpoint as a client of Gemini's `models` sees it. What stands behind it is not its caller's business.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// The endpoint's name.
    pub name: &'a EndpointName,
    /// What it is for, where its owner said so.
    pub description: Option<&'a str>,
}

impl Model<'_> {
    /// The body of `models.get`.
    pub fn render(&self) -> Bytes {
        json::ascii(&Written::from(self))
    }
}

/// A page token names the last endpoint shown, so that it stays true while endpoints come and go.
fn seal(name: &EndpointName) -> String {
    URL_SAFE_NO_PAD.encode(name.as_str())
}

fn open(token: &str) -> Option<EndpointName> {
    let name = URL_SAFE_NO_PAD.decode(token).ok()?;
    EndpointName::parse(std::str::from_utf8(&name).ok()?).ok()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    models: Vec<Written<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    name: String,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    supported_generation_methods: [&'static str; Operation::ALL.len()],
}

impl<'a> From<&Model<'a>> for Written<'a> {
    fn from(model: &Model<'a>) -> Self {
        Self {
            name: format!("models/{}", model.name),
            display_name: model.name.as_str(),
            description: model.description,
            supported_generation_methods: Operation::ALL.map(Operation::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<EndpointName> {
        // In an order that is not the listing's.
        (0..count).rev().map(|n| EndpointName::parse(&format!("endpoint-{n:04}")).unwrap()).collect()
    }

    fn page(names: &[EndpointName], query: &str) -> serde_json::Value {
        let models = names.iter().map(|name| Model { name, description: None });
        serde_json::from_slice(&Page::parse(Some(query)).unwrap().render(models)).unwrap()
    }

    #[test]
    fn pages_cover_everything_once_while_endpoints_come_and_go() {
        let mut all = names(120);
        let mut seen: Vec<String> = Vec::new();
        let mut token = String::new();
        loop {
            let page = page(&all, &format!("pageSize=50&pageToken={token}"));
            let shown = page["models"].as_array().unwrap();
            seen.extend(shown.iter().map(|model| model["name"].as_str().unwrap().to_owned()));
            // The last one shown goes, and one that sorts before it comes: nothing is skipped or shown twice.
            all.retain(|name| format!("models/{name}") != *seen.last().unwrap());
            all.push(EndpointName::parse(&format!("a-{}", seen.len())).unwrap());
            match page["nextPageToken"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        let expected: Vec<String> = (0..120).map(|n| format!("models/endpoint-{n:04}")).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn sizes() {
        let all = names(1001);
        for (query, count) in [
            ("", 50),
            ("pageSize=", 50),
            ("pageSize=0", 50),
            ("pageSize=7", 7),
            ("pageSize=4294967295", 1000),
        ] {
            assert_eq!(page(&all, query)["models"].as_array().unwrap().len(), count, "{query}");
        }
        assert!(page(&all, "pageSize=2")["nextPageToken"].is_string());
        assert!(page(&all[..2], "pageSize=2").get("nextPageToken").is_none());
    }

    #[test]
    fn refusals() {
        for wrong in
            ["pageSize=-1", "pageSize=x", "pageSize=1.5", "pageToken=%20", "pageToken=YS9i", "pageToken=!"]
        {
            assert!(matches!(Page::parse(Some(wrong)), Err(PathError::Malformed(_))), "{wrong}");
        }
    }
}
