//! The load program: this server against the bare floor, in one run on one machine
//! (`docs/performance.md`).
//!
//! Both are child processes of this same program, so that the processor time of a call can be read
//! from the system. They are measured in turn, round by round; what counts are the medians of the
//! ratios of each round, never a rate by itself.
//!
//! `cargo bench -p orgservice-server --bench load -- --help`

mod child;
mod client;
mod data;
mod decision;
mod floor;
mod report;
mod service;
mod startup;

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::{Parser, ValueEnum};
use prost::Message as _;

use self::{
    child::Server,
    client::{Call, Credentials, Measure, Target},
    report::{
        Line,
        Quantity::{Cpu, P50, P99, Rate},
        Ratio,
    },
    service::Session,
};

/// As the server binary, and the same for the floor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What can go wrong in a program that measures.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Records in the stores that calls are measured on.
const RECORDS: usize = 20_000;

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Group {
    /// Retrieve at 64 in flight
    Retrieve,
    /// Retrieve, one after the other
    Sequential,
    /// Retrieve with and without TLS
    Tls,
    /// Create at 64 in flight
    Create,
    /// Create at 1, 64 and 256 in flight
    Writers,
    /// Update at 64 in flight
    Update,
    /// RetrieveMultiple, pages of 50 at 16 in flight
    Page,
    /// One decision, in this process
    Decision,
    /// Start, memory and disk; only when named
    Startup,
}

/// Measures this server against the bare floor.
#[derive(Debug, Parser)]
struct Arguments {
    /// Alternating rounds
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Seconds of one interval of load
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Measure these alone, separated by commas
    #[arg(long, value_delimiter = ',')]
    only: Vec<Group>,
    /// Three short rounds: shows that it works, and measures nothing
    #[arg(long)]
    quick: bool,
    /// Records of `--only startup`
    #[arg(long, default_value_t = 100_000)]
    records: usize,
    /// Folder for the stores, on the disk that is to be measured [default: target/load]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Passed by `cargo bench`; means nothing here
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(orgservice_server::limits::BLOCKING_THREADS_MAX)
        .build()
        .map_err(Into::into)
        .and_then(|runtime| {
            let outcome = runtime.block_on(run());
            // A child's standard input is still being waited for on a thread.
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every goal was met.
async fn run() -> Outcome<bool> {
    if let Some(role) = child::role() {
        run_role(&role).await?;
        return Ok(true);
    }
    let mut arguments = Arguments::parse();
    if arguments.quick {
        (arguments.rounds, arguments.seconds) = (3, 0.3);
    }
    let folder = arguments.folder.clone().unwrap_or_else(|| {
        let target = option_env!("CARGO_TARGET_TMPDIR").unwrap_or("target/tmp");
        Path::new(target).join("load")
    });
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let lines = measure(&arguments, &folder).await?;
    report::print_lines(&lines);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(!lines.iter().any(Line::missed))
}

/// A child's life. Its log goes where the binary's goes, at the same level.
async fn run_role(role: &[String]) -> Outcome<()> {
    tracing_subscriber::fmt()
        .with_env_filter("info")
        .with_writer(std::io::stderr)
        .init();
    let words: Vec<&str> = role.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["service", folder, records] => service::run(Path::new(folder), records.parse()?).await,
        ["floor", folder, service, template] => {
            let [folder, service, template] = [folder, service, template].map(Path::new);
            floor::run(folder, service, template, RECORDS).await
        }
        _ => Err("a role that nobody plays".into()),
    }
}

/// A side of a comparison: a name, whom it calls with what, and how many at a time.
struct Side {
    name: &'static str,
    target: Target,
    call: Call,
    in_flight: usize,
}

async fn measure(arguments: &Arguments, folder: &Path) -> Outcome<Vec<Line>> {
    if arguments.only.contains(&Group::Startup) {
        return startup::measure(&folder.join("startup"), arguments.records).await;
    }
    let wanted = |group| arguments.only.is_empty() || arguments.only.contains(&group);
    let service_folder = folder.join("service");
    fs::create_dir_all(&service_folder)?;
    let service_path = service_folder.display().to_string();
    let service = Arc::new(Server::start(&[
        "service",
        &service_path,
        &RECORDS.to_string(),
    ])?);
    let session = Session::read(&service_folder)?;
    println!(
        "{RECORDS} records; a Create writes {} keys; {} rounds of {} s, sides in turn",
        session.written.len(),
        arguments.rounds,
        arguments.seconds
    );
    let mut lines = Vec::new();
    {
        let targets = Targets::new(&service, &session, folder, &service_folder).await?;
        for group in Group::value_variants()
            .iter()
            .copied()
            .filter(|&group| wanted(group))
        {
            let Some((title, sides, ratios)) = targets.comparison(group) else {
                continue;
            };
            let rounds = rounds(&sides, arguments).await?;
            let names: Vec<&str> = sides.iter().map(|side| side.name).collect();
            report::print_sides(title, &names, &rounds);
            lines.extend(
                ratios
                    .iter()
                    .map(|ratio| Line::of(title, &names, &rounds, ratio)),
            );
        }
    }
    Arc::into_inner(service)
        .ok_or("the service is still in use")?
        .stop()?;
    if wanted(Group::Decision) {
        lines.push(decision::measure(&service_folder)?);
    }
    Ok(lines)
}

/// One warm-up, then every side in turn, forwards and backwards.
async fn rounds(sides: &[Side], arguments: &Arguments) -> Outcome<Vec<Vec<Measure>>> {
    let interval = Duration::from_secs_f64(arguments.seconds);
    let load = |side: &Side, interval| {
        let target = side.target.clone();
        let (call, in_flight) = (side.call, side.in_flight);
        async move { target.load(call, in_flight, RECORDS, interval).await }
    };
    for side in sides {
        load(side, interval / 2).await?;
    }
    let mut rounds = Vec::with_capacity(arguments.rounds);
    for round in 0..arguments.rounds {
        let mut measures: Vec<Option<Measure>> = vec![None; sides.len()];
        let mut order: Vec<usize> = (0..sides.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for side in order {
            measures[side] = Some(load(&sides[side], interval).await?);
        }
        rounds.push(measures.into_iter().flatten().collect());
    }
    Ok(rounds)
}

/// Every way to call one of the two servers.
struct Targets {
    floor: Target,
    floor_same_keys: Target,
    plain: Target,
    on_behalf: Target,
    tls: Target,
}

impl Targets {
    async fn new(
        service: &Arc<Server>,
        session: &Session,
        folder: &Path,
        service_folder: &Path,
    ) -> Outcome<Self> {
        let own = Credentials::new(&session.owner_token, None)?;
        let other = Credentials::new(&session.delegate_token, Some(session.owner))?;
        let plain = Target::connect(service, service.addresses[0], None, own).await?;
        let on_behalf = plain.with(other.clone());
        let certificate = service::certificate(service_folder)?;
        let tls = Target::connect(service, service.addresses[1], Some(&certificate), other).await?;

        let template = folder.join("template");
        fs::write(
            &template,
            plain.retrieve(data::record_id(0)).await?.encode_to_vec(),
        )?;
        let floor = Arc::new(Server::start(&[
            "floor",
            &folder.join("floor").display().to_string(),
            &service_folder.display().to_string(),
            &template.display().to_string(),
        ])?);
        let nobody = Credentials::default;
        Ok(Targets {
            floor: Target::connect(&floor, floor.addresses[0], None, nobody()).await?,
            floor_same_keys: Target::connect(&floor, floor.addresses[1], None, nobody()).await?,
            plain,
            on_behalf,
            tls,
        })
    }

    /// What a group compares, by sides and ratios; goals are those of `docs/performance.md`.
    fn comparison(&self, group: Group) -> Option<(&'static str, Vec<Side>, Vec<Ratio>)> {
        let side = |name, target: &Target, call, in_flight| Side {
            name,
            target: target.clone(),
            call,
            in_flight,
        };
        let three = |call, in_flight| {
            vec![
                side("floor", &self.floor, call, in_flight),
                side("plain", &self.plain, call, in_flight),
                side("on behalf", &self.on_behalf, call, in_flight),
            ]
        };
        let ratio = Ratio::new;
        Some(match group {
            Group::Retrieve => (
                "Retrieve, 64 in flight",
                three(Call::Retrieve, 64),
                vec![
                    ratio(Rate, 2, 0).goal(1, 0.75, 0.90),
                    ratio(Cpu, 2, 0).goal(2, 1.35, 1.15),
                    ratio(Rate, 2, 1).goal(5, 0.93, 0.98),
                    ratio(Rate, 1, 0),
                    ratio(Cpu, 1, 0),
                ],
            ),
            Group::Sequential => (
                "Retrieve, one by one",
                three(Call::Retrieve, 1),
                vec![
                    ratio(P99, 2, 0).goal(3, 1.5, 1.2),
                    ratio(P50, 2, 0),
                    ratio(P50, 2, 1),
                ],
            ),
            Group::Tls => (
                "Retrieve over TLS",
                vec![
                    side("plaintext", &self.on_behalf, Call::Retrieve, 64),
                    side("TLS", &self.tls, Call::Retrieve, 64),
                ],
                vec![ratio(Rate, 1, 0).goal(4, 0.85, 0.93), ratio(Cpu, 1, 0)],
            ),
            Group::Create => (
                "Create, 64 in flight",
                vec![
                    side("floor, one key", &self.floor, Call::Create, 64),
                    side("floor, same keys", &self.floor_same_keys, Call::Create, 64),
                    side("plain", &self.plain, Call::Create, 64),
                    side("on behalf", &self.on_behalf, Call::Create, 64),
                ],
                vec![
                    ratio(Rate, 3, 0).goal(6, 0.40, 0.55),
                    ratio(Rate, 3, 1).goal(7, 0.75, 0.90),
                    ratio(Rate, 3, 2).goal(5, 0.93, 0.98),
                    ratio(Cpu, 3, 0),
                    ratio(Cpu, 3, 1),
                ],
            ),
            Group::Writers => (
                "Create by more writers",
                [
                    ("on behalf, 1", 1),
                    ("on behalf, 64", 64),
                    ("on behalf, 256", 256),
                ]
                .map(|(name, writers)| side(name, &self.on_behalf, Call::Create, writers))
                .into(),
                vec![
                    ratio(Rate, 1, 0).goal(8, 2.5, 3.5),
                    ratio(Rate, 2, 1).goal(8, 0.8, 0.95),
                ],
            ),
            Group::Update => (
                "Update, 64 in flight",
                three(Call::Update, 64),
                vec![
                    ratio(Rate, 2, 0),
                    ratio(Cpu, 2, 0),
                    ratio(Rate, 2, 1).goal(5, 0.93, 0.98),
                ],
            ),
            Group::Page => (
                "Page of 50, 16 in flight",
                three(Call::Page, 16),
                vec![
                    ratio(Rate, 2, 0).goal(10, 0.40, 0.65),
                    ratio(Cpu, 2, 0),
                    ratio(Rate, 2, 1).goal(5, 0.93, 0.98),
                ],
            ),
            Group::Decision | Group::Startup => return None,
        })
    }
}
