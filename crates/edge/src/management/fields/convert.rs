//! One field of one type: what is asked for by name comes out parsed, or a mistake is noted.

use super::{Choice, Entries, Fields, Json, NameError, shown};

impl Fields {
    /// A required name. An empty text counts as missing, as in MLflow.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Option<T> {
        let text = self.required_text(name)?;
        self.parsed(name, &text, parse)
    }

    /// An optional name. An empty text counts as absent, as in MLflow.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Option<T> {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        self.parsed(name, &text, parse)
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Option<T> {
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.invalid(name, &error.to_string());
                None
            }
        }
    }

    /// A required text that is not empty.
    pub(crate) fn required_text(&mut self, name: &str) -> Option<String> {
        let value = self.take_required(name)?;
        let text = self.as_text(name, value)?;
        if text.is_empty() {
            self.missing(name);
            return None;
        }
        Some(text)
    }

    /// An optional text, possibly empty.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        self.as_text(name, value)
    }

    fn as_text(&mut self, name: &str, value: Json) -> Option<String> {
        match value {
            Json::Text(text) => Some(text),
            other => {
                self.wrong_type(name, "a string", &other);
                None
            }
        }
    }

    /// A required identifier of `entity`; one that cannot exist is told as not found, in MLflow's words.
    pub(crate) fn required_id<T>(
        &mut self,
        name: &str,
        entity: &str,
        parse: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Option<T> {
        let text = self.required_text(name)?;
        self.known(name, entity, &text, parse)
    }

    /// An optional identifier of `entity`.
    pub(crate) fn optional_id<T>(
        &mut self,
        name: &str,
        entity: &str,
        parse: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Option<T> {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        self.known(name, entity, &text, parse)
    }

    fn known<T>(
        &mut self,
        name: &str,
        entity: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, NameError>,
    ) -> Option<T> {
        if let Ok(id) = parse(text) {
            return Some(id);
        }
        self.not_found(format!("{entity} not found ({name}='{}')", shown(text)));
        None
    }

    /// An optional truth value; a query spells it `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Json::Bool(value) => Some(value),
            other => {
                self.wrong_type(name, "a boolean", &other);
                None
            }
        }
    }

    /// An optional number.
    pub(crate) fn number(&mut self, name: &str) -> Option<f64> {
        let value = self.take(name)?;
        if let Json::Number(number) = &value
            && let Some(number) = number.as_f64()
        {
            return Some(number);
        }
        self.wrong_type(name, "a number", &value);
        None
    }

    /// An optional whole number of 32 bits; `2.0` is one, as in protobuf's JSON.
    pub(crate) fn integer(&mut self, name: &str) -> Option<i32> {
        let value = self.take(name)?;
        let Json::Number(number) = &value else {
            self.wrong_type(name, "an integer", &value);
            return None;
        };
        let whole = number.as_i64().or_else(|| number.as_f64().and_then(whole));
        let integer = whole.and_then(|whole| i32::try_from(whole).ok());
        if integer.is_none() {
            self.invalid(name, "must be an integer of 32 bits");
        }
        integer
    }

    /// An optional whole number of 64 bits, e.g. a time in milliseconds.
    pub(crate) fn long(&mut self, name: &str) -> Option<i64> {
        let value = self.take(name)?;
        let Json::Number(number) = &value else {
            self.wrong_type(name, "an integer", &value);
            return None;
        };
        let long = number.as_i64();
        if long.is_none() {
            self.invalid(name, "must be an integer of 64 bits");
        }
        long
    }

    /// An optional name out of a few, or its number in MLflow's protobuf.
    pub(crate) fn choice<T: Copy>(&mut self, name: &str, choices: &[Choice<T>]) -> Option<T> {
        let value = self.take(name)?;
        let meaning = chosen(&value, choices);
        if meaning.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, ..)| *word).collect();
            self.invalid(name, &format!("must be one of: {}", words.join(", ")));
        }
        meaning
    }

    /// As [`Self::choice`], for the caller to say what is wrong.
    pub(crate) fn silent_choice<T: Copy>(&mut self, name: &str, choices: &[Choice<T>]) -> Option<T> {
        self.take(name).and_then(|value| chosen(&value, choices))
    }

    /// An optional list of texts, none of them empty.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let values = self.list(name)?;
        let mut texts = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let item = format!("{name}[{index}]");
            match self.as_text(&item, value) {
                Some(text) if text.is_empty() => self.invalid(&item, "must not be empty"),
                Some(text) => texts.push(text),
                None => {}
            }
        }
        Some(texts)
    }

    /// An optional list of objects, each read by `read`; those with mistakes are left out.
    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let values = self.list(name)?;
        let mut objects = Vec::with_capacity(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let item = format!("{name}[{index}]");
            if let Some(entries) = self.as_object(&item, value) {
                objects.extend(self.within(&item, entries, &mut read));
            }
        }
        Some(objects)
    }

    fn list(&mut self, name: &str) -> Option<Vec<Json>> {
        match self.take(name)? {
            Json::List(values) => Some(values),
            other => {
                self.wrong_type(name, "an array", &other);
                None
            }
        }
    }

    /// An optional object, read by `read`.
    pub(crate) fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let value = self.take(name)?;
        let entries = self.as_object(name, value)?;
        self.within(name, entries, read)
    }

    pub(super) fn as_object(&mut self, name: &str, value: Json) -> Option<Entries> {
        match value {
            Json::Object(entries) => Some(entries),
            other => {
                self.wrong_type(name, "an object", &other);
                None
            }
        }
    }
}

/// The whole number that a double stands for, where it is one.
fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "only doubles that an i32 holds exactly get here")]
    let cast = |number: f64| number as i64;
    (number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX)).then(|| cast(number))
}

fn chosen<T: Copy>(value: &Json, choices: &[Choice<T>]) -> Option<T> {
    let chosen = choices.iter().find(|(word, number, _)| match value {
        Json::Text(text) => text == word,
        Json::Number(given) => given.as_u64() == Some(*number),
        _ => false,
    });
    chosen.map(|(.., meaning)| *meaning)
}
