//! The script of pull request mlflow#19425, unchanged but for the provider's address, and its form for today's MLflow.

use e2e::{Plan, Sdk, Shape, mlflow};

use crate::{KEY, in_both_shapes};

in_both_shapes!(with_the_clients_of_december_2025, with_todays_clients);

async fn with_the_clients_of_december_2025(shape: Shape) {
    run(shape, Sdk::Python2025, "pr19425.py", "/v1beta/models/gemini-2.5-flash:generateContent").await;
}

async fn with_todays_clients(shape: Shape) {
    run(shape, Sdk::Python, "pr19425_models.py", "/v1/models/gemini-2.5-flash:generateContent").await;
}

async fn run(shape: Shape, sdk: Sdk, script: &str, target: &str) {
    let Some(house) = Plan::new(shape).start().await.unwrap() else { return };
    let api_base = house.api_base();
    let variables = [("KEYWARD_URL", house.url.as_str()), ("API_BASE", &api_base), ("SECRET", KEY)];
    let Some(printed) = mlflow(sdk, house.folder(), script, &variables).await.unwrap() else { return };
    // What the recorded answer says.
    assert!(printed.lines().any(|line| line.contains("Hello")), "{printed}");

    let requests = house.sim.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].target, target);
    assert_eq!(requests[0].header("x-goog-api-key"), Some(KEY));
    assert!(!format!("{:?}", requests[0].headers).contains("dummy"), "the client's credential went on");
}
