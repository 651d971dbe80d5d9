//! The commands, one file for each kind of thing.

pub mod business_unit;
pub mod execute;
pub mod query;
pub mod records;
pub mod role;
pub mod team;
pub mod token;
pub mod user;

use orgservice_client::{Entity, EntityCollection, QueryExpression};
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
