//! [`Output`]: where answers go, as tables for people or as the contract's JSON for programs.

use std::io::{self, Write as _};

use clap::ValueEnum;
use comfy_table::{Table, presets};
use orgservice_client::{Entity, EntityCollection, EntityReference, Value};

use crate::{failure::Result, json};

/// The form of the answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, with the texts that a user reads.
    #[default]
    Table,
    /// The canonical JSON of the contract; what a command prints, another one accepts.
    Json,
}

/// Where answers go. Everything else that people may want to know goes to standard error.
pub struct Output {
    /// Tables or JSON.
    pub format: Format,
    /// Draws with ASCII characters only.
    pub ascii: bool,
}

impl Output {
    /// Whether programs are reading.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes text and ends the line.
    pub fn line(&mut self, text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Writes JSON over several lines.
    pub fn json(&mut self, value: &serde_json::Value) -> Result<()> {
        self.line(&format!("{value:#}"))
    }

    /// Writes what a command has done: a sentence for people, JSON for programs.
    pub fn done(&mut self, sentence: &str, value: serde_json::Value) -> Result<()> {
        if self.is_json() {
            self.json(&value)
        } else {
            self.line(sentence)
        }
    }

    /// Writes rows under a header.
    pub fn table(&mut self, header: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
        self.line(&render_table(header, rows, self.ascii))
    }

    /// Writes one record: a line for each column, or its JSON.
    pub fn record(&mut self, record: &Entity) -> Result<()> {
        if self.is_json() {
            return self.json(&json::from_entity(record)?);
        }
        let rows = record
            .attributes
            .iter()
            .map(|(column, value)| {
                let raw = text_of(value);
                let read = record.formatted(column).unwrap_or_default();
                let read = if read == raw { "" } else { read };
                vec![column.clone(), raw, read.to_owned()]
            })
            .collect();
        self.table(&["column", "value", "reads as"], rows)
    }

    /// Writes records: a row for each, or the JSON of the collection.
    pub fn records(&mut self, records: &EntityCollection, columns: &[String]) -> Result<()> {
        if self.is_json() {
            return self.json(&json::from_collection(records)?);
        }
        let columns = if columns.is_empty() {
            columns_of(records)
        } else {
            columns.to_vec()
        };
        let rows = records
            .entities
            .iter()
            .map(|record| {
                let id = record.id.map(|id| id.to_string()).unwrap_or_default();
                let cells = columns.iter().map(|column| cell(record, column));
                std::iter::once(id).chain(cells).collect()
            })
            .collect();
        let mut header = vec!["id"];
        header.extend(columns.iter().map(String::as_str));
        self.table(&header, rows)
    }
}

/// A column as a user reads it.
fn cell(record: &Entity, column: &str) -> String {
    record.formatted(column).map_or_else(
        || {
            record
                .attributes
                .get(column)
                .map(text_of)
                .unwrap_or_default()
        },
        str::to_owned,
    )
}

/// The columns that occur, without the primary key, which is shown anyway.
fn columns_of(records: &EntityCollection) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for record in &records.entities {
        for (column, value) in &record.attributes {
            let is_key = matches!(value, Value::Guid(id) if Some(*id) == record.id);
            if !is_key && !columns.contains(column) {
                columns.push(column.clone());
            }
        }
    }
    columns.sort();
    columns
}

fn render_table(header: &[&str], rows: Vec<Vec<String>>, ascii: bool) -> String {
    let mut table = Table::new();
    table
        .load_style(if ascii {
            presets::ASCII_BORDERS_ONLY_CONDENSED
        } else {
            presets::UTF8_FULL_CONDENSED
        })
        .set_header(header.to_vec())
        .add_rows(rows);
    table.trim_fmt()
}

/// A value in one line.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::BigInt(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Decimal(value) => value.to_string(),
        Value::Money(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::DateTime(value) => value.to_string(),
        Value::Guid(value) => value.to_string(),
        Value::OptionSet(value) => value.0.to_string(),
        Value::OptionSets(values) => {
            let values: Vec<_> = values.iter().map(|value| value.0.to_string()).collect();
            values.join(",")
        }
        Value::EntityReference(value) => reference_text(value),
        Value::EntityReferences(values) => {
            let values: Vec<_> = values.iter().map(reference_text).collect();
            values.join(", ")
        }
        Value::Aliased(value) => text_of(&value.value),
        Value::Bytes(value) => format!("{} bytes", value.len()),
        Value::PrincipalAccess(value) => {
            let principal = reference_text(&value.principal);
            format!("{principal}: {}", value.access_rights)
        }
        // A structure without a kind of its own (GV-9), or a record.
        Value::Entity(value) => {
            let values: Vec<_> = value
                .attributes
                .iter()
                .map(|(column, value)| format!("{column}: {}", text_of(value)))
                .collect();
            format!("{} {{{}}}", value.logical_name, values.join(", "))
        }
        Value::List(values) => {
            let values: Vec<_> = values.iter().map(text_of).collect();
            values.join(", ")
        }
        other => format!("({})", other.kind()),
    }
}

/// `contact "Maria Anders"`, or by id where the name is not known.
pub fn reference_text(reference: &EntityReference) -> String {
    match (&reference.name, reference.id) {
        (Some(name), _) => format!("{} \"{name}\"", reference.logical_name),
        (None, Some(id)) => format!("{}/{id}", reference.logical_name),
        // A record that is still to be made.
        (None, None) if reference.key_attributes.is_empty() => reference.logical_name.clone(),
        (None, None) => {
            let keys: Vec<_> = reference
                .key_attributes
                .iter()
                .map(|(column, value)| format!("{column}={}", text_of(value)))
                .collect();
            format!("{}/{}", reference.logical_name, keys.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use orgservice_client::{Money, Uuid};

    use super::*;

    #[test]
    fn tables_are_drawn_with_lines_or_with_ascii() {
        let rows = || vec![vec!["Contoso".to_owned(), "5000".to_owned()]];
        insta::assert_snapshot!(render_table(&["name", "revenue"], rows(), false), @r"
        ┌─────────┬─────────┐
        │ name    ┆ revenue │
        ╞═════════╪═════════╡
        │ Contoso ┆ 5000    │
        └─────────┴─────────┘
        ");
        assert!(render_table(&["name", "revenue"], rows(), true).is_ascii());
    }

    #[test]
    fn the_primary_key_is_no_column_of_its_own() {
        let id = Uuid::from_u128(7);
        let record = Entity::new("account")
            .with_id(id)
            .set("accountid", id)
            .set("revenue", Money::new(5))
            .set("name", "Contoso");
        let columns = columns_of(&vec![record].into());
        assert_eq!(columns, ["name", "revenue"]);
    }

    #[test]
    fn structures_show_what_they_hold() {
        let detail = Entity::new("OrganizationDetail")
            .set("FriendlyName", "Contoso")
            .set("State", 0);
        assert_eq!(
            text_of(&Value::List(vec![detail.into()])),
            "OrganizationDetail {FriendlyName: Contoso, State: 0}"
        );
    }

    #[test]
    fn formatted_values_win_in_tables() {
        let mut record = Entity::new("account").set("statecode", 0);
        assert_eq!(cell(&record, "statecode"), "0");
        record
            .formatted_values
            .insert("statecode".to_owned(), "Active".to_owned());
        assert_eq!(cell(&record, "statecode"), "Active");
        assert_eq!(cell(&record, "name"), "");
    }
}
