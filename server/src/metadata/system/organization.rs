//! The organization's one row and its currencies.

use rust_decimal::Decimal;

use crate::metadata::{
    CascadeConfiguration, DateTimeBehavior, TableMessages,
    column::{
        boolean, choice_with_default, date_time, decimal_between, integer, lookup, memo, text,
    },
    table::{TableBuilder, table},
};

const FISCAL_PERIODS: &[(i32, &str)] = &[
    (2000, "Annually"),
    (2001, "Semiannually"),
    (2002, "Quarterly"),
    (2003, "Monthly"),
    (2004, "Every four weeks"),
];

const TRACE_SETTINGS: &[(i32, &str)] = &[(0, "Off"), (1, "Exception"), (2, "All")];

pub(super) fn tables() -> Vec<TableBuilder> {
    vec![organization(), currency()]
}

/// One row, made at initialization: it can be read and changed, never created or deleted.
///
/// Organization-owned for the decision, so that possession is access; which privileges it has is
/// an exception of PR-2.
fn organization() -> TableBuilder {
    table("Organization")
        .code(1019)
        .organization_owned()
        .stateless()
        .administrative()
        .messages(TableMessages {
            create: false,
            delete: false,
            ..TableMessages::ALL
        })
        .primary_name(text("Name", 160).system_required())
        .column(
            lookup("BaseCurrencyId", &["transactioncurrency"])
                .create_only()
                .relationship(
                    "transactioncurrency",
                    "basecurrency_organization",
                    CascadeConfiguration::RESTRICT,
                ),
        )
        .column(integer("LanguageCode", 0, i32::MAX))
        .column(boolean("IsAuditEnabled", false))
        .column(boolean("ShareToPreviousOwnerOnAssign", false))
        .column(integer("ExpireChangeTrackingInDays", 0, 365))
        .column(date_time("FiscalCalendarStart", DateTimeBehavior::DateOnly))
        .column(choice_with_default(
            "FiscalPeriodType",
            FISCAL_PERIODS,
            2002,
        ))
        .column(integer("MaxUploadFileSize", 0, 131_072_000))
        .column(integer("PricingDecimalPrecision", 0, 4))
        .column(integer("AuditRetentionPeriodV2", -1, 365_000))
        .column(choice_with_default(
            "PluginTraceLogSetting",
            TRACE_SETTINGS,
            0,
        ))
        .column(memo("OrgDbOrgSettings", 1_048_576))
}

fn currency() -> TableBuilder {
    // A rate of zero would make every base amount infinite (CR-10).
    let smallest_rate = Decimal::new(1, 10);
    let largest_rate = Decimal::from(100_000_000_000_i64);
    table("TransactionCurrency")
        .code(9105)
        .organization_owned()
        .primary_name(text("CurrencyName", 100).system_required())
        .column(
            text("ISOCurrencyCode", 5)
                .system_required()
                .create_only()
                .indexed(),
        )
        .column(text("CurrencySymbol", 10).system_required())
        .column(integer("CurrencyPrecision", 0, 10).system_required())
        .column(decimal_between("ExchangeRate", smallest_rate, largest_rate, 10).system_required())
}
