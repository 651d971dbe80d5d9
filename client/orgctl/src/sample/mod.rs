//! `sample`: sample data.

mod load;
mod northwind;
mod plan;
mod roles;

use std::path::PathBuf;

use clap::Subcommand;

use crate::{failure::Result, output::Output, session::Session};

#[derive(Debug, Subcommand)]
pub enum SampleCommand {
    /// Load Northwind, the classic trading company: regions as business units, territories as teams,
    /// employees as users with roles, customers and suppliers as accounts with contacts, and an application
    /// user that may act for the employees. Loading again changes the same records.
    Northwind {
        /// Folder with the CSV files; the data set that comes with this program unless set.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Save a token of the application user to a file that only its owner can read. Earlier tokens of the
        /// sample are revoked.
        #[arg(long, value_name = "FILE")]
        save_token: Option<PathBuf>,
    },
}

/// Loads sample data.
pub async fn run(command: &SampleCommand, session: &Session, out: &mut Output) -> Result<()> {
    match command {
        SampleCommand::Northwind { data, save_token } => {
            let data = match data {
                None => northwind::Northwind::shipped()?,
                Some(folder) => northwind::Northwind::read(folder)?,
            };
            load::load(&data, save_token.as_deref(), session, out).await
        }
    }
}
