//! The floor: the same messages over the same engine, with no security, no metadata and no rules.
//!
//! - Retrieve: one sled get, decode of the stored record, encode of the answer.
//! - Create, Update: one put, or as many as our Create writes, in a group commit that is synced.
//! - RetrieveMultiple: one scan of fifty stored records.
//!
//! Its stored record is what this server answered for one, so both answer with the same bytes.

use std::{
    convert::Infallible,
    fs,
    future::{Ready, ready},
    path::Path,
    sync::{Arc, mpsc},
    task::{Context, Poll},
    thread,
};

use bytes::Bytes;
use orgservice::v1::{
    CreateRequest, CreateResponse, Entity, EntityCollection, RetrieveMultipleRequest,
    RetrieveMultipleResponse, RetrieveRequest, RetrieveResponse, UpdateRequest, UpdateResponse,
};
use orgservice_server::storage::{
    CommitVersion, Direction, KeyRange, StorageError,
    engine::{Engine, SledEngine, SledOptions, WriteBatch},
    keys,
};
use prost::Message;
use tokio::{net::TcpListener, sync::oneshot};
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::{Grpc, NamedService, UnaryService},
    transport::{Server, server::TcpIncoming},
};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use super::{
    Outcome,
    child::{self, Ready as Serving},
    data,
    service::{CACHE_BYTES, Session},
};

/// First byte of a stored record's key.
const RECORD: u8 = 1;

/// Writes of one group commit: what the server's committer takes as well.
const GROUP: usize = orgservice_server::limits::GROUP_COMMIT_TRANSACTIONS_MAX;

/// One request's puts, and whom to tell that they are durable.
type Waiting = (
    Vec<(Bytes, Bytes)>,
    oneshot::Sender<Result<(), StorageError>>,
);

/// Serves until standard input ends: at the first address a Create is one put, at the second as many
/// as this server's.
pub async fn run(folder: &Path, service: &Path, template: &Path, records: usize) -> Outcome<()> {
    let engine = Arc::new(SledEngine::open(&SledOptions {
        directory: folder.to_owned(),
        cache_bytes: CACHE_BYTES,
    })?);
    let template = Entity::decode(&*fs::read(template)?)?;
    let version = fill(&engine, &template, records)?;
    let (sender, receiver) = mpsc::channel();
    let committing = Arc::clone(&engine);
    thread::spawn(move || commit(&committing, version, &receiver));

    let session = Session::read(service)?;
    let one = Floor {
        engine,
        commits: sender,
        others: Arc::default(),
    };
    let others = session
        .written
        .iter()
        // The record itself is the put that both make.
        .filter(|(key, _)| key.first() != Some(&keys::RECORD))
        .filter_map(|(key, value)| Other::of(key, value, session.written_id))
        .collect();
    let same = Floor {
        others: Arc::new(others),
        ..one.clone()
    };
    let first = TcpListener::bind("127.0.0.1:0").await?;
    let second = TcpListener::bind("127.0.0.1:0").await?;
    let ready = Serving {
        addresses: vec![first.local_addr()?, second.local_addr()?],
    };
    ready.tell()?;
    let (first, second) = tokio::join!(serve(first, one), serve(second, same));
    first?;
    second?;
    Ok(())
}

async fn serve(listener: TcpListener, floor: Floor) -> Result<(), tonic::transport::Error> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .add_service(floor)
        .serve_with_incoming_shutdown(incoming, child::told_to_end())
        .await
}

fn fill(engine: &SledEngine, template: &Entity, records: usize) -> Outcome<u64> {
    let mut version = 0;
    let numbers: Vec<usize> = (0..records).collect();
    for numbers in numbers.chunks(500) {
        let mut batch = WriteBatch::default();
        for &number in numbers {
            let id = data::record_id(number);
            let record = Entity {
                id: id.to_string(),
                ..template.clone()
            };
            batch.write(key(id), Some(record.encode_to_vec().into()));
        }
        version += 1;
        engine.apply(&batch, CommitVersion(version))?;
    }
    engine.sync()?;
    Ok(version)
}

fn key(id: Uuid) -> Bytes {
    let mut key = Vec::with_capacity(17);
    key.push(RECORD);
    key.extend_from_slice(id.as_bytes());
    key.into()
}

/// Group commit and nothing else: what waits becomes one batch, one sync, and then all are told.
fn commit(engine: &SledEngine, mut version: u64, waiting: &mpsc::Receiver<Waiting>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = WriteBatch::default();
        let mut told = Vec::with_capacity(GROUP);
        for (puts, answer) in std::iter::once(first).chain(waiting.try_iter().take(GROUP - 1)) {
            for (key, value) in puts {
                batch.write(key, Some(value));
            }
            told.push(answer);
        }
        version += 1;
        let outcome = engine
            .apply(&batch, CommitVersion(version))
            .and_then(|()| engine.sync());
        for answer in told {
            // A call that was cancelled waits no more.
            let _ = answer.send(outcome.clone());
        }
    }
}

/// A pair that a Create of this server writes beside the record, with the place of the id in its key.
struct Other {
    key: Vec<u8>,
    at: usize,
    value: Bytes,
}

impl Other {
    fn of(key: &[u8], value: &[u8], id: Uuid) -> Option<Self> {
        let at = key.windows(16).position(|part| part == id.as_bytes())?;
        Some(Other {
            key: key.to_owned(),
            at,
            value: Bytes::copy_from_slice(value),
        })
    }

    fn put(&self, id: Uuid) -> (Bytes, Bytes) {
        let mut key = self.key.clone();
        key[self.at..self.at + 16].copy_from_slice(id.as_bytes());
        (key.into(), self.value.clone())
    }
}

#[derive(Clone)]
struct Floor {
    engine: Arc<SledEngine>,
    commits: mpsc::Sender<Waiting>,
    others: Arc<Vec<Other>>,
}

impl Floor {
    fn retrieve(&self, request: &RetrieveRequest) -> Result<RetrieveResponse, Status> {
        let id = request.target.as_ref().map_or("", |target| &target.id);
        let stored = self.engine.get(&key(parse(id)?)).map_err(failed)?;
        let stored = stored.ok_or_else(|| Status::not_found("no such record"))?;
        Ok(RetrieveResponse {
            entity: Some(decode(stored)?),
        })
    }

    fn page(&self) -> Result<RetrieveMultipleResponse, Status> {
        let range = KeyRange {
            start: vec![RECORD],
            end: vec![RECORD + 1],
        };
        let rows = self
            .engine
            .scan(&range, Direction::Forward, data::PAGE_ROWS)
            .map_err(failed)?;
        let entities = rows
            .into_iter()
            .map(|(_, stored)| decode(stored))
            .collect::<Result<_, _>>()?;
        Ok(RetrieveMultipleResponse {
            entity_collection: Some(EntityCollection {
                entity_name: data::TABLE.to_owned(),
                entities,
                more_records: true,
                ..EntityCollection::default()
            }),
            ..RetrieveMultipleResponse::default()
        })
    }

    async fn put(self, id: Uuid, record: Entity) -> Result<(), Status> {
        let mut puts = vec![(key(id), record.encode_to_vec().into())];
        puts.extend(self.others.iter().map(|other| other.put(id)));
        let (answer, answered) = oneshot::channel();
        self.commits
            .send((puts, answer))
            .map_err(|_| Status::unavailable("no committer"))?;
        answered
            .await
            .map_err(|_| Status::unavailable("no committer"))?
            .map_err(failed)
    }
}

fn parse(id: &str) -> Result<Uuid, Status> {
    Uuid::parse_str(id).map_err(|_| Status::invalid_argument("no id"))
}

fn decode(stored: Bytes) -> Result<Entity, Status> {
    Entity::decode(stored).map_err(|_| Status::data_loss("a broken record"))
}

fn failed(error: StorageError) -> Status {
    Status::internal(error.to_string())
}

impl UnaryService<RetrieveRequest> for Floor {
    type Response = RetrieveResponse;
    type Future = Ready<Result<Response<RetrieveResponse>, Status>>;

    fn call(&mut self, request: Request<RetrieveRequest>) -> Self::Future {
        ready(self.retrieve(request.get_ref()).map(Response::new))
    }
}

impl UnaryService<RetrieveMultipleRequest> for Floor {
    type Response = RetrieveMultipleResponse;
    type Future = Ready<Result<Response<RetrieveMultipleResponse>, Status>>;

    fn call(&mut self, _: Request<RetrieveMultipleRequest>) -> Self::Future {
        ready(self.page().map(Response::new))
    }
}

impl UnaryService<CreateRequest> for Floor {
    type Response = CreateResponse;
    type Future = BoxFuture<Response<CreateResponse>, Status>;

    fn call(&mut self, request: Request<CreateRequest>) -> Self::Future {
        let floor = self.clone();
        Box::pin(async move {
            let id = Uuid::now_v7();
            let record = request.into_inner().target.unwrap_or_default();
            floor.put(id, record).await?;
            Ok(Response::new(CreateResponse { id: id.to_string() }))
        })
    }
}

impl UnaryService<UpdateRequest> for Floor {
    type Response = UpdateResponse;
    type Future = BoxFuture<Response<UpdateResponse>, Status>;

    fn call(&mut self, request: Request<UpdateRequest>) -> Self::Future {
        let floor = self.clone();
        Box::pin(async move {
            let record = request.into_inner().target.unwrap_or_default();
            floor.put(parse(&record.id)?, record).await?;
            Ok(Response::new(UpdateResponse {}))
        })
    }
}

impl NamedService for Floor {
    const NAME: &'static str = "orgservice.v1.OrganizationService";
}

impl Service<http::Request<Body>> for Floor {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let floor = self.clone();
        // As the generated server does it, call by call.
        macro_rules! unary {
            ($answer:ty, $request:ty) => {
                Box::pin(async move {
                    let codec = ProstCodec::<$answer, $request>::default();
                    Ok(Grpc::new(codec).unary(floor, request).await)
                })
            };
        }
        match request.uri().path() {
            "/orgservice.v1.OrganizationService/Retrieve" => {
                unary!(RetrieveResponse, RetrieveRequest)
            }
            "/orgservice.v1.OrganizationService/Create" => unary!(CreateResponse, CreateRequest),
            "/orgservice.v1.OrganizationService/Update" => unary!(UpdateResponse, UpdateRequest),
            "/orgservice.v1.OrganizationService/RetrieveMultiple" => {
                unary!(RetrieveMultipleResponse, RetrieveMultipleRequest)
            }
            _ => Box::pin(async { Ok(Status::unimplemented("not of the floor").into_http()) }),
        }
    }
}
