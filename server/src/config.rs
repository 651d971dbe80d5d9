//! How to run the server: defaults, then a TOML file, then the environment, then flags; the later
//! one wins. Everything is checked once, before anything is opened (`docs/configuration.md`).

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use clap::{Args, ValueEnum};
use jiff::SignedDuration;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// Why the configuration cannot be used; the message names the option.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named cannot be read.
    #[error("`{option}`: cannot read {path}: {error}")]
    Unreadable {
        /// The option that names the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The configuration file is not TOML, or has an option that does not exist.
    #[error("`config`: {path}: {error}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What and where.
        error: Box<toml::de::Error>,
    },
    /// An option has a value that cannot be used, alone or together with another one.
    #[error("`{option}`: {reason}")]
    Invalid {
        /// The option.
        option: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// Which engine keeps the records.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// On disk, in the data directory.
    #[default]
    Sled,
    /// In memory: everything is gone when the server ends.
    Memory,
}

/// What one line of the log looks like.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// The options as one source gives them; in a source every one may be absent.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Read further options from this TOML file
    #[arg(long, global = true, env = "ORGSERVICE_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:50051]
    #[arg(
        long,
        alias = "address",
        env = "ORGSERVICE_LISTEN",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: Option<String>,

    /// Directory of the store and of the administrator's token [default: ./orgservice-data]
    #[arg(
        long,
        global = true,
        env = "ORGSERVICE_DATA_DIRECTORY",
        value_name = "DIRECTORY"
    )]
    pub data_directory: Option<PathBuf>,

    /// Storage engine [default: sled]
    #[arg(long, global = true, env = "ORGSERVICE_ENGINE")]
    pub engine: Option<Engine>,

    /// Memory for the cache of the storage engine, in MiB [default: 256]
    #[arg(long, global = true, env = "ORGSERVICE_CACHE_MIB", value_name = "MIB")]
    pub cache_mib: Option<u64>,

    /// PEM file of the TLS certificate chain
    #[arg(long, env = "ORGSERVICE_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,

    /// PEM file of the private key of the TLS certificate
    #[arg(long, env = "ORGSERVICE_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Listen beyond this machine without TLS: tokens and records travel readable [default: false]
    #[arg(
        long,
        env = "ORGSERVICE_ALLOW_PLAINTEXT",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub allow_plaintext: Option<bool>,

    /// Serve reflection [default: true on a loopback address, else false]
    #[arg(
        long,
        env = "ORGSERVICE_REFLECTION",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub reflection: Option<bool>,

    /// What is logged, as in `warn,orgservice_server=debug` [default: info]
    #[arg(long, global = true, env = "ORGSERVICE_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    /// Form of the log [default: text]
    #[arg(long, global = true, env = "ORGSERVICE_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Name of the organization, used when the store is new [default: Organization]
    #[arg(long, env = "ORGSERVICE_ORGANIZATION_NAME", value_name = "NAME")]
    pub organization_name: Option<String>,

    /// Name of the first administrator, used when the store is new [default: administrator]
    #[arg(long, env = "ORGSERVICE_ADMINISTRATOR_NAME", value_name = "NAME")]
    pub administrator_name: Option<String>,

    /// Days that a token works whose maker names no time; 0 means until it is revoked [default: 90]
    #[arg(long, env = "ORGSERVICE_TOKEN_DAYS", value_name = "DAYS")]
    pub token_days: Option<u64>,

    /// Seconds that open calls may go on when the server is asked to stop [default: 30]
    #[arg(long, env = "ORGSERVICE_DRAIN_SECONDS", value_name = "SECONDS")]
    pub drain_seconds: Option<u64>,

    /// Who may impersonate without the Delegate privilege, separated by commas: users by id or
    /// domain name, hosts without a user by the label of their token [default: none]
    #[arg(
        long,
        env = "ORGSERVICE_TRUSTED_HOSTS",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    pub trusted_hosts: Option<Vec<String>>,
}

/// A configuration that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Directory of everything on disk.
    pub data_directory: PathBuf,
    /// Storage engine.
    pub engine: Engine,
    /// Bytes of its cache.
    pub cache_bytes: u64,
    /// The certificate to show, if any.
    pub tls: Option<Tls>,
    /// Whether reflection is served.
    pub reflection: bool,
    /// Filter of the log.
    pub log: String,
    /// Form of the log.
    pub log_format: LogFormat,
    /// Name of a new organization.
    pub organization_name: String,
    /// Name of the first administrator of a new organization.
    pub administrator_name: String,
    /// How long a token works whose maker names no time; zero means until it is revoked.
    pub token_lifetime: SignedDuration,
    /// How long open calls may go on at the end.
    pub drain: Duration,
    /// Users and hosts that may impersonate without the Delegate privilege (IM-4).
    pub trusted_hosts: Vec<String>,
}

/// A certificate chain and its key, read from their files.
#[derive(Clone, Eq, PartialEq)]
pub struct Tls {
    /// PEM of the chain.
    pub certificate: Vec<u8>,
    /// PEM of the private key.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for Tls {
    /// Says nothing of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// Bytes of a MiB.
const MIB: u64 = 1024 * 1024;

/// Least and most memory for the cache: below, nothing works well; above, it is a typing mistake.
const CACHE_MIB: std::ops::RangeInclusive<u64> = 16..=1024 * 1024;

/// Longest life of a token that nobody gave one: ten years.
const TOKEN_DAYS_MAX: u64 = 3_650;

/// Longest drain: a day. Supervisors kill long before.
const DRAIN_SECONDS_MAX: u64 = 24 * 60 * 60;

/// Characters of a name: as many as a `fullname` column holds.
const NAME_CHARACTERS_MAX: usize = 160;

impl Config {
    /// Completes flags and environment, which clap has merged already, with the file they name and
    /// with defaults, and checks the outcome.
    ///
    /// # Errors
    /// [`ConfigError`], naming the option.
    pub fn load(given: Options) -> Result<Self, ConfigError> {
        let file = match &given.config {
            Some(path) => read_file(path)?,
            None => Options::default(),
        };
        Self::check(given.or(file))
    }

    fn check(options: Options) -> Result<Self, ConfigError> {
        let listen = options.listen.as_deref().unwrap_or("127.0.0.1:50051");
        let listen = SocketAddr::from_str(listen).map_err(|_| ConfigError::Invalid {
            option: "listen",
            reason: format!("`{listen}` is not an IP address and a port, such as 127.0.0.1:50051"),
        })?;
        let loopback = listen.ip().is_loopback();
        let tls = match (&options.tls_certificate, &options.tls_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(Tls {
                certificate: read("tls_certificate", certificate)?,
                key: read("tls_key", key)?,
            }),
            (Some(_), None) => return Err(invalid("tls_key", "missing beside `tls_certificate`")),
            (None, Some(_)) => return Err(invalid("tls_certificate", "missing beside `tls_key`")),
        };
        if tls.is_none() && !loopback && !options.allow_plaintext.unwrap_or(false) {
            return Err(invalid(
                "listen",
                format!(
                    "{} can be reached from other machines: give `tls_certificate` and `tls_key`, \
                     or say `allow_plaintext` if something in front of the server does TLS",
                    listen.ip()
                ),
            ));
        }
        let log = options.log.unwrap_or_else(|| "info".to_owned());
        if let Err(error) = EnvFilter::try_new(&log) {
            return Err(invalid("log", format!("`{log}` is not a filter: {error}")));
        }
        Ok(Config {
            listen,
            data_directory: options
                .data_directory
                .unwrap_or_else(|| "orgservice-data".into()),
            engine: options.engine.unwrap_or_default(),
            cache_bytes: within("cache_mib", options.cache_mib.unwrap_or(256), CACHE_MIB)? * MIB,
            tls,
            reflection: options.reflection.unwrap_or(loopback),
            log,
            log_format: options.log_format.unwrap_or_default(),
            organization_name: name(
                "organization_name",
                options
                    .organization_name
                    .unwrap_or_else(|| "Organization".to_owned()),
            )?,
            administrator_name: name(
                "administrator_name",
                options
                    .administrator_name
                    .unwrap_or_else(|| "administrator".to_owned()),
            )?,
            token_lifetime: SignedDuration::from_hours(
                24 * within(
                    "token_days",
                    options.token_days.unwrap_or(90),
                    0..=TOKEN_DAYS_MAX,
                )?
                .cast_signed(),
            ),
            drain: Duration::from_secs(within(
                "drain_seconds",
                options.drain_seconds.unwrap_or(30),
                0..=DRAIN_SECONDS_MAX,
            )?),
            trusted_hosts: options
                .trusted_hosts
                .unwrap_or_default()
                .into_iter()
                .map(|host| name("trusted_hosts", host))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Options {
    /// These options, and those of `other` where these have none.
    fn or(self, other: Options) -> Options {
        Options {
            config: self.config.or(other.config),
            listen: self.listen.or(other.listen),
            data_directory: self.data_directory.or(other.data_directory),
            engine: self.engine.or(other.engine),
            cache_mib: self.cache_mib.or(other.cache_mib),
            tls_certificate: self.tls_certificate.or(other.tls_certificate),
            tls_key: self.tls_key.or(other.tls_key),
            allow_plaintext: self.allow_plaintext.or(other.allow_plaintext),
            reflection: self.reflection.or(other.reflection),
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
            organization_name: self.organization_name.or(other.organization_name),
            administrator_name: self.administrator_name.or(other.administrator_name),
            token_days: self.token_days.or(other.token_days),
            drain_seconds: self.drain_seconds.or(other.drain_seconds),
            trusted_hosts: self.trusted_hosts.or(other.trusted_hosts),
        }
    }
}

fn read_file(path: &Path) -> Result<Options, ConfigError> {
    let text = fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        option: "config",
        path: path.into(),
        error,
    })?;
    toml::from_str(&text).map_err(|error| ConfigError::Malformed {
        path: path.into(),
        error: Box::new(error),
    })
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|error| ConfigError::Unreadable {
        option,
        path: path.into(),
        error,
    })
}

fn within(
    option: &'static str,
    value: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, ConfigError> {
    if range.contains(&value) {
        return Ok(value);
    }
    let reason = format!(
        "{value} is not between {} and {}",
        range.start(),
        range.end()
    );
    Err(invalid(option, reason))
}

fn name(option: &'static str, name: String) -> Result<String, ConfigError> {
    match name.trim().chars().count() {
        0 => Err(invalid(option, "a name cannot be empty")),
        1..=NAME_CHARACTERS_MAX => Ok(name.trim().to_owned()),
        count => Err(invalid(
            option,
            format!("a name of {count} characters is longer than {NAME_CHARACTERS_MAX}"),
        )),
    }
}

fn invalid(option: &'static str, reason: impl Into<String>) -> ConfigError {
    ConfigError::Invalid {
        option,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn toml(text: &str) -> Options {
        toml::from_str(text).unwrap()
    }

    fn refused(text: &str) -> String {
        Config::check(toml(text)).unwrap_err().to_string()
    }

    #[test]
    fn defaults_serve_this_machine_only() {
        let config = Config::check(Options::default()).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:50051");
        assert_eq!(config.data_directory, Path::new("orgservice-data"));
        assert_eq!(config.engine, Engine::Sled);
        assert_eq!(config.cache_bytes, 256 * MIB);
        assert!(config.reflection && config.tls.is_none() && config.trusted_hosts.is_empty());
    }

    #[test]
    fn what_is_given_wins_over_the_file() {
        let given = Options {
            drain_seconds: Some(5),
            ..Options::default()
        };
        let file = toml("drain_seconds = 9\nlog = \"debug\"\nengine = \"memory\"");
        let config = Config::check(given.or(file)).unwrap();
        assert_eq!(config.drain, Duration::from_secs(5));
        assert_eq!(
            (config.log.as_str(), config.engine),
            ("debug", Engine::Memory)
        );
    }

    #[test]
    fn every_option_of_the_file_reaches_the_configuration() {
        let config = Config::check(toml(
            r#"
            listen = "[::1]:0"
            data_directory = "/srv/org"
            engine = "memory"
            cache_mib = 64
            allow_plaintext = false
            reflection = false
            log = "warn"
            log_format = "json"
            organization_name = " Contoso "
            administrator_name = "root"
            token_days = 0
            drain_seconds = 0
            trusted_hosts = ["worker"]
            "#,
        ))
        .unwrap();
        let expected = Config {
            listen: "[::1]:0".parse().unwrap(),
            data_directory: "/srv/org".into(),
            engine: Engine::Memory,
            cache_bytes: 64 * MIB,
            tls: None,
            reflection: false,
            log: "warn".into(),
            log_format: LogFormat::Json,
            organization_name: "Contoso".into(),
            administrator_name: "root".into(),
            token_lifetime: SignedDuration::ZERO,
            drain: Duration::ZERO,
            trusted_hosts: vec!["worker".into()],
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn plaintext_beyond_this_machine_must_be_asked_for() {
        for address in ["0.0.0.0:50051", "[::]:50051", "192.0.2.7:50051"] {
            let message = refused(&format!("listen = \"{address}\""));
            assert!(
                message.contains("`listen`") && message.contains("`allow_plaintext`"),
                "{message}"
            );
            let text = format!("listen = \"{address}\"\nallow_plaintext = true");
            let config = Config::check(toml(&text)).unwrap();
            assert!(
                !config.reflection,
                "reflection is off by default beyond this machine"
            );
        }
    }

    #[test]
    fn an_error_names_the_option() {
        for (text, option) in [
            ("listen = \"localhost\"", "`listen`"),
            ("listen = \"localhost:50051\"", "`listen`"),
            ("cache_mib = 1", "`cache_mib`"),
            ("drain_seconds = 100000", "`drain_seconds`"),
            ("token_days = 10000", "`token_days`"),
            ("log = \"server=loud\"", "`log`"),
            ("organization_name = \" \"", "`organization_name`"),
            ("trusted_hosts = [\"\"]", "`trusted_hosts`"),
            ("tls_certificate = \"/nowhere.pem\"", "`tls_key`"),
            ("tls_key = \"/nowhere.pem\"", "`tls_certificate`"),
            (
                "tls_certificate = \"/nowhere.pem\"\ntls_key = \"/nowhere.pem\"",
                "`tls_certificate`",
            ),
        ] {
            let message = refused(text);
            assert!(message.starts_with(option), "{text}: {message}");
        }
    }

    #[test]
    fn a_file_with_an_unknown_option_is_refused() {
        let error = toml::from_str::<Options>("listne = \"127.0.0.1:1\"").unwrap_err();
        assert!(error.to_string().contains("listne"));
        assert!(toml::from_str::<Options>("config = \"other.toml\"").is_err());
        let missing = Options {
            config: Some("/nowhere.toml".into()),
            ..Options::default()
        };
        assert!(
            Config::load(missing)
                .unwrap_err()
                .to_string()
                .contains("/nowhere.toml")
        );
    }
}
