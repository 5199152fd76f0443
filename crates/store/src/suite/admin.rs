//! Secrets, model definitions, bindings, tags and experiments, by the rules of MLflow's contract; where MLflow answers a
//! caller's mistake with 5xx, SQL or silence, a refusal.

use std::slice;

use names::{EndpointId, ModelDefinitionId, ModelName, Provider, SecretId};

use super::{
    House,
    given::{
        CANARY, caller, endpoint_name, gemini, label, new_definition, new_endpoint, new_secret, primary,
    },
};
use crate::{
    DefinitionChange, EndpointRef, ListDefinitions, NewBinding, NewExperiment, NewSecret, SecretChange,
    StoreError, Tag,
};

/// Of a long key its ends, of a short one nothing; of neither anything else, anywhere.
pub async fn a_secret_is_masked(house: House) {
    let opened = house.open().await;
    let mut new = new_secret("key");
    new.value.insert("short".to_owned(), "0123456789abcdefghijklm".into());
    let made = opened.seams.admin.create_secret(&caller(), new).await.unwrap().value;
    assert_eq!(made.masked_values["api_key"], "AIz...mnop");
    assert_eq!(made.masked_values["short"], "***");
    assert_eq!(made.version, 1);
    assert_eq!(made.created_by, caller().actor);
    assert_eq!(opened.seams.admin.secret(&made.id).await.unwrap(), made);
    assert_eq!(opened.seams.admin.secrets(None).await.unwrap(), slice::from_ref(&made));
    assert_eq!(opened.seams.admin.secrets(Some(&gemini())).await.unwrap(), [made]);
    assert_eq!(opened.seams.admin.secrets(Some(&Provider::parse("openai").unwrap())).await.unwrap(), []);
    let shown = format!("{:?}{:?}", opened.seams.admin.secrets(None).await.unwrap(), opened.audit().await);
    assert!(!shown.contains("CANARY"), "{shown}");
}

/// An empty value, a value that would choose the destination, and settings that may not be are refused.
pub async fn a_secret_has_rules(house: House) {
    let opened = house.open().await;
    let wrong = [
        NewSecret { value: [].into(), ..new_secret("a") },
        NewSecret { value: [("api_key".to_owned(), " ".into())].into(), ..new_secret("a") },
        NewSecret { value: [("api_key".to_owned(), "a\nb".into())].into(), ..new_secret("a") },
        NewSecret { value: [("api_base".to_owned(), "https://a".into())].into(), ..new_secret("a") },
        NewSecret {
            auth_config: [("base_url".to_owned(), "https://a".to_owned())].into(),
            ..new_secret("a")
        },
        NewSecret { auth_config: [("api_base".to_owned(), "http://a".to_owned())].into(), ..new_secret("a") },
    ];
    for new in wrong {
        let refused = opened.seams.admin.create_secret(&caller(), new).await.unwrap_err();
        assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");
    }
    assert_eq!(opened.seams.admin.secrets(None).await.unwrap(), []);
}

/// Absent or empty means unchanged; a map takes the place of the old one; blank settings clear.
pub async fn an_update_of_a_secret_replaces_its_value_as_a_whole(house: House) {
    let opened = house.open().await;
    let mut new = new_secret("key");
    new.value.insert("other".to_owned(), CANARY.into());
    new.auth_config.insert("organization".to_owned(), "o".to_owned());
    let made = opened.seams.admin.create_secret(&caller(), new).await.unwrap().value;
    let update = |value, auth_config| {
        let change = SecretChange { id: made.id.clone(), value, auth_config };
        let admin = opened.seams.admin.clone();
        async move { admin.update_secret(&caller(), change).await.unwrap().value }
    };
    for same in [update(None, None).await, update(Some([].into()), Some([].into())).await] {
        assert_eq!(same.masked_values, made.masked_values);
        assert_eq!(same.auth_config, made.auth_config);
        assert_eq!(same.version, 1);
    }
    let replaced = update(Some([("api_key".to_owned(), "short".into())].into()), None).await;
    assert_eq!(replaced.masked_values, [("api_key".to_owned(), "***".to_owned())].into());
    assert_eq!(replaced.version, 2);
    assert_eq!(replaced.auth_config, made.auth_config);
    let cleared = update(None, Some([("organization".to_owned(), " ".to_owned())].into())).await;
    assert!(cleared.auth_config.is_empty());
    assert_eq!(cleared.version, 2);
}

/// Who may change where a key is sent must have the key.
pub async fn an_api_base_needs_the_key_again(house: House) {
    let opened = house.open().await;
    let made = opened.secret("key").await;
    let base = |base: &str| Some([("api_base".to_owned(), base.to_owned())].into());
    let admin = &opened.seams.admin;
    let alone = SecretChange { id: made.id.clone(), value: None, auth_config: base("https://a.example") };
    let refused = admin.update_secret(&caller(), alone).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Invalid(said) if said.contains("secret_value")), "{refused:?}");
    let value = Some([("api_key".to_owned(), CANARY.into())].into());
    let together = SecretChange { id: made.id.clone(), value, auth_config: base(" https://a.example ") };
    let updated = admin.update_secret(&caller(), together).await.unwrap().value;
    assert_eq!(updated.auth_config["api_base"], "https://a.example");
    let same = SecretChange { id: made.id, value: None, auth_config: base("https://a.example") };
    assert!(admin.update_secret(&caller(), same).await.is_ok(), "it is the same one");
}

/// As in MLflow: definitions stay without a secret, endpoints stay, and another secret can be given.
pub async fn a_deleted_secret_leaves_its_definitions(house: House) {
    let opened = house.open().await;
    let (secret, definition, endpoint) = opened.all_three().await;
    let admin = &opened.seams.admin;
    assert_eq!(definition.secret, Some((secret.id.clone(), secret.name)));
    admin.delete_secret(&caller(), &secret.id).await.unwrap();
    assert_eq!(admin.definition(&definition.id).await.unwrap().secret, None);
    let kept = admin.endpoint(&EndpointRef::Id(endpoint.id)).await.unwrap();
    assert_eq!(kept.mappings[0].definition.secret, None);
    let other = opened.secret("other").await;
    let change = change_of(&definition.id);
    let change = DefinitionChange { secret_id: Some(other.id.clone()), ..change };
    let updated = admin.update_definition(&caller(), change).await.unwrap().value;
    assert_eq!(updated.secret, Some((other.id, other.name)));
}

/// A secret without a provider takes that of its first definition; from then on they must be the same.
pub async fn a_definition_has_the_provider_of_its_secret(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let openai = Provider::parse("openai").unwrap();
    let bound = opened.secret("bound").await;
    let other = crate::NewDefinition { provider: openai.clone(), ..new_definition("a", &bound.id) };
    let refused = admin.create_definition(&caller(), other).await.unwrap_err();
    assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");

    let free = NewSecret { provider: None, ..new_secret("free") };
    let free = admin.create_secret(&caller(), free).await.unwrap().value;
    assert_eq!(free.provider, None);
    opened.definition("first", &free.id).await;
    let taken = admin.secret(&free.id).await.unwrap();
    assert_eq!((taken.provider, taken.version), (Some(gemini()), 2), "sealed again for its provider");
    let second = crate::NewDefinition { provider: openai.clone(), ..new_definition("second", &free.id) };
    assert!(matches!(admin.create_definition(&caller(), second).await, Err(StoreError::Invalid(_))));

    let definition = &admin.definitions(&ListDefinitions::default()).await.unwrap()[0];
    let change = DefinitionChange { provider: Some(openai.clone()), ..change_of(&definition.id) };
    assert!(matches!(admin.update_definition(&caller(), change).await, Err(StoreError::Invalid(_))));
    let change =
        DefinitionChange { model_name: Some(ModelName::parse("m").unwrap()), ..change_of(&definition.id) };
    assert_eq!(admin.update_definition(&caller(), change).await.unwrap().value.model_name.as_str(), "m");

    let of = |filter| async move { admin.definitions(&filter).await.unwrap().len() };
    assert_eq!(of(ListDefinitions { provider: Some(gemini()), secret_id: None }).await, 1);
    assert_eq!(of(ListDefinitions { provider: Some(openai), secret_id: None }).await, 0);
    assert_eq!(of(ListDefinitions { provider: None, secret_id: Some(free.id) }).await, 1);
    assert_eq!(of(ListDefinitions { provider: None, secret_id: Some(bound.id) }).await, 0);
}

/// Refused as the caller's to solve: MLflow answers 500, which its client repeats for minutes.
pub async fn a_definition_in_use_is_not_deleted(house: House) {
    let opened = house.open().await;
    let (_, definition, endpoint) = opened.all_three().await;
    let admin = &opened.seams.admin;
    let refused = admin.delete_definition(&caller(), &definition.id).await.unwrap_err();
    let said = "Cannot delete model definition that is currently in use by endpoints. \
                Detach it from all endpoints first.";
    assert_eq!(refused, StoreError::FailedPrecondition(said.to_owned()));
    admin.detach(&caller(), &endpoint.id, &definition.id).await.unwrap();
    admin.delete_definition(&caller(), &definition.id).await.unwrap();
    assert_eq!(admin.definitions(&ListDefinitions::default()).await.unwrap(), []);
}

/// Of each kind, and the refusal says so in MLflow's words.
pub async fn names_are_unique(house: House) {
    let opened = house.open().await;
    let (secret, definition, _) = opened.all_three().await;
    let admin = &opened.seams.admin;
    let taken = |said: &str| StoreError::AlreadyExists(said.to_owned());
    let again = admin.create_secret(&caller(), new_secret("key")).await.unwrap_err();
    assert_eq!(again, taken("Secret with name 'key' already exists"));
    let again = admin.create_definition(&caller(), new_definition("flash", &secret.id)).await.unwrap_err();
    assert_eq!(again, taken("Model definition with name 'flash' already exists"));
    let again = new_endpoint("chat", vec![primary(&definition.id)]);
    let again = admin.create_endpoint(&caller(), again).await.unwrap_err();
    assert_eq!(again, taken("Endpoint with name 'chat' already exists"));
    let second = opened.definition("second", &secret.id).await;
    let change = DefinitionChange { name: Some(label("flash")), ..change_of(&second.id) };
    let again = admin.update_definition(&caller(), change).await.unwrap_err();
    assert_eq!(again, taken("Model definition with name 'flash' already exists"));
}

/// Whatever is done to it.
pub async fn what_is_not_there_is_not_found(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let (secret, definition, endpoint) =
        (SecretId::from_random(1), ModelDefinitionId::from_random(2), EndpointId::from_random(3));
    let there = opened.secret("key").await;
    let change = SecretChange { id: secret.clone(), value: None, auth_config: None };
    let two = vec![primary(&definition), primary(&ModelDefinitionId::from_random(4))];
    let refusals = [
        admin.secret(&secret).await.unwrap_err(),
        admin.update_secret(&caller(), change).await.unwrap_err(),
        admin.delete_secret(&caller(), &secret).await.unwrap_err(),
        admin.create_definition(&caller(), new_definition("a", &secret)).await.unwrap_err(),
        admin.definition(&definition).await.unwrap_err(),
        admin.update_definition(&caller(), change_of(&definition)).await.unwrap_err(),
        admin.delete_definition(&caller(), &definition).await.unwrap_err(),
        admin.endpoint(&EndpointRef::Id(endpoint.clone())).await.unwrap_err(),
        admin.endpoint(&EndpointRef::Name(endpoint_name("nope"))).await.unwrap_err(),
        admin.delete_endpoint(&caller(), &endpoint).await.unwrap_err(),
        admin.attach(&caller(), &endpoint, primary(&definition)).await.unwrap_err(),
        admin.detach(&caller(), &endpoint, &definition).await.unwrap_err(),
        admin.set_tag(&caller(), &endpoint, tag("k", "v")).await.unwrap_err(),
        admin.delete_tag(&caller(), &endpoint, "k").await.unwrap_err(),
        admin.create_binding(&caller(), binding(&endpoint, "scorer", "r")).await.unwrap_err(),
        admin.delete_binding(&caller(), binding(&endpoint, "scorer", "r")).await.unwrap_err(),
        admin.experiment(7).await.unwrap_err(),
        admin.experiment_by_name("Gateway").await.unwrap_err(),
    ];
    for refused in &refusals {
        assert!(matches!(refused, StoreError::NotFound(_)), "{refused:?}");
    }
    assert_eq!(refusals[0].to_string(), format!("GatewaySecret not found (secret_id='{secret}')"));
    assert_eq!(refusals[8].to_string(), "GatewayEndpoint not found (name='nope')");
    assert_eq!(refusals[17].to_string(), "Could not find experiment with name 'Gateway'");
    let missing = admin.create_endpoint(&caller(), new_endpoint("a", two)).await.unwrap_err();
    let said = format!("Model definitions not found: {definition}, {}", ModelDefinitionId::from_random(4));
    assert_eq!(missing, StoreError::NotFound(said));
    assert_eq!(admin.secrets(None).await.unwrap().len(), 1, "{}", there.name);
}

/// By time, then id; whatever the names are.
pub async fn lists_are_in_order_of_creation(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let names = ["b", "a", "C", "ä", "10", "9"];
    let mut secret = None;
    for name in names {
        secret = Some(opened.secret(name).await.id);
    }
    for name in names {
        opened.definition(name, secret.as_ref().unwrap()).await;
    }
    let shown: Vec<_> = admin.secrets(None).await.unwrap().into_iter().map(|secret| secret.name).collect();
    assert_eq!(shown, names.map(label));
    let definitions = admin.definitions(&ListDefinitions::default()).await.unwrap();
    assert_eq!(
        definitions.iter().map(|definition| &definition.name).collect::<Vec<_>>(),
        names.map(label).each_ref()
    );
    for name in ["z", "y", "x"] {
        opened.endpoint(name, &definitions[0].id).await;
    }
    let shown = admin.endpoints(Some(&gemini())).await.unwrap();
    let shown: Vec<_> = shown.iter().map(|endpoint| endpoint.name.as_str()).collect();
    assert_eq!(shown, ["z", "y", "x"]);
}

/// Of the kinds that there are, once each, gone with their endpoint.
pub async fn bindings(house: House) {
    let opened = house.open().await;
    let (.., endpoint) = opened.all_three().await;
    let admin = &opened.seams.admin;
    let id = &endpoint.id;
    let made = admin.create_binding(&caller(), binding(id, "scorer", "r1")).await.unwrap().value;
    assert_eq!((made.resource_type.as_str(), made.resource_id.as_str()), ("scorer", "r1"));
    admin.create_binding(&caller(), binding(id, "scorer_job", "r1")).await.unwrap();
    for wrong in [binding(id, "dashboard", "r"), binding(id, "scorer", ""), binding(id, "scorer", "a\0")] {
        let refused = admin.create_binding(&caller(), wrong).await.unwrap_err();
        assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");
    }
    let again = admin.create_binding(&caller(), binding(id, "scorer", "r1")).await.unwrap_err();
    assert_eq!(again, StoreError::AlreadyExists(format!("Endpoint '{id}' is already bound to scorer 'r1'")));
    let count = |endpoint, kind, resource| async move {
        admin.bindings(endpoint, kind, resource).await.unwrap().len()
    };
    assert_eq!(count(None, None, None).await, 2);
    assert_eq!(count(Some(id), Some("scorer"), Some("r1")).await, 1);
    assert_eq!(count(None, None, Some("r2")).await, 0);
    admin.delete_binding(&caller(), binding(id, "scorer", "r1")).await.unwrap();
    assert_eq!(count(Some(id), None, None).await, 1);
    opened.delete_endpoint(id).await;
    assert_eq!(count(None, None, None).await, 0);
}

/// Set, replaced, taken away; one that is not there is no error.
pub async fn tags(house: House) {
    let opened = house.open().await;
    let (.., endpoint) = opened.all_three().await;
    let admin = &opened.seams.admin;
    for (key, value) in [("b", "1"), ("a", ""), ("b", "2")] {
        admin.set_tag(&caller(), &endpoint.id, tag(key, value)).await.unwrap();
    }
    let shown = admin.endpoint(&EndpointRef::Id(endpoint.id.clone())).await.unwrap().tags;
    assert_eq!(shown, [tag("a", ""), tag("b", "2")]);
    admin.delete_tag(&caller(), &endpoint.id, "a").await.unwrap();
    admin.delete_tag(&caller(), &endpoint.id, "a").await.unwrap();
    let shown = &admin.endpoints(None).await.unwrap()[0].tags;
    assert_eq!(*shown, [tag("b", "2")]);
    for wrong in [tag("", "v"), tag("k\0", "v"), tag("k", "v\0"), tag(&"k".repeat(251), "v")] {
        let refused = admin.set_tag(&caller(), &endpoint.id, wrong).await.unwrap_err();
        assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");
    }
}

/// What `set_experiment` needs.
pub async fn experiments(house: House) {
    let opened = house.open().await;
    let admin = &opened.seams.admin;
    let new = |name: &str| NewExperiment {
        name: label(name),
        artifact_location: None,
        tags: vec![tag("k", "1"), tag("a", "x"), tag("k", "2")],
    };
    let made = admin.create_experiment(&caller(), new("Gateway")).await.unwrap().value;
    assert_eq!((made.id, made.name.as_str()), (1, "Gateway"));
    assert_eq!(made.tags, [tag("a", "x"), tag("k", "2")]);
    assert_eq!(admin.experiment(1).await.unwrap(), made);
    assert_eq!(admin.experiment_by_name("Gateway").await.unwrap(), made);
    let again = admin.create_experiment(&caller(), new("Gateway")).await.unwrap_err();
    assert!(matches!(again, StoreError::AlreadyExists(_)), "{again:?}");
    let other = admin.create_experiment(&caller(), new("gateway")).await.unwrap().value;
    assert_eq!(other.id, 2, "case matters, and the refused one took no number");
    assert_eq!(admin.experiments().await.unwrap(), [made, other]);
    assert!(matches!(admin.experiment_by_name("a\0").await, Err(StoreError::NotFound(_))));
}

fn change_of(id: &ModelDefinitionId) -> DefinitionChange {
    DefinitionChange { id: id.clone(), name: None, secret_id: None, provider: None, model_name: None }
}

fn binding(endpoint: &EndpointId, resource_type: &str, resource_id: &str) -> NewBinding {
    NewBinding {
        endpoint_id: endpoint.clone(),
        resource_type: resource_type.to_owned(),
        resource_id: resource_id.to_owned(),
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}
