//! Golden cases: a target and a call in, a request out; and of an answer, what passes.
//!
//! A case is a text of up to four parts with a line `---` between them:
//!
//! ```text
//! provider: groq                       what is asked; `set.NAME` is a setting of the secret, `> ` a header of the client
//! model: llama
//! operation: chat/completions
//! path: /chat/completions
//! > origin: https://page.example
//! ---
//! POST https://…                       what goes out, headers in order of their names; or why nothing does
//! authorization: Bearer …
//! ---
//! 429                                  what the provider says; the body behind an empty line
//! set-cookie: x
//!
//! {"error": …}
//! ---
//! 429                                  what passes of it; the body always does
//! ```

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use dialect::{Operation, Version};
use forward::{Head, Target};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::{
    Wire,
    egress::{Policy, check_url},
    headers,
};

/// One golden case.
#[derive(Debug)]
pub struct Case {
    /// Its file's name without the extension.
    pub name: String,
    fields: BTreeMap<String, String>,
    client: HeaderMap,
    /// What must go out, or why nothing does.
    pub request: String,
    /// What the provider answers: status, headers, body.
    pub answer: Option<(StatusCode, HeaderMap, String)>,
    /// What must pass of it: status and headers.
    pub passes: String,
}

/// Every `*.case` of a folder, which must have one.
pub fn cases(folder: &Path) -> Vec<Case> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let cases: Vec<_> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .map(|path| {
            Case::parse(path.file_stem().unwrap().to_str().unwrap(), &fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(!cases.is_empty(), "no case lies in {}", folder.display());
    cases
}

impl Case {
    fn parse(name: &str, text: &str) -> Self {
        let mut parts = text.split("---\n");
        let (mut fields, mut client) = (BTreeMap::new(), String::new());
        for line in parts.next().unwrap_or_default().lines() {
            match (line.strip_prefix("> "), line.split_once(": ")) {
                (Some(header), _) => writeln!(client, "{header}").unwrap(),
                (None, Some((field, value))) => drop(fields.insert(field.to_owned(), value.to_owned())),
                (None, None) => panic!("{name}: `{line}` is not a field"),
            }
        }
        let request = parts.next().unwrap().trim_end().to_owned();
        let answer = parts.next().map(|part| {
            let (head, body) = part.split_once("\n\n").unwrap();
            let (status, lines) = head.split_once('\n').unwrap();
            (status.parse().unwrap(), headers_of(lines), body.trim_end().to_owned())
        });
        let passes = parts.next().unwrap_or_default().trim_end().to_owned();
        Self { name: name.to_owned(), fields, client: headers_of(&client), request, answer, passes }
    }

    /// A field of the first part.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    /// The target that it asks; `base` stands for its `api_base` where given.
    pub fn target(&self, base: Option<&str>) -> Target {
        let settings =
            self.fields.iter().filter_map(|(name, value)| Some((name.strip_prefix("set.")?, value.as_str())));
        let mut settings: Vec<_> =
            settings.filter(|(name, _)| base.is_none() || *name != "api_base").collect();
        settings.extend(base.map(|base| ("api_base", base)));
        let mut target = super::target(&self.fields["provider"], &self.fields["model"], &settings);
        if let Some(key) = self.field("key") {
            target.credential.fields.insert("api_key".to_owned(), key.into());
        }
        target
    }

    /// What it asks, without a body.
    pub fn head(&self) -> Head {
        let operation = Operation::parse(&self.fields["operation"]).unwrap();
        let mut head = super::call(operation, self.field("path"), "").head;
        head.method = self.field("method").unwrap_or("POST").parse().unwrap();
        head.version = self.field("version").map_or(Version::V1, |version| Version::parse(version).unwrap());
        head.query = self.field("query").map(str::to_owned);
        head.headers.clone_from(&self.client);
        head
    }

    /// The request that `wire` makes of it, as it would stand on the wire, or why there is none.
    pub fn outgoing(&self, wire: &impl Wire) -> String {
        let (head, target) = (self.head(), self.target(None));
        let base = target.settings.get("api_base").map_or(wire.default_base(), String::as_str);
        if base.is_empty() {
            return "it has no address".to_owned();
        }
        let base = check_url(base, &Policy::default()).unwrap();
        let route = match wire.route(&target, &base) {
            Ok(route) => route,
            Err(refusal) => return refusal.to_string(),
        };
        let path = match wire.path(&head, &target, &route) {
            Ok(path) => path,
            Err(refusal) => return refusal.to_string(),
        };
        path.parse::<http::uri::PathAndQuery>().unwrap();
        let mut outgoing = headers::to_provider(head.headers.clone(), wire.request_families(), false);
        wire.complete(&head, &target, &mut outgoing);
        route.credential.put(&mut outgoing);
        let line = format!("{} {}://{}{path}", head.method, base.scheme().as_str(), base.authority());
        shown(&line, &outgoing)
    }

    /// What passes of its answer: status and headers. Empty where it has none.
    pub fn passing(&self, wire: &impl Wire) -> String {
        let Some((status, headers, _)) = &self.answer else { return String::new() };
        let mut headers = headers.clone();
        headers::from_provider(&mut headers, wire.answer_families());
        shown(status.as_str(), &headers)
    }

    /// What differs from what the case says, for a report; empty where nothing does.
    pub fn differences(&self, wire: &impl Wire) -> String {
        let mut report = String::new();
        for (came, expected) in [(self.outgoing(wire), &self.request), (self.passing(wire), &self.passes)] {
            if came != *expected {
                writeln!(report, "{}: what came instead:\n{came}\n", self.name).unwrap();
            }
        }
        report
    }
}

/// A first line and headers in the order of their names.
fn shown(line: &str, headers: &HeaderMap) -> String {
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines.insert(0, line.to_owned());
    lines.join("\n")
}

fn headers_of(lines: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines.lines().map(|line| line.split_once(": ").unwrap()) {
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    headers
}
