//! The roles that the sample creates, as lists of privileges by name.

use crate::commands::role::Depth;

/// A role of the sample.
pub struct SampleRole {
    /// Its name.
    pub name: &'static str,
    /// Privileges and their depths.
    pub privileges: Vec<(String, Depth)>,
}

/// Sells: own records, and sees those of the business unit.
pub const REPRESENTATIVE: &str = "Northwind Sales Representative";
/// Leads: everything in the business unit and below it.
pub const MANAGER: &str = "Northwind Sales Manager";
/// Acts for the others, and can do less than each of them.
pub const INTEGRATION: &str = "Northwind Integration";
/// Lets the team that owns the suppliers own them: an owner must be able to read (OW-4).
pub const SUPPLIER_OWNER: &str = "Northwind Supplier Owner";

/// Tables of the sales, as their privileges name them; activities share one set (PR-1).
const SALES: [&str; 3] = ["Account", "Contact", "Activity"];

/// The roles of the sample.
pub fn all() -> [SampleRole; 4] {
    // Without these nobody could see the name of an owner.
    let directory = ["User", "Team", "BusinessUnit"];
    [
        SampleRole {
            name: REPRESENTATIVE,
            privileges: [
                on(
                    &SALES,
                    &["Create", "Write", "Append", "AppendTo"],
                    Depth::Basic,
                ),
                on(&SALES, &["Read"], Depth::Local),
                on(&directory, &["Read"], Depth::Global),
            ]
            .concat(),
        },
        SampleRole {
            name: MANAGER,
            privileges: [
                on(
                    &SALES,
                    &[
                        "Create", "Read", "Write", "Delete", "Append", "AppendTo", "Assign",
                        "Share",
                    ],
                    Depth::Deep,
                ),
                on(&directory, &["Read"], Depth::Global),
            ]
            .concat(),
        },
        SampleRole {
            name: INTEGRATION,
            privileges: [
                vec![("prvActOnBehalfOfAnotherUser".to_owned(), Depth::Global)],
                on(
                    &["Account", "Contact"],
                    &["Create", "Read", "Write", "Append", "AppendTo"],
                    Depth::Basic,
                ),
                // `--as` finds users by name.
                on(&["User"], &["Read"], Depth::Global),
            ]
            .concat(),
        },
        SampleRole {
            name: SUPPLIER_OWNER,
            privileges: on(&["Account", "Contact"], &["Read"], Depth::Basic),
        },
    ]
}

fn on(tables: &[&str], verbs: &[&str], depth: Depth) -> Vec<(String, Depth)> {
    tables
        .iter()
        .flat_map(|table| {
            verbs
                .iter()
                .map(move |verb| (format!("prv{verb}{table}"), depth))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integration_gains_nothing_by_acting_for_a_manager() {
        let roles = all();
        let has = |role: &str, privilege: &str| {
            roles
                .iter()
                .filter(|sample| sample.name == role)
                .any(|sample| sample.privileges.iter().any(|(name, _)| name == privilege))
        };
        assert!(has(INTEGRATION, "prvActOnBehalfOfAnotherUser"));
        for privilege in ["prvDeleteAccount", "prvAssignAccount", "prvShareContact"] {
            assert!(has(MANAGER, privilege));
            assert!(!has(INTEGRATION, privilege));
        }
        assert!(has(REPRESENTATIVE, "prvCreateActivity"));
        assert!(has(SUPPLIER_OWNER, "prvReadContact"));
    }

    #[test]
    fn no_privilege_is_named_twice() {
        for role in all() {
            let mut names: Vec<_> = role.privileges.iter().map(|(name, _)| name).collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{}", role.name);
        }
    }
}
