//! Replays recorded conversations with MLflow and compares its answers with ours, up to ids, times and masks.
//!
//! Where they differ on purpose, `tests/golden/mlflow/differences.md` has a row, and the row is checked too.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use axum::{body::Body, http::Request};
use serde_json::Value;

use super::{
    Api,
    differences::{self, Difference},
};

/// Members whose values are times.
const TIMES: [&str; 4] = ["created_at", "last_updated_at", "creation_time", "last_update_time"];
/// Members that one side has and the other has not, everywhere: told at the head of `differences.md`.
const ONE_SIDED: [&str; 2] = ["auth_config_json", "artifact_location"];
/// Members that are maps whose order MLflow does not keep.
const MAPS: [&str; 2] = ["masked_values", "auth_config"];

/// One recorded request and its answer.
#[derive(serde::Deserialize)]
struct Step {
    case: String,
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    status: u16,
    answer: Value,
    /// What is added to the recording to go on after a request that MLflow takes and Keyward refuses.
    #[serde(default)]
    added: bool,
}

/// How closely bodies of 200s are compared.
#[derive(Clone, Copy, PartialEq)]
enum Closeness {
    /// Member for member and in order, but for `auth_config_json`, which 3.17 does not have.
    Same,
    /// Everything that is recorded is there: 3.8 has not all members of 3.17.
    Superset,
}

#[tokio::test]
async fn as_recorded_from_3_17_2() {
    replay("3.17.2", include_str!("../../golden/mlflow/management-3.17.2.json"), Closeness::Same).await;
}

#[tokio::test]
async fn as_recorded_from_3_8_1() {
    replay("3.8.1", include_str!("../../golden/mlflow/management-3.8.1.json"), Closeness::Superset).await;
}

#[tokio::test]
async fn the_script_of_3_8_1() {
    replay("seed-3.8.1", include_str!("../../golden/mlflow/seed-3.8.1.json"), Closeness::Superset).await;
}

#[tokio::test]
async fn the_script_of_3_17_2() {
    let api = Api::new();
    api.post("/api/2.0/mlflow/experiments/create", r#"{"name":"Gateway"}"#).await;
    let recorded = include_str!("../../golden/mlflow/seed-3.17.2.json");
    replay_on(&api, "seed-3.17.2", recorded, Closeness::Same).await;
}

async fn replay(version: &str, recorded: &str, closeness: Closeness) {
    replay_on(&Api::new(), version, recorded, closeness).await;
}

async fn replay_on(api: &Api, version: &str, recorded: &str, closeness: Closeness) {
    let steps: Vec<Step> = serde_json::from_str(recorded).unwrap();
    // One value a step beside the parsed one: the order of members.
    let orders: Vec<StepOrder> = serde_json::from_str(recorded).unwrap();
    let mut differences = differences::all();
    differences.retain(|case, _| case.split(' ').next() == Some(version));
    let known = Known::default();
    let mut wrong = Vec::new();
    for (step, order) in steps.iter().zip(orders) {
        let answer = api.send(known.request(step)).await;
        let difference = differences.remove(&format!("{version} {}", step.case));
        let result = match &difference {
            Some(difference) => differs(step, &answer, difference),
            None => agrees(step, &answer, &known, closeness, &order.answer),
        };
        if let Err(why) = result {
            wrong.push(format!(
                "{}: {why}\n  MLflow {} {}\n  ours {} {}",
                step.case, step.status, step.answer, answer.status, answer.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), steps.len(), wrong.join("\n"));
    let unused: Vec<_> = differences.keys().collect();
    assert!(unused.is_empty(), "rows without a recording: {unused:?}");
}

/// Whether a deliberate difference is as its row says, on both sides.
fn differs(step: &Step, answer: &super::Answer, row: &Difference) -> Result<(), String> {
    let kind = |status: u16, body: &Value| match body["error_code"].as_str() {
        Some(code) => format!("{status} {code}"),
        None => status.to_string(),
    };
    let body = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
    let message = body["message"].as_str().unwrap_or(&answer.text);
    let (theirs, ours) = (kind(step.status, &step.answer), kind(answer.status.as_u16(), &body));
    if theirs != row.mlflow {
        return Err(format!("the row says that MLflow answers {}", row.mlflow));
    }
    if ours != row.keyward {
        return Err(format!("the row says that Keyward answers {}", row.keyward));
    }
    if row.message != "-" && !message.contains(&row.message) {
        return Err(format!("the row says that the message has {:?}", row.message));
    }
    Ok(())
}

fn agrees(
    step: &Step,
    answer: &super::Answer,
    known: &Known,
    closeness: Closeness,
    order: &Order,
) -> Result<(), String> {
    if answer.status.as_u16() != step.status {
        return Err("another status".to_owned());
    }
    if let Value::String(text) = &step.answer {
        return if *text == answer.text { Ok(()) } else { Err("another text".to_owned()) };
    }
    let ours = answer.json();
    let exact = closeness == Closeness::Same && !step.added;
    known.compare("", &step.answer, &ours, exact && step.status == 200)?;
    let pretty = answer.text.contains("\n  ");
    if exact && pretty && step.path.contains("/mlflow/gateway/") && !step.path.contains("provider-config") {
        let order_of_ours: Order = serde_json::from_str(&answer.text).unwrap();
        if order_of_ours.0 != order.0 {
            return Err(format!("another order: {:?}, not {:?}", order_of_ours.0, order.0));
        }
    }
    Ok(())
}

/// Recorded ids and what they are called here.
#[derive(Default)]
struct Known(RefCell<BTreeMap<String, String>>);

impl Known {
    fn request(&self, step: &Step) -> Request<Body> {
        let mut request = Request::builder().method(step.method.as_str()).uri(self.translate(&step.path));
        for (name, value) in &step.headers {
            request = request.header(name, value);
        }
        let body = step.json.as_ref().map(Value::to_string).or_else(|| step.text.clone()).unwrap_or_default();
        request.header("host", "localhost:5000").body(Body::from(self.translate(&body))).unwrap()
    }

    fn translate(&self, text: &str) -> String {
        let known = self.0.borrow();
        let long = known.iter().filter(|(theirs, _)| theirs.len() > 30);
        let text = long.fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours));
        let number = text.rsplit_once("experiment_id=").and_then(|(head, id)| {
            known.get(&format!("experiment {id}")).map(|id| format!("{head}experiment_id={id}"))
        });
        number.unwrap_or(text)
    }

    /// Learns ids at the same places, and tells the first place that differs.
    fn compare(&self, place: &str, theirs: &Value, ours: &Value, exact: bool) -> Result<(), String> {
        let member = place.rsplit('.').next().unwrap_or_default();
        match (theirs, ours) {
            _ if TIMES.contains(&member) && ours.is_i64() => Ok(()),
            (Value::Object(theirs), Value::Object(ours)) => {
                let names = |map: &serde_json::Map<String, Value>| {
                    map.keys()
                        .filter(|name| !ONE_SIDED.contains(&name.as_str()))
                        .cloned()
                        .collect::<BTreeSet<_>>()
                };
                if exact && names(theirs) != names(ours) {
                    return Err(format!("other members at {place:?}: {:?}", names(ours)));
                }
                if member == "masked_values" {
                    return Ok(());
                }
                let compared = |name: &String| name != "artifact_location";
                theirs.iter().filter(|(name, _)| compared(name)).try_for_each(|(name, theirs)| {
                    let place = format!("{place}.{name}");
                    self.compare(&place, theirs, ours.get(name).unwrap_or(&Value::Null), exact)
                })
            }
            (Value::Array(theirs), Value::Array(ours)) => {
                if theirs.len() != ours.len() {
                    return Err(format!("{} items at {place:?}, not {}", ours.len(), theirs.len()));
                }
                let (theirs, ours) = (sorted(theirs), sorted(ours));
                let mut pairs = theirs.iter().zip(ours);
                pairs.try_for_each(|(theirs, ours)| self.compare(place, theirs, ours, exact))
            }
            (Value::String(theirs), Value::String(ours)) => self.same_text(member, theirs, ours),
            _ if theirs == ours => Ok(()),
            _ => Err(format!("{ours} at {place:?}, not {theirs}")),
        }
    }

    fn same_text(&self, member: &str, theirs: &str, ours: &str) -> Result<(), String> {
        let id = theirs.len() == 34 && theirs.as_bytes()[1] == b'-';
        let key = if member == "experiment_id" { format!("experiment {theirs}") } else { theirs.to_owned() };
        let learned = self.0.borrow().get(&key).cloned();
        match learned {
            Some(learned) if learned == ours => Ok(()),
            None if member == "experiment_id" || (id && ours.len() == theirs.len()) => {
                self.0.borrow_mut().insert(key, ours.to_owned());
                Ok(())
            }
            _ if self.translate(theirs) == ours => Ok(()),
            _ => Err(format!("{ours:?} as {member:?}, not {theirs:?}")),
        }
    }
}

/// Lists are compared without their order, by a name that is the same on both sides; MLflow's have none.
fn sorted(items: &[Value]) -> Vec<&Value> {
    let mut items: Vec<_> = items.iter().collect();
    let name = |item: &Value| {
        let place = item.get("model_definition").unwrap_or(item);
        let of = |key: &str| place.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        (of("secret_name"), of("name"), of("key"), of("resource_id"))
    };
    items.sort_by_key(|item| name(item));
    items
}

#[derive(serde::Deserialize)]
struct StepOrder {
    answer: Order,
}

/// The names of all members in the order in which they stand, less what has no order in MLflow.
struct Order(Vec<String>);

impl<'de> serde::Deserialize<'de> for Order {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Members)
    }
}

struct Members;

impl<'de> serde::de::Visitor<'de> for Members {
    type Value = Order;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Order, E> {
        Ok(Order(Vec::new()))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Order, E> {
        Ok(Order(Vec::new()))
    }
    fn visit_u64<E>(self, _: u64) -> Result<Order, E> {
        Ok(Order(Vec::new()))
    }
    fn visit_i64<E>(self, _: i64) -> Result<Order, E> {
        Ok(Order(Vec::new()))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Order, E> {
        Ok(Order(Vec::new()))
    }
    fn visit_str<E>(self, _: &str) -> Result<Order, E> {
        Ok(Order(Vec::new()))
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Order, A::Error> {
        // Items may stand in another order and have other members; each kind is also answered alone somewhere.
        while items.next_element::<Order>()?.is_some() {}
        Ok(Order(Vec::new()))
    }
    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Order, A::Error> {
        let mut order = Vec::new();
        while let Some((name, Order(inner))) = members.next_entry::<String, Order>()? {
            if ONE_SIDED.contains(&name.as_str()) {
                continue;
            }
            if !MAPS.contains(&name.as_str()) {
                order.extend(inner);
            }
            order.push(name);
        }
        Ok(Order(order))
    }
}
