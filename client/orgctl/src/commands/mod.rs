//! The commands, one file for each kind of thing.

pub mod business_unit;
pub mod execute;
pub mod query;
pub mod records;
pub mod role;
pub mod team;
pub mod token;
pub mod user;

use orgservice_client::{Entity, EntityCollection, QueryExpression, Uuid, column};
use serde_json::json;

use crate::{failure::Result, output::Output, session::Session};

/// Shows which user the calls run for, with names as far as they may be read.
pub async fn who_am_i(session: &Session, out: &mut Output) -> Result<()> {
    let me = session.service.who_am_i().await?;
    if out.is_json() {
        return out.json(&json!({
            "userId": me.user_id,
            "businessUnitId": me.business_unit_id,
            "organizationId": me.organization_id,
        }));
    }
    let name = crate::names::label(&session.service, me.user_id).await;
    out.table(
        &["", "id", "name"],
        vec![
            vec!["user".to_owned(), me.user_id.to_string(), name],
            vec![
                "business unit".to_owned(),
                me.business_unit_id.to_string(),
                String::new(),
            ],
            vec![
                "organization".to_owned(),
                me.organization_id.to_string(),
                String::new(),
            ],
        ],
    )
}

/// Shows version, storage and limits of the server.
pub async fn server_info(session: &Session, out: &mut Output) -> Result<()> {
    let info = session.service.server_info().await?;
    let start_time = info
        .start_time
        .map(|time| time.to_string())
        .unwrap_or_default();
    if out.is_json() {
        return out.json(&json!({
            "version": info.version,
            "organizationId": info.organization_id,
            "storageEngine": info.storage_engine,
            "storageFormatVersion": info.storage_format_version,
            "startTime": start_time,
            "limits": info.limits,
        }));
    }
    let mut rows = vec![
        vec!["version".to_owned(), info.version],
        vec!["organization".to_owned(), info.organization_id.to_string()],
        vec!["storage engine".to_owned(), info.storage_engine],
        vec![
            "storage format".to_owned(),
            info.storage_format_version.to_string(),
        ],
        vec!["started".to_owned(), start_time],
    ];
    rows.extend(
        info.limits
            .into_iter()
            .map(|(limit, value)| vec![limit, value]),
    );
    out.table(&["fact or limit", "value"], rows)
}

/// The other ends of a record's links: from the rows of an intersection table, which names both ends.
async fn linked(
    session: &Session,
    intersection: &str,
    (column_of_one, one): (&str, Uuid),
    column_of_other: &str,
) -> Result<Vec<Uuid>> {
    let query = QueryExpression::new(intersection)
        .columns([column_of_other])
        .filter(column(column_of_one).equal(one));
    let mut rows = session.service.stream::<Entity>(&query);
    let mut others = Vec::new();
    while let Some(row) = rows.try_next().await? {
        others.push(row.get(column_of_other)?);
    }
    Ok(others)
}

/// Shows records of a table by their ids, ordered by the first column.
async fn list_of(
    session: &Session,
    out: &mut Output,
    table: &str,
    ids: Vec<Uuid>,
    columns: &[&str],
) -> Result<()> {
    // `in` wants at least one value (FI-6).
    if ids.is_empty() {
        let columns: Vec<_> = columns.iter().map(|column| (*column).to_owned()).collect();
        return out.records(&EntityCollection::default(), &columns);
    }
    let mut query = QueryExpression::new(table).filter(column(format!("{table}id")).is_in(ids));
    if let Some(first) = columns.first() {
        query = query.order_by(*first);
    }
    list(session, out, query, columns).await
}

/// Shows all rows of a query under its columns.
async fn list(
    session: &Session,
    out: &mut Output,
    query: QueryExpression,
    columns: &[&str],
) -> Result<()> {
    let query = query.columns(columns.iter().copied());
    let mut rows = session.service.stream::<Entity>(&query);
    let mut records = EntityCollection::default();
    while let Some(record) = rows.try_next().await? {
        records.entities.push(record);
    }
    let columns: Vec<_> = columns.iter().map(|column| (*column).to_owned()).collect();
    out.records(&records, &columns)
}
