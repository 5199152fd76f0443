//! Golden cases: a target and a call in, a request out; and of an answer, what passes.
//!
//! A case is a text of up to four parts with a line `---` between them:
//!
//! ```text
//! provider: groq                       what is asked; `set.NAME` is a setting of the secret, `secret.NAME` a field of it,
//!                                      `body` the client's, `> ` a header of the client
//! model: llama
//! operation: chat/completions
//! path: /chat/completions
//! > origin: https://page.example
//! ---
//! POST https://…                       what goes out, headers in order of their names, the body behind an empty line; or
//!                                      why nothing does. A token that is asked for shows as the URL where that is done
//! authorization: Bearer …
//! ---
//! 429                                  what the provider says; the body behind an empty line
//! set-cookie: x
//!
//! {"error": …}
//! ---
//! 429                                  what passes of it; the body always does
//! ```

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, time::Duration};

use bytes::Bytes;
use dialect::{Framing, Operation, Version};
use forward::{ForwardError, Head, Target};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::{Wire, egress::Policy, headers, prepared::base_of, ready::sha256};

/// When cases are signed: 2015-08-30T12:36:00Z, as in AWS's own test suite.
const NOW: Duration = Duration::from_mins(24_015_636);

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
        let fields = &mut target.credential.fields;
        if let Some(key) = self.field("key") {
            fields.insert("api_key".to_owned(), key.into());
        }
        let secrets =
            self.fields.iter().filter_map(|(name, value)| Some((name.strip_prefix("secret.")?, value)));
        let secrets: Vec<_> = secrets.map(|(name, value)| (name.to_owned(), value.as_str().into())).collect();
        if !secrets.is_empty() {
            fields.clear();
            fields.extend(secrets);
        }
        target
    }

    /// Puts another value for a field of the first part.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// What it asks, without a body.
    pub fn head(&self) -> Head {
        let operation = Operation::parse(&self.fields["operation"]).unwrap();
        let mut head = super::call(operation, self.field("path"), "").head;
        head.method = self.field("method").unwrap_or("POST").parse().unwrap();
        head.framing = self.field("framing").map_or(Framing::Unary, |framing| match framing {
            "sse" => Framing::Sse,
            other => panic!("{}: `{other}` is no framing", self.name),
        });
        head.version = self.field("version").map_or(Version::V1, |version| Version::parse(version).unwrap());
        head.query = self.field("query").map(str::to_owned);
        head.headers.clone_from(&self.client);
        head
    }

    /// The request that `wire` makes of it, as it would stand on the wire, or why there is none.
    pub fn outgoing(&self, wire: &impl Wire) -> String {
        self.made(wire).unwrap_or_else(|refusal| match refusal {
            ForwardError::Misconfigured(said) if said.contains("no address of its own") => {
                "it has no address".to_owned()
            }
            refusal => refusal.to_string(),
        })
    }

    fn made(&self, wire: &impl Wire) -> Result<String, ForwardError> {
        let (head, target) = (self.head(), self.target(None));
        let base = base_of(&target, wire, &Policy::default())?;
        let route = wire.route(&target, &base)?;
        let path = wire.path(&head, &target, &route)?;
        let line: http::uri::PathAndQuery = path.parse().unwrap();
        let mut outgoing = headers::to_provider(head.headers.clone(), wire.request_families(), false);
        wire.complete(&head, &target, &mut outgoing);
        let token = route.credential.grant().map(|grant| format!("Bearer <{}>", grant.url()));
        route.credential.put(&mut outgoing, token.map(|token| token.parse().unwrap()).as_ref());
        let body = Bytes::from(self.field("body").unwrap_or_default().to_owned());
        let body =
            if wire.rewrites(&head, &target) { wire.rewrite(&head, &target, body)? } else { vec![body] };
        if let Some(key) = route.credential.signing_key() {
            let line = (&head.method, line.path(), line.query());
            key.sign(line, &base.authority(), &mut outgoing, &sha256(&body), NOW)?;
        }
        let line = format!("{} {}://{}{path}", head.method, base.scheme().as_str(), base.authority());
        let body = String::from_utf8(body.concat()).unwrap();
        let body = if body.is_empty() { body } else { format!("\n\n{body}") };
        Ok(shown(&line, &outgoing) + &body)
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
