//! ExplainAccess: the same checks as the call itself, with what they asked written down (GA-1…GA-3).

use orgservice_security::{Principal, PrivilegeMatrix as Matrix};

use super::{Operation, Work, batch::ExecuteMultiple};
use crate::{
    caller::Caller,
    fault::{Fault, Result},
    metadata::TableDefinition,
    model::{AccessExplanation, ExplainAccess, OrganizationRequest, PrivilegeMatrix, Value},
};

/// Whom a question is about: the pair of the question, or the asker's own.
///
/// # Errors
/// `PrivilegeDenied` with metadata `role` when somebody else is asked about by anybody but a System
/// Administrator (GA-1); what resolving the ids refuses.
pub fn asked_pair(work: &Work<'_>, question: &ExplainAccess) -> Result<Caller> {
    let (authenticated, impersonated) = (question.authenticated_user, question.impersonated_user);
    if authenticated.is_none() && impersonated.is_none() {
        return Ok(work.caller());
    }
    work.require_administrator()?;
    let user = |id: uuid::Uuid| {
        let user = orgservice_security::UserId(id);
        work.directory()
            .user(user)
            .map(|user| user.id)
            .ok_or_else(|| super::missing("systemuser", id))
    };
    let authenticated = match authenticated {
        Some(id) => Some(user(id)?),
        None => work.caller().authenticated,
    };
    let impersonated = impersonated.map(user).transpose()?;
    // IM-2: whoever names himself acts for himself.
    let impersonated = impersonated.filter(|&user| Some(user) != authenticated);
    let trusted_host = question.authenticated_user.is_none() && work.caller().trusted_host;
    Ok(Caller {
        authenticated,
        impersonated,
        trusted_host,
        host: uuid::Uuid::nil(),
    })
}

/// Explains a call for the pair that `work` runs for; `work` records what is asked.
///
/// # Errors
/// `QueryBuilderNoEntity` for an unknown table of the matrices; internal faults.
pub fn explain(work: &mut Work<'_>, question: &ExplainAccess) -> Result<AccessExplanation> {
    if let Some(request) = &question.request
        && request.name == ExecuteMultiple::NAME
    {
        // Its requests are calls of their own, each to be asked about by itself.
        return Err(super::not_built("ExplainAccess of ExecuteMultiple"));
    }
    let tables = matrix_tables(work, question)?;
    let fault = question
        .request
        .as_ref()
        .and_then(|request| super::run(work, request).err());
    let trace = work
        .trace
        .take()
        .map(std::cell::RefCell::into_inner)
        .unwrap_or_default();
    Ok(AccessExplanation {
        allowed: fault.is_none(),
        fault,
        requirements: trace.requirements,
        record_scope: trace.scope,
        ..matrices(work, &tables)
    })
}

/// The explanation of a call that does not get as far as its message: steps 1 to 5 refuse it.
pub fn refused(fault: Fault) -> AccessExplanation {
    AccessExplanation {
        allowed: false,
        fault: Some(fault),
        requirements: Vec::new(),
        record_scope: None,
        authenticated: None,
        impersonated: None,
        effective: None,
    }
}

fn matrices(work: &Work<'_>, tables: &[std::sync::Arc<TableDefinition>]) -> AccessExplanation {
    let principals = work.principals();
    let of = |principal: &Principal| {
        describe(work, principal.id(), tables, |table| {
            Matrix::of(principal, [table.facts])
        })
    };
    let pair = principals.pair();
    let effective = describe(work, pair.subject().id(), tables, |table| {
        Matrix::effective(&pair, [table.facts])
    });
    AccessExplanation {
        allowed: true,
        fault: None,
        requirements: Vec::new(),
        record_scope: None,
        authenticated: principals.authenticated().map(|principal| of(principal)),
        impersonated: principals.impersonated().map(|principal| of(principal)),
        effective: Some(effective),
    }
}

fn describe(
    work: &Work<'_>,
    user: uuid::Uuid,
    tables: &[std::sync::Arc<TableDefinition>],
    matrix: impl Fn(&TableDefinition) -> Matrix,
) -> PrivilegeMatrix {
    let mut described = PrivilegeMatrix {
        user,
        ..PrivilegeMatrix::default()
    };
    for table in tables {
        // One table at a time: tables that share privileges still have a row each.
        let matrix = matrix(table);
        described.rows.extend(
            matrix
                .rows
                .into_iter()
                .map(|(_, row)| (table.logical_name.to_string(), row)),
        );
        described.other = matrix
            .other
            .iter()
            .map(|&misc| {
                work.snapshot()
                    .privilege_name(orgservice_security::Privilege::Misc(misc))
                    .to_owned()
            })
            .collect();
    }
    described
}

fn matrix_tables(
    work: &Work<'_>,
    question: &ExplainAccess,
) -> Result<Vec<std::sync::Arc<TableDefinition>>> {
    if !question.tables.is_empty() {
        return question
            .tables
            .iter()
            .map(|name| work.table(name, "table_names"))
            .collect();
    }
    let of_call = question.request.as_ref().and_then(call_table);
    if let Some(table) = of_call.and_then(|name| work.definitions().table(name)) {
        return Ok(vec![std::sync::Arc::clone(table)]);
    }
    Ok(work
        .definitions()
        .tables()
        .filter(|table| table.facts.privileges().next().is_some())
        .cloned()
        .collect())
}

/// The table a request is about.
fn call_table(request: &OrganizationRequest) -> Option<&str> {
    ["Target", "Query", "EntityMoniker"]
        .iter()
        .find_map(|name| match request.parameters.get(*name)? {
            Value::Entity(entity) => Some(&*entity.logical_name),
            Value::EntityReference(reference) => Some(&*reference.logical_name),
            Value::Query(query) => crate::query::query_table(query),
            _ => None,
        })
}
