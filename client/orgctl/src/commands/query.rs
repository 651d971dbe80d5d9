//! `query`: records by simple conditions, or by a whole QueryExpression.

use clap::Args;
use orgservice_client::{Entity, EntityCollection, Query, QueryExpression};
use serde_json::json;

use crate::{
    condition::{Condition, SYNTAX},
    failure::{Failure, Result},
    json,
    names::name_column,
    output::Output,
    session::Session,
};

/// Rows per page for people; programs ask for what they want.
const PAGE_SIZE: u32 = 50;

#[derive(Args, Debug)]
#[command(after_help = SYNTAX)]
pub struct QueryArguments {
    /// Logical name of the table.
    #[arg(required_unless_present = "json")]
    table: Option<String>,
    /// Columns to read; the name unless set.
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    columns: Vec<String>,
    /// Condition: COLUMN OPERATOR, then VALUE if the operator takes one. Several must all hold.
    #[arg(long = "where", value_name = "CONDITION")]
    pub conditions: Vec<Condition>,
    /// Order by COLUMN or COLUMN:desc; further columns break ties.
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    order: Vec<String>,
    /// Only the first rows.
    #[arg(long, value_name = "N", conflicts_with_all = ["page_size", "count"])]
    top: Option<u32>,
    /// Rows per page; the server allows 5000.
    #[arg(long, value_name = "N")]
    page_size: Option<u32>,
    /// Read all pages.
    #[arg(long, conflicts_with = "top")]
    all: bool,
    /// Print only how many rows there are, counted up to 5000.
    #[arg(long, conflicts_with = "all")]
    count: bool,
    /// QueryExpression in the contract's JSON; `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all =
        ["table", "columns", "conditions", "order", "top", "page_size", "count"])]
    json: Option<String>,
}

impl QueryArguments {
    fn query(&self) -> Result<Query> {
        if let Some(path) = &self.json {
            return json::to_query(json::read(path)?);
        }
        let table = self
            .table
            .as_deref()
            .ok_or_else(|| Failure::usage("a table is missing"))?;
        let mut query = QueryExpression::new(table);
        if !self.count {
            query = query.columns(self.columns(table));
        }
        for Condition(filter) in &self.conditions {
            query = query.filter(filter.clone());
        }
        for order in &self.order {
            query = match order.rsplit_once(':') {
                None | Some((_, "asc")) => query.order_by(order.trim_end_matches(":asc")),
                Some((column, "desc")) => query.order_by_descending(column),
                Some((_, direction)) => {
                    return Err(Failure::usage(format!(
                        "`{direction}` is no direction: write COLUMN or COLUMN:desc"
                    )));
                }
            };
        }
        Ok(match (self.top, self.count) {
            (Some(rows), _) => query.top(rows),
            (None, true) => query.page_size(1).total_count(),
            (None, false) => query.page_size(self.page_size.unwrap_or(PAGE_SIZE)),
        }
        .into())
    }

    fn columns(&self, table: &str) -> Vec<String> {
        if self.columns.is_empty() {
            name_column(table).map(str::to_owned).into_iter().collect()
        } else {
            self.columns.clone()
        }
    }
}

/// Runs a query and shows its rows, or their number.
pub async fn run(arguments: &QueryArguments, session: &Session, out: &mut Output) -> Result<()> {
    let query = arguments.query()?;
    if arguments.all {
        let mut rows = session.service.stream::<Entity>(&query);
        let mut records = EntityCollection::default();
        while let Some(record) = rows.try_next().await? {
            records.entity_name.clone_from(&record.logical_name);
            records.entities.push(record);
        }
        return out.records(&records, &arguments.columns);
    }
    let page = session.service.retrieve_multiple(&query).await?;
    if arguments.count {
        return show_count(&page, out);
    }
    out.records(&page, &arguments.columns)?;
    if page.more_records && !out.is_json() && arguments.top.is_none() {
        eprintln!("there are more rows: --all reads them, --page-size enlarges the page");
    }
    Ok(())
}

fn show_count(page: &EntityCollection, out: &mut Output) -> Result<()> {
    let count = page.total_record_count.unwrap_or_default();
    let is_more = page.total_record_count_limit_exceeded;
    let text = if is_more {
        format!("more than {count}")
    } else {
        count.to_string()
    };
    out.done(
        &text,
        json!({ "totalRecordCount": count, "totalRecordCountLimitExceeded": is_more }),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use clap::Parser as _;
    use orgservice_client::column;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parse(arguments: &[&str]) -> std::result::Result<QueryArguments, clap::Error> {
        let all = ["orgctl", "query"].iter().chain(arguments);
        Cli::try_parse_from(all).map(|cli| match cli.command {
            Command::Query(query) => query,
            other => panic!("not a query: {other:?}"),
        })
    }

    fn query(arguments: &[&str]) -> Query {
        parse(arguments).unwrap().query().unwrap()
    }

    #[test]
    fn the_command_line_is_a_query_expression() {
        let expected = QueryExpression::new("account")
            .columns(["name", "revenue"])
            .filter(column("name").like("A%"))
            .filter(column("revenue").greater_than(1000))
            .order_by_descending("revenue")
            .order_by("name")
            .page_size(7);
        let actual = query(&[
            "account",
            "--columns",
            "name,revenue",
            "--where",
            "name like 'A%'",
            "--where",
            "revenue > 1000",
            "--order",
            "revenue:desc,name:asc",
            "--page-size",
            "7",
        ]);
        assert_eq!(actual, expected.into());
    }

    #[test]
    fn without_columns_the_name_is_read() {
        let contacts = QueryExpression::new("contact").columns(["fullname"]);
        assert_eq!(query(&["contact", "--top", "3"]), contacts.top(3).into());
        let widgets = QueryExpression::new("new_widget").columns([""; 0]);
        assert_eq!(query(&["new_widget"]), widgets.page_size(50).into());
    }

    #[test]
    fn counting_reads_one_row() {
        let counted = QueryExpression::new("account").page_size(1).total_count();
        assert_eq!(query(&["account", "--count"]), counted.into());
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        for arguments in [
            &["account", "--top", "3", "--all"][..],
            &["account", "--top", "3", "--page-size", "5"],
            &["account", "--json", "query.json"],
            &["--columns", "name"],
            &[],
        ] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
        let arguments = parse(&["account", "--order", "name:down"]).unwrap();
        assert!(arguments.query().is_err());
    }
}
