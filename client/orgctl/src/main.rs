//! orgctl, the command line of the organization service.
//!
//! Reading order: [`cli`] says what can be typed; `run` below says who does it; [`session`] connects;
//! each command stands in [`commands`], [`explain`] or [`sample`]; [`failure`] says how it may end.

mod cli;
mod commands;
mod condition;
mod explain;
mod failure;
mod json;
mod names;
mod output;
mod sample;
mod session;
mod value;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::{
    cli::{Cli, Command},
    commands::{business_unit, execute, query, records, role, team, token, user},
    failure::Result,
    output::Output,
    session::Session,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.describe());
            failure.exit_code()
        }
    }
}

async fn run(cli: &Cli) -> Result<()> {
    let out = &mut Output {
        format: cli.global.output,
        ascii: cli.global.ascii,
    };
    if let Command::Completions { shell } = &cli.command {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Cli::command(), "orgctl", &mut script);
        return out.line(String::from_utf8_lossy(&script).trim_end());
    }
    let session = &Session::open(&cli.global).await?;
    match &cli.command {
        Command::WhoAmI => commands::who_am_i(session, out).await,
        Command::Create(arguments) => records::create(arguments, session, out).await,
        Command::Retrieve(arguments) => records::retrieve(arguments, session, out).await,
        Command::Query(arguments) => query::run(arguments, session, out).await,
        Command::Update(arguments) => records::update(arguments, session, out).await,
        Command::Delete(arguments) => records::delete(arguments, session, out).await,
        Command::Assign(arguments) => records::assign(arguments, session, out).await,
        Command::Share(arguments) => records::share(arguments, session, out).await,
        Command::ModifyShare(arguments) => records::modify_share(arguments, session, out).await,
        Command::Unshare(arguments) => records::unshare(arguments, session, out).await,
        Command::Shares(arguments) => records::shares(arguments, session, out).await,
        Command::Access(arguments) => records::access(arguments, session, out).await,
        Command::Execute(arguments) => execute::run(arguments, session, out).await,
        Command::Explain(arguments) => explain::run(arguments, session, out).await,
        Command::User(command) => user::run(command, session, out).await,
        Command::Role(command) => role::run(command, session, out).await,
        Command::Team(command) => team::run(command, session, out).await,
        Command::BusinessUnit(command) => business_unit::run(command, session, out).await,
        Command::Token(command) => token::run(command, session, out).await,
        Command::ServerInfo => commands::server_info(session, out).await,
        Command::Sample(command) => sample::run(command, session, out).await,
        Command::Completions { .. } => Ok(()),
    }
}
