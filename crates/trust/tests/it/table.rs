//! The table of who may call what has a row for every procedure there is, and none beside.

use std::fmt::Write as _;

use prost::Message as _;
use prost_types::FileDescriptorSet;
use trust::{Allowed, Kind, allowed};

/// Every procedure of `/proto`, in the order of the files.
fn procedures() -> Vec<String> {
    let set = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap();
    let mut paths = Vec::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                paths.push(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    paths.sort();
    paths
}

/// `golden.txt`: a procedure, then who may call it. A new procedure needs a row in `trust::rules` and one there.
#[test]
fn every_procedure_has_the_callers_that_were_decided() {
    let mut table = String::new();
    for path in procedures() {
        let row = allowed(&path).unwrap_or_else(|| panic!("{path} has no row in `trust::rules`"));
        let may = |kind: &Kind| matches!(row, Allowed::Only(kinds) if kinds.contains(kind));
        let kinds = [Kind::Edge, Kind::EdgeAdmin, Kind::Store, Kind::Forwarder];
        let callers: Vec<_> = kinds.iter().filter(|kind| may(kind)).map(|kind| format!("{kind:?}")).collect();
        writeln!(table, "{path} {}", callers.join(" ")).unwrap();
    }
    assert_eq!(table, include_str!("golden.txt"));
}

#[test]
fn what_does_not_exist_is_allowed_to_nobody() {
    for path in [
        "/keyward.store.v1.Admin/DropEverything",
        "/keyward.store.v1.Vault/Open",
        "/keyward.store.v2.Catalog/Watch",
        "/keyward.store.v1.Catalog/Watch/",
        "keyward.store.v1.Catalog/Watch",
        "/keyward.store.v1.Catalog",
        "/",
        "",
    ] {
        assert_eq!(allowed(path), None, "{path}");
    }
}
