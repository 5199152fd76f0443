//! Every field of every question and answer of `Admin` comes through as it went in.

use std::fmt::Debug;

use names::{
    Actor, EndpointId, EndpointName, Label, ModelDefinitionId, ModelName, Provider, RequestId, SecretId,
};
use store::{
    Admin as _, Caller, DefinitionChange, EndpointChange, EndpointRef, FallbackConfig, Linkage,
    ListDefinitions, MappingSpec, NewBinding, NewDefinition, NewEndpoint, NewExperiment, NewSecret,
    RoutingStrategy, SecretChange, SecretValue,
};
use store_grpc::Remote;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    fake::{
        Fake, bare_definition, bare_endpoint, bare_secret, binding, definition, endpoint, experiment,
        mapping, note, plain, provider, receipt, secret, tag, written,
    },
    homes::{duplex, routes},
};

async fn store() -> (Remote, std::sync::Arc<Fake>, JoinSet<()>) {
    let fake = Fake::new();
    let (channel, serving) = duplex(routes(fake.clone(), CancellationToken::new()).await);
    (Remote::new(channel, None), fake, serving)
}

fn asked(fake: &Fake, method: &str, with: &dyn Debug) {
    assert_eq!(fake.last(), note(method, with));
}

fn callers() -> [Caller; 2] {
    let request_id = RequestId::from_random(1);
    [
        Caller { actor: Some(Actor::parse("an admin").unwrap()), request_id: request_id.clone() },
        Caller { actor: None, request_id },
    ]
}

fn label() -> Label {
    Label::parse("a name").unwrap()
}

fn value() -> SecretValue {
    [("api_key".to_owned(), "CANARY \u{e4}".into()), ("other".to_owned(), "".into())].into()
}

fn settings() -> store::AuthConfig {
    [("api_base".to_owned(), "https://example.com".to_owned()), ("empty".to_owned(), String::new())].into()
}

fn specs() -> Vec<MappingSpec> {
    let definition_id = ModelDefinitionId::from_random(4);
    vec![
        MappingSpec {
            definition_id: definition_id.clone(),
            linkage: Linkage::Primary,
            weight: 0.1,
            fallback_order: None,
        },
        MappingSpec { definition_id, linkage: Linkage::Fallback, weight: 2.5, fallback_order: Some(-1) },
    ]
}

#[tokio::test]
async fn secrets() {
    let (remote, fake, _serving) = store().await;
    let id = SecretId::from_random(2);
    for caller in callers() {
        for (provider, auth_config) in [(Some(provider()), settings()), (None, [].into())] {
            let new = || NewSecret {
                name: label(),
                value: value(),
                provider: provider.clone(),
                auth_config: auth_config.clone(),
            };
            assert_eq!(remote.create_secret(&caller, new()).await.unwrap(), written(secret()));
            asked(&fake, "create_secret", &(&caller, plain(&value()), new()));
        }
        for given in [true, false] {
            let change = || SecretChange {
                id: id.clone(),
                value: given.then(value),
                auth_config: given.then(settings),
            };
            assert_eq!(remote.update_secret(&caller, change()).await.unwrap(), written(bare_secret()));
            asked(&fake, "update_secret", &(&caller, given.then(|| plain(&value())), change()));
        }
        assert_eq!(remote.delete_secret(&caller, &id).await.unwrap(), receipt());
        asked(&fake, "delete_secret", &(&caller, &id));
    }
    assert_eq!(remote.secret(&id).await.unwrap(), secret());
    asked(&fake, "secret", &(&id,));
    for provider in [Some(&provider()), None] {
        assert_eq!(remote.secrets(provider).await.unwrap(), [secret(), bare_secret()]);
        asked(&fake, "secrets", &(provider,));
    }
}

#[tokio::test]
async fn definitions() {
    let (remote, fake, _serving) = store().await;
    let [caller, _] = callers();
    let id = ModelDefinitionId::from_random(3);
    let secret_id = SecretId::from_random(2);
    let model_name = ModelName::parse("gemini-2.5-flash").unwrap();
    let new = NewDefinition {
        name: label(),
        secret_id: secret_id.clone(),
        provider: provider(),
        model_name: model_name.clone(),
    };
    assert_eq!(remote.create_definition(&caller, new.clone()).await.unwrap(), written(definition()));
    asked(&fake, "create_definition", &(&caller, new));
    assert_eq!(remote.definition(&id).await.unwrap(), definition());
    asked(&fake, "definition", &(&id,));
    for filter in [
        ListDefinitions { provider: Some(provider()), secret_id: Some(secret_id.clone()) },
        ListDefinitions::default(),
    ] {
        let found = remote.definitions(&filter).await.unwrap();
        assert_eq!(found, [definition(), bare_definition()]);
        asked(&fake, "definitions", &(&filter,));
    }
    let full = DefinitionChange {
        id: id.clone(),
        name: Some(label()),
        secret_id: Some(secret_id),
        provider: Some(provider()),
        model_name: Some(model_name),
    };
    let bare =
        DefinitionChange { id: id.clone(), name: None, secret_id: None, provider: None, model_name: None };
    for change in [full, bare] {
        let changed = remote.update_definition(&caller, change.clone()).await.unwrap();
        assert_eq!(changed, written(bare_definition()));
        asked(&fake, "update_definition", &(&caller, change));
    }
    assert_eq!(remote.delete_definition(&caller, &id).await.unwrap(), receipt());
    asked(&fake, "delete_definition", &(&caller, &id));
}

#[tokio::test]
async fn endpoints() {
    let (remote, fake, _serving) = store().await;
    let [caller, _] = callers();
    let name = EndpointName::parse("chat").unwrap();
    let full = NewEndpoint {
        name: name.clone(),
        models: specs(),
        routing_strategy: Some(RoutingStrategy::RequestBasedTrafficSplit),
        fallback_config: Some(FallbackConfig { sequential: true, max_attempts: Some(1) }),
        experiment_id: Some(9),
        usage_tracking: true,
    };
    let bare = NewEndpoint {
        name: name.clone(),
        models: vec![],
        routing_strategy: None,
        fallback_config: None,
        experiment_id: None,
        usage_tracking: false,
    };
    for new in [full, bare] {
        assert_eq!(remote.create_endpoint(&caller, new.clone()).await.unwrap(), written(endpoint()));
        asked(&fake, "create_endpoint", &(&caller, new));
    }
    let id = EndpointId::from_random(5);
    for which in [EndpointRef::Id(id.clone()), EndpointRef::Name(name.clone())] {
        assert_eq!(remote.endpoint(&which).await.unwrap(), endpoint());
        asked(&fake, "endpoint", &(&which,));
    }
    for provider in [Some(&provider()), None::<&Provider>] {
        assert_eq!(remote.endpoints(provider).await.unwrap(), [endpoint(), bare_endpoint()]);
        asked(&fake, "endpoints", &(provider,));
    }
    let bare = EndpointChange {
        id: id.clone(),
        name: None,
        models: None,
        routing_strategy: None,
        fallback_config: None,
        experiment_id: None,
        usage_tracking: None,
    };
    let full = EndpointChange {
        id: id.clone(),
        name: Some(name),
        models: Some(specs()),
        routing_strategy: Some(RoutingStrategy::RequestBasedTrafficSplit),
        fallback_config: Some(FallbackConfig::default()),
        experiment_id: Some(8),
        usage_tracking: Some(false),
    };
    // No models is not the same as models that are not given.
    let emptied = EndpointChange { models: Some(vec![]), ..bare.clone() };
    for change in [full, bare, emptied] {
        let changed = remote.update_endpoint(&caller, change.clone()).await.unwrap();
        assert_eq!(changed, written(bare_endpoint()));
        asked(&fake, "update_endpoint", &(&caller, change));
    }
    assert_eq!(remote.delete_endpoint(&caller, &id).await.unwrap(), receipt());
    asked(&fake, "delete_endpoint", &(&caller, &id));
}

#[tokio::test]
async fn parts_of_an_endpoint() {
    let (remote, fake, _serving) = store().await;
    let [caller, _] = callers();
    let id = EndpointId::from_random(5);
    let definition = ModelDefinitionId::from_random(6);
    for spec in specs() {
        assert_eq!(remote.attach(&caller, &id, spec.clone()).await.unwrap(), written(mapping()));
        asked(&fake, "attach", &(&caller, &id, spec));
    }
    assert_eq!(remote.detach(&caller, &id, &definition).await.unwrap(), receipt());
    asked(&fake, "detach", &(&caller, &id, &definition));
    assert_eq!(remote.set_tag(&caller, &id, tag()).await.unwrap(), receipt());
    asked(&fake, "set_tag", &(&caller, &id, tag()));
    assert_eq!(remote.delete_tag(&caller, &id, "team").await.unwrap(), receipt());
    asked(&fake, "delete_tag", &(&caller, &id, "team"));
    let which =
        NewBinding { endpoint_id: id.clone(), resource_type: "scorer".into(), resource_id: "7".into() };
    assert_eq!(remote.create_binding(&caller, which.clone()).await.unwrap(), written(binding()));
    asked(&fake, "create_binding", &(&caller, &which));
    assert_eq!(remote.delete_binding(&caller, which.clone()).await.unwrap(), receipt());
    asked(&fake, "delete_binding", &(&caller, &which));
    for (endpoint, kind, resource) in [(Some(&id), Some("scorer"), Some("7")), (None, None, None)] {
        assert_eq!(remote.bindings(endpoint, kind, resource).await.unwrap(), [binding()]);
        asked(&fake, "bindings", &(endpoint, kind, resource));
    }
}

#[tokio::test]
async fn experiments() {
    let (remote, fake, _serving) = store().await;
    let [caller, _] = callers();
    let full = NewExperiment {
        name: label(),
        artifact_location: Some("mlflow-artifacts:/2".into()),
        tags: vec![tag()],
    };
    let bare = NewExperiment { name: label(), artifact_location: None, tags: vec![] };
    for new in [full, bare] {
        assert_eq!(remote.create_experiment(&caller, new.clone()).await.unwrap(), written(experiment()));
        asked(&fake, "create_experiment", &(&caller, new));
    }
    assert_eq!(remote.experiment(u64::MAX).await.unwrap(), experiment());
    asked(&fake, "experiment", &(u64::MAX,));
    assert_eq!(remote.experiment_by_name("gateway/chat").await.unwrap(), experiment());
    asked(&fake, "experiment_by_name", &("gateway/chat",));
    assert_eq!(remote.experiments().await.unwrap(), [experiment()]);
    asked(&fake, "experiments", &());
}
