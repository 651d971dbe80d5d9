//! From names, as people write them, to records: users, teams, roles, business units.
//!
//! A GUID is taken as it is and never looked up. A name that fits nothing or several records is an error that
//! says so; the first of several is never taken.

use std::collections::BTreeMap;

use orgservice_client::{
    AccessExplanation, AccessRights, Entity, EntityReference, Filter, OrganizationServiceClient,
    QueryExpression, Uuid, column,
};

use crate::{
    failure::{Failure, Result},
    value::guid,
};

/// More records of one name than this are not listed in the error.
const NAMESAKES_MAX: u32 = 10;

/// The name column of the shipped tables; `None` for tables that the contract's users made.
pub fn name_column(table: &str) -> Option<&'static str> {
    Some(match table {
        "account"
        | "team"
        | "role"
        | "businessunit"
        | "privilege"
        | "organization"
        | "position"
        | "fieldsecurityprofile"
        | "sdkmessage" => "name",
        "contact" | "systemuser" => "fullname",
        "task" | "phonecall" | "email" | "appointment" | "letter" | "fax" | "activitypointer"
        | "annotation" => "subject",
        "transactioncurrency" => "currencyname",
        _ => return None,
    })
}

/// The one record that a query finds.
async fn only(
    service: &OrganizationServiceClient,
    what: &str,
    text: &str,
    query: QueryExpression,
) -> Result<Entity> {
    let mut found = service
        .retrieve_multiple(query.top(NAMESAKES_MAX))
        .await?
        .entities;
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(Failure::usage(format!("no {what} is named `{text}`"))),
        (Some(record), true) => Ok(record),
        (Some(last), false) => {
            let ids: Vec<_> = found
                .iter()
                .chain([&last])
                .filter_map(|record| record.id)
                .map(|id| format!("\n  {id}"))
                .collect();
            Err(Failure::usage(format!(
                "several records are {what} `{text}`; give the id of one:{}",
                ids.concat()
            )))
        }
    }
}

/// The id of the one record of a table that a filter finds.
async fn find(
    service: &OrganizationServiceClient,
    table: &str,
    what: &str,
    text: &str,
    filter: Filter,
) -> Result<Uuid> {
    if let Some(id) = guid(text) {
        return Ok(id);
    }
    let record = only(
        service,
        what,
        text,
        QueryExpression::new(table).filter(filter),
    )
    .await?;
    id_of(&record)
}

/// The id of a record that was read.
pub fn id_of(record: &Entity) -> Result<Uuid> {
    record.id.ok_or_else(|| {
        orgservice_client::ConvertError::new("id", "Uniqueidentifier", "no value").into()
    })
}

/// A user, by id, domain name, full name or e-mail address.
pub async fn user(service: &OrganizationServiceClient, text: &str) -> Result<Uuid> {
    let filter = column("domainname")
        .equal(text)
        .or(column("fullname").equal(text))
        .or(column("internalemailaddress").equal(text));
    find(service, "systemuser", "user", text, filter).await
}

/// A team, by id or name.
pub async fn team(service: &OrganizationServiceClient, text: &str) -> Result<Uuid> {
    find(service, "team", "team", text, column("name").equal(text)).await
}

/// A business unit, by id or name.
pub async fn business_unit(service: &OrganizationServiceClient, text: &str) -> Result<Uuid> {
    let filter = column("name").equal(text);
    find(service, "businessunit", "business unit", text, filter).await
}

/// The root business unit: the one without a parent (BU-1).
pub async fn root_business_unit(service: &OrganizationServiceClient) -> Result<Uuid> {
    let query =
        QueryExpression::new("businessunit").filter(column("parentbusinessunitid").is_null());
    id_of(&only(service, "business unit", "root", query).await?)
}

/// The business unit of that name, or the root one.
pub async fn business_unit_or_root(
    service: &OrganizationServiceClient,
    text: Option<&str>,
) -> Result<Uuid> {
    match text {
        Some(text) => business_unit(service, text).await,
        None => root_business_unit(service).await,
    }
}

/// A role by id or name: the root role, which holds the privileges.
pub async fn root_role(service: &OrganizationServiceClient, text: &str) -> Result<Uuid> {
    let filter = column("name")
        .equal(text)
        .and(column("parentroleid").is_null());
    find(service, "role", "role", text, filter).await
}

/// The copy of a role in a business unit: the only one that its users and teams may be given.
pub async fn role_copy(
    service: &OrganizationServiceClient,
    text: &str,
    business_unit: Uuid,
) -> Result<Uuid> {
    let filter = column("name")
        .equal(text)
        .and(column("businessunitid").equal(business_unit));
    find(service, "role", "role of that business unit", text, filter).await
}

/// The business unit of a user or team.
pub async fn business_unit_of(
    service: &OrganizationServiceClient,
    principal: &EntityReference,
) -> Result<Uuid> {
    let record = service
        .retrieve_entity(principal, ["businessunitid"])
        .await?;
    let unit: EntityReference = record.get("businessunitid")?;
    unit.id.ok_or_else(|| {
        orgservice_client::ConvertError::new("businessunitid", "an id", "no value").into()
    })
}

/// `user:NAME`, `team:NAME`, or the GUID or name of a user.
pub async fn principal(service: &OrganizationServiceClient, text: &str) -> Result<EntityReference> {
    Ok(match text.split_once(':') {
        Some(("user", name)) => EntityReference::new("systemuser", user(service, name).await?),
        Some(("team", name)) => EntityReference::new("team", team(service, name).await?),
        Some((other, _)) => {
            return Err(Failure::usage(format!(
                "`{other}:` is no kind of owner: write user:NAME or team:NAME"
            )));
        }
        None => EntityReference::new("systemuser", user(service, text).await?),
    })
}

/// `read,write,append-to`, or `all`.
pub fn rights(text: &str) -> std::result::Result<AccessRights, String> {
    text.split(',')
        .map(str::trim)
        .filter(|right| !right.is_empty())
        .map(|right| match right.to_ascii_lowercase().as_str() {
            "read" => Ok(AccessRights::READ),
            "write" => Ok(AccessRights::WRITE),
            "append" => Ok(AccessRights::APPEND),
            "append-to" | "appendto" => Ok(AccessRights::APPEND_TO),
            "delete" => Ok(AccessRights::DELETE),
            "share" => Ok(AccessRights::SHARE),
            "assign" => Ok(AccessRights::ASSIGN),
            "all" => Ok(AccessRights::all() - AccessRights::CREATE),
            _ => Err(format!(
                "`{right}` is no right: read, write, append, append-to, delete, share, assign, all"
            )),
        })
        .try_fold(AccessRights::empty(), |mask, right| Ok(mask | right?))
}

/// A user's full name; the id where it cannot be read. For display only.
pub async fn label(service: &OrganizationServiceClient, user: Uuid) -> String {
    let target = EntityReference::new("systemuser", user);
    match service.retrieve_entity(target, ["fullname"]).await {
        Ok(record) => record.get("fullname").unwrap_or_else(|_| user.to_string()),
        Err(_) => user.to_string(),
    }
}

/// Fills in the names of the references in an explanation, as far as the user may read them.
pub async fn label_explanation(
    service: &OrganizationServiceClient,
    explanation: &mut AccessExplanation,
) {
    let mut nameless: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
    for reference in references(explanation) {
        if let (None, Some(id)) = (&reference.name, reference.id) {
            nameless
                .entry(reference.logical_name.clone())
                .or_default()
                .push(id);
        }
    }
    let mut names: BTreeMap<Uuid, String> = BTreeMap::new();
    for (table, mut ids) in nameless {
        let Some(name) = name_column(&table) else {
            continue;
        };
        ids.sort_unstable();
        ids.dedup();
        let query = QueryExpression::new(&table)
            .columns([name])
            .filter(column(format!("{table}id")).is_in(ids));
        let Ok(page) = service.retrieve_multiple(query).await else {
            continue;
        };
        for record in page.entities {
            if let (Some(id), Ok(name)) = (record.id, record.get(name)) {
                names.insert(id, name);
            }
        }
    }
    for reference in references(explanation) {
        if let (None, Some(id)) = (&reference.name, reference.id) {
            reference.name = names.get(&id).cloned();
        }
    }
}

fn references(explanation: &mut AccessExplanation) -> impl Iterator<Item = &mut EntityReference> {
    let of_requirements = explanation.requirements.iter_mut().flat_map(|requirement| {
        requirement
            .record
            .iter_mut()
            .chain(requirement.grounds.iter_mut().flat_map(|ground| {
                [
                    &mut ground.role,
                    &mut ground.holder,
                    &mut ground.business_unit,
                    &mut ground.share_principal,
                ]
                .into_iter()
                .flatten()
            }))
    });
    let of_scope = explanation.record_scope.iter_mut().flat_map(|scope| {
        scope
            .owners
            .iter_mut()
            .chain(&mut scope.business_units)
            .chain(&mut scope.shared_with)
    });
    of_requirements.chain(of_scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_written_as_a_list() {
        assert_eq!(
            rights("read, Write,append-to"),
            Ok(AccessRights::READ | AccessRights::WRITE | AccessRights::APPEND_TO)
        );
        // Create cannot be shared (SH-4): the seven others are 851991 together (PR-5).
        assert_eq!(rights("all").map(|rights| rights.bits()), Ok(851_991));
        assert!(rights("create").is_err());
        assert_eq!(rights(""), Ok(AccessRights::empty()));
    }
}
