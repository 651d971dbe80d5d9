//! The server binary: serves an organization, and manages tokens of a store that is not being
//! served.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, IsTerminal as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Parser, Subcommand};
use orgservice_server::{
    caller::Caller,
    config::{Config, ConfigError, Engine, LogFormat, Options},
    directory::SYSTEM_USER,
    fault::Fault,
    limits,
    metadata::DefinitionsBuilder,
    model::{
        ColumnSet, ConditionExpression, ConditionOperator, FilterExpression, LogicalOperator,
        OrganizationRequest, Query, QueryExpression, Value, parse_guid,
    },
    operations::bootstrap::BootstrapOptions,
    organization::{CallOptions, Organization, OrganizationOptions},
    storage::{
        EmbeddedStore, StorageError, Store,
        engine::{MemoryEngine, SledEngine, SledOptions},
    },
    transport::{self, ServeError, TlsOptions, TransportOptions},
};
use tokio::{
    runtime::{self, Runtime},
    signal::unix::{SignalKind, signal},
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

/// Faster than the system's allocator for many small values that one thread makes and another
/// drops.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long work that nobody waits for any more may go on at the end.
const LAST_WORK: Duration = Duration::from_secs(5);

/// How often what is remembered of old requests is forgotten.
const SWEEP: Duration = Duration::from_secs(60);

/// Serves an organization over gRPC.
#[derive(Debug, Parser)]
#[command(name = "orgservice-server", version, about)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Manage the tokens of a store that is not being served
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make a token, and print it; it is shown this once
    Create {
        /// Full name, domain name or id of the user that it signs in
        #[arg(long)]
        user: String,
        /// What it is for
        #[arg(long)]
        label: String,
        /// When it stops working, as in 2030-01-01T00:00:00Z [default: never]
        #[arg(long)]
        expires: Option<jiff::Timestamp>,
    },
    /// List tokens, without their secrets
    List {
        /// Full name, domain name or id of a user [default: all users]
        #[arg(long)]
        user: Option<String>,
    },
    /// End a token
    Revoke {
        /// Id of the token, as `token list` shows it
        id: String,
    },
}

/// Why the program ends with an error; for people.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("{0}")]
    Fault(String),
    #[error("{0}")]
    Serve(#[from] ServeError),
    #[error("{what}: {error}")]
    Io { what: String, error: io::Error },
    #[error("{0}")]
    Usage(String),
}

impl From<Fault> for Failure {
    /// Whoever runs the binary may know the cause of an internal error.
    fn from(fault: Fault) -> Self {
        let body = fault.body();
        Failure::Fault(match &body.cause {
            Some(cause) => format!("{}: {cause}", body.message),
            None => body.message.clone(),
        })
    }
}

/// Says what was tried when the system refuses.
fn io_failure(what: impl Into<String>) -> impl FnOnce(io::Error) -> Failure {
    let what = what.into();
    |error| Failure::Io { what, error }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("orgservice-server: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let config = Config::load(arguments.options)?;
    log_to_stderr(&config)?;
    match arguments.command {
        None => serve(config),
        Some(Command::Token(command)) => manage_tokens(&config, command),
    }
}

/// Begins the log. A panic is an event of the log like any other.
fn log_to_stderr(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| Failure::Usage(format!("`log`: {error}")))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match config.log_format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().init(),
    }
    std::panic::set_hook(Box::new(
        |panic| tracing::error!(%panic, "a thread panicked"),
    ));
    Ok(())
}

fn serve(config: Config) -> Result<(), Failure> {
    // First the address: a second server must not touch the store, and clients may queue already.
    let listener = TcpListener::bind(config.listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(io_failure(format!("cannot listen on {}", config.listen)))?;
    let address = listener
        .local_addr()
        .map_err(io_failure("cannot tell the address"))?;
    let tls = config.tls.as_ref().map(|tls| TlsOptions {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
    });
    if let Some(tls) = &tls {
        tls.check()?;
    }
    let organization = open(&config)?;
    let token_file = bootstrap(&config, &organization)?;
    let usable = fs::read_to_string(&token_file)
        .is_ok_and(|token| organization.authenticate(token.trim()).is_ok());
    greet(&config, address, usable.then_some(&token_file));
    let options = TransportOptions {
        tls,
        reflection: config.reflection,
        drain: config.drain,
    };
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)
            .map_err(io_failure("cannot use the listener"))?;
        let stop = stop_signal()?;
        let sweeping = tokio::spawn(sweep(organization.clone()));
        let served = transport::serve(listener, organization, options, stop).await;
        sweeping.abort();
        Ok(served?)
    });
    runtime.shutdown_timeout(LAST_WORK);
    tracing::info!("stopped");
    served
}

fn runtime() -> Result<Runtime, Failure> {
    runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(limits::BLOCKING_THREADS_MAX)
        .build()
        .map_err(io_failure("cannot start threads"))
}

/// Ready when the process is asked to end, by a supervisor or at the keyboard.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate =
        signal(SignalKind::terminate()).map_err(io_failure("cannot listen to SIGTERM"))?;
    let mut interrupt =
        signal(SignalKind::interrupt()).map_err(io_failure("cannot listen to SIGINT"))?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

async fn sweep(organization: Organization) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let organization = organization.clone();
        match spawn_blocking(move || organization.sweep()).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::warn!(%fault, "old requests could not be forgotten"),
            Err(error) => tracing::error!(%error, "forgetting old requests failed"),
        }
    }
}

/// Where the store lies in the data directory.
fn store_directory(config: &Config) -> PathBuf {
    config.data_directory.join("store")
}

/// Where the first administrator's token is left. A store in memory has a file of its own, so that
/// it never takes the place of the one for the store on disk.
fn token_file(config: &Config) -> PathBuf {
    config.data_directory.join(match config.engine {
        Engine::Sled => "administrator.token",
        Engine::Memory => "administrator.memory.token",
    })
}

fn open(config: &Config) -> Result<Organization, Failure> {
    create_private_directory(&config.data_directory)?;
    let (store, engine): (Arc<dyn Store>, _) = match config.engine {
        Engine::Memory => (
            Arc::new(EmbeddedStore::open(Box::<MemoryEngine>::default())?),
            "memory",
        ),
        Engine::Sled => {
            let options = SledOptions {
                directory: store_directory(config),
                cache_bytes: config.cache_bytes,
            };
            (
                Arc::new(EmbeddedStore::open(Box::new(SledEngine::open(&options)?))?),
                "sled",
            )
        }
    };
    let definitions = DefinitionsBuilder::system()
        .build()
        .map_err(|error| Failure::Fault(format!("the shipped tables are wrong: {error}")))?;
    let options = OrganizationOptions {
        trusted_hosts: config.trusted_hosts.clone(),
        token_lifetime: config.token_lifetime,
        ..OrganizationOptions::new(definitions, engine)
    };
    Ok(Organization::open(store, options)?)
}

/// Records belong to whoever runs the server.
fn create_private_directory(path: &Path) -> Result<(), Failure> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(io_failure(format!("cannot create `{}`", path.display())))
}

/// Makes the organization on the first start, and leaves its administrator's token in a file.
fn bootstrap(config: &Config, organization: &Organization) -> Result<PathBuf, Failure> {
    let path = token_file(config);
    let is_new = organization
        .snapshot()
        .directory()
        .organization()
        .id
        .is_nil();
    if is_new && config.engine != Engine::Memory && path.exists() {
        // Nothing is made whose administrator nobody could be.
        let why = format!(
            "the token of a new organization's administrator goes to `{}`; move what is there away",
            path.display()
        );
        return Err(io_failure(why)(io::ErrorKind::AlreadyExists.into()));
    }
    let made = organization.bootstrap(&BootstrapOptions {
        organization_name: config.organization_name.clone(),
        administrator_name: config.administrator_name.clone(),
    })?;
    if let Some(made) = made {
        if config.engine == Engine::Memory {
            // Of a store that is gone.
            let _ = fs::remove_file(&path);
        }
        write_secret(&path, &made.token).map_err(io_failure(format!(
            "the organization was made, but the token of its administrator cannot be written to \
             `{}`; make one with `orgservice-server --data-directory {} token create --user {} --label first`",
            path.display(),
            shell_quoted(&config.data_directory),
            made.administrator,
        )))?;
        tracing::info!(administrator = %made.administrator, "the organization was made");
    }
    Ok(path)
}

/// Writes a file that did not exist and that nobody else may read.
fn write_secret(path: &Path, secret: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()
}

/// Tells people where the server is and how to try it.
fn greet(config: &Config, address: SocketAddr, token_file: Option<&PathBuf>) {
    let scheme = if config.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let url = format!("{scheme}://{}", reachable(address));
    println!(
        "orgservice-server {} listens on {url}",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(token_file) = token_file {
        println!("The administrator's token is in {}", token_file.display());
        println!("Try:");
        println!(
            "  ORGSERVICE_ADDRESS={url} ORGSERVICE_TOKEN=\"$(cat {})\" \
             cargo run -q --release -p orgctl -- who-am-i",
            shell_quoted(token_file)
        );
    }
    // The line may go to a pipe that somebody waits at.
    let _ = io::stdout().flush();
}

/// An address by which this machine reaches a listener, also one that listens on all of them.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn shell_quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn manage_tokens(config: &Config, command: TokenCommand) -> Result<(), Failure> {
    let directory = store_directory(config);
    if config.engine != Engine::Sled || !directory.exists() {
        return Err(Failure::Usage(format!(
            "there is no store in `{}`: start the server once, or name its `--data-directory`",
            config.data_directory.display()
        )));
    }
    let organization = open(config).map_err(|failure| match failure {
        Failure::Storage(StorageError::Unavailable(why)) => Failure::Usage(format!(
            "the store is not available: {why}; while it is served, use AdminService (orgctl)"
        )),
        other => other,
    })?;
    let system = Caller::direct(SYSTEM_USER);
    match command {
        TokenCommand::Create {
            user,
            label,
            expires,
        } => {
            let user = find_user(&organization, &system, &user)?;
            let (id, token) = organization.create_token(&system, user, label, expires)?;
            eprintln!("token {id} of user {user}:");
            println!("{token}");
        }
        TokenCommand::List { user } => {
            let user = user
                .map(|user| find_user(&organization, &system, &user))
                .transpose()?;
            for token in organization.list_tokens(&system, user)? {
                let ends = match (token.revoked, token.expires) {
                    (Some(time), _) => format!("revoked {time}"),
                    (None, Some(time)) => format!("expires {time}"),
                    (None, None) => "never expires".to_owned(),
                };
                println!(
                    "{}  user {}  created {}  {ends}  {}",
                    token.id, token.user, token.created, token.label
                );
            }
        }
        TokenCommand::Revoke { id } => {
            let id = parse_guid(&id)
                .ok_or_else(|| Failure::Usage(format!("`{id}` is not the id of a token")))?;
            organization.revoke_token(&system, id)?;
            eprintln!("token {id} is revoked");
        }
    }
    Ok(())
}

/// The one user of that id, full name or domain name.
fn find_user(
    organization: &Organization,
    system: &Caller,
    name_or_id: &str,
) -> Result<Uuid, Failure> {
    if let Some(id) = parse_guid(name_or_id) {
        return Ok(id);
    }
    let equals = |column: &str| ConditionExpression {
        entity_name: String::new(),
        attribute_name: column.to_owned(),
        operator: ConditionOperator::EQUAL,
        values: vec![name_or_id.into()],
        compare_columns: false,
    };
    let query = QueryExpression {
        entity_name: "systemuser".to_owned(),
        column_set: ColumnSet::of(["fullname"]),
        criteria: FilterExpression {
            operator: LogicalOperator::Or,
            conditions: vec![equals("fullname"), equals("domainname")],
            filters: Vec::new(),
        },
        top_count: Some(2),
        ..QueryExpression::default()
    };
    let query = Value::Query(Box::new(Query::Expression(query)));
    let request = OrganizationRequest::new("RetrieveMultiple").with("Query", query);
    let mut response = organization.execute(system, request, &CallOptions::default())?;
    let Some(Value::Entities(found)) = response.results.remove("EntityCollection") else {
        return Err(Failure::Fault(
            "the query for users has no answer".to_owned(),
        ));
    };
    match found.entities.as_slice() {
        [user] => user
            .id
            .ok_or_else(|| Failure::Fault("a user has no id".to_owned())),
        [] => Err(Failure::Usage(format!("no user is named `{name_or_id}`"))),
        _ => Err(Failure::Usage(format!(
            "more than one user is named `{name_or_id}`; give an id"
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
        let arguments = Arguments::try_parse_from([
            "orgservice-server",
            "token",
            "create",
            "--user",
            "administrator",
            "--label",
            "ci",
            "--data-directory",
            "/srv/org",
        ])
        .unwrap();
        assert_eq!(
            arguments.options.data_directory.unwrap(),
            Path::new("/srv/org")
        );
        let served = [
            "orgservice-server",
            "--listen",
            "127.0.0.1:0",
            "--allow-plaintext",
        ];
        let options = Arguments::try_parse_from(served).unwrap().options;
        assert_eq!(options.allow_plaintext, Some(true));
    }

    #[test]
    fn the_command_to_try_can_be_pasted() {
        assert_eq!(
            shell_quoted(Path::new("orgservice-data/a.token")),
            "orgservice-data/a.token"
        );
        assert_eq!(
            shell_quoted(Path::new("my data/it's")),
            r"'my data/it'\''s'"
        );
        let everywhere: SocketAddr = "0.0.0.0:7".parse().unwrap();
        assert_eq!(reachable(everywhere).to_string(), "127.0.0.1:7");
        let everywhere: SocketAddr = "[::]:7".parse().unwrap();
        assert_eq!(reachable(everywhere).to_string(), "[::1]:7");
    }

    #[test]
    fn a_secret_is_written_once_and_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = std::env::temp_dir().join(format!("orgservice-{}", Uuid::now_v7()));
        create_private_directory(&directory).unwrap();
        let path = directory.join("a.token");
        write_secret(&path, "secret").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "secret\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::metadata(&directory).unwrap().permissions().mode() & 0o777,
            0o700
        );
        let again = write_secret(&path, "other").unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        fs::remove_dir_all(&directory).unwrap();
    }
}
