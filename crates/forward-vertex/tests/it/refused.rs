//! Refused tokens, and identity services that refuse.

use dialect::Operation;
use forward::ForwardError;
use forward_http::suite::{House, call, whole};
use forward_vertex::Vertex;
use provider_sim::{Act, Body, Match, Script, Sim};

use crate::house::{TOKEN, account, generate, granted, of_token, received, vertex};

const MODEL: &str = ":generateContent";

fn unauthenticated() -> Script {
    let said = format!(r#"{{"error":{{"code":401,"message":"bad token {TOKEN}"}}}}"#);
    Script { body: Body::Text(said), ..Script::status(401) }
}

#[tokio::test]
async fn a_kept_token_that_is_refused_is_replaced_once_and_the_body_sent_again() {
    let (sim, house) = vertex().await;
    for token in [TOKEN, "second", "third"] {
        sim.script_once(of_token(), granted(token, 3599));
    }
    whole(house.ask(generate()).await.unwrap().body).await;
    sim.script_once(Match::target(MODEL), unauthenticated());
    assert_eq!(house.ask(generate()).await.unwrap().status, 200, "the client sees nothing of it");
    let (tokens, calls) = received(&sim);
    assert_eq!((tokens.len(), calls.len()), (2, 3));
    assert_eq!(calls[1].body, calls[2].body);
    assert_eq!(calls[2].header("authorization"), Some("Bearer second"));

    sim.script(Match::target(MODEL), unauthenticated());
    let answer = house.ask(generate()).await.unwrap();
    assert_eq!(answer.status, 401, "twice is the provider's word");
    let (tokens, calls) = received(&sim);
    assert_eq!((tokens.len(), calls.len()), (3, 5));
}

#[tokio::test]
async fn a_refusal_never_shows_the_token() {
    let (sim, house) = vertex().await;
    sim.script(of_token(), granted(TOKEN, 3599));
    sim.script(Match::target(MODEL), unauthenticated());
    let answer = house.ask(generate()).await.unwrap();
    assert_eq!(answer.status, 401);
    let said = whole(answer.body).await;
    assert_eq!(
        said,
        format!(r#"{{"error":{{"code":401,"message":"bad token {}"}}}}"#, "*".repeat(TOKEN.len()))
    );
    let (tokens, calls) = received(&sim);
    assert_eq!((tokens.len(), calls.len()), (1, 1), "a token that is new is not replaced");
}

#[tokio::test]
async fn a_body_that_was_too_long_to_keep_is_not_sent_again_but_the_next_call_has_a_new_token() {
    let (sim, house) = vertex().await;
    for token in [TOKEN, "second"] {
        sim.script_once(of_token(), granted(token, 3599));
    }
    let long = || call(Operation::GenerateContent, None, vec![b' '; 300 << 10]);
    whole(house.ask(long()).await.unwrap().body).await;
    sim.script_once(Match::target(MODEL), unauthenticated());
    assert_eq!(house.ask(long()).await.unwrap().status, 401);
    whole(house.ask(long()).await.unwrap().body).await;
    let (tokens, calls) = received(&sim);
    assert_eq!((tokens.len(), calls.len()), (2, 3));
    assert_eq!(calls[2].header("authorization"), Some("Bearer second"));
}

#[tokio::test]
async fn an_identity_service_that_refuses_says_so_without_a_word_of_the_secret() {
    for (script, expected) in [
        (Script::status(400), ForwardError::KeyRefused("its identity service refuses its secret")),
        (Script::status(401), ForwardError::KeyRefused("its identity service refuses its secret")),
        (Script::status(429), ForwardError::Unreachable("its identity service gives no token")),
        (Script::status(503), ForwardError::Unreachable("its identity service gives no token")),
        (Script::status(302), ForwardError::Unreachable("its identity service gives no token")),
        (Script::default(), ForwardError::Unreachable("its identity service's answer cannot be read")),
        (
            Script { act: Act::CloseAfterBody, ..Script::default() },
            ForwardError::Unreachable("its identity service could not be reached"),
        ),
    ] {
        let (sim, house) = vertex().await;
        let body = Body::Text(r#"{"error":"invalid_grant","error_description":"Canary"}"#.to_owned());
        sim.script(of_token(), Script { body, ..script });
        assert_eq!(house.ask(generate()).await.map(drop), Err(expected.clone()));
        assert!(expected.certainly_not_acted());
        assert_eq!(house.ask(generate()).await.map(drop), Err(expected), "for a moment nobody asks again");
        let (tokens, calls) = received(&sim);
        assert_eq!((tokens.len(), calls.len()), (1, 0));
    }
}

#[tokio::test]
async fn a_token_is_asked_for_only_where_the_secret_may_be_sent() {
    let sim = Sim::start().await.unwrap();
    let elsewhere = sim.http1_url().replace("127.0.0.1", "127.0.0.2");
    let house = House::open(Vertex, account(&sim.http1_url(), &format!("{elsewhere}/token")));
    assert_eq!(house.ask(generate()).await.map(drop), Err(ForwardError::DestinationBlocked));
    for unsafe_url in ["http://192.0.2.1/token", "ftp://a.example/token", "https://user@127.0.0.1/token"] {
        let house = House::open(Vertex, account(&sim.http1_url(), unsafe_url));
        assert_eq!(
            house.ask(generate()).await.map(drop),
            Err(ForwardError::DestinationBlocked),
            "{unsafe_url}"
        );
    }
    assert!(sim.requests().is_empty());
}
