//! Start, memory and disk with many records (goals 16 to 19).

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Outcome,
    child::{self, Server},
    client::{Call, Credentials, Target},
    report::Line,
    service::Session,
};

/// Records of the goals that speak of memory and of the start.
const RECORDS_OF_GOALS: usize = 1_000_000;

/// How long an idle server is watched.
const IDLE: Duration = Duration::from_secs(10);

/// Starts this server over and over: empty, filled, after a clean end, after a kill.
pub async fn measure(folder: &Path, records: usize) -> Outcome<Vec<Line>> {
    let mut lines = Vec::new();
    // Goals of a million records are judged with a million records only.
    let goal = |goal| (records >= RECORDS_OF_GOALS).then_some(goal);

    let empty = folder.join("empty");
    let (server, _, first_answer) = start(&empty, 0).await?;
    lines.push(Line::figure(
        "empty store: start until the first answer, bootstrap included, s",
        first_answer.as_secs_f64(),
        None,
    ));
    Arc::into_inner(server).ok_or("still in use")?.stop()?;
    let (server, _, first_answer) = start(&empty, 0).await?;
    lines.push(Line::figure(
        "empty store: start until the first answer, s",
        first_answer.as_secs_f64(),
        Some((19, 0.3, 0.1)),
    ));
    let cpu = server.cpu()?;
    tokio::time::sleep(IDLE).await;
    lines.push(Line::figure(
        "idle: percent of a core",
        (server.cpu()? - cpu) / IDLE.as_secs_f64() * 100.0,
        Some((19, 1.0, 0.3)),
    ));
    drop(server);

    let full = folder.join("full");
    let begin = Instant::now();
    let (server, _, _) = start(&full, records).await?;
    println!(
        "\n{records} records written in {:.1} s, one Create each",
        begin.elapsed().as_secs_f64()
    );
    lines.push(Line::figure(
        "resident after writing all, MiB",
        server.resident()?,
        goal((16, 1_229.0, 700.0)),
    ));
    Arc::into_inner(server).ok_or("still in use")?.stop()?;
    lines.push(Line::figure(
        "disk for each record, bytes",
        child::disk_bytes(&full)? as f64 / records as f64,
        None,
    ));

    let (server, target, first_answer) = start(&full, records).await?;
    lines.push(Line::figure(
        "start until the first secured answer, s",
        first_answer.as_secs_f64(),
        goal((17, 3.0, 1.5)),
    ));
    lines.push(Line::figure(
        "resident after the start, MiB",
        server.resident()?,
        None,
    ));
    target
        .load(Call::Retrieve, 64, records, Duration::from_secs(20))
        .await?;
    lines.push(Line::figure(
        "resident after 20 s of reading at random, MiB",
        server.resident()?,
        goal((16, 1_229.0, 700.0)),
    ));
    target
        .load(Call::Create, 64, records, Duration::from_secs(2))
        .await?;
    drop(target);
    Arc::into_inner(server).ok_or("still in use")?.kill()?;
    let (server, _, first_answer) = start(&full, records).await?;
    lines.push(Line::figure(
        "start after a kill until the first secured answer, s",
        first_answer.as_secs_f64(),
        goal((17, 5.0, 2.0)),
    ));
    drop(server);
    fs::remove_dir_all(folder)?;
    Ok(lines)
}

/// Starts a server and waits for one answer on behalf of the owner.
async fn start(folder: &Path, records: usize) -> Outcome<(Arc<Server>, Target, Duration)> {
    fs::create_dir_all(folder)?;
    let begin = Instant::now();
    let server = Arc::new(Server::start(&[
        "service",
        &folder.display().to_string(),
        &records.to_string(),
    ])?);
    let session = Session::read(folder)?;
    let credentials = Credentials::new(&session.delegate_token, Some(session.owner))?;
    let target = Target::connect(&server, server.address(), None, credentials).await?;
    target.retrieve(session.written_id).await?;
    Ok((server, target, begin.elapsed()))
}
