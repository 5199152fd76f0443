//! Holds every crate's manifest to the plan of the house.

use cargo_metadata::{Dependency, DependencyKind, Package};

use super::{
    Findings,
    floors::{BESIDE, EVERYTHING, ROOMS, Room},
};
use crate::workspace::Workspace;

/// Checks that each crate has its place, and depends only on what that place allows.
pub(crate) fn check(workspace: &Workspace, findings: &mut Findings) {
    for package in workspace.metadata.workspace_packages() {
        inherits_lints(package, findings);
        let Some(room) = room(&package.name) else {
            findings.breach(
                &package.name,
                "has no place in `crates/xtask/src/tidy/floors.rs`",
                "every crate has one floor, and its arrows are decided before they are drawn",
            );
            continue;
        };
        for dependency in &package.dependencies {
            if let Some((what, why)) = objection(room, dependency) {
                findings.breach(&package.name, &what, why);
            }
        }
    }
}

fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// What speaks against one dependency. Tests may put any rooms together, as long as no arrow points up.
fn objection(from: &Room, dependency: &Dependency) -> Option<(String, &'static str)> {
    let name = dependency.name.as_str();
    let in_tests = dependency.kind == DependencyKind::Development;
    let Some(to) = room(name) else {
        let shunned = from.shuns.contains(&name) && !in_tests;
        return shunned.then(|| (format!("depends on `{name}`"), from.because));
    };
    if in_tests {
        let up = to.floor > from.floor && to.floor != BESIDE;
        return up
            .then(|| (format!("its tests depend on `{name}`, a floor above"), "arrows only point down"));
    }
    if from.builds_on == EVERYTHING || from.builds_on.contains(&name) {
        return None;
    }
    let what = format!("floor {} depends on `{name}` of floor {}", from.floor, to.floor);
    Some((what, "a new arrow between rooms needs an ADR and a changed table in the same commit"))
}

/// `[lints] workspace = true`; cargo metadata does not tell.
fn inherits_lints(package: &Package, findings: &mut Findings) {
    let manifest = std::fs::read_to_string(&package.manifest_path).unwrap_or_default();
    let inherits = manifest.parse::<toml::Table>().is_ok_and(|manifest| {
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        lints.and_then(toml::Value::as_bool) == Some(true)
    });
    if !inherits {
        findings.breach(
            &package.name,
            "lacks `[lints] workspace = true`",
            "one set of lints for the whole house",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependency(name: &str, kind: &str) -> Dependency {
        let kind = if kind == "normal" { serde_json::Value::Null } else { kind.into() };
        serde_json::from_value(serde_json::json!({
            "name": name, "source": null, "req": "*", "kind": kind, "optional": false,
            "uses_default_features": true, "features": [], "target": null,
        }))
        .unwrap()
    }

    #[test]
    fn arrows_point_down() {
        let edge = room("edge").unwrap();
        assert_eq!(objection(edge, &dependency("store", "normal")), None);
        assert!(objection(edge, &dependency("store-sqlite", "normal")).is_some());
        assert_eq!(objection(edge, &dependency("store-sqlite", "dev")), None);
        assert!(objection(edge, &dependency("keyward", "dev")).is_some());
        assert_eq!(objection(edge, &dependency("provider-sim", "dev")), None);
    }

    #[test]
    fn a_room_does_not_speak_of_what_it_shuns() {
        let dialect = room("dialect").unwrap();
        let (what, why) = objection(dialect, &dependency("tokio", "normal")).unwrap();
        assert_eq!(what, "depends on `tokio`");
        assert_eq!(why, "it speaks of meaning, not of transports or databases");
        assert_eq!(objection(dialect, &dependency("serde", "normal")), None);
        assert_eq!(objection(dialect, &dependency("tokio", "dev")), None);
    }

    #[test]
    fn the_plan_itself_points_down() {
        // Down, or sideways to a room that stands earlier in the table: so there is no circle.
        for (at, from) in ROOMS.iter().enumerate().filter(|(_, from)| from.builds_on != EVERYTHING) {
            for to in from.builds_on {
                let before = ROOMS.iter().take(at).find(|room| room.name == *to);
                assert!(before.is_some_and(|to| to.floor <= from.floor), "{} → {to}", from.name);
            }
        }
    }
}
