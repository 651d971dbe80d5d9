//! Accounts and contacts.

use crate::metadata::{
    CascadeConfiguration, DateTimeBehavior,
    column::{
        ColumnBuilder, boolean, choice, date_time, integer, labelled_boolean, lookup, memo, money,
        text,
    },
    table::{TableBuilder, table},
};

const ACCOUNT_CATEGORIES: &[(i32, &str)] = &[(1, "Preferred Customer"), (2, "Standard")];

const INDUSTRIES: &[(i32, &str)] = &[
    (1, "Accounting"),
    (2, "Agriculture and Non-petrol Natural Resource Extraction"),
    (3, "Broadcasting Printing and Publishing"),
    (4, "Brokers"),
    (5, "Building Supply Retail"),
    (6, "Business Services"),
    (7, "Consulting"),
    (8, "Consumer Services"),
    (9, "Design, Direction and Creative Management"),
    (10, "Distributors, Dispatchers and Processors"),
    (11, "Doctor's Offices and Clinics"),
    (12, "Durable Manufacturing"),
    (13, "Eating and Drinking Places"),
    (14, "Entertainment Retail"),
    (15, "Equipment Rental and Leasing"),
    (16, "Financial"),
    (17, "Food and Tobacco Processing"),
    (18, "Inbound Capital Intensive Processing"),
    (19, "Inbound Repair and Services"),
    (20, "Insurance"),
    (21, "Legal Services"),
    (22, "Non-Durable Merchandise Retail"),
    (23, "Outbound Consumer Service"),
    (24, "Petrochemical Extraction and Distribution"),
    (25, "Service Retail"),
    (26, "SIG Affiliations"),
    (27, "Social Services"),
    (28, "Special Outbound Trade Contractors"),
    (29, "Specialty Realty"),
    (30, "Transportation"),
    (31, "Utility Creation and Distribution"),
    (32, "Vehicle Retail"),
    (33, "Wholesale"),
];

const GENDERS: &[(i32, &str)] = &[(1, "Male"), (2, "Female")];

/// `(label of true, label of false)`: true forbids.
const DO_NOT_ALLOW: (&str, &str) = ("Do Not Allow", "Allow");

pub(super) fn tables() -> Vec<TableBuilder> {
    vec![account(), contact()]
}

fn account() -> TableBuilder {
    table("Account")
        .code(1)
        .primary_name(text("Name", 160).business_required())
        .column(text("AccountNumber", 20).indexed())
        .column(text("Telephone1", 50))
        .column(text("EMailAddress1", 100))
        .column(text("WebSiteURL", 200))
        .columns(address())
        .column(lookup("PrimaryContactId", &["contact"]).relationship(
            "contact",
            "account_primary_contact",
            CascadeConfiguration::NONE,
        ))
        .column(lookup("ParentAccountId", &["account"]).relationship(
            "account",
            "account_parent_account",
            CascadeConfiguration::FOLLOWING,
        ))
        .column(money("Revenue", 0))
        .column(money("CreditLimit", 0))
        .column(labelled_boolean("CreditOnHold", false, ("Yes", "No")))
        .column(integer("NumberOfEmployees", 0, 1_000_000_000))
        .column(choice("AccountCategoryCode", ACCOUNT_CATEGORIES))
        .column(choice("IndustryCode", INDUSTRIES))
        .column(memo("Description", 2000))
        .column(date_time("LastOnHoldTime", DateTimeBehavior::UserLocal))
        .column(labelled_boolean("DoNotEMail", false, DO_NOT_ALLOW))
        .column(text("Telephone2", 50))
        .column(text("Fax", 50))
        .column(text("SIC", 20))
        .column(text("TickerSymbol", 10))
}

fn contact() -> TableBuilder {
    table("Contact")
        .code(2)
        .primary_name(text("FullName", 160).read_only())
        .column(text("FirstName", 50))
        .column(text("MiddleName", 50))
        .column(text("LastName", 50).business_required())
        .column(text("EMailAddress1", 100))
        .column(text("Telephone1", 50))
        .column(text("MobilePhone", 50))
        .column(text("JobTitle", 100))
        .column(date_time("BirthDate", DateTimeBehavior::DateOnly))
        .column(
            lookup("ParentCustomerId", &["account", "contact"])
                .relationship(
                    "account",
                    "contact_customer_accounts",
                    CascadeConfiguration::PARENTAL,
                )
                .relationship(
                    "contact",
                    "contact_customer_contacts",
                    CascadeConfiguration::PARENTAL,
                ),
        )
        .column(money("AnnualIncome", 0))
        .columns(address())
        .column(choice("GenderCode", GENDERS))
        .column(memo("Description", 2000))
        .column(labelled_boolean("DoNotEMail", false, DO_NOT_ALLOW))
        .column(boolean("CreditOnHold", false))
        .column(text("Telephone2", 50))
        .column(text("Fax", 50))
        .column(text("Department", 100))
        .column(text("Salutation", 100))
}

/// The first address, which belongs to the customer's own row.
fn address() -> Vec<ColumnBuilder> {
    vec![
        text("Address1_Name", 200),
        text("Address1_Line1", 250),
        text("Address1_Line2", 250),
        text("Address1_Line3", 250),
        text("Address1_City", 80),
        text("Address1_StateOrProvince", 50),
        text("Address1_PostalCode", 20),
        text("Address1_Country", 80),
        text("Address1_County", 50),
        text("Address1_PostOfficeBox", 20),
        text("Address1_Telephone1", 50),
    ]
}
