//! What a line sends.

use orgservice::v1::OrganizationRequest;

use super::format::Line;
use crate::support::{
    notation,
    values::{
        all_columns, everything, link, request, retrieve, retrieve_multiple, share, transaction,
    },
    world::{World, id_of_name},
};

/// The message of a line.
pub fn message(world: &World, line: &Line) -> OrganizationRequest {
    let target = || world.reference(line.record.as_deref().expect("a record"));
    let to = || world.reference(line.to.as_deref().expect("`to`"));
    match line.message.as_str() {
        "Create" | "Upsert" => {
            let known = line.record.as_deref().filter(|name| world.knows(name));
            let table = line.table.clone().unwrap_or_else(|| target().logical_name);
            let id = known.map(|name| world.id(name));
            let id = id.or_else(|| {
                let named = line.own_id.then_some(line.record.as_deref()).flatten();
                named.map(|name| id_of_name(&table, name))
            });
            let target = world.entity(&table, id, &line.set);
            request(&line.message, [("Target", target.into())])
        }
        "Update" => {
            let (table, id) = match &line.record {
                Some(_) => (target().logical_name, target().id.parse().ok()),
                None => (line.table.clone().expect("a table"), None),
            };
            let target = world.entity(&table, id, &line.set);
            request("Update", [("Target", target.into())])
        }
        "Retrieve" => {
            let columns =
                line.columns
                    .as_ref()
                    .map_or_else(all_columns, |names| orgservice::v1::ColumnSet {
                        all_columns: false,
                        columns: names.clone(),
                    });
            retrieve(target(), columns)
        }
        "RetrieveMultiple" => {
            retrieve_multiple(everything(line.table.as_deref().expect("a table")))
        }
        "Delete" => request("Delete", [("Target", target().into())]),
        "Assign" => request(
            "Assign",
            [("Target", target().into()), ("Assignee", to().into())],
        ),
        "GrantAccess" | "ModifyAccess" => {
            let rights = line.rights.as_deref().unwrap_or_default();
            share(
                &line.message,
                target(),
                to(),
                &notation::access_rights(rights),
            )
        }
        "RevokeAccess" => request(
            "RevokeAccess",
            [("Target", target().into()), ("Revokee", to().into())],
        ),
        "RetrieveSharedPrincipalsAndAccess" => {
            request(&line.message, [("Target", target().into())])
        }
        "RetrievePrincipalAccess" => request(
            &line.message,
            [("Target", target().into()), ("Principal", to().into())],
        ),
        "Associate" | "Disassociate" => link(
            &line.message,
            target(),
            line.relationship.as_deref().expect("a relationship"),
            line.related.iter().map(|name| world.reference(name)),
        ),
        "ExecuteTransaction" => transaction(
            line.requests.iter().map(|inner| message(world, inner)),
            true,
        ),
        other => {
            let mut request = request(other, []);
            for (name, value) in &line.parameters {
                request.parameters.insert(name.clone(), world.value(value));
            }
            request
        }
    }
}
