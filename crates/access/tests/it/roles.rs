//! Every cell of role × action, against the table that people read.

use access::{Action, Role, Roles};

const GOLDEN: &str = include_str!("../golden/roles.txt");

/// The golden table as cells: (action, role, may).
fn golden() -> Vec<(String, Role, bool)> {
    let mut lines = GOLDEN.lines();
    let roles: Vec<Role> =
        lines.next().unwrap().split_whitespace().map(|name| Role::parse(name).unwrap()).collect();
    assert_eq!(roles, Role::ALL, "a column for every role, in order");
    let mut cells = Vec::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let action = words.next().unwrap().to_owned();
        let marks: Vec<&str> = words.collect();
        assert_eq!(marks.len(), roles.len(), "{action}");
        for (role, mark) in roles.iter().zip(marks) {
            assert!(mark == "yes" || mark == "-", "{action} {role}: {mark}");
            cells.push((action.clone(), *role, mark == "yes"));
        }
    }
    cells
}

#[test]
fn every_cell_is_as_the_golden_table_says() {
    let cells: Vec<(String, Role, bool)> = Action::ALL
        .into_iter()
        .flat_map(|action| {
            Role::ALL.map(|role| (action.to_string(), role, action.permitted_to(Roles::of(&[role]))))
        })
        .collect();
    assert_eq!(cells, golden());
}

#[test]
fn a_set_may_what_any_of_its_roles_may_and_none_may_nothing() {
    for action in Action::ALL {
        assert!(!action.permitted_to(Roles::NONE), "{action}");
        for one in Role::ALL {
            for other in Role::ALL {
                let both = action.permitted_to(Roles::of(&[one, other]));
                let either =
                    [one, other].into_iter().any(|role| action.permitted_to([role].into_iter().collect()));
                assert_eq!(both, either, "{action} {one} {other}");
            }
        }
    }
}
