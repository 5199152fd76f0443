"""Everything that the management API does, through MLflow's own client, of either generation (3.8 or 3.9 and later).

KEYWARD_URL   where Keyward listens. It must be empty: lists are compared whole.
API_BASE      an address that a secret may be bound to
Prints `ok` and how many steps were checked; fails with the step's name.
"""
import inspect
import os

import mlflow
from mlflow.entities import GatewayEndpointTag
from mlflow.entities.gateway_endpoint import GatewayResourceType
from mlflow.exceptions import MlflowException
from mlflow.tracking._tracking_service.utils import _get_store

url = os.environ["KEYWARD_URL"]
api_base = os.environ["API_BASE"]
mlflow.set_tracking_uri(url)
store = _get_store()
parameters = inspect.signature(store.create_gateway_endpoint).parameters
IS_3_8 = "model_definition_ids" in parameters
KEY = "kw-manage-0123456789-0123456789"
steps = 0


def check(what, found, wanted):
    global steps
    steps += 1
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


def refused(what, code, call, *arguments, **named):
    """The call must be refused with that error code, and with a message that shows no SQL."""
    global steps
    steps += 1
    try:
        answer = call(*arguments, **named)
    except MlflowException as error:
        assert error.error_code == code, f"{what}: {error.error_code} instead of {code}: {error}"
        said = str(error).lower()
        for leak in ("insert into", "select ", "unique constraint", "sqlite", "postgres", "sqlalche"):
            assert leak not in said, f"{what}: the message shows {leak!r}: {error}"
        return
    raise AssertionError(f"{what}: taken, and answered {answer!r}")


def names(items):
    return [getattr(item, "name", None) or item.secret_name for item in items]


def experiments():
    first = mlflow.set_experiment("Gateway")
    again = mlflow.set_experiment("Gateway")
    check("an experiment is found again", again.experiment_id, first.experiment_id)
    check("an experiment is got by id", store.get_experiment(first.experiment_id).name, "Gateway")
    check("an experiment that is not there", store.get_experiment_by_name("nowhere"), None)
    found = [one.name for one in store.search_experiments()]
    check("experiments are searched", "Gateway" in found, True)


def secrets():
    check("no secret yet", store.list_secret_infos(), [])
    secret = store.create_gateway_secret(
        secret_name="first",
        secret_value={"api_key": KEY},
        provider="gemini",
        auth_config={"api_base": api_base},
        created_by="admin",
    )
    check("its name", secret.secret_name, "first")
    check("its mask", secret.masked_values, {"api_key": f"{KEY[:3]}...{KEY[-4:]}"})
    check("its address", secret.auth_config, {"api_base": api_base})
    check("who made it", secret.created_by, "admin")
    check("its provider", secret.provider, "gemini")
    got = store.get_secret_info(secret_id=secret.secret_id)
    check("it is got by id", (got.secret_name, got.auth_config), ("first", {"api_base": api_base}))
    create = store.create_gateway_secret
    refused("its name again", "RESOURCE_ALREADY_EXISTS", create, "first", {"api_key": KEY}, "gemini")
    refused("an empty name", "INVALID_PARAMETER_VALUE", create, "", {"api_key": KEY}, "gemini")
    refused("an empty value", "INVALID_PARAMETER_VALUE", create, "empty", {}, "gemini")
    refused("an empty key", "INVALID_PARAMETER_VALUE", create, "empty", {"api_key": ""}, "gemini")
    refused(
        "an address that is no address",
        "INVALID_PARAMETER_VALUE",
        lambda: create("bad", {"api_key": KEY}, "gemini", auth_config={"api_base": "ftp://x"}),
    )
    refused(
        "a private address beyond what is allowed",
        "INVALID_PARAMETER_VALUE",
        lambda: create("bad", {"api_key": KEY}, "gemini", auth_config={"api_base": "https://10.0.0.1"}),
    )
    refused("a secret that is not there", "RESOURCE_DOES_NOT_EXIST", store.get_secret_info, "s-" + "0" * 32)
    updated = store.update_gateway_secret(
        secret.secret_id, secret_value={"api_key": KEY[::-1]}, updated_by="another"
    )
    check("its new mask", updated.masked_values, {"api_key": f"{KEY[::-1][:3]}...{KEY[::-1][-4:]}"})
    check("who changed it", updated.last_updated_by, "another")
    check("the address stays", updated.auth_config, {"api_base": api_base})
    create("second", {"api_key": KEY}, "gemini")
    check("both are listed", sorted(names(store.list_secret_infos())), ["first", "second"])
    check("by provider", sorted(names(store.list_secret_infos(provider="gemini"))), ["first", "second"])
    check("by another provider", store.list_secret_infos(provider="openai"), [])
    return secret


def definitions(secret):
    create = store.create_gateway_model_definition
    flash = create("flash", secret.secret_id, "gemini", "gemini-2.5-flash", created_by="admin")
    check("its fields", (flash.name, flash.provider, flash.model_name), ("flash", "gemini", "gemini-2.5-flash"))
    check("its secret", (flash.secret_id, flash.secret_name), (secret.secret_id, "first"))
    refused("its name again", "RESOURCE_ALREADY_EXISTS", create, "flash", secret.secret_id, "gemini", "m")
    refused("a secret that is not there", "RESOURCE_DOES_NOT_EXIST", create, "x", "s-" + "0" * 32, "gemini", "m")
    refused("no model's name", "INVALID_PARAMETER_VALUE", create, "x", secret.secret_id, "gemini", "")
    pro = create("pro", secret.secret_id, "gemini", "gemini-2.5-pro")
    check("both are listed", sorted(names(store.list_gateway_model_definitions())), ["flash", "pro"])
    found = store.list_gateway_model_definitions(secret_id=secret.secret_id)
    check("by secret", sorted(names(found)), ["flash", "pro"])
    updated = store.update_gateway_model_definition(pro.model_definition_id, model_name="gemini-3-pro")
    check("its new model", (updated.name, updated.model_name), ("pro", "gemini-3-pro"))
    got = store.get_gateway_model_definition(pro.model_definition_id)
    check("it is got by id", got.model_name, "gemini-3-pro")
    return flash, pro


def create_endpoint(name, definition, **named):
    if IS_3_8:
        return store.create_gateway_endpoint(name, model_definition_ids=[definition.model_definition_id], **named)
    return store.create_gateway_endpoint(name, model_configs=[config(definition)], **named)


def config(definition, linkage="PRIMARY", **named):
    from mlflow.entities import GatewayEndpointModelConfig, GatewayModelLinkageType

    linkage = GatewayModelLinkageType[linkage]
    return GatewayEndpointModelConfig(definition.model_definition_id, linkage, **named)


def endpoints(flash, pro):
    endpoint = create_endpoint("chat", flash, created_by="admin")
    check("its name", endpoint.name, "chat")
    mapping = endpoint.model_mappings[0]
    check("its model", (mapping.model_definition.name, mapping.weight), ("flash", 1.0))
    refused("its name again", "RESOURCE_ALREADY_EXISTS", create_endpoint, "chat", flash)
    refused("a name with a slash", "INVALID_PARAMETER_VALUE", create_endpoint, "a/b", flash)
    got = store.get_gateway_endpoint(endpoint_id=endpoint.endpoint_id)
    check("it is got by id", (got.name, len(got.model_mappings)), ("chat", 1))
    if not IS_3_8:
        check("it is got by name", store.get_gateway_endpoint(name="chat").endpoint_id, endpoint.endpoint_id)
    refused("one that is not there", "RESOURCE_DOES_NOT_EXIST", store.get_gateway_endpoint, "e-" + "0" * 32)
    renamed = store.update_gateway_endpoint(endpoint.endpoint_id, name="talk", updated_by="another")
    check("its new name", (renamed.name, renamed.last_updated_by), ("talk", "another"))
    check("its models stay", names(m.model_definition for m in renamed.model_mappings), ["flash"])
    check("it is listed", names(store.list_gateway_endpoints()), ["talk"])
    check("by provider", names(store.list_gateway_endpoints(provider="gemini")), ["talk"])
    attach_and_detach(endpoint, flash, pro)
    refused(
        "a definition in use is kept",
        "INVALID_STATE",  # as MLflow, but with a 400: its client repeats a 500 for minutes
        store.delete_gateway_model_definition,
        flash.model_definition_id,
    )
    return endpoint


def attach_and_detach(endpoint, flash, pro):
    attach = store.attach_model_to_endpoint
    if IS_3_8:
        mapping = attach(endpoint.endpoint_id, pro.model_definition_id, weight=2.0)
        check("its weight", mapping.weight, 2.0)
        refused("twice", "RESOURCE_ALREADY_EXISTS", attach, endpoint.endpoint_id, pro.model_definition_id)
    else:
        mapping = attach(endpoint.endpoint_id, config(pro, "FALLBACK", fallback_order=0))
        check("its linkage", mapping.linkage_type.value, "FALLBACK")
        refused("twice", "RESOURCE_ALREADY_EXISTS", attach, endpoint.endpoint_id, config(pro, "FALLBACK"))
    found = store.get_gateway_endpoint(endpoint.endpoint_id).model_mappings
    check("both are attached", sorted(m.model_definition.name for m in found), ["flash", "pro"])
    store.detach_model_from_endpoint(endpoint.endpoint_id, pro.model_definition_id)
    found = store.get_gateway_endpoint(endpoint.endpoint_id).model_mappings
    check("one is left", [m.model_definition.name for m in found], ["flash"])
    refused(
        "what is not attached",
        "RESOURCE_DOES_NOT_EXIST",
        store.detach_model_from_endpoint,
        endpoint.endpoint_id,
        pro.model_definition_id,
    )


def routing(flash, pro):
    """What only 3.9 and later know: splits, fallbacks, usage tracking."""
    from mlflow.entities.gateway_endpoint import FallbackConfig, FallbackStrategy, RoutingStrategy

    endpoint = store.create_gateway_endpoint(
        "split",
        model_configs=[config(flash, weight=3.0), config(pro, "FALLBACK", fallback_order=0)],
        routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config=FallbackConfig(FallbackStrategy.SEQUENTIAL, max_attempts=2),
        usage_tracking=True,
    )
    check("its strategy", endpoint.routing_strategy.value, "REQUEST_BASED_TRAFFIC_SPLIT")
    check("its fallbacks", endpoint.fallback_config.max_attempts, 2)
    experiment = store.get_experiment(endpoint.experiment_id)
    check("its experiment", experiment.name, "gateway/split")
    updated = store.update_gateway_endpoint(endpoint.endpoint_id, model_configs=[config(pro)])
    check("all models are replaced", [m.model_definition.name for m in updated.model_mappings], ["pro"])
    check("the fallbacks stay", updated.fallback_config.max_attempts, 2)
    refused(
        "a weight of zero",
        "INVALID_PARAMETER_VALUE",
        lambda: store.create_gateway_endpoint("zero", model_configs=[config(flash, weight=0.0)]),
    )
    store.delete_gateway_endpoint(endpoint.endpoint_id)


def tags_and_bindings(endpoint):
    store.set_gateway_endpoint_tag(endpoint.endpoint_id, GatewayEndpointTag("team", "a"))
    store.set_gateway_endpoint_tag(endpoint.endpoint_id, GatewayEndpointTag("team", "b"))
    tags = store.get_gateway_endpoint(endpoint.endpoint_id).tags
    check("a tag is replaced", [(tag.key, tag.value) for tag in tags], [("team", "b")])
    store.delete_gateway_endpoint_tag(endpoint.endpoint_id, "team")
    check("a tag is gone", store.get_gateway_endpoint(endpoint.endpoint_id).tags, [])
    kind = list(GatewayResourceType)[0]
    binding = store.create_endpoint_binding(endpoint.endpoint_id, kind, "job-1", created_by="admin")
    check("its resource", (binding.resource_id, binding.created_by), ("job-1", "admin"))
    refused(
        "the same binding",
        "RESOURCE_ALREADY_EXISTS",
        store.create_endpoint_binding,
        endpoint.endpoint_id,
        kind,
        "job-1",
    )
    found = store.list_endpoint_bindings(endpoint_id=endpoint.endpoint_id)
    check("it is listed", [one.resource_id for one in found], ["job-1"])
    store.delete_endpoint_binding(endpoint.endpoint_id, kind.value, "job-1")
    check("it is gone", store.list_endpoint_bindings(endpoint_id=endpoint.endpoint_id), [])


def deletion(secret, flash, pro, endpoint):
    store.delete_gateway_endpoint(endpoint.endpoint_id)
    refused("a deleted endpoint", "RESOURCE_DOES_NOT_EXIST", store.get_gateway_endpoint, endpoint.endpoint_id)
    check("no endpoint", store.list_gateway_endpoints(), [])
    store.delete_gateway_secret(secret.secret_id)
    refused("a deleted secret", "RESOURCE_DOES_NOT_EXIST", store.get_secret_info, secret.secret_id)
    check("its definition outlives it", store.get_gateway_model_definition(flash.model_definition_id).name, "flash")
    for definition in (flash, pro):
        store.delete_gateway_model_definition(definition.model_definition_id)
    check("no definition", store.list_gateway_model_definitions(), [])
    check("the other secret", names(store.list_secret_infos()), ["second"])


def main():
    experiments()
    secret = secrets()
    flash, pro = definitions(secret)
    endpoint = endpoints(flash, pro)
    tags_and_bindings(endpoint)
    if not IS_3_8:
        routing(flash, pro)
    deletion(secret, flash, pro, endpoint)
    print("ok", steps)


main()
