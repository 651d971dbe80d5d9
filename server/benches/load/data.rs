//! The records of the measurement and the calls about them: the same for every server.

use std::collections::BTreeMap;

use fastrand::Rng;
use orgservice::v1::{
    ColumnSet, CreateRequest, Entity, EntityReference, PagingInfo, Query, QueryExpression,
    RetrieveMultipleRequest, RetrieveRequest, UpdateRequest, Value, query, value::Kind,
};
use uuid::Uuid;

/// Rows of one page.
pub const PAGE_ROWS: usize = 50;

/// The table of all measured records.
pub const TABLE: &str = "account";

/// The eight columns of a record: about 300 bytes in the contract's encoding.
pub const COLUMNS: [&str; 8] = [
    "accountnumber",
    "address1_city",
    "address1_line1",
    "description",
    "emailaddress1",
    "name",
    "numberofemployees",
    "telephone1",
];

/// The id of a stored record: spread over the whole range, and known to every process by its number.
pub fn record_id(number: usize) -> Uuid {
    Uuid::from_u128(Rng::with_seed(number as u64).u128(..))
}

/// What the columns of a record hold.
pub enum Content {
    Text(String),
    Number(i32),
}

/// The columns of a record; `salt` makes records differ.
pub fn columns(salt: u64) -> [(&'static str, Content); 8] {
    let text = |text: String| Content::Text(text);
    [
        ("accountnumber", text(format!("AC-{salt:010}"))),
        ("address1_city", text("Redmond".into())),
        ("address1_line1", text("3210 Northeast 36th Street".into())),
        (
            "description",
            text("Takes deliveries on weekday mornings; calls go to the front desk first.".into()),
        ),
        (
            "emailaddress1",
            text(format!("office-{salt}@fabrikam.example")),
        ),
        ("name", text(format!("Fabrikam Manufacturing {salt}"))),
        ("numberofemployees", Content::Number((salt % 50_000) as i32)),
        (
            "telephone1",
            text(format!("+1 425 555 {:04}", salt % 10_000)),
        ),
    ]
}

fn attributes(salt: u64) -> BTreeMap<String, Value> {
    columns(salt)
        .into_iter()
        .map(|(name, content)| {
            let kind = match content {
                Content::Text(text) => Kind::StringValue(text),
                Content::Number(number) => Kind::IntegerValue(number),
            };
            (name.to_owned(), kind.into())
        })
        .collect()
}

fn column_set() -> ColumnSet {
    ColumnSet {
        all_columns: false,
        columns: COLUMNS.map(str::to_owned).into(),
    }
}

/// Retrieve of one stored record.
pub fn retrieve(id: Uuid) -> RetrieveRequest {
    RetrieveRequest {
        target: Some(EntityReference {
            logical_name: TABLE.to_owned(),
            id: id.to_string(),
            ..EntityReference::default()
        }),
        column_set: Some(column_set()),
        ..RetrieveRequest::default()
    }
}

/// Create of one more record.
pub fn create(rng: &mut Rng) -> CreateRequest {
    CreateRequest {
        target: Some(Entity {
            logical_name: TABLE.to_owned(),
            attributes: attributes(rng.u64(..1 << 40)),
            ..Entity::default()
        }),
        ..CreateRequest::default()
    }
}

/// Update of two columns of one stored record.
pub fn update(number: usize, rng: &mut Rng) -> UpdateRequest {
    let telephone = format!("+1 425 555 {:04}", rng.u32(..10_000));
    let employees = rng.i32(0..50_000);
    UpdateRequest {
        target: Some(Entity {
            logical_name: TABLE.to_owned(),
            id: record_id(number).to_string(),
            attributes: [
                ("telephone1".to_owned(), Kind::StringValue(telephone).into()),
                (
                    "numberofemployees".to_owned(),
                    Kind::IntegerValue(employees).into(),
                ),
            ]
            .into(),
            ..Entity::default()
        }),
        ..UpdateRequest::default()
    }
}

/// RetrieveMultiple of the first page of the caller's records.
pub fn page() -> RetrieveMultipleRequest {
    let expression = QueryExpression {
        entity_name: TABLE.to_owned(),
        column_set: Some(column_set()),
        page_info: Some(PagingInfo {
            page_number: 1,
            count: PAGE_ROWS as i32,
            ..PagingInfo::default()
        }),
        ..QueryExpression::default()
    };
    RetrieveMultipleRequest {
        query: Some(Query {
            query: Some(query::Query::QueryExpression(expression)),
        }),
        ..RetrieveMultipleRequest::default()
    }
}
