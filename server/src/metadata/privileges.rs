//! Names and ids of privileges: [`PrivilegeCatalog`] (PR-1, PR-2, PR-4).

use std::sync::Arc;

use orgservice_security::{MiscPrivilege, ObjectTypeCode, Privilege, PrivilegeDepth, Right};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use super::TableDefinition;

/// Namespace of privilege ids: a privilege has the same id in every organization, so that roles can
/// be carried from one to another.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_7d1e_93b2_4c58_a6d4_1be0_27f3_984a);

/// `prvOverrideCreatedOnCreatedBy` (CR-9).
pub const MISC_OVERRIDE_CREATED_ON: MiscPrivilege = MiscPrivilege(1);

/// `prvBypassCustomPlugins` (`messages.md` 1.9).
pub const MISC_BYPASS_PLUGINS: MiscPrivilege = MiscPrivilege(2);

/// `prvBypassCustomBusinessLogic` (`messages.md` 1.9).
pub const MISC_BYPASS_BUSINESS_LOGIC: MiscPrivilege = MiscPrivilege(3);

/// Privileges that belong to no table, in the order of their [`MiscPrivilege`] numbers. Role
/// privileges are stored by id, hence by name: renaming one takes it from every role.
pub const MISC_PRIVILEGES: &[(MiscPrivilege, &str)] = &[
    (
        MiscPrivilege::ACT_ON_BEHALF_OF_ANOTHER_USER,
        "prvActOnBehalfOfAnotherUser",
    ),
    (MISC_OVERRIDE_CREATED_ON, "prvOverrideCreatedOnCreatedBy"),
    (MISC_BYPASS_PLUGINS, "prvBypassCustomPlugins"),
    (MISC_BYPASS_BUSINESS_LOGIC, "prvBypassCustomBusinessLogic"),
    (MiscPrivilege(4), "prvBulkDelete"),
    (MiscPrivilege(5), "prvMerge"),
    (MiscPrivilege(6), "prvReadRecordAuditHistory"),
    (MiscPrivilege(7), "prvCreateEntity"),
    (MiscPrivilege(8), "prvWriteEntity"),
    (MiscPrivilege(9), "prvDeleteEntity"),
    (MiscPrivilege(10), "prvCreateAttribute"),
    (MiscPrivilege(11), "prvWriteAttribute"),
    (MiscPrivilege(12), "prvDeleteAttribute"),
    (MiscPrivilege(13), "prvCreateRelationship"),
    (MiscPrivilege(14), "prvWriteRelationship"),
    (MiscPrivilege(15), "prvDeleteRelationship"),
    (MiscPrivilege(16), "prvCreateOptionSet"),
    (MiscPrivilege(17), "prvWriteOptionSet"),
    (MiscPrivilege(18), "prvDeleteOptionSet"),
    (MiscPrivilege(19), "prvPublishCustomization"),
];

/// One privilege as the `privilege` table shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrivilegeDefinition {
    /// `privilegeid`: derived from the name.
    pub id: Uuid,
    /// `prvReadAccount`.
    pub name: Arc<str>,
    /// What it is to the decision.
    pub privilege: Privilege,
    /// The verb; `None` for a privilege that belongs to no table.
    pub right: Option<Right>,
    /// Depths at which a role may contain it, lowest first (PR-2).
    pub depths: &'static [PrivilegeDepth],
}

impl PrivilegeDefinition {
    /// The table it guards; for activities that is `activitypointer`.
    pub fn table(&self) -> Option<ObjectTypeCode> {
        match self.privilege {
            Privilege::Table(table, _) => Some(table),
            Privilege::Misc(_) => None,
        }
    }

    /// The highest depth it allows: what System Administrator holds.
    pub fn highest_depth(&self) -> PrivilegeDepth {
        self.depths
            .last()
            .copied()
            .unwrap_or(PrivilegeDepth::Global)
    }
}

/// Every privilege there is.
#[derive(Debug)]
pub struct PrivilegeCatalog {
    definitions: Vec<PrivilegeDefinition>,
    by_id: FxHashMap<Uuid, usize>,
    by_name: FxHashMap<Arc<str>, usize>,
    by_privilege: FxHashMap<Privilege, usize>,
}

impl PrivilegeCatalog {
    /// The privileges of these tables, in their order, then the miscellaneous ones.
    ///
    /// # Errors
    /// Two privileges of one name.
    pub(super) fn new(tables: &[Arc<TableDefinition>]) -> Result<Self, String> {
        // An activity table is guarded by the privileges of `activitypointer` and has none itself.
        let guards = tables.iter().filter(|table| table.facts.code == table.code);
        let of_tables = guards.flat_map(|table| {
            table.facts.privileges().map(|right| {
                let name = format!("prv{}{}", right.name(), name_in_privileges(table));
                PrivilegeDefinition {
                    id: Uuid::new_v5(&NAMESPACE, name.as_bytes()),
                    name: name.into(),
                    privilege: Privilege::Table(table.code, right),
                    right: Some(right),
                    depths: table.facts.depths(right),
                }
            })
        });
        let misc = MISC_PRIVILEGES
            .iter()
            .map(|&(number, name)| PrivilegeDefinition {
                id: Uuid::new_v5(&NAMESPACE, name.as_bytes()),
                name: name.into(),
                privilege: Privilege::Misc(number),
                right: None,
                // PR-4: possession at any depth is enough, so a role may contain it at any.
                depths: &PrivilegeDepth::ALL,
            });
        let definitions: Vec<_> = of_tables.chain(misc).collect();

        let numbered = || definitions.iter().enumerate();
        let mut by_name = FxHashMap::default();
        for (at, definition) in numbered() {
            if by_name.insert(Arc::clone(&definition.name), at).is_some() {
                return Err(format!("privilege `{}` exists twice", definition.name));
            }
        }
        Ok(PrivilegeCatalog {
            by_id: numbered()
                .map(|(at, definition)| (definition.id, at))
                .collect(),
            by_privilege: numbered()
                .map(|(at, definition)| (definition.privilege, at))
                .collect(),
            by_name,
            definitions,
        })
    }

    /// The privilege of a `privilegeid`.
    pub fn by_id(&self, id: Uuid) -> Option<&PrivilegeDefinition> {
        self.by_id.get(&id).map(|&at| &self.definitions[at])
    }

    /// The privilege of a name, compared case-sensitively.
    pub fn by_name(&self, name: &str) -> Option<&PrivilegeDefinition> {
        self.by_name.get(name).map(|&at| &self.definitions[at])
    }

    /// The privilege as the `privilege` table shows it; `None` where PR-2 knows no such privilege.
    pub fn get(&self, privilege: Privilege) -> Option<&PrivilegeDefinition> {
        self.by_privilege
            .get(&privilege)
            .map(|&at| &self.definitions[at])
    }

    /// The name for messages and fault details.
    pub fn name(&self, privilege: Privilege) -> &str {
        self.get(privilege)
            .map_or("a privilege that does not exist", |found| &found.name)
    }

    /// Every privilege: tables in code order, each with its rights, then the miscellaneous ones.
    pub fn iter(&self) -> impl Iterator<Item = &PrivilegeDefinition> {
        self.definitions.iter()
    }
}

/// What follows the verb: the schema name, but for the names that the product spells otherwise.
fn name_in_privileges(table: &TableDefinition) -> &str {
    match &*table.logical_name {
        "systemuser" => "User",
        "annotation" => "Note",
        "salesorder" => "Order",
        "activitypointer" => "Activity",
        _ => &table.schema_name,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;
    use crate::metadata::{DefinitionsBuilder, table};

    fn names_of(table: &str) -> Vec<String> {
        let definitions = DefinitionsBuilder::system()
            .table(super::super::table("x_Rate").organization_owned())
            .build()
            .unwrap();
        let code = definitions.table(table).unwrap().facts.code;
        let catalog = definitions.privileges();
        let own = catalog.iter().filter(|found| found.table() == Some(code));
        own.map(|found| found.name.to_string()).collect()
    }

    #[test]
    fn pr_1_names_regular_and_irregular() {
        assert_eq!(
            names_of("account"),
            [
                "prvCreateAccount",
                "prvReadAccount",
                "prvWriteAccount",
                "prvDeleteAccount",
                "prvAppendAccount",
                "prvAppendToAccount",
                "prvAssignAccount",
                "prvShareAccount"
            ]
        );
        assert_eq!(names_of("systemuser")[1], "prvReadUser");
        assert_eq!(names_of("task"), names_of("activitypointer"));
        assert_eq!(names_of("task")[7], "prvShareActivity");
        assert_eq!(names_of("x_rate")[0], "prvCreatex_Rate");
    }

    #[test]
    fn pr_2_which_privileges_exist_and_at_which_depths() {
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let catalog = definitions.privileges();
        assert_eq!(names_of("x_rate").len(), 6, "no Assign, no Share");
        assert_eq!(
            names_of("organization"),
            ["prvReadOrganization", "prvWriteOrganization"]
        );
        assert!(catalog.by_name("prvAssignRole").is_some());
        assert!(catalog.by_name("prvAssignTeam").is_none());
        for nobody_s in ["teammembership", "principalobjectaccess", "privilege"] {
            assert_eq!(names_of(nobody_s), [""; 0]);
        }
        let depths = |name: &str| catalog.by_name(name).unwrap().depths;
        assert_eq!(depths("prvReadAccount"), PrivilegeDepth::ALL);
        assert_eq!(
            depths("prvReadTransactionCurrency"),
            [PrivilegeDepth::Global]
        );
        let deep_and_global = [PrivilegeDepth::Deep, PrivilegeDepth::Global];
        assert_eq!(depths("prvCreateBusinessUnit"), deep_and_global);
        assert_eq!(depths("prvReadTeam")[0], PrivilegeDepth::Local);
    }

    #[test]
    fn every_privilege_is_found_by_id_name_and_meaning() {
        let definitions = DefinitionsBuilder::system()
            .table(table("new_Widget"))
            .build()
            .unwrap();
        let catalog = definitions.privileges();
        for definition in catalog.iter() {
            assert_eq!(catalog.by_id(definition.id), Some(definition));
            assert_eq!(catalog.by_name(&definition.name), Some(definition));
            assert_eq!(catalog.get(definition.privilege), Some(definition));
            assert_eq!(catalog.name(definition.privilege), &*definition.name);
        }
        assert!(catalog.by_name("prvreadaccount").is_none(), "case counts");
    }

    /// Roles on disk hold these ids.
    #[test]
    fn ids_are_the_same_in_every_organization() {
        let definitions = DefinitionsBuilder::system().build().unwrap();
        let id = |name: &str| {
            definitions
                .privileges()
                .by_name(name)
                .unwrap()
                .id
                .to_string()
        };
        assert_eq!(id("prvReadAccount"), "34ba7092-9c21-584a-ac08-e372f68e28b9");
        assert_eq!(
            id("prvActOnBehalfOfAnotherUser"),
            "640eb4cc-68a0-5da8-be91-9aba2a09b5bb"
        );
    }

    #[test]
    fn pr_4_miscellaneous_privileges_are_numbered_in_order() {
        let numbers: Vec<u16> = MISC_PRIVILEGES.iter().map(|(number, _)| number.0).collect();
        assert_eq!(numbers, (0..20).collect::<Vec<u16>>());
    }
}
