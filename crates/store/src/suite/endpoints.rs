//! Endpoints: what they may be made of, and what an update leaves alone.

use names::EndpointId;

use super::{
    House,
    given::{caller, endpoint_name, fallback, new_endpoint, primary},
};
use crate::{
    EndpointChange, EndpointRef, FallbackConfig, Linkage, MappingSpec, NewEndpoint, NewExperiment,
    RoutingStrategy, StoreError, Tag,
};

/// What MLflow takes and then answers 404 or 500 to every call for.
pub async fn an_endpoint_needs_a_primary_and_weights(house: House) {
    let opened = house.open().await;
    let secret = opened.secret("key").await;
    let id = opened.definition("flash", &secret.id).await.id;
    let admin = &opened.seams.admin;
    let weighing = |weight| vec![MappingSpec { weight, ..primary(&id) }];
    let endless = FallbackConfig { sequential: true, max_attempts: Some(0) };
    let wrong = [
        new_endpoint("a", vec![]),
        new_endpoint("a", vec![fallback(&id, None)]),
        new_endpoint("a", weighing(0.0)),
        new_endpoint("a", weighing(-1.0)),
        new_endpoint("a", weighing(f64::NAN)),
        new_endpoint("a", weighing(f64::INFINITY)),
        NewEndpoint { fallback_config: Some(endless), ..new_endpoint("a", weighing(1.0)) },
    ];
    for new in wrong {
        let refused = admin.create_endpoint(&caller(), new).await.unwrap_err();
        assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");
    }
    let twice = new_endpoint("a", vec![primary(&id), primary(&id)]);
    let refused = admin.create_endpoint(&caller(), twice).await.unwrap_err();
    assert!(matches!(refused, StoreError::AlreadyExists(_)), "{refused:?}");
    let nowhere = NewEndpoint { experiment_id: Some(9), ..new_endpoint("a", weighing(1.0)) };
    let refused = admin.create_endpoint(&caller(), nowhere).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotFound(_)), "{refused:?}");
    assert_eq!(admin.endpoints(None).await.unwrap(), []);
    let made = admin.create_endpoint(&caller(), new_endpoint("a", weighing(0.5))).await.unwrap().value;
    assert!((made.mappings[0].weight - 0.5).abs() < f64::EPSILON);
    let refused = admin.attach(&caller(), &made.id, MappingSpec { weight: 0.0, ..fallback(&id, None) }).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
}

/// Also where nobody named a strategy: MLflow ignores all but the first in silence.
pub async fn several_primaries_share_the_traffic(house: House) {
    let opened = house.open().await;
    let secret = opened.secret("key").await;
    let (one, two) =
        (opened.definition("1", &secret.id).await.id, opened.definition("2", &secret.id).await.id);
    let admin = &opened.seams.admin;
    let alone = opened.endpoint("alone", &one).await;
    assert_eq!(alone.routing_strategy, None);
    let both = new_endpoint("both", vec![primary(&one), primary(&two)]);
    let both = admin.create_endpoint(&caller(), both).await.unwrap().value;
    assert_eq!(both.routing_strategy, Some(RoutingStrategy::RequestBasedTrafficSplit));
    admin.attach(&caller(), &alone.id, primary(&two)).await.unwrap();
    let joined = admin.endpoint(&EndpointRef::Id(alone.id)).await.unwrap();
    assert_eq!(joined.routing_strategy, Some(RoutingStrategy::RequestBasedTrafficSplit));
}

/// Primaries as they were made, then fallbacks in their order, those without one last.
pub async fn mappings_are_in_order(house: House) {
    let opened = house.open().await;
    let secret = opened.secret("key").await;
    let mut ids = Vec::new();
    for name in ["0", "1", "2", "3", "4"] {
        ids.push(opened.definition(name, &secret.id).await.id);
    }
    let models = vec![
        fallback(&ids[0], None),
        fallback(&ids[1], Some(2)),
        primary(&ids[2]),
        fallback(&ids[3], Some(-1)),
        primary(&ids[4]),
    ];
    let admin = &opened.seams.admin;
    let made = admin.create_endpoint(&caller(), new_endpoint("a", models)).await.unwrap().value;
    let order: Vec<_> = made.mappings.iter().map(|mapping| mapping.definition.name.as_str()).collect();
    assert_eq!(order, ["2", "4", "3", "1", "0"]);
    assert_eq!(admin.endpoints(None).await.unwrap(), std::slice::from_ref(&made));
    assert_eq!(admin.endpoint(&EndpointRef::Name(endpoint_name("a"))).await.unwrap(), made);
}

/// And no models, or an empty list of them, leave them as they are.
pub async fn an_update_of_models_keeps_the_fallback_config(house: House) {
    let opened = house.open().await;
    let secret = opened.secret("key").await;
    let (one, two) =
        (opened.definition("1", &secret.id).await.id, opened.definition("2", &secret.id).await.id);
    let admin = &opened.seams.admin;
    let config = FallbackConfig { sequential: true, max_attempts: Some(2) };
    let new = new_endpoint("a", vec![primary(&one), fallback(&two, None)]);
    let new = NewEndpoint { fallback_config: Some(config), ..new };
    let made = admin.create_endpoint(&caller(), new).await.unwrap().value;
    assert_eq!(made.fallback_config, Some(config));
    let change = |models| EndpointChange { models, ..change_of(&made.id) };
    for same in [change(None), change(Some(vec![]))] {
        let same = admin.update_endpoint(&caller(), same).await.unwrap().value;
        assert_eq!(same.mappings, made.mappings);
    }
    let swapped = change(Some(vec![primary(&two), fallback(&one, None)]));
    let swapped = admin.update_endpoint(&caller(), swapped).await.unwrap().value;
    assert_eq!(swapped.fallback_config, Some(config));
    assert_eq!(swapped.mappings[0].definition.id, two);
    assert!(
        swapped.mappings.iter().all(|new| made.mappings.iter().all(|old| old.id != new.id)),
        "new targets"
    );
    let other = EndpointChange { fallback_config: Some(FallbackConfig::default()), ..change_of(&made.id) };
    let other = admin.update_endpoint(&caller(), other).await.unwrap().value;
    assert_eq!(other.fallback_config, Some(FallbackConfig::default()));
    assert_eq!(other.mappings, swapped.mappings);
    let wrong = change(Some(vec![fallback(&one, None)]));
    assert!(matches!(admin.update_endpoint(&caller(), wrong).await, Err(StoreError::Invalid(_))));
}

/// In MLflow it does nothing unless the endpoint was made with a fallback config.
pub async fn an_attached_fallback_is_effective(house: House) {
    let opened = house.open().await;
    let (_, definition, endpoint) = opened.all_three().await;
    let admin = &opened.seams.admin;
    assert_eq!(endpoint.fallback_config, None);
    let mapping =
        admin.attach(&caller(), &endpoint.id, fallback(&definition.id, Some(1))).await.unwrap().value;
    assert_eq!((mapping.linkage, mapping.fallback_order), (Linkage::Fallback, Some(1)));
    let again = admin.attach(&caller(), &endpoint.id, fallback(&definition.id, Some(2))).await.unwrap_err();
    assert!(matches!(again, StoreError::AlreadyExists(_)), "{again:?}");
    let shown = admin.endpoint(&EndpointRef::Id(endpoint.id)).await.unwrap();
    assert_eq!(shown.fallback_config, Some(FallbackConfig::default()));
    assert_eq!(shown.mappings[1], mapping);
}

/// Of that definition; what is left without any stays in lists.
pub async fn a_detach_removes_every_mapping(house: House) {
    let opened = house.open().await;
    let (_, definition, endpoint) = opened.all_three().await;
    let admin = &opened.seams.admin;
    admin.attach(&caller(), &endpoint.id, fallback(&definition.id, None)).await.unwrap();
    admin.detach(&caller(), &endpoint.id, &definition.id).await.unwrap();
    let shown = admin.endpoints(None).await.unwrap();
    assert_eq!(shown.len(), 1, "MLflow does not list it");
    assert_eq!(shown[0].mappings, []);
    let again = admin.detach(&caller(), &endpoint.id, &definition.id).await.unwrap_err();
    assert!(matches!(again, StoreError::NotFound(_)), "{again:?}");
}

/// Its old name is free then.
pub async fn an_endpoint_is_renamed(house: House) {
    let opened = house.open().await;
    let (_, definition, endpoint) = opened.all_three().await;
    let admin = &opened.seams.admin;
    let change = EndpointChange { name: Some(endpoint_name("talk")), ..change_of(&endpoint.id) };
    let renamed = admin.update_endpoint(&caller(), change).await.unwrap().value;
    assert_eq!((renamed.id, renamed.name.as_str()), (endpoint.id, "talk"));
    let old = admin.endpoint(&EndpointRef::Name(endpoint_name("chat"))).await;
    assert!(matches!(old, Err(StoreError::NotFound(_))), "{old:?}");
    let other = opened.endpoint("chat", &definition.id).await;
    let back = EndpointChange { name: Some(endpoint_name("talk")), ..change_of(&other.id) };
    let taken = admin.update_endpoint(&caller(), back).await.unwrap_err();
    assert!(matches!(taken, StoreError::AlreadyExists(_)), "{taken:?}");
}

/// In the same transaction: an endpoint that is refused leaves no experiment behind.
pub async fn usage_tracking_makes_or_reuses_its_experiment(house: House) {
    let opened = house.open().await;
    let (_, definition, endpoint) = opened.all_three().await;
    let admin = &opened.seams.admin;
    let tracked = |name: &str| NewEndpoint {
        usage_tracking: true,
        ..new_endpoint(name, vec![primary(&definition.id)])
    };
    let taken = admin.create_endpoint(&caller(), tracked("chat")).await.unwrap_err();
    assert!(matches!(taken, StoreError::AlreadyExists(_)), "{taken:?}");
    assert_eq!(admin.experiments().await.unwrap(), []);

    let made = admin.create_endpoint(&caller(), tracked("made")).await.unwrap().value;
    let experiment = admin.experiment_by_name("gateway/made").await.unwrap();
    assert_eq!(made.experiment_id, Some(experiment.id));
    let of = |key: &str, value: &str| Tag { key: key.to_owned(), value: value.to_owned() };
    let tags = [
        of("mlflow.experiment.isGateway", "true"),
        of("mlflow.experiment.sourceId", made.id.as_str()),
        of("mlflow.experiment.sourceType", "GATEWAY"),
    ];
    assert_eq!(experiment.tags, tags);

    let name = names::Label::parse("gateway/chat").unwrap();
    let there = NewExperiment { name, artifact_location: None, tags: vec![of("k", "v")] };
    let there = admin.create_experiment(&caller(), there).await.unwrap().value;
    let on = EndpointChange { usage_tracking: Some(true), ..change_of(&endpoint.id) };
    let reusing = admin.update_endpoint(&caller(), on).await.unwrap().value;
    assert_eq!(reusing.experiment_id, Some(there.id));
    assert_eq!(admin.experiment(there.id).await.unwrap().tags.len(), 4, "its own, and the three");

    let own = NewEndpoint { experiment_id: Some(there.id), ..tracked("own") };
    let own = admin.create_endpoint(&caller(), own).await.unwrap().value;
    assert_eq!(own.experiment_id, Some(there.id));
    assert_eq!(admin.experiments().await.unwrap().len(), 2);
}

fn change_of(id: &EndpointId) -> EndpointChange {
    EndpointChange {
        id: id.clone(),
        name: None,
        models: None,
        routing_strategy: None,
        fallback_config: None,
        experiment_id: None,
        usage_tracking: None,
    }
}
