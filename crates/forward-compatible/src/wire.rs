//! A row as a wire.

use dialect::{Dialect, Operation};
use forward::{ForwardError, Head, Target};
use forward_http::{CheckedBase, CredentialHeader, Family, Route, Wire, egress::Policy, split_version};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    RowError, WrittenRow,
    row::{Below, Row},
};

/// A provider that speaks a dialect which is not its own, under one of its names.
#[derive(Debug, Clone, Copy)]
pub struct Compatible {
    name: &'static str,
    row: &'static Row,
}

impl Compatible {
    /// A provider as an operator wrote it, once for each of its names. `policy` is what its base is checked against.
    ///
    /// # Errors
    /// See [`RowError`].
    pub fn from_config(name: &str, mut written: WrittenRow, policy: &Policy) -> Result<Vec<Self>, RowError> {
        let mut names = std::mem::take(&mut written.aliases);
        names.insert(0, name.to_owned());
        let row = Row::keep(written, policy)?;
        let plain = |name: &str| names::Provider::parse(name).is_ok_and(|provider| provider.as_str() == name);
        let named = |name: String| {
            if plain(&name) { Ok(Self { name: name.leak(), row }) } else { Err(RowError::Name(name)) }
        };
        names.into_iter().map(named).collect()
    }

    /// What it speaks; at least one, the first is the one it is known for.
    pub fn dialects(&self) -> &'static [Dialect] {
        self.row.dialects
    }
}

/// Everything in a model's name but what stands in a path as it is; `/` stands between segments of names.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b':')
    .remove(b'@')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

impl Wire for Compatible {
    fn provider(&self) -> &'static str {
        self.name
    }

    fn default_base(&self) -> &'static str {
        self.row.base
    }

    fn default_hosts(&self) -> &'static [&'static str] {
        self.row.hosts
    }

    /// The prefix is the root; the version, what the base names behind it.
    fn route(&self, target: &Target, base: &CheckedBase) -> Result<Route, ForwardError> {
        let (prefix, version) = match &self.row.below_root {
            Some(below) => (base.path().strip_suffix(below.as_str()).unwrap_or(base.path()), None),
            None => split_version(base.path()),
        };
        Ok(Route { prefix: prefix.to_owned(), version, credential: self.credential(target)? })
    }

    fn path(&self, head: &Head, target: &Target, route: &Route) -> Result<String, ForwardError> {
        let query = head.query.as_deref();
        let Some(dialect) = head.operation.dialect().filter(|_| head.operation != Operation::Proxy) else {
            let path = head.path.as_deref().ok_or(ForwardError::Internal)?;
            return Ok(route.join(None, path, query));
        };
        let speech = self.row.speaks.iter().find(|speech| speech.dialect == dialect);
        let speech = speech.ok_or(ForwardError::Misconfigured("its provider does not speak this dialect"))?;
        let path = head.path.as_ref().map(|path| self.row.paths.get(path).unwrap_or(path).clone());
        let path = path.unwrap_or_else(|| of_a_model(target, head.operation));
        let (version, below) = match speech.below {
            Below::Base => (route.version.map(dialect::Version::as_str), self.row.below_root.as_deref()),
            Below::Root => (None, None),
        };
        Ok(route.join(version, &[below.unwrap_or_default(), &speech.path, &path].concat(), query))
    }

    fn request_families(&self) -> &'static [Family] {
        self.row.request_families
    }

    fn answer_families(&self) -> &'static [Family] {
        self.row.answer_families
    }
}

/// Gemini's path of a model, behind the version.
fn of_a_model(target: &Target, operation: Operation) -> String {
    format!("/models/{}:{}", utf8_percent_encode(target.model.as_str(), ESCAPED), operation.as_str())
}

impl Compatible {
    fn credential(&self, target: &Target) -> Result<CredentialHeader, ForwardError> {
        use secrecy::ExposeSecret as _;
        let credential = &self.row.credential;
        let key = target.credential.fields.get(&credential.field).map(|key| key.expose_secret().trim());
        match key.filter(|key| !key.is_empty()) {
            None if credential.optional => Ok(CredentialHeader::none()),
            Some(key) if Some(key) == credential.none.as_deref() => Ok(CredentialHeader::none()),
            _ => CredentialHeader::from_field(
                target,
                &credential.field,
                credential.header.clone(),
                &credential.prefix,
            ),
        }
    }
}

#[cfg(test)]
mod tests;
