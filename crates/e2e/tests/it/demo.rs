//! What a newcomer runs first.

use e2e::{Run, keyward};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_makes_a_call_without_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let finished = Run::new("demo --once").finish(&keyward().unwrap(), folder.path(), b"").await.unwrap();
    let printed = finished.success().unwrap();
    // What the recorded answer says.
    assert!(printed.contains("Hello"), "{printed}");
    // It leaves nothing behind in the user's own folders.
    let left: Vec<_> = walk(folder.path());
    assert!(left.is_empty(), "{left:?}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
