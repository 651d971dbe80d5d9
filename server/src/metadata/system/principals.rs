//! Business units, users and teams (`security.md` 1).

use super::columns;
use crate::metadata::{
    CascadeConfiguration, TableMessages,
    column::{
        ColumnBuilder, boolean, choice_with_default, guid, labelled_boolean, lookup, memo, text,
    },
    table::{TableBuilder, table},
};

/// U-3.
const ACCESS_MODES: &[(i32, &str)] = &[
    (0, "Read-Write"),
    (1, "Administrative"),
    (2, "Read"),
    (3, "Support User"),
    (4, "Non-interactive"),
    (5, "Delegated Admin"),
];

/// `security.md` 1.3.
const TEAM_TYPES: &[(i32, &str)] = &[
    (0, "Owner"),
    (1, "Access"),
    (2, "Security Group"),
    (3, "Office Group"),
];

const MEMBERSHIP_TYPES: &[(i32, &str)] = &[
    (0, "Members and guests"),
    (1, "Members"),
    (2, "Owners"),
    (3, "Guests"),
];

pub(super) fn tables() -> Vec<TableBuilder> {
    vec![business_unit(), system_user(), team(), team_membership()]
}

fn business_unit() -> TableBuilder {
    table("BusinessUnit")
        .code(10)
        .business_owned()
        .administrative()
        .primary_name(text("Name", 160).system_required())
        .column(
            lookup("ParentBusinessUnitId", &["businessunit"]).relationship(
                "businessunit",
                "business_unit_parent_business_unit",
                CascadeConfiguration::RESTRICT,
            ),
        )
        .column(is_disabled())
        .column(text("DisabledReason", 500).read_only())
        .column(memo("Description", 2000))
        .column(text("DivisionName", 100))
}

/// Users are disabled, never deleted (DE-4).
fn system_user() -> TableBuilder {
    table("SystemUser")
        .code(8)
        .business_owned()
        .administrative()
        .messages(TableMessages {
            delete: false,
            ..TableMessages::ALL
        })
        .business_unit(of_business_unit("business_unit_system_users"))
        .currency("TransactionCurrency_SystemUser")
        .primary_name(text("FullName", 200).read_only())
        .column(text("DomainName", 1024).indexed())
        .column(text("FirstName", 256))
        .column(text("MiddleName", 50))
        .column(text("LastName", 256))
        .column(text("InternalEMailAddress", 100))
        .column(is_disabled())
        .column(choice_with_default("AccessMode", ACCESS_MODES, 0))
        .column(guid("AzureActiveDirectoryObjectId").indexed())
        .column(guid("ApplicationId").indexed())
        .column(lookup("ParentSystemUserId", &["systemuser"]).relationship(
            "systemuser",
            "user_parent_user",
            CascadeConfiguration::NONE,
        ))
        .column(boolean("SetupUser", false).read_only())
        .column(boolean("IsIntegrationUser", false).read_only())
        .column(text("Title", 128))
        .column(text("JobTitle", 100))
        .column(text("MobilePhone", 64))
}

fn team() -> TableBuilder {
    table("Team")
        .code(9)
        .business_owned()
        .administrative()
        .business_unit(of_business_unit("business_unit_teams"))
        .primary_name(text("Name", 160).system_required())
        .column(choice_with_default("TeamType", TEAM_TYPES, 0))
        .column(lookup("AdministratorId", &["systemuser"]).relationship(
            "systemuser",
            "lk_teambase_administratorid",
            CascadeConfiguration::NONE,
        ))
        .column(boolean("IsDefault", false).read_only())
        .column(guid("AzureActiveDirectoryObjectId").indexed())
        .column(choice_with_default("MembershipType", MEMBERSHIP_TYPES, 0))
        .column(lookup("RegardingObjectId", &["account", "contact"]))
        .column(memo("Description", 2000))
        .column(text("EMailAddress", 100))
}

fn team_membership() -> TableBuilder {
    table("TeamMembership")
        .code(23)
        .unowned()
        .administrative()
        .intersection(
            "teammembership_association",
            ("team", "TeamId"),
            ("systemuser", "SystemUserId"),
        )
}

fn of_business_unit(relationship: &str) -> ColumnBuilder {
    columns::business_unit().relationship(
        "businessunit",
        relationship,
        CascadeConfiguration::RESTRICT,
    )
}

fn is_disabled() -> ColumnBuilder {
    labelled_boolean("IsDisabled", false, ("Disabled", "Enabled"))
}
