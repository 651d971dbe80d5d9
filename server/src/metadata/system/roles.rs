//! Roles, privileges, who holds which, and shares (`security.md` 1.4, 2, 6).

use super::columns;
use crate::metadata::{
    CascadeConfiguration, TableMessages,
    column::{boolean, choice_with_default, entity_name, guid, integer, lookup, text},
    table::{TableBuilder, table},
};

///
const INHERITANCE: &[(i32, &str)] = &[
    (0, "Team privileges only"),
    (1, "Direct User (Basic) access level and Team privileges"),
];

pub(super) fn tables() -> Vec<TableBuilder> {
    vec![
        role(),
        privilege(),
        privilege_object_type_codes(),
        role_privileges(),
        system_user_roles(),
        team_roles(),
        principal_object_access(),
    ]
}

/// The columns that tie a copy to its root role are the server's; they are no relationships,
/// because a copy shares the fate of its root by rule and not by cascade.
fn role() -> TableBuilder {
    table("Role")
        .code(1036)
        .business_owned()
        .administrative()
        .business_unit(columns::business_unit().create_only().relationship(
            "businessunit",
            "business_unit_roles",
            CascadeConfiguration::RESTRICT,
        ))
        .primary_name(text("Name", 100).system_required())
        .column(lookup("ParentRoleId", &["role"]).read_only().unrelated())
        .column(
            lookup("ParentRootRoleId", &["role"])
                .read_only()
                .unrelated()
                .indexed(),
        )
        .column(guid("RoleTemplateId").read_only())
        .column(choice_with_default("IsInherited", INHERITANCE, 1))
        .column(boolean("IsCustomizable", true))
}

/// One row for each privilege there is; made and kept by the server.
fn privilege() -> TableBuilder {
    table("Privilege")
        .code(1023)
        .unowned()
        .administrative()
        .messages(TableMessages::READ_ONLY)
        .primary_name(text("Name", 100).read_only())
        .column(integer("AccessRight", 0, i32::MAX).read_only())
        .column(boolean("CanBeBasic", false).read_only())
        .column(boolean("CanBeLocal", false).read_only())
        .column(boolean("CanBeDeep", false).read_only())
        .column(boolean("CanBeGlobal", false).read_only())
        .column(boolean("CanBeEntityReference", false).read_only())
}

/// Which table a privilege belongs to.
fn privilege_object_type_codes() -> TableBuilder {
    table("PrivilegeObjectTypeCodes")
        .code(31)
        .primary_id("PrivilegeObjectTypeCodeId")
        .unowned()
        .administrative()
        .messages(TableMessages::READ_ONLY)
        .column(lookup("PrivilegeId", &["privilege"]).read_only())
        .column(entity_name("ObjectTypeCode").read_only())
}

/// Rows of the root role only; copies read through it (R-2, PR-3).
fn role_privileges() -> TableBuilder {
    table("RolePrivileges")
        .code(12)
        .primary_id("RolePrivilegeId")
        .unowned()
        .administrative()
        .intersection(
            "roleprivileges_association",
            ("role", "RoleId"),
            ("privilege", "PrivilegeId"),
        )
        .column(integer("PrivilegeDepthMask", 1, 8).read_only())
}

fn system_user_roles() -> TableBuilder {
    table("SystemUserRoles")
        .code(15)
        .primary_id("SystemUserRoleId")
        .unowned()
        .administrative()
        .intersection(
            "systemuserroles_association",
            ("systemuser", "SystemUserId"),
            ("role", "RoleId"),
        )
}

fn team_roles() -> TableBuilder {
    table("TeamRoles")
        .code(40)
        .primary_id("TeamRoleId")
        .unowned()
        .administrative()
        .intersection(
            "teamroles_association",
            ("team", "TeamId"),
            ("role", "RoleId"),
        )
}

/// Shares as rows, to be read only: GrantAccess and its kin write them.
fn principal_object_access() -> TableBuilder {
    table("PrincipalObjectAccess")
        .code(11)
        .unowned()
        .messages(TableMessages::READ_ONLY)
        .column(guid("ObjectId").read_only())
        .column(entity_name("ObjectTypeCode").read_only())
        .column(guid("PrincipalId").read_only())
        .column(entity_name("PrincipalTypeCode").read_only())
        .column(integer("AccessRightsMask", 0, i32::MAX).read_only())
        .column(integer("InheritedAccessRightsMask", 0, i32::MAX).read_only())
}
