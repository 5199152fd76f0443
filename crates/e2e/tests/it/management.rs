//! The management API through MLflow's own client.

use e2e::{Plan, Sdk, Shape, mlflow};
use serde_json::json;

use crate::{KEY, in_both_shapes};

in_both_shapes!(
    everything_with_mlflow_3_8,
    everything_with_todays_mlflow,
    a_create_is_applied_when_it_returns
);

async fn everything_with_mlflow_3_8(shape: Shape) {
    everything(shape, Sdk::Python2025).await;
}

async fn everything_with_todays_mlflow(shape: Shape) {
    everything(shape, Sdk::Python).await;
}

async fn everything(shape: Shape, sdk: Sdk) {
    let Some(house) = Plan::new(shape).start().await.unwrap() else { return };
    let api_base = house.api_base();
    let variables = [("KEYWARD_URL", house.url.as_str()), ("API_BASE", &api_base)];
    let Some(printed) = mlflow(sdk, house.folder(), "manage.py", &variables).await.unwrap() else { return };
    assert!(printed.trim_end().lines().last().is_some_and(|line| line.starts_with("ok ")), "{printed}");
}

/// No wait between a creation and the first call, and no "unknown endpoint" either.
async fn a_create_is_applied_when_it_returns(shape: Shape) {
    let Some(house) = Plan::new(shape).start().await.unwrap() else { return };
    let admin = house.admin().unwrap();
    let secret = admin.secret("gemini_api", KEY, &house.api_base()).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for n in 0..20 {
        let definition = admin.model(&format!("m{n}"), &secret, "gemini-2.5-flash").await.unwrap();
        let config = json!({ "model_definition_id": definition, "linkage_type": "PRIMARY", "weight": 1.0 });
        let body = json!({ "name": format!("e{n}"), "model_configs": [config] });
        let created = admin.post("endpoints/create", &body).await.unwrap();
        assert_eq!(created.status, 200, "{}", created.text);
        assert!(created.headers.contains_key("keyward-revision"), "{:?}", created.headers);
        assert_eq!(created.headers.get("keyward-not-applied"), None);
        let url = format!("{}/v1beta/models/e{n}:generateContent", house.gemini_url());
        let called = http.post(url).body("{}").send().await.unwrap();
        assert_eq!(called.status(), 200, "{}", called.text().await.unwrap());
    }
}
