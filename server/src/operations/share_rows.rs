//! Shares as they are stored: by record, by principal, and as the row that a query shows (SH-2).

use orgservice_security::{AccessRights, Share};
use uuid::Uuid;

use super::Work;
use crate::{
    fault::Result,
    metadata::TableDefinition,
    model::Value,
    storage::{keys, record::Record, share::ShareRow},
};

impl Work<'_> {
    /// The shares of a record with their principals.
    ///
    /// # Errors
    /// What the store says.
    pub fn share_rows(&self, table: &TableDefinition, id: Uuid) -> Result<Vec<(Uuid, ShareRow)>> {
        let range = keys::share_range(table.code.0, id);
        let mut rows = Vec::new();
        self.scan_all(range, |key, value| {
            rows.push((keys::parse_share(key)?.by, ShareRow::decode(key, value)?));
            Ok(())
        })?;
        Ok(rows)
    }

    /// The shares of a record as the decision takes them.
    ///
    /// # Errors
    /// What the store says.
    pub fn shares(&self, table: &TableDefinition, id: Uuid) -> Result<Vec<Share>> {
        let rows = self.share_rows(table, id)?;
        Ok(rows
            .into_iter()
            .map(|(principal, row)| Share {
                principal: self.snapshot().share_principal(principal),
                rights: AccessRights::from_bits_truncate(row.effective()),
            })
            .collect())
    }

    /// One share of a record.
    ///
    /// # Errors
    /// What the store says.
    pub fn share_row(
        &self,
        table: &TableDefinition,
        id: Uuid,
        principal: Uuid,
    ) -> Result<Option<ShareRow>> {
        let key = keys::share(table.code.0, id, principal);
        match self.view().get(&key)? {
            Some(bytes) => Ok(Some(ShareRow::decode(&key, &bytes)?)),
            None => Ok(None),
        }
    }

    /// Stores one share: by record, by principal, and as the `principalobjectaccess` row that a
    /// query shows (SH-2); `None` removes it.
    ///
    /// # Errors
    /// What the store says.
    pub fn put_share(
        &mut self,
        table: &TableDefinition,
        id: Uuid,
        principal: Uuid,
        row: Option<&ShareRow>,
    ) -> Result<()> {
        let before = self.share_row(table, id, principal)?;
        let rows = self.table("principalobjectaccess", "principalobjectaccess")?;
        if let Some(before) = before.filter(|before| row.is_none_or(|row| row.id != before.id))
            && let Some(record) = self.find(&rows, before.id)?
        {
            self.remove_row(&rows, before.id, &record)?;
        }
        // An activity shares its id with its pointer row, and its shares too (SY-9).
        let pointer = table
            .is_activity
            .then(|| self.definitions().table("activitypointer"))
            .flatten()
            .map(|pointer| pointer.code);
        for code in [Some(table.code), pointer].into_iter().flatten() {
            let forward = keys::share(code.0, id, principal);
            let backward = keys::shared_with(principal, code.0, id);
            match row {
                Some(row) => {
                    let encoded = row.encode()?;
                    let mask = row.effective().to_be_bytes().to_vec();
                    let transaction = self.transaction()?;
                    transaction.put(forward, encoded);
                    transaction.put(backward, mask);
                }
                None => {
                    let transaction = self.transaction()?;
                    transaction.delete(forward);
                    transaction.delete(backward);
                }
            }
        }
        let Some(row) = row else { return Ok(()) };
        let record = self.share_record(&rows, table, id, principal, row);
        let before = self.find(&rows, row.id)?;
        self.put(&rows, row.id, before.as_ref(), record)?;
        Ok(())
    }

    fn share_record(
        &self,
        rows: &TableDefinition,
        table: &TableDefinition,
        id: Uuid,
        principal: Uuid,
        row: &ShareRow,
    ) -> Record {
        let reference = self
            .snapshot()
            .share_reference(self.snapshot().share_principal(principal));
        let mut record = Record::default();
        let mut set = |column: &str, value: Value| {
            if let Some(column) = rows.column(column) {
                record.set(column.number, value);
            }
        };
        set("objectid", Value::Guid(id));
        set(
            "objecttypecode",
            Value::String(table.logical_name.to_string()),
        );
        set("principalid", Value::Guid(principal));
        set("principaltypecode", Value::String(reference.logical_name));
        set(
            "accessrightsmask",
            Value::Integer(row.explicit.cast_signed()),
        );
        set(
            "inheritedaccessrightsmask",
            Value::Integer(row.inherited().cast_signed()),
        );
        set("changedon", Value::DateTime(row.changed_on));
        record
    }
}
