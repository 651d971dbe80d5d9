//! The system columns of section 6: one number for all tables, 1 to 99.

use crate::metadata::{
    ColumnSource, DateTimeBehavior,
    column::{self, ColumnBuilder},
};

/// Numbers of the system columns in a stored record. Never reused, never changed: stores on disk
/// hold them.
#[allow(missing_docs, reason = "each one is the column of that name")]
pub mod number {
    pub const PRIMARY_ID: u16 = 1;
    pub const CREATED_ON: u16 = 2;
    pub const CREATED_BY: u16 = 3;
    pub const CREATED_ON_BEHALF_BY: u16 = 4;
    pub const MODIFIED_ON: u16 = 5;
    pub const MODIFIED_BY: u16 = 6;
    pub const MODIFIED_ON_BEHALF_BY: u16 = 7;
    pub const OVERRIDDEN_CREATED_ON: u16 = 8;
    pub const IMPORT_SEQUENCE_NUMBER: u16 = 9;
    pub const VERSION_NUMBER: u16 = 10;
    pub const TIME_ZONE_RULE_VERSION_NUMBER: u16 = 11;
    pub const UTC_CONVERSION_TIME_ZONE_CODE: u16 = 12;
    pub const OWNER_ID: u16 = 13;
    pub const OWNING_USER: u16 = 14;
    pub const OWNING_TEAM: u16 = 15;
    pub const OWNING_BUSINESS_UNIT: u16 = 16;
    pub const ORGANIZATION_ID: u16 = 17;
    pub const STATE_CODE: u16 = 18;
    pub const STATUS_CODE: u16 = 19;
    pub const TRANSACTION_CURRENCY_ID: u16 = 20;
    pub const EXCHANGE_RATE: u16 = 21;
    pub const BUSINESS_UNIT_ID: u16 = 22;

    /// The first number of a table's own columns.
    pub const FIRST_OWN: u16 = 100;
}

pub(in crate::metadata) fn primary_id(schema_name: &str) -> ColumnBuilder {
    column::guid(schema_name)
        .numbered(number::PRIMARY_ID)
        .source(ColumnSource::PrimaryId)
        .system_required()
        .create_only()
}

pub(in crate::metadata) fn version_number() -> ColumnBuilder {
    column::big_int("VersionNumber")
        .numbered(number::VERSION_NUMBER)
        .source(ColumnSource::RowVersion)
        .read_only()
}

/// Who and when (SY-1, SY-7).
pub(in crate::metadata) fn stamps() -> Vec<ColumnBuilder> {
    vec![
        moment("CreatedOn", number::CREATED_ON).read_only(),
        user("CreatedBy", number::CREATED_BY),
        user("CreatedOnBehalfBy", number::CREATED_ON_BEHALF_BY),
        moment("ModifiedOn", number::MODIFIED_ON).read_only(),
        user("ModifiedBy", number::MODIFIED_BY),
        user("ModifiedOnBehalfBy", number::MODIFIED_ON_BEHALF_BY),
        moment("OverriddenCreatedOn", number::OVERRIDDEN_CREATED_ON).create_only(),
        column::integer("ImportSequenceNumber", i32::MIN, i32::MAX)
            .numbered(number::IMPORT_SEQUENCE_NUMBER)
            .create_only(),
        column::integer("TimeZoneRuleVersionNumber", -1, i32::MAX)
            .numbered(number::TIME_ZONE_RULE_VERSION_NUMBER),
        column::integer("UTCConversionTimeZoneCode", -1, i32::MAX)
            .numbered(number::UTC_CONVERSION_TIME_ZONE_CODE),
    ]
}

fn moment(schema_name: &str, number: u16) -> ColumnBuilder {
    column::date_time(schema_name, DateTimeBehavior::UserLocal).numbered(number)
}

fn user(schema_name: &str, number: u16) -> ColumnBuilder {
    column::lookup(schema_name, &["systemuser"])
        .numbered(number)
        .read_only()
        .unrelated()
}

/// Owner and what follows from it (SY-2).
pub(in crate::metadata) fn ownership() -> Vec<ColumnBuilder> {
    vec![
        column::owner()
            .numbered(number::OWNER_ID)
            .source(ColumnSource::Owner)
            .system_required(),
        derived(
            "OwningUser",
            "systemuser",
            number::OWNING_USER,
            ColumnSource::OwningUser,
        ),
        derived(
            "OwningTeam",
            "team",
            number::OWNING_TEAM,
            ColumnSource::OwningTeam,
        ),
        derived(
            "OwningBusinessUnit",
            "businessunit",
            number::OWNING_BUSINESS_UNIT,
            ColumnSource::BusinessUnit,
        ),
    ]
}

/// `organizationid` of an organization-owned table (SY-3).
pub(in crate::metadata) fn organization() -> ColumnBuilder {
    derived(
        "OrganizationId",
        "organization",
        number::ORGANIZATION_ID,
        ColumnSource::Organization,
    )
}

fn derived(schema_name: &str, target: &str, number: u16, source: ColumnSource) -> ColumnBuilder {
    column::lookup(schema_name, &[target])
        .numbered(number)
        .source(source)
        .read_only()
        .unrelated()
}

/// `businessunitid` of a user, team or role (SY-3): the header's business unit.
pub(in crate::metadata) fn business_unit() -> ColumnBuilder {
    column::lookup("BusinessUnitId", &["businessunit"])
        .numbered(number::BUSINESS_UNIT_ID)
        .source(ColumnSource::BusinessUnit)
        .system_required()
}

/// Currency of a table's amounts (SY-5).
pub(in crate::metadata) fn currency() -> ColumnBuilder {
    column::lookup("TransactionCurrencyId", &["transactioncurrency"])
        .numbered(number::TRANSACTION_CURRENCY_ID)
}

/// The currency's rate as of the last change of an amount (CR-10).
pub(in crate::metadata) fn exchange_rate() -> ColumnBuilder {
    column::decimal("ExchangeRate", 10)
        .numbered(number::EXCHANGE_RATE)
        .read_only()
}

/// `statecode` and `statuscode` (SY-4).
pub(in crate::metadata) fn states(
    states: &[(i32, &str)],
    statuses: &[(i32, &str, i32)],
) -> [ColumnBuilder; 2] {
    [
        column::state(states)
            .numbered(number::STATE_CODE)
            .system_required(),
        column::status(statuses)
            .numbered(number::STATUS_CODE)
            .system_required(),
    ]
}
