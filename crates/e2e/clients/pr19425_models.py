"""The same script for MLflow 3.9 and later, where an endpoint is created from `model_configs`.

KEYWARD_URL, API_BASE, SECRET: as in pr19425.py
"""
import os

from google import genai
import mlflow
from mlflow.entities import GatewayEndpointModelConfig, GatewayModelLinkageType
from mlflow.tracking._tracking_service.utils import _get_store

url = os.environ.get("KEYWARD_URL", "http://localhost:5000")
mlflow.set_tracking_uri(url)
mlflow.set_experiment("Gateway")
store = _get_store()

auth_config = {"api_base": os.environ["API_BASE"]} if "API_BASE" in os.environ else None
secret = store.create_gateway_secret(
    secret_name="gemini_api",
    secret_value={"api_key": os.environ.get("SECRET", "<secret>")},
    provider="gemini",
    **({"auth_config": auth_config} if auth_config else {}),
)
model_def = store.create_gateway_model_definition(
    name="gemini-2.5-flash",
    secret_id=secret.secret_id,
    provider="gemini",
    model_name="gemini-2.5-flash",
)
endpoint = store.create_gateway_endpoint(
    name="gemini-v1",
    model_configs=[
        GatewayEndpointModelConfig(
            model_definition_id=model_def.model_definition_id,
            linkage_type=GatewayModelLinkageType.PRIMARY,
        )
    ],
)

client = genai.Client(api_key="dummy", http_options={"base_url": url + "/gateway/gemini"})
response = client.models.generate_content(model=endpoint.name, contents="Hello")
client.close()
print(response.candidates[0].content.parts[0].text)
