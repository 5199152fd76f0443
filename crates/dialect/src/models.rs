//! Endpoints shown as a dialect's models: the list, and one of them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use names::EndpointName;
use serde::Serialize;

use crate::{Dialect, Operation, PathError, gemini::parameters, json};

/// As whose models endpoints are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Gemini's `models.list` and `models.get`.
    Gemini,
    /// OpenAI's `GET /models`.
    OpenAi,
    /// Anthropic's `GET /models`.
    Anthropic,
    /// MLflow's unified route: OpenAI's form, with MLflow's owner.
    Mlflow,
}

impl Style {
    /// The dialect that a call of what is shown would be in.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Gemini => Dialect::Gemini,
            Self::OpenAi | Self::Mlflow => Dialect::OpenAi,
            Self::Anthropic => Dialect::Anthropic,
        }
    }

    /// `content-type` of what is rendered.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Gemini => "application/json; charset=UTF-8",
            Self::OpenAi | Self::Anthropic | Self::Mlflow => "application/json",
        }
    }

    /// The body of one model.
    pub fn render(self, model: &Model<'_>) -> Bytes {
        match self {
            Self::Gemini => json::ascii(&GeminiModel::from(model)),
            Self::OpenAi | Self::Mlflow => json::ascii(&OpenAiModel::of(model, self)),
            Self::Anthropic => json::ascii(&AnthropicModel::from(model)),
        }
    }
}

/// Which part of the list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// As whose models.
    pub style: Style,
    /// At most this many endpoints.
    pub size: usize,
    /// Only endpoints whose name sorts behind this one.
    pub after: Option<EndpointName>,
    /// Only endpoints whose name sorts before this one: the last of them.
    pub before: Option<EndpointName>,
}

/// How a dialect asks for a page: the names of its parameters, and how many there are if it does not say.
struct Parameters {
    size: &'static str,
    size_default: usize,
    not_a_size: PathError,
}

const GEMINI: Parameters = Parameters {
    size: "pageSize",
    size_default: Page::SIZE_DEFAULT,
    not_a_size: PathError::Malformed("`pageSize` must be a number that is not negative"),
};
const ANTHROPIC: Parameters = Parameters {
    size: "limit",
    size_default: 20,
    not_a_size: PathError::Malformed("`limit` must be a number that is not negative"),
};

impl Page {
    /// How many when a client of Gemini's does not say (`google.ai.generativelanguage`, `ListModelsRequest.page_size`).
    /// Anthropic's is 20; OpenAI's list has no pages.
    pub const SIZE_DEFAULT: usize = 50;
    /// How many at most, even if the client asks for more (the same place, and Anthropic's reference).
    pub const SIZE_MAX: usize = 1000;

    /// Reads `pageSize` and `pageToken` for Gemini, `limit`, `after_id` and `before_id` for Anthropic.
    ///
    /// # Errors
    /// A size that is not a number, a token that no page gave.
    pub fn parse(style: Style, query: Option<&str>) -> Result<Self, PathError> {
        let page = |size, after, before| Self { style, size, after, before };
        match style {
            Style::OpenAi | Style::Mlflow => Ok(page(usize::MAX, None, None)),
            Style::Gemini => {
                let gave = PathError::Malformed("`pageToken` is not one that an earlier page gave");
                let after = given(query, "pageToken", open, gave)?;
                Ok(page(size(query, &GEMINI)?, after, None))
            }
            Style::Anthropic => {
                let plain = |name: &str| EndpointName::parse(name).ok();
                let no_id = PathError::Malformed("`after_id` and `before_id` must be names of endpoints");
                let after = given(query, "after_id", plain, no_id)?;
                let before = given(query, "before_id", plain, no_id)?;
                Ok(page(size(query, &ANTHROPIC)?, after, before))
            }
        }
    }

    /// The body of the list: this page of `models`, which may come in any order, sorted by name.
    pub fn render<'a>(&self, models: impl IntoIterator<Item = Model<'a>>) -> Bytes {
        let (after, before) = (self.after.as_ref(), self.before.as_ref());
        let mut models: Vec<_> = models
            .into_iter()
            .filter(|model| after.is_none_or(|after| model.name > after))
            .filter(|model| before.is_none_or(|before| model.name < before))
            .collect();
        models.sort_unstable_by_key(|model| model.name);
        let more = models.len() > self.size;
        if before.is_some() {
            models.drain(..models.len().saturating_sub(self.size));
        }
        models.truncate(self.size);
        match self.style {
            Style::Gemini => json::ascii(&GeminiList::of(&models, more)),
            Style::OpenAi | Style::Mlflow => json::ascii(&OpenAiList::of(&models, self.style)),
            Style::Anthropic => json::ascii(&AnthropicList::of(&models, more)),
        }
    }
}

fn size(query: Option<&str>, parameters_of: &Parameters) -> Result<usize, PathError> {
    let size = match parameters(query, parameters_of.size).next() {
        None => 0,
        Some(text) if text.is_empty() => 0,
        Some(text) => text.parse::<u32>().map_err(|_| parameters_of.not_a_size)?,
    };
    Ok(match usize::try_from(size).unwrap_or(Page::SIZE_MAX) {
        0 => parameters_of.size_default,
        size => size.min(Page::SIZE_MAX),
    })
}

/// A parameter that is there and not empty, read by `read`.
fn given(
    query: Option<&str>,
    name: &'static str,
    read: impl Fn(&str) -> Option<EndpointName>,
    wrong: PathError,
) -> Result<Option<EndpointName>, PathError> {
    match parameters(query, name).next() {
        Some(value) if !value.is_empty() => read(&value).map(Some).ok_or(wrong),
        _ => Ok(None),
    }
}

/// One endpoint as a client sees a model. What stands behind it is not its caller's business.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// The endpoint's name.
    pub name: &'a EndpointName,
    /// What it is for, where its owner said so.
    pub description: Option<&'a str>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// A page token names the last endpoint shown, so that it stays true while endpoints come and go.
fn seal(name: &EndpointName) -> String {
    URL_SAFE_NO_PAD.encode(name.as_str())
}

fn open(token: &str) -> Option<EndpointName> {
    let name = URL_SAFE_NO_PAD.decode(token).ok()?;
    EndpointName::parse(std::str::from_utf8(&name).ok()?).ok()
}

// === Gemini's ===

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiList<'a> {
    models: Vec<GeminiModel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl<'a> GeminiList<'a> {
    fn of(models: &[Model<'a>], more: bool) -> Self {
        let next_page_token = models.last().filter(|_| more).map(|last| seal(last.name));
        Self { models: models.iter().map(GeminiModel::from).collect(), next_page_token }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiModel<'a> {
    name: String,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    supported_generation_methods: [&'static str; Operation::GEMINI_METHODS.len()],
}

impl<'a> From<&Model<'a>> for GeminiModel<'a> {
    fn from(model: &Model<'a>) -> Self {
        Self {
            name: format!("models/{}", model.name),
            display_name: model.name.as_str(),
            description: model.description,
            supported_generation_methods: Operation::GEMINI_METHODS.map(Operation::as_str),
        }
    }
}

// === OpenAI's ===

#[derive(Serialize)]
struct OpenAiList<'a> {
    object: &'static str,
    data: Vec<OpenAiModel<'a>>,
}

impl<'a> OpenAiList<'a> {
    fn of(models: &[Model<'a>], style: Style) -> Self {
        Self { object: "list", data: models.iter().map(|model| OpenAiModel::of(model, style)).collect() }
    }
}

#[derive(Serialize)]
struct OpenAiModel<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    owned_by: &'static str,
}

impl<'a> OpenAiModel<'a> {
    fn of(model: &Model<'a>, style: Style) -> Self {
        Self {
            id: model.name.as_str(),
            object: "model",
            created: model.created_at.div_euclid(1000),
            owned_by: if style == Style::Mlflow { "mlflow" } else { "keyward" },
        }
    }
}

// === Anthropic's ===

#[derive(Serialize)]
struct AnthropicList<'a> {
    data: Vec<AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

impl<'a> AnthropicList<'a> {
    fn of(models: &[Model<'a>], has_more: bool) -> Self {
        Self {
            data: models.iter().map(AnthropicModel::from).collect(),
            has_more,
            first_id: models.first().map(|model| model.name.as_str()),
            last_id: models.last().map(|model| model.name.as_str()),
        }
    }
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: String,
}

impl<'a> From<&Model<'a>> for AnthropicModel<'a> {
    fn from(model: &Model<'a>) -> Self {
        let name = model.name.as_str();
        Self { kind: "model", id: name, display_name: name, created_at: rfc3339(model.created_at) }
    }
}

/// Milliseconds since the Unix epoch as RFC 3339 has them, to the second. The date is Howard Hinnant's `civil_from_days`.
fn rfc3339(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<EndpointName> {
        // In an order that is not the listing's.
        (0..count).rev().map(|n| EndpointName::parse(&format!("endpoint-{n:04}")).unwrap()).collect()
    }

    fn page(names: &[EndpointName], query: &str) -> serde_json::Value {
        let models = names.iter().map(|name| Model { name, description: None, created_at: 0 });
        serde_json::from_slice(&Page::parse(Style::Gemini, Some(query)).unwrap().render(models)).unwrap()
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
            assert!(
                matches!(Page::parse(Style::Gemini, Some(wrong)), Err(PathError::Malformed(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn dates() {
        for (milliseconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_764_037_012_345, "2025-11-25T02:16:52Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(milliseconds), date);
        }
    }

    #[test]
    fn anthropics_pages_go_both_ways() {
        let all = names(5);
        let ids = |query: &str| {
            let models = all.iter().map(|name| Model { name, description: None, created_at: 0 });
            let page = Page::parse(Style::Anthropic, Some(query)).unwrap().render(models);
            let page: serde_json::Value = serde_json::from_slice(&page).unwrap();
            let ids: Vec<String> = page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|model| model["id"].as_str().unwrap().strip_prefix("endpoint-000").unwrap().to_owned())
                .collect();
            let id = |field: &str| page[field].as_str().map(|id| id.rsplit('0').next().unwrap().to_owned());
            assert_eq!(
                (id("first_id").is_some(), id("last_id").is_some()),
                (!ids.is_empty(), !ids.is_empty())
            );
            (ids.concat(), page["has_more"].as_bool().unwrap())
        };
        assert_eq!(ids("limit=2"), ("01".into(), true));
        assert_eq!(ids("limit=2&after_id=endpoint-0001"), ("23".into(), true));
        assert_eq!(ids("limit=2&after_id=endpoint-0003"), ("4".into(), false));
        assert_eq!(ids("limit=2&before_id=endpoint-0004"), ("23".into(), true));
        assert_eq!(ids("after_id=endpoint-0004"), (String::new(), false));
    }

    #[test]
    fn openais_list_has_no_pages() {
        let all = names(3);
        let models = || all.iter().map(|name| Model { name, description: None, created_at: 1_999 });
        let list = Page::parse(Style::Mlflow, Some("limit=1")).unwrap().render(models());
        let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
        let first = serde_json::json!(
            { "id": "endpoint-0000", "object": "model", "created": 1, "owned_by": "mlflow" });
        assert_eq!((&list["data"][0], list["data"].as_array().unwrap().len()), (&first, 3));
    }
}
