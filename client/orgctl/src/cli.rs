//! The command line: global options and the list of commands. What a command's own options mean stands with
//! the command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use orgservice_client::Uuid;

use crate::{
    commands::{
        business_unit, execute,
        query::QueryArguments,
        records::{
            AccessArguments, AssignArguments, CreateArguments, DeleteArguments, RecordArguments,
            RetrieveArguments, ShareArguments, UnshareArguments, UpdateArguments,
        },
        role, team, token, user,
    },
    explain::ExplainArguments,
    output::Format,
    sample,
};

/// Works with an organization service: records, sharing, users and roles, and why something is refused.
#[derive(Debug, Parser)]
#[command(
    name = "orgctl",
    version,
    after_help = "Exit codes: 0 done, 1 the server refused, 2 the command makes no sense, \
                  3 the call did not get through."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Where the server is, who calls, and how answers look.
#[derive(Args, Debug)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Address of the server.
    #[arg(
        long,
        short,
        global = true,
        env = "ORGSERVICE_ADDRESS",
        default_value = "http://127.0.0.1:50051"
    )]
    pub address: String,

    /// Token of the authenticated user.
    #[arg(long, global = true, env = "ORGSERVICE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,

    /// File that holds the token; it wins over --token and the environment.
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// User to act for: id, domain name, full name or e-mail address. Needs the privilege
    /// prvActOnBehalfOfAnotherUser, and both users must possess what the command needs.
    #[arg(long = "as", global = true, env = "ORGSERVICE_AS", value_name = "USER")]
    pub act_as: Option<String>,

    /// User to act for, by directory object id.
    #[arg(long, global = true, value_name = "GUID", conflicts_with = "act_as")]
    pub as_object_id: Option<Uuid>,

    /// Form of the answers.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Format,

    /// Draw tables and matrices with ASCII characters only.
    #[arg(long, global = true)]
    pub ascii: bool,

    /// Certificate (PEM) of the authority that signed the server's; needs an https address.
    #[arg(long, global = true, env = "ORGSERVICE_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,

    /// Seconds that each call may take, repeats included.
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value_t = 120,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub timeout: u64,

    /// Send the token unencrypted to another host. Whoever reads the network then holds it.
    #[arg(long, global = true)]
    pub plaintext_token: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show which user the calls run for.
    WhoAmI,
    /// Create a record and print its id.
    Create(CreateArguments),
    /// Show a record.
    Retrieve(RetrieveArguments),
    /// Find records.
    Query(QueryArguments),
    /// Change columns of a record.
    Update(UpdateArguments),
    /// Delete a record, and what its relationships cascade to.
    Delete(DeleteArguments),
    /// Give a record to another owner.
    Assign(AssignArguments),
    /// Share a record: add rights to what somebody has been given.
    Share(ShareArguments),
    /// Replace the rights that somebody has been given.
    ModifyShare(ShareArguments),
    /// Take back what somebody has been given.
    Unshare(UnshareArguments),
    /// Show with whom a record is shared.
    Shares(RecordArguments),
    /// Show which rights a user has on a record, by roles, ownership and shares together.
    Access(AccessArguments),
    /// Run any message by name.
    Execute(execute::ExecuteArguments),
    /// Show why a call is or would be refused, and the privileges of both users side by side.
    Explain(ExplainArguments),
    /// Users and their roles.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Roles and their privileges.
    #[command(subcommand)]
    Role(role::RoleCommand),
    /// Teams and their members.
    #[command(subcommand)]
    Team(team::TeamCommand),
    /// Business units.
    #[command(subcommand)]
    BusinessUnit(business_unit::BusinessUnitCommand),
    /// Tokens by which users authenticate.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Show version, storage and limits of the server.
    ServerInfo,
    /// Print the completion script of a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Load sample data.
    #[command(subcommand)]
    Sample(sample::SampleCommand),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_may_stand_anywhere() {
        let cli = Cli::try_parse_from([
            "orgctl",
            "query",
            "account",
            "--as",
            "Nancy Davolio",
            "--where",
            "name like 'A%'",
            "--where",
            "revenue > 5",
            "--ascii",
        ])
        .unwrap();
        assert_eq!(cli.global.act_as.as_deref(), Some("Nancy Davolio"));
        assert!(cli.global.ascii);
        let Command::Query(query) = cli.command else {
            panic!("not a query");
        };
        assert_eq!(query.conditions.len(), 2);
    }

    #[test]
    fn one_may_act_for_one_user_only() {
        let id = Uuid::from_u128(1).to_string();
        let both = ["orgctl", "who-am-i", "--as", "ann", "--as-object-id", &id];
        assert!(Cli::try_parse_from(both).is_err());
    }

    #[test]
    fn values_are_read_with_the_command_line() {
        let create = [
            "orgctl",
            "create",
            "account",
            "name=Contoso",
            "revenue:money=5.00",
        ];
        assert!(Cli::try_parse_from(create).is_ok());
        let broken = ["orgctl", "create", "account", "revenue:money=many"];
        let error = Cli::try_parse_from(broken).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error.to_string().contains("`many` is not a decimal"),
            "{error}"
        );
    }
}
