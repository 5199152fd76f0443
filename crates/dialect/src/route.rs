//! Every path of the data plane: what follows `/gateway` leads to a call, to the list of endpoints, or nowhere.

use names::EndpointName;

use crate::{
    Call, Dialect, Framing, Named, Operation, Page, PathError, Version, anthropic, gemini, models::Style,
    openai, path,
};

/// What a request on the data plane is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A call of an endpoint.
    Call(Call),
    /// The endpoints, as the models of a dialect: `GET`.
    List(Page),
    /// One endpoint, as a model of a dialect: `GET`.
    Get(Style, EndpointName),
}

/// What a path is parsed with.
pub(crate) struct Asked<'a> {
    /// The endpoint that stands before the dialect.
    pub(crate) prefix: Option<EndpointName>,
    /// The HTTP method.
    pub(crate) method: &'a str,
    /// The raw query.
    pub(crate) query: Option<&'a str>,
}

impl Asked<'_> {
    /// Only `POST`.
    pub(crate) fn posts(&self) -> Result<(), PathError> {
        if self.method == "POST" { Ok(()) } else { Err(PathError::Method("POST")) }
    }

    /// Only `GET` and `HEAD`.
    pub(crate) fn reads(&self) -> Result<(), PathError> {
        if matches!(self.method, "GET" | "HEAD") { Ok(()) } else { Err(PathError::Method("GET, HEAD")) }
    }

    /// Every method of resources.
    pub(crate) fn does(&self) -> Result<(), PathError> {
        let known = matches!(self.method, "GET" | "POST" | "PUT" | "PATCH" | "DELETE");
        if known { Ok(()) } else { Err(PathError::Method("GET, POST, PUT, PATCH, DELETE")) }
    }

    /// Where the endpoint stands: in the prefix, or else where the dialect has it.
    pub(crate) fn named(self, otherwise: Named) -> Named {
        self.prefix.map_or(otherwise, Named::Prefix)
    }

    /// A call in a dialect whose version is always `v1`; `rest` is what follows the version, checked.
    pub(crate) fn call(
        self,
        operation: Operation,
        framing: Framing,
        named: Named,
        rest: &str,
    ) -> Result<Route, PathError> {
        Ok(Route::Call(Call {
            dialect: operation.dialect().unwrap_or(Dialect::OpenAi),
            version: Version::V1,
            operation,
            path: Some(path::passed(rest)?),
            named: self.named(named),
            framing,
            unified: false,
        }))
    }
}

impl Route {
    /// Parses what follows `/gateway`, as it stood on the wire, and the raw query, for an HTTP method.
    ///
    /// `/{dialect}/…` is that dialect's own surface, `/{endpoint}/{dialect}/…` the same with the endpoint named in front,
    /// `/mlflow/v1/…` and `/{endpoint}/mlflow/invocations` are MLflow's unified routes, `/proxy/{endpoint}/…` leads to any
    /// path of the endpoint's provider. An endpoint that is called like a dialect has no prefix of its own.
    ///
    /// # Errors
    /// See [`PathError`]; the path's own mistakes come before that of the method.
    pub fn parse(method: &str, path: &str, query: Option<&str>) -> Result<Self, PathError> {
        let path = path.strip_prefix('/').ok_or(PathError::NoSuchPath)?;
        path::check(path)?;
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let asked = |prefix| Asked { prefix, method, query };
        match (Dialect::parse(first), first) {
            (Some(dialect), _) => below(dialect, asked(None), rest),
            (None, "mlflow") => openai::unified(asked(None), rest),
            (None, "proxy") => proxied(asked, rest),
            (None, endpoint) => prefixed(asked, endpoint, rest),
        }
    }
}

/// A dialect's own surface; `rest` is what follows its name and a slash.
fn below(dialect: Dialect, asked: Asked<'_>, rest: &str) -> Result<Route, PathError> {
    match dialect {
        Dialect::Gemini => gemini::route(asked, rest),
        Dialect::OpenAi => openai::route(asked, rest),
        Dialect::Anthropic => anthropic::route(asked, rest),
    }
}

fn prefixed<'a>(
    asked: impl Fn(Option<EndpointName>) -> Asked<'a>,
    endpoint: &str,
    rest: &str,
) -> Result<Route, PathError> {
    let (second, rest) = rest.split_once('/').ok_or(PathError::NoSuchPath)?;
    let known = Dialect::parse(second).is_some() || second == "mlflow";
    if !known {
        return Err(PathError::NoSuchPath);
    }
    let asked = asked(Some(path::endpoint(&path::decode(endpoint)?)?));
    match Dialect::parse(second) {
        Some(dialect) => below(dialect, asked, rest),
        None => openai::invocations(asked, rest),
    }
}

fn proxied<'a>(asked: impl Fn(Option<EndpointName>) -> Asked<'a>, rest: &str) -> Result<Route, PathError> {
    let (endpoint, rest) = rest.split_once('/').ok_or(PathError::NoSuchPath)?;
    let asked = asked(Some(path::endpoint(&path::decode(endpoint)?)?));
    asked.does()?;
    asked.call(Operation::Proxy, Framing::Open, Named::Header, rest)
}

/// Whose language a refusal of this path is in, and how it is to be framed, also where the path cannot be parsed: as
/// Gemini's method behind the colon would be, so that a stream's caller gets the form that it reads. `path` is what
/// follows `/gateway`; none where no dialect is meant.
pub fn face(path: &str, query: Option<&str>) -> Option<(Dialect, Framing)> {
    let mut segments = path.strip_prefix('/')?.splitn(3, '/');
    let (first, second, rest) = (segments.next()?, segments.next(), segments.next());
    let dialect = |word: &str| match word {
        "mlflow" | "proxy" => Some(Dialect::OpenAi),
        _ => Dialect::parse(word),
    };
    let (dialect, below) = match (dialect(first), second.and_then(dialect)) {
        (Some(dialect), _) => (dialect, path.get(first.len() + 2..)),
        (None, Some(dialect)) if second != Some("proxy") => (dialect, rest),
        (None, _) => return None,
    };
    let framing = match (dialect, below) {
        (Dialect::Gemini, Some(below)) => gemini::refused_framing(below, query),
        _ => Framing::Unary,
    };
    Some((dialect, framing))
}
