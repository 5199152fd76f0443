//! Tokens are asked for once, kept, and renewed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use forward_http::suite::whole;
use futures_util::future::join_all;
use provider_sim::Script;

use crate::house::{TOKEN, generate, granted, of_token, received, vertex};

#[tokio::test]
async fn many_calls_at_once_ask_for_one_token_and_all_show_it() {
    let (sim, house) = vertex().await;
    let gate = sim.gate("identity");
    sim.script(of_token(), Script { head_gate: Some("identity".to_owned()), ..granted(TOKEN, 3599) });
    let calls = join_all((0..40).map(|_| house.ask(generate())));
    let (answers, ()) = tokio::join!(calls, async {
        sim.wait_for_request(1).await.unwrap();
        gate.open();
    });
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200);
        whole(answer.body).await;
    }
    let (tokens, calls) = received(&sim);
    assert_eq!((tokens.len(), calls.len()), (1, 40));
    for call in calls {
        assert_eq!(call.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(call.header_values("x-goog-api-key").count(), 0, "one credential");
    }
}

#[tokio::test]
async fn what_is_asked_with_is_a_form_with_a_signed_assertion() {
    let (sim, house) = vertex().await;
    sim.script(of_token(), granted(TOKEN, 3599));
    whole(house.ask(generate()).await.unwrap().body).await;
    let (tokens, _) = received(&sim);
    assert_eq!(tokens[0].method, "POST");
    assert_eq!(tokens[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    let form = String::from_utf8(tokens[0].body.to_vec()).unwrap();
    let assertion = form
        .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        .unwrap();
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], "me@example");
    assert_eq!(claims["aud"], format!("{}/token", sim.http1_url()));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
}

#[tokio::test]
async fn a_token_that_is_over_is_asked_for_anew() {
    let (sim, house) = vertex().await;
    for (token, expires_in) in [("first", 0), ("second", 3599)] {
        sim.script_once(of_token(), granted(token, expires_in));
    }
    for _ in 0..3 {
        whole(house.ask(generate()).await.unwrap().body).await;
    }
    let (tokens, calls) = received(&sim);
    assert_eq!(tokens.len(), 2);
    let shown: Vec<_> = calls.iter().map(|call| call.header("authorization").unwrap()).collect();
    assert_eq!(shown, ["Bearer first", "Bearer second", "Bearer second"]);
}
