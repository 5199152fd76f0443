//! The model definitions of an endpoint: how requests of both generations say them, attach and detach.

use axum::extract::State;
use names::{EndpointId, ModelDefinitionId};
use serde::Serialize;
use store::{Linkage, MappingSpec};

use super::{
    Management,
    answer::{Answer, Answered, Nothing},
    definitions, endpoints,
    fields::{Choice, Fields, shown},
    request::{Asked, Shape},
    shapes::MappingShape,
};

/// Model definitions of an endpoint, from 3.9 on.
pub(super) const CONFIGS: &str = "model_configs";
/// The same from 3.8 clients: primaries of equal weight.
const IDS: &str = "model_definition_ids";
/// One model definition to attach, from 3.9 on; 3.8 clients have its fields beside the others.
const CONFIG: &str = "model_config";
/// MLflow's `GatewayModelLinkageType`.
const LINKAGE: [Choice<Linkage>; 2] = [("PRIMARY", 1, Linkage::Primary), ("FALLBACK", 2, Linkage::Fallback)];
/// The weight of a model definition that has none.
const WEIGHT: f64 = 1.0;

/// A model definition to be attached.
pub(super) struct Attach {
    endpoint: EndpointId,
    spec: MappingSpec,
}

/// A model definition to be detached.
pub(super) struct Detach {
    endpoint: EndpointId,
    definition: ModelDefinitionId,
}

/// One mapping.
#[derive(Debug, Serialize)]
pub(super) struct One {
    mapping: MappingShape,
}

pub(super) async fn attach(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request }: Asked<Attach>,
) -> Answered<One> {
    let written = admin.attach(&caller, &request.endpoint, request.spec).await?;
    Ok(Answer::written(written, |mapping| One { mapping: mapping.into() }))
}

pub(super) async fn detach(
    State(Management { admin, .. }): State<Management>,
    Asked { caller, request: Detach { endpoint, definition } }: Asked<Detach>,
) -> Answered<Nothing> {
    Ok(Answer::done(admin.detach(&caller, &endpoint, &definition).await?))
}

impl Shape for Attach {
    const ACTOR: Option<&'static str> = Some("created_by");

    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint = fields.required_id("endpoint_id", endpoints::ENTITY, EndpointId::parse);
        let spec = match (fields.has(CONFIG), fields.has("model_definition_id")) {
            (true, true) => {
                fields.refuse(format!(
                    "Request specifies both '{CONFIG}' and 'model_definition_id'; provide only one of them."
                ));
                None
            }
            (false, true) => flat(fields),
            (true, false) => fields.object(CONFIG, |fields| config(fields, CONFIG)),
            (false, false) => {
                fields.missing(CONFIG);
                None
            }
        };
        Some(Self { endpoint: endpoint?, spec: spec? })
    }
}

impl Shape for Detach {
    fn read(fields: &mut Fields) -> Option<Self> {
        let endpoint = fields.required_id("endpoint_id", endpoints::ENTITY, EndpointId::parse);
        let definition =
            fields.required_id("model_definition_id", definitions::ENTITY, ModelDefinitionId::parse);
        Some(Self { endpoint: endpoint?, definition: definition? })
    }
}

/// Whether an endpoint's model definitions are said as 3.8 clients say them.
pub(super) fn is_3_8(fields: &Fields) -> bool {
    fields.has(IDS) && !fields.has(CONFIGS)
}

/// The model definitions of a new endpoint: at least one.
pub(super) fn required_configs(fields: &mut Fields) -> Option<Vec<MappingSpec>> {
    let before = fields.mistakes();
    let said = fields.has_exactly(CONFIGS) || fields.has_exactly(IDS);
    let configs = if said { configs(fields)? } else { Vec::new() };
    if configs.is_empty() && fields.mistakes() == before {
        fields.missing(CONFIGS);
    }
    (!configs.is_empty()).then_some(configs)
}

/// The model definitions of an endpoint, in either form; nothing where there is neither.
pub(super) fn configs(fields: &mut Fields) -> Option<Vec<MappingSpec>> {
    if is_3_8(fields) {
        let ids = fields.texts(IDS)?;
        return known(fields, ids.into_iter().map(|id| Unchecked { id, ..Unchecked::PRIMARY }).collect());
    }
    if fields.has(IDS) {
        fields.refuse(format!("Request specifies both '{CONFIGS}' and '{IDS}'; provide only one of them."));
        return None;
    }
    let mut index = 0;
    let configs = fields.objects(CONFIGS, |fields| {
        let config = unchecked(fields, &format!("{CONFIGS}[{index}]"));
        index += 1;
        config
    })?;
    known(fields, configs)
}

/// A mapping whose model definition's id has not been looked at.
struct Unchecked {
    id: String,
    linkage: Linkage,
    weight: f64,
    fallback_order: Option<i32>,
}

impl Unchecked {
    const PRIMARY: Self =
        Self { id: String::new(), linkage: Linkage::Primary, weight: WEIGHT, fallback_order: None };

    fn with(self, definition_id: ModelDefinitionId) -> MappingSpec {
        let Self { linkage, weight, fallback_order, .. } = self;
        MappingSpec { definition_id, linkage, weight, fallback_order }
    }
}

/// Checks the ids of a whole list, since MLflow names all unknown ones in one message.
fn known(fields: &mut Fields, configs: Vec<Unchecked>) -> Option<Vec<MappingSpec>> {
    let mut specs = Vec::with_capacity(configs.len());
    let mut unknown = Vec::new();
    for config in configs {
        match ModelDefinitionId::parse(&config.id) {
            Ok(id) => specs.push(config.with(id)),
            Err(_) => unknown.push(shown(&config.id)),
        }
    }
    if unknown.is_empty() {
        return Some(specs);
    }
    fields.not_found(format!("Model definitions not found: {}", unknown.join(", ")));
    None
}

/// The nested form of attach.
fn config(fields: &mut Fields, place: &str) -> Option<MappingSpec> {
    let config = unchecked(fields, place)?;
    let Ok(id) = ModelDefinitionId::parse(&config.id) else {
        let id = shown(&config.id);
        fields.not_found(format!("{} not found (model_definition_id='{id}')", definitions::ENTITY));
        return None;
    };
    Some(config.with(id))
}

/// The flat form of attach, which 3.8 clients send: a primary.
fn flat(fields: &mut Fields) -> Option<MappingSpec> {
    let definition_id =
        fields.required_id("model_definition_id", definitions::ENTITY, ModelDefinitionId::parse);
    let weight = fields.number("weight").unwrap_or(WEIGHT);
    let linkage = fields.choice("linkage_type", &LINKAGE).unwrap_or(Linkage::Primary);
    let fallback_order = fields.integer("fallback_order");
    Some(MappingSpec { definition_id: definition_id?, linkage, weight, fallback_order })
}

/// One `GatewayEndpointModelConfig`; `place` is how MLflow's message about its linkage calls it.
fn unchecked(fields: &mut Fields, place: &str) -> Option<Unchecked> {
    let id = fields.required_text("model_definition_id");
    let linkage = fields.silent_choice("linkage_type", &LINKAGE);
    if linkage.is_none() {
        fields.refuse(format!(
            "Invalid or missing value for required parameter 'linkage_type' in {place}. Must be one of: PRIMARY, \
             FALLBACK."
        ));
    }
    let weight = fields.number("weight").unwrap_or(WEIGHT);
    let fallback_order = fields.integer("fallback_order");
    Some(Unchecked { id: id?, linkage: linkage?, weight, fallback_order })
}
