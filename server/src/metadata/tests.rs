//! What the shipped tables are, and what a description must not be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::fmt::Write as _;

use orgservice_security::{ObjectTypeCode, TableOwnership};

use super::{
    CascadeConfiguration, CascadeType, ColumnSource, ColumnType, Definitions, DefinitionsBuilder,
    DeleteCascade, ManyToMany, OneToMany, RelationshipDefinition, TableBuilder, TableMessages,
    column::{choice_with_default, integer, lookup, money, text},
    table,
};

fn shipped() -> Definitions {
    DefinitionsBuilder::system().build().unwrap()
}

fn one_to_many<'a>(definitions: &'a Definitions, name: &str) -> &'a OneToMany {
    match definitions.relationship(name).map(|found| &**found) {
        Some(RelationshipDefinition::OneToMany(found)) => found,
        other => panic!("`{name}` is {other:?}"),
    }
}

fn many_to_many<'a>(definitions: &'a Definitions, name: &str) -> &'a ManyToMany {
    match definitions.relationship(name).map(|found| &**found) {
        Some(RelationshipDefinition::ManyToMany(found)) => found,
        other => panic!("`{name}` is {other:?}"),
    }
}

/// Stored records hold these numbers: a line may be added, none may change.
#[test]
fn numbers_of_tables_and_columns_are_for_ever() {
    let definitions = shipped();
    let mut listing = String::new();
    for table in definitions.tables() {
        writeln!(listing, "{} {}", table.code, table.logical_name).unwrap();
        for column in table.columns.iter().filter(|column| column.number >= 100) {
            writeln!(listing, "  {} {}", column.number, column.name).unwrap();
        }
    }
    listing.push_str("system columns\n");
    let account = definitions.table("account").unwrap();
    let user = definitions.table("systemuser").unwrap();
    let currency = definitions.table("transactioncurrency").unwrap();
    let mut system: Vec<_> = [account, user, currency]
        .iter()
        .flat_map(|table| &table.columns)
        .filter(|column| (2..100).contains(&column.number))
        .map(|column| (column.number, &*column.name))
        .collect();
    system.sort_unstable();
    system.dedup();
    for (number, name) in system {
        writeln!(listing, "  {number} {name}").unwrap();
    }
    insta::assert_snapshot!(listing);
}

/// The table "Shipped relationships" of `messages.md` 7, and every other lookup.
#[test]
fn relationships_and_their_cascades() {
    let definitions = shipped();
    let mut lines = Vec::new();
    for relationship in definitions.relationships.values() {
        lines.push(match &**relationship {
            RelationshipDefinition::OneToMany(one) => {
                let cascade = one.cascade;
                let each = [
                    cascade.assign,
                    cascade.share,
                    cascade.unshare,
                    cascade.reparent,
                ];
                assert!(each.iter().all(|&same| same == cascade.assign), "{each:?}");
                format!(
                    "{}: {} <- {}.{} ({}) {:?} {:?}",
                    one.schema_name,
                    one.referenced,
                    one.referencing,
                    one.lookup,
                    one.lookup_number,
                    cascade.assign,
                    cascade.delete
                )
            }
            RelationshipDefinition::ManyToMany(many) => format!(
                "{}: {}.{} x {}.{} in {} ({})",
                many.schema_name,
                many.left.0,
                many.left.1,
                many.right.0,
                many.right.1,
                many.intersect,
                many.number
            ),
        });
    }
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn children_are_found_by_their_parent() {
    let definitions = shipped();
    let mut children: Vec<_> = definitions
        .children_of("account")
        .iter()
        .map(|child| &*child.schema_name)
        .collect();
    children.sort_unstable();
    assert_eq!(
        children,
        [
            "Account_Tasks",
            "account_parent_account",
            "account_team_regardingobjectid",
            "contact_customer_accounts"
        ]
    );
    assert!(definitions.children_of("no_such").is_empty());
    for table in definitions.tables() {
        for child in definitions.children_of(&table.logical_name) {
            let referencing = definitions.table(&child.referencing).unwrap();
            let column = referencing.column_by_number(child.lookup_number).unwrap();
            assert_eq!(column.name, child.lookup);
            if column.source == ColumnSource::Stored {
                let indexed = referencing
                    .indexes
                    .iter()
                    .any(|index| index.columns == [column.number] && index.number == column.number);
                assert!(
                    indexed,
                    "{} has no index to find children by",
                    child.schema_name
                );
            }
        }
    }
}

/// Each key costs every write; who adds one here has weighed that.
#[test]
fn indexes_are_few() {
    let definitions = shipped();
    let indexed = |table: &str| -> Vec<&str> {
        let table = definitions.table(table).unwrap();
        let keys = table.keys();
        assert_eq!(keys.otc, table.code.0);
        let columns = keys.indexes.iter().flat_map(|index| &index.columns);
        columns
            .map(|&number| &*table.column_by_number(number).unwrap().name)
            .collect()
    };
    let account = [
        "transactioncurrencyid",
        "name",
        "accountnumber",
        "primarycontactid",
    ];
    assert_eq!(
        indexed("account"),
        [&account[..], &["parentaccountid"]].concat()
    );
    assert_eq!(indexed("task"), ["subject", "regardingobjectid"]);
    assert_eq!(indexed("teammembership"), ["teamid", "systemuserid"]);
    assert_eq!(indexed("principalobjectaccess"), [""; 0]);
    let user = [
        "domainname",
        "azureactivedirectoryobjectid",
        "applicationid",
    ];
    let user_indexes = indexed("systemuser");
    assert!(
        user.iter().all(|column| user_indexes.contains(column)),
        "{user_indexes:?}"
    );
    let keys = |table: &str| {
        let keys = definitions.table(table).unwrap().keys();
        (keys.owned, keys.has_business_unit)
    };
    assert_eq!(keys("account"), (true, true));
    assert_eq!(keys("role"), (false, true));
    assert_eq!(keys("transactioncurrency"), (false, false));
}

#[test]
fn sy_8_an_intersect_table_names_its_two_columns() {
    let definitions = shipped();
    let members = definitions.table("teammembership").unwrap();
    let (left, right) = members.intersect.as_ref().unwrap();
    assert_eq!((&**left, &**right), ("teamid", "systemuserid"));
    assert_eq!(members.messages, TableMessages::READ_ONLY);
    assert!(members.column("createdon").is_none());
    assert!(members.column("versionnumber").is_some());
    let relationship = many_to_many(&definitions, "teammembership_association");
    assert_eq!(&*relationship.intersect, "teammembership");
    assert_eq!(relationship.number, 23);
}

#[test]
fn sy_9_activities_have_their_own_number_and_shared_privileges() {
    let definitions = shipped();
    let task = definitions.table("task").unwrap();
    assert_eq!(
        (task.code, task.facts.code),
        (ObjectTypeCode(4212), ObjectTypeCode(4200))
    );
    assert!(task.is_activity);
    assert_eq!(&*task.primary_id_column().name, "activityid");
    assert!(!definitions.table("activitypointer").unwrap().is_activity);
    assert_eq!(
        definitions
            .table_by_code(ObjectTypeCode(4212))
            .unwrap()
            .logical_name,
        task.logical_name
    );
}

#[test]
fn sy_1_to_sy_7_system_columns_follow_ownership() {
    let definitions = shipped();
    let has =
        |table: &str, column: &str| definitions.table(table).unwrap().column(column).is_some();
    for (table, column, expected) in [
        ("account", "ownerid", true),
        ("account", "organizationid", false),
        ("account", "statecode", true),
        ("account", "revenue_base", true),
        ("account", "exchangerate", true),
        ("transactioncurrency", "organizationid", true),
        ("transactioncurrency", "ownerid", false),
        ("systemuser", "businessunitid", true),
        ("systemuser", "statecode", false),
        ("systemuser", "exchangerate", false),
        ("businessunit", "parentbusinessunitid", true),
        ("role", "statecode", false),
        ("privilege", "createdon", false),
    ] {
        assert_eq!(has(table, column), expected, "{table}.{column}");
    }
    let account = definitions.table("account").unwrap();
    let valid = |name: &str| {
        let column = account.column(name).unwrap();
        (column.valid_for_create, column.valid_for_update)
    };
    assert_eq!(valid("createdby"), (false, false));
    assert_eq!(valid("overriddencreatedon"), (true, false));
    assert_eq!(valid("importsequencenumber"), (true, false));
    assert_eq!(valid("owningbusinessunit"), (false, false));
    assert_eq!(valid("revenue_base"), (false, false));
    let Some(ColumnType::Money { base, .. }) = account.column("revenue").map(|c| &c.kind) else {
        panic!("revenue is no money");
    };
    assert_eq!(
        account
            .column_by_number(base.unwrap())
            .unwrap()
            .name
            .as_ref(),
        "revenue_base"
    );
    assert_eq!(
        definitions.table("systemuser").unwrap().ownership(),
        TableOwnership::BusinessOwned
    );
}

#[test]
fn up_7_states_and_their_default_reasons() {
    let definitions = shipped();
    let task = definitions.table("task").unwrap();
    assert_eq!(task.default_status(0), Some(2));
    assert_eq!(task.default_status(1), Some(5));
    assert_eq!(task.state_of_status(6), Some(2));
    assert_eq!(task.state_of_status(99), None);
    assert_eq!(definitions.table("team").unwrap().default_status(0), None);
}

#[test]
fn cascades_can_be_set_for_one_relationship_or_all() {
    let active = CascadeConfiguration::of(CascadeType::Active, DeleteCascade::Restrict);
    let definitions = DefinitionsBuilder::system()
        .no_cascade()
        .cascade("account_parent_account", active)
        .build()
        .unwrap();
    assert_eq!(
        one_to_many(&definitions, "account_parent_account").cascade,
        active
    );
    let others = [
        "Account_Tasks",
        "transactioncurrency_account",
        "user_parent_user",
    ];
    for other in others {
        assert_eq!(
            one_to_many(&definitions, other).cascade,
            CascadeConfiguration::NONE
        );
    }
    let units = one_to_many(&definitions, "business_unit_teams").cascade;
    assert_eq!(units, CascadeConfiguration::RESTRICT);
}

#[test]
fn a_table_of_one_s_own_gets_system_columns_and_the_next_code() {
    let definitions = DefinitionsBuilder::system()
        .table(
            table("x_Rate")
                .organization_owned()
                .primary_name(text("x_Name", 100)),
        )
        .table(
            table("x_Order")
                .column(lookup("x_RateId", &["x_rate"]))
                .column(money("x_Amount", 0)),
        )
        .build()
        .unwrap();
    let rate = definitions.table("x_rate").unwrap();
    assert_eq!(rate.code, ObjectTypeCode(10_000));
    assert_eq!(rate.ownership(), TableOwnership::OrganizationOwned);
    assert_eq!(&*rate.primary_name_column().unwrap().name, "x_name");
    let order = definitions.table("x_order").unwrap();
    assert_eq!(order.code, ObjectTypeCode(10_001));
    assert_eq!(order.column("x_amount_base").unwrap().number, 102);
    assert!(order.has_state && order.column("ownerid").is_some());
    assert_eq!(
        &*one_to_many(&definitions, "x_rate_x_order_x_rateid").lookup,
        "x_rateid"
    );
    assert_eq!(
        one_to_many(&definitions, "transactioncurrency_x_order").lookup_number,
        20
    );
}

#[test]
fn a_description_that_contradicts_itself_is_refused() {
    let refused = |table: TableBuilder, expected: &str| {
        let error = DefinitionsBuilder::system()
            .table(table)
            .build()
            .unwrap_err();
        assert!(
            error.contains(expected),
            "`{error}` does not say `{expected}`"
        );
    };
    refused(table("Account"), "defined twice");
    refused(table("x_a").code(1), "share code 1");
    refused(table("x a"), "no logical name");
    refused(
        table("x_a").column(text("x_t", 10)).column(text("x_T", 10)),
        "two columns `x_t`",
    );
    refused(
        table("x_a").column(text("CreatedOn", 10)),
        "two columns `createdon`",
    );
    refused(table("x_a").column(text("x_t", 4001)), "max length");
    refused(table("x_a").column(integer("x_i", 2, 1)), "min is larger");
    refused(
        table("x_a").column(choice_with_default("x_c", &[(1, "A")], 2)),
        "no option",
    );
    refused(
        table("x_a").column(lookup("x_l", &["no_such"])),
        "does not exist",
    );
    refused(table("x_a").column(lookup("x_l", &[])), "no target");
    refused(
        table("x_a").column(text("x_t", 10).system_required()),
        "required by the system",
    );
    refused(
        table("x_a").states(&[(0, "On")], &[(1, "Off", 1)]),
        "belongs to no state",
    );
    refused(
        table("x_a").states(&[(0, "On"), (1, "Off")], &[(1, "On", 0)]),
        "no status reason",
    );
    let stray =
        lookup("x_l", &["contact"]).relationship("account", "x_r", CascadeConfiguration::NONE);
    refused(table("x_a").column(stray), "its lookup does not");
    let twice = lookup("x_l", &["contact"]).relationship(
        "contact",
        "account_primary_contact",
        CascadeConfiguration::NONE,
    );
    refused(table("x_a").column(twice), "defined twice");
    let error = DefinitionsBuilder::system()
        .cascade("no_such", CascadeConfiguration::NONE)
        .build()
        .unwrap_err();
    assert!(error.contains("no relationship `no_such`"), "{error}");
}
