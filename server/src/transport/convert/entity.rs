//! Records, references, relationships and column sets.

use orgservice::v1;

use super::{
    Depth, Read, Refusal, Within, Writer, read_list,
    scalar::{read_optional_guid, read_row_version, write_optional_guid, write_row_version},
    value::read_values,
};
use crate::model::{
    ColumnSet, Entity, EntityCollection, EntityReference, EntityRole, RelatedEntities, Relationship,
};

/// Reads a reference; its name is output only and ignored (RT-6).
pub(super) fn read_reference(wire: v1::EntityReference, depth: Depth) -> Read<EntityReference> {
    Ok(EntityReference {
        logical_name: wire.logical_name,
        id: read_optional_guid(&wire.id).within("id")?,
        name: None,
        key_attributes: read_values("key_attributes", wire.key_attributes, depth)?,
        row_version: read_row_version(&wire.row_version).within("row_version")?,
    })
}

/// Reads a record; its formatted values are output only and ignored (FV-3).
pub(super) fn read_entity(wire: v1::Entity, depth: Depth) -> Read<Entity> {
    Ok(Entity {
        logical_name: wire.logical_name,
        id: read_optional_guid(&wire.id).within("id")?,
        attributes: read_values("attributes", wire.attributes, depth)?,
        formatted_values: Default::default(),
        key_attributes: read_values("key_attributes", wire.key_attributes, depth)?,
        row_version: read_row_version(&wire.row_version).within("row_version")?,
        related_entities: read_list("related_entities", wire.related_entities, |related| {
            read_related(related, depth)
        })?,
    })
}

fn read_related(wire: v1::RelatedEntities, depth: Depth) -> Read<RelatedEntities> {
    let depth = depth.deeper()?;
    let Some(relationship) = wire.relationship else {
        return Err(Refusal::new("the relationship is missing")).within("relationship");
    };
    Ok(RelatedEntities {
        relationship: read_relationship(relationship).within("relationship")?,
        entities: read_collection(wire.entities.unwrap_or_default(), depth).within("entities")?,
    })
}

/// Reads records; what a query says about its page is output only and ignored.
pub(super) fn read_collection(wire: v1::EntityCollection, depth: Depth) -> Read<EntityCollection> {
    Ok(EntityCollection {
        entity_name: wire.entity_name,
        entities: read_list("entities", wire.entities, |record| {
            read_entity(record, depth)
        })?,
        total_record_count: -1,
        ..EntityCollection::default()
    })
}

pub(super) fn read_column_set(wire: v1::ColumnSet) -> ColumnSet {
    ColumnSet {
        all_columns: wire.all_columns,
        columns: wire.columns,
    }
}

pub(super) fn write_column_set(columns: ColumnSet) -> v1::ColumnSet {
    v1::ColumnSet {
        all_columns: columns.all_columns,
        columns: columns.columns,
    }
}

pub(super) fn read_relationship(wire: v1::Relationship) -> Read<Relationship> {
    let number = wire.primary_entity_role;
    let primary_entity_role = match v1::EntityRole::try_from(number) {
        Ok(v1::EntityRole::Unspecified) => None,
        Ok(v1::EntityRole::Referencing) => Some(EntityRole::Referencing),
        Ok(v1::EntityRole::Referenced) => Some(EntityRole::Referenced),
        Err(_) => {
            return Err(Refusal::unknown_enum("EntityRole", number)).within("primary_entity_role");
        }
    };
    Ok(Relationship {
        schema_name: wire.schema_name,
        primary_entity_role,
    })
}

pub(super) fn write_relationship(relationship: Relationship) -> v1::Relationship {
    let role = match relationship.primary_entity_role {
        None => v1::EntityRole::Unspecified,
        Some(EntityRole::Referencing) => v1::EntityRole::Referencing,
        Some(EntityRole::Referenced) => v1::EntityRole::Referenced,
    };
    v1::Relationship {
        schema_name: relationship.schema_name,
        primary_entity_role: role.into(),
    }
}

impl Writer {
    pub(super) fn reference(self, reference: EntityReference) -> v1::EntityReference {
        v1::EntityReference {
            logical_name: reference.logical_name,
            id: write_optional_guid(reference.id),
            name: reference.name.unwrap_or_default(),
            key_attributes: self.values(reference.key_attributes),
            row_version: write_row_version(reference.row_version),
        }
    }

    pub(super) fn references(self, references: Vec<EntityReference>) -> Vec<v1::EntityReference> {
        references
            .into_iter()
            .map(|reference| self.reference(reference))
            .collect()
    }

    pub(super) fn entity(self, record: Entity) -> v1::Entity {
        v1::Entity {
            logical_name: record.logical_name,
            id: write_optional_guid(record.id),
            attributes: self.values(record.attributes),
            formatted_values: record.formatted_values,
            key_attributes: self.values(record.key_attributes),
            row_version: write_row_version(record.row_version),
            related_entities: record
                .related_entities
                .into_iter()
                .map(|related| v1::RelatedEntities {
                    relationship: Some(write_relationship(related.relationship)),
                    entities: Some(self.collection(related.entities)),
                })
                .collect(),
        }
    }

    pub(super) fn collection(self, records: EntityCollection) -> v1::EntityCollection {
        v1::EntityCollection {
            entity_name: records.entity_name,
            entities: records
                .entities
                .into_iter()
                .map(|record| self.entity(record))
                .collect(),
            more_records: records.more_records,
            paging_cookie: records.paging_cookie.unwrap_or_default(),
            total_record_count: records.total_record_count,
            total_record_count_limit_exceeded: records.total_record_count_limit_exceeded,
        }
    }
}
