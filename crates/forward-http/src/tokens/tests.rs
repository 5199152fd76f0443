//! When a token is asked for, and how often, by a clock that the test moves.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;

/// Gives `token-1`, `token-2`, …, each once it may.
struct Scripted {
    asked: AtomicUsize,
    may: Semaphore,
    good_for: Option<Duration>,
    fails: Mutex<Option<ForwardError>>,
}

#[async_trait::async_trait]
impl Fetch for Arc<Scripted> {
    async fn fetch(&self) -> Result<Fetched, ForwardError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let asked_at = Instant::now();
        self.may.acquire().await.unwrap().forget();
        if let Some(error) = self.fails.lock().clone() {
            return Err(error);
        }
        let header = HeaderValue::try_from(format!("Bearer token-{number}")).unwrap();
        Ok(Fetched { header, good_for: self.good_for, asked_at })
    }
}

fn keeper(good_for: Option<Duration>, may: usize) -> (Arc<Scripted>, Arc<Keeper>) {
    let scripted = Arc::new(Scripted {
        asked: AtomicUsize::new(0),
        may: Semaphore::new(may),
        good_for,
        fails: Mutex::new(None),
    });
    let tokens = Tokens::default();
    let keeper = tokens.of(&(SecretId::from_random(1), 1), [0; 32], || Arc::clone(&scripted));
    (scripted, keeper)
}

async fn had(keeper: &Arc<Keeper>) -> String {
    let header = keeper.token().await.unwrap().token.header.clone();
    header.to_str().unwrap().to_owned()
}

fn asked(scripted: &Scripted) -> usize {
    scripted.asked.load(Ordering::SeqCst)
}

/// Lets the tasks that can go on do so.
async fn settle() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_who_wait_ask_once_and_one_who_leaves_takes_nothing_away() {
    let (scripted, keeper) = keeper(Some(Duration::from_hours(1)), 0);
    let mut leaving = Box::pin(keeper.token());
    assert!(futures_util::poll!(&mut leaving).is_pending());
    let others: Vec<_> = (0..50).map(|_| Arc::clone(&keeper)).collect();
    let mut others: Vec<_> = others.iter().map(|keeper| Box::pin(had(keeper))).collect();
    for other in &mut others {
        assert!(futures_util::poll!(other).is_pending());
    }
    drop(leaving);
    scripted.may.add_permits(1);
    for other in others {
        assert_eq!(other.await, "Bearer token-1");
    }
    assert_eq!(asked(&scripted), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_one_is_asked_for_ahead_while_the_old_one_serves() {
    let (scripted, keeper) = keeper(Some(Duration::from_hours(1)), 1);
    assert_eq!(had(&keeper).await, "Bearer token-1");
    tokio::time::advance(Duration::from_mins(55) - Duration::from_millis(1)).await;
    assert_eq!((had(&keeper).await.as_str(), asked(&scripted)), ("Bearer token-1", 1));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(had(&keeper).await, "Bearer token-1", "nobody waits for the new one");
    settle().await;
    assert_eq!(had(&keeper).await, "Bearer token-1");
    assert_eq!(asked(&scripted), 2, "asked for once, however many call");
    scripted.may.add_permits(1);
    settle().await;
    assert_eq!((had(&keeper).await.as_str(), asked(&scripted)), ("Bearer token-2", 2));
}

#[tokio::test(start_paused = true)]
async fn an_old_one_is_not_used_to_its_very_end() {
    for (good_for, used) in [
        (Some(Duration::from_hours(1)), Duration::from_mins(59)),
        (Some(Duration::from_secs(100)), Duration::from_secs(90)),
        (None, Duration::from_secs(270)),
        (Some(Duration::from_hours(1000)), Duration::from_hours(24) - Duration::from_mins(1)),
    ] {
        let (scripted, keeper) = keeper(good_for, 1);
        had(&keeper).await;
        tokio::time::advance(used).await;
        scripted.may.add_permits(1);
        assert_eq!((had(&keeper).await.as_str(), asked(&scripted)), ("Bearer token-2", 2), "{good_for:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_said_to_all_and_asked_about_again_only_after_a_moment() {
    let (scripted, keeper) = keeper(None, 2);
    *scripted.fails.lock() = Some(ForwardError::KeyRefused("no"));
    for _ in 0..10 {
        assert_eq!(keeper.token().await.map(drop), Err(ForwardError::KeyRefused("no")));
    }
    assert_eq!(asked(&scripted), 1);
    *scripted.fails.lock() = None;
    tokio::time::advance(FAILED_FOR).await;
    assert_eq!(had(&keeper).await, "Bearer token-2");
}

#[tokio::test(start_paused = true)]
async fn an_old_one_serves_while_a_new_one_cannot_be_had() {
    let (scripted, keeper) = keeper(Some(Duration::from_hours(1)), 10);
    had(&keeper).await;
    *scripted.fails.lock() = Some(ForwardError::Unreachable("no"));
    tokio::time::advance(Duration::from_mins(56)).await;
    for _ in 0..10 {
        assert_eq!(had(&keeper).await, "Bearer token-1");
        settle().await;
    }
    assert_eq!(asked(&scripted), 2, "not again within a moment");
}

#[tokio::test(start_paused = true)]
async fn one_that_was_refused_is_forgotten_and_only_that_one() {
    let (scripted, keeper) = keeper(Some(Duration::from_hours(1)), 10);
    let old = keeper.token().await.unwrap();
    assert!(!old.before && keeper.token().await.unwrap().before);
    keeper.forget(&old.token);
    assert_eq!(had(&keeper).await, "Bearer token-2");
    keeper.forget(&old.token);
    assert_eq!((had(&keeper).await.as_str(), asked(&scripted)), ("Bearer token-2", 2));
}

#[tokio::test]
async fn one_keeper_serves_a_grant_of_a_version_as_long_as_it_is_used() {
    let tokens = Tokens::default();
    let scripted = keeper(None, 0).0;
    let secret = (SecretId::from_random(1), 1);
    let of = |secret: &(SecretId, u64), fingerprint| tokens.of(secret, fingerprint, || Arc::clone(&scripted));
    let first = of(&secret, [0; 32]);
    assert!(Arc::ptr_eq(&first, &of(&secret, [0; 32])));
    assert!(!Arc::ptr_eq(&first, &of(&secret, [1; 32])));
    assert!(!Arc::ptr_eq(&first, &of(&(secret.0.clone(), 2), [0; 32])));
    drop(first);
    drop(of(&secret, [2; 32]));
    let in_use = tokens.in_use.lock().len();
    assert_eq!(in_use, 1, "those that nobody uses are let go");
}
