//! Takes a request's fields out of a JSON object or a query, strictly, and gathers every mistake on the way.
//!
//! A mistake names the field, never its value. Unknown fields are ignored, as MLflow ignores them; a `null` is as good
//! as no field. MLflow reads optional fields in snake case and in camel case, required ones in snake case only, and
//! refuses both spellings at once; so does this.

use names::NameError;

use super::{
    json::{Entries, Json},
    problem::Problem,
};

mod convert;
mod map;
#[cfg(test)]
mod tests;

/// The fields of one object, taken out one by one.
pub(super) struct Fields {
    /// How the object is called in messages: nothing, or `model_configs[0].`.
    path: String,
    entries: Entries,
    mistakes: Vec<Mistake>,
}

/// Why a request is refused.
enum Mistake {
    /// A field is missing or malformed.
    Shape(String),
    /// An identifier that cannot exist: reported as what it names not being there, as in MLflow.
    NotFound(String),
}

/// A name in words as MLflow spells it, its number in MLflow's protobuf, and what it means here.
pub(super) type Choice<T> = (&'static str, u64, T);

// === impl Fields ===

impl Fields {
    pub(super) const fn new(entries: Entries) -> Self {
        Self { path: String::new(), entries, mistakes: Vec::new() }
    }

    /// The request, if nothing was wrong with it; else all that was.
    pub(super) fn finish<T>(self, request: Option<T>) -> Result<T, Problem> {
        let mut absent = None;
        let mut shapes = Vec::new();
        for mistake in self.mistakes {
            match mistake {
                Mistake::Shape(message) => shapes.push(message),
                Mistake::NotFound(message) => absent = absent.or(Some(message)),
            }
        }
        if !shapes.is_empty() {
            return Err(Problem::bad_request(shapes.join(" ")));
        }
        match (absent, request) {
            (Some(message), _) => Err(Problem::not_found(message)),
            (None, Some(request)) => Ok(request),
            (None, None) => Err(Problem::bad_request("The request could not be read.")),
        }
    }

    /// How many mistakes were noted so far.
    pub(super) fn mistakes(&self) -> usize {
        self.mistakes.len()
    }

    /// Whether the field is there, in either spelling, and not `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        let camel = camel_case(name);
        self.entries.iter().any(|(key, value)| (key == name || *key == camel) && !matches!(value, Json::Null))
    }

    /// Whether the field is there in snake case, and not `null`.
    pub(super) fn has_exactly(&self, name: &str) -> bool {
        self.entries.iter().any(|(key, value)| key == name && !matches!(value, Json::Null))
    }

    /// The field, or nothing where it is absent, `null`, or said more than once (which is a mistake).
    fn take(&mut self, name: &str) -> Option<Json> {
        let camel = camel_case(name);
        let mut taken: Vec<(String, Json)> = Vec::new();
        let mut index = 0;
        while index < self.entries.len() {
            if self.entries[index].0 == name || self.entries[index].0 == camel {
                taken.push(self.entries.remove(index));
            } else {
                index += 1;
            }
        }
        let both = taken.iter().any(|(key, _)| key == name) && taken.iter().any(|(key, _)| key != name);
        if both {
            self.refuse(format!("Request specifies both '{name}' and '{camel}'; provide only one of them."));
            return None;
        }
        if taken.len() > 1 {
            let path = self.path_of(name);
            self.refuse(format!("Request specifies '{path}' more than once; provide it once."));
            return None;
        }
        taken.pop().map(|(_, value)| value).filter(|value| !matches!(value, Json::Null))
    }

    /// As [`Self::take`], for a field that must be there under exactly this name.
    fn take_required(&mut self, name: &str) -> Option<Json> {
        let before = self.mistakes.len();
        let exact = self.entries.iter().any(|(key, _)| key == name);
        let value = self.take(name).filter(|_| exact);
        if value.is_none() && self.mistakes.len() == before {
            self.missing(name);
        }
        value
    }

    /// The name of a field as messages call it.
    fn path_of(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    /// Notes that a required field is not there, in MLflow's words.
    pub(super) fn missing(&mut self, name: &str) {
        let path = self.path_of(name);
        self.refuse(format!(
            "Missing value for required parameter '{path}'. See the API docs for more information about request \
             parameters."
        ));
    }

    /// Notes that a field cannot be taken as it is, in MLflow's form but without repeating the value.
    pub(super) fn invalid(&mut self, name: &str, why: &str) {
        let path = self.path_of(name);
        self.refuse(format!(
            "Invalid value for parameter '{path}' supplied: {why}. See the API docs for more information about \
             request parameters."
        ));
    }

    fn wrong_type(&mut self, name: &str, wanted: &str, got: &Json) {
        let kind = got.kind();
        self.invalid(name, &format!("must be {wanted}, but was of type '{kind}'"));
    }

    /// Notes a mistake in words of its own.
    pub(super) fn refuse(&mut self, message: String) {
        self.mistakes.push(Mistake::Shape(message));
    }

    /// Notes that what is named cannot exist.
    pub(super) fn not_found(&mut self, message: String) {
        self.mistakes.push(Mistake::NotFound(message));
    }

    /// Reads an object inside this one; its mistakes are told with the path that leads to it.
    fn within<T>(
        &mut self,
        path: &str,
        entries: Entries,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let path = format!("{}{path}.", self.path);
        let mut inner = Self { path, entries, mistakes: Vec::new() };
        let value = read(&mut inner);
        self.mistakes.append(&mut inner.mistakes);
        value
    }
}

/// `secret_name` as protobuf's JSON would have it: `secretName`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (head, tail) = word.split_at(word.len().min(1));
        camel.push_str(&head.to_ascii_uppercase());
        camel.push_str(tail);
    }
    camel
}

/// A caller's text inside a message: control characters escaped, and no more of it than a name may have characters.
pub(super) fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 255;
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == SHOWN_MAX {
            shown.push('…');
            break;
        }
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}
