//! The snapshot's promises: it comes back, it is whole or not used, nobody else reads it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use names::{EndpointName, MappingId, ModelName, Provider, SecretId};
use store::SealedTarget;

use super::*;

fn target(number: u128) -> SealedTarget {
    SealedTarget {
        mapping: MappingId::from_random(number),
        endpoint: EndpointName::parse("chat").unwrap(),
        provider: Provider::parse("gemini").unwrap(),
        model: ModelName::parse("gemini-2.5-flash").unwrap(),
        secret_id: SecretId::from_random(number),
        secret_version: 3,
        auth_config: [("api_base".to_owned(), "https://example.com".to_owned())].into(),
        sealed: vec![0, 255, 7],
    }
}

fn at(revision: u64) -> Position {
    Position { epoch: 9, revision }
}

fn saved(folder: &tempfile::TempDir) -> (Place, Vec<SealedTarget>) {
    let place = Place::new(folder.path().join("state/vault.snapshot"), "vault/gemini/one");
    let items = vec![target(1), target(2)];
    place.save(at(5), &items.iter().cloned().map(Arc::new).collect::<Vec<_>>()).unwrap();
    (place, items)
}

fn said(place: &Place) -> &'static str {
    match place.load::<SealedTarget>().unwrap_err() {
        SnapshotError::Unusable { said, .. } => said,
        SnapshotError::Io { source, .. } => panic!("{source}"),
    }
}

#[test]
fn what_was_saved_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (place, items) = saved(&folder);
    assert_eq!(place.load().unwrap(), Some(Snapshot { position: at(5), items }));
    place.save::<SealedTarget>(at(6), &[]).unwrap();
    assert_eq!(place.load::<SealedTarget>().unwrap(), Some(Snapshot { position: at(6), items: vec![] }));
}

#[test]
fn it_is_the_owners_alone_and_nothing_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (place, _) = saved(&folder);
    // As a crash leaves it, readable for all.
    let beside = folder.path().join("state/.vault.snapshot.new");
    std::fs::write(&beside, "half").unwrap();
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o644)).unwrap();
    let before = std::fs::metadata(&place.path).unwrap().ino();
    place.save::<SealedTarget>(at(6), &[]).unwrap();
    let after = std::fs::metadata(&place.path).unwrap();
    assert_eq!(after.mode() & 0o777, 0o600);
    assert_ne!(after.ino(), before, "replaced as a whole, not overwritten");
    let names: Vec<_> = std::fs::read_dir(folder.path().join("state")).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert_eq!(std::fs::metadata(folder.path().join("state")).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn no_file_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("none"), "catalog");
    assert_eq!(place.load::<SealedTarget>().unwrap(), None);
}

#[test]
fn any_changed_or_missing_byte_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (place, _) = saved(&folder);
    let sound = std::fs::read(&place.path).unwrap();
    for index in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[index] ^= 1;
        std::fs::write(&place.path, &flipped).unwrap();
        assert!(place.load::<SealedTarget>().is_err(), "byte {index} changed");
        std::fs::write(&place.path, &sound[..index]).unwrap();
        assert!(place.load::<SealedTarget>().is_err(), "cut at {index}");
    }
}

#[test]
fn what_is_wrong_with_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (place, _) = saved(&folder);
    let sound = std::fs::read_to_string(&place.path).unwrap();

    let other = Place { scope: "vault/openai/one".into(), ..place.clone() };
    assert_eq!(said(&other), "it is of something else");
    for (content, why) in [
        (sound.replace("keyward-snapshot 1", "keyward-snapshot 2"), "it was written by another version"),
        (sound.replace("gemini-2.5", "gemini-3.5"), "it is damaged: its checksum is another"),
        ("{\"version\":1}\n".to_owned(), "it is no snapshot"),
        (String::new(), "it is no snapshot, or cut off"),
    ] {
        std::fs::write(&place.path, content).unwrap();
        assert_eq!(said(&place), why);
    }
    let elsewhere = Place::new(place.path.join("below-a-file"), "catalog");
    assert!(matches!(elsewhere.load::<SealedTarget>(), Err(SnapshotError::Io { .. })));
}

#[tokio::test]
async fn garbage_starts_empty_and_a_snapshot_starts_full() {
    let folder = tempfile::tempdir().unwrap();
    let (place, items) = saved(&folder);
    let held = Held::<SealedTarget>::default();
    assert!(restore(&place, &held).await);
    assert_eq!((held.position(), held.len()), (Some(at(5)), items.len()));

    std::fs::write(&place.path, "garbage").unwrap();
    let held = Held::<SealedTarget>::default();
    assert!(!restore(&place, &held).await);
    assert_eq!((held.position(), held.len()), (None, 0));
}

#[tokio::test]
async fn every_change_reaches_the_disk_while_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("vault.snapshot"), "vault");
    let held = Arc::new(Held::<SealedTarget>::default());
    let keeping = keep(place.clone(), Arc::clone(&held));
    let changing = async {
        for revision in 1..=3 {
            held.change(at(revision), vec![target(revision.into())], &[]);
            loop {
                // Waits for the file, not for a time.
                if let Ok(Some(snapshot)) = place.load::<SealedTarget>()
                    && snapshot.position == at(revision)
                {
                    assert_eq!(snapshot.items.len() as u64, revision);
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::select! {
        () = keeping => panic!("it stopped while the state is held"),
        done = tokio::time::timeout(std::time::Duration::from_mins(1), changing) => done.unwrap(),
    }
}
